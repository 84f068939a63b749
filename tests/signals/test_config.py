import math

import pytest
from pydantic import ValidationError

from signals.config import GateConfig, SignalConfig
from signals.liquidity import required_series, wanted_series


def test_the_defaults_are_those_that_were_set_before_results_were_seen() -> None:
    assert SignalConfig().model_dump() == {
        "form": 2,
        "events": "market",
        "window_sessions": 756,
        "min_window_sessions": 252,
        "clip": 3.0,
        "min_scale_sessions": 126,
        "companies": ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
        "capex_stale_days": 200,
        "gate": {"enabled": True, "ratio": 0.5, "width": 0.05, "stimulus": 0.5, "level": False},
        "capex_events": True,
        "further_event_companies": ("CRWV",),
        "event_half_life_sessions": 63.0,
        "outside_funding": True,
        "funding_half_life_sessions": 63.0,
        "change_sessions": (20, 60),
        "credit_spread": "BAA10Y",
        "mark_joint_rises": False,
        "level_change_sessions": 63,
        "net_liquidity": "week_mean",
        "policy_rate": "DFF",
        "pipes_mean_observations": 5,
        "half_life_sessions": 10.0,
        "enter": 0.4,
        "leave": 0.2,
        "dwell_sessions": 10,
        "model": {
            "name": "threshold",
            "first_fit_sessions": 756,
            "refit_sessions": 126,
            "window_sessions": 3000,
            "certainty": 0.8,
            "jump_penalty": 50.0,
            "jump_starts": 10,
        },
    }


def test_the_gate_goes_from_a_tenth_to_nine_tenths_within_a_tenth_on_either_side() -> None:
    gate = GateConfig()
    for side, wanted in ((-1, 0.1), (+1, 0.9)):
        assert 1 / (1 + math.exp(-side * 0.1 / gate.width)) == pytest.approx(wanted, abs=0.025)


def test_the_default_form_needs_these_series() -> None:
    assert required_series(SignalConfig()) == (
        "DGS10",
        "DFII10",
        "BAA10Y",
        "WALCL",
        "RRPONTSYD",
        "SOFR",
        "DFF",
    )
    assert wanted_series(SignalConfig()) == (*required_series(SignalConfig()), "WDTGAL", "IORB")
    assert required_series(SignalConfig(form=1))[4] == "WTREGEN"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"leave": 0.4}, "leave below enter"),
        ({"leave": 0.0}, "greater than 0"),
        ({"enter": 0.1}, "leave below enter"),
        ({"min_window_sessions": 757}, "at most window_sessions, which is 756"),
        ({"min_scale_sessions": 757}, "at most window_sessions, which is 756"),
        ({"min_window_sessions": 1}, "greater than or equal to 2"),
        ({"clip": 0.0}, "greater than 0"),
        ({"event_half_life_sessions": 0.0}, "greater than 0"),
        ({"funding_half_life_sessions": -1.0}, "greater than 0"),
        ({"further_event_companies": ("CRWV", "CRWV")}, "got CRWV, CRWV, wanted each once"),
        ({"gate": {"ratio": 0.0}}, "greater than 0"),
        ({"gate": {"width": 0.0}}, "greater than 0"),
        ({"gate": {"stimulus": 1.1}}, "less than or equal to 1"),
        ({"gate": {"enabled": False, "level": True}}, "level true with the gate off, wanted enabled true"),
        ({"half_life_sessions": 0.0}, "greater than 0"),
        ({"half_life_sessions": float("inf")}, "finite number"),
        ({"dwell_sessions": 0}, "greater than or equal to 1"),
        ({"companies": ()}, "at least 1 item"),
        ({"companies": ("MSFT", "MSFT")}, "each once"),
        ({"change_sessions": (20, 20)}, "each once"),
        ({"change_sessions": (0,)}, "wanted 1 or more"),
        ({"windw_sessions": 756}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SignalConfig.model_validate(fields)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SignalConfig().enter = 0.5  # type: ignore[misc]
