import pytest
from pydantic import ValidationError

from signals.config import SignalConfig
from signals.liquidity import required_series


def test_the_defaults_are_those_that_were_set_before_results_were_seen() -> None:
    assert SignalConfig().model_dump() == {
        "window_sessions": 756,
        "min_window_sessions": 252,
        "clip": 3.0,
        "min_scale_sessions": 126,
        "companies": ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
        "capex_stale_days": 200,
        "change_sessions": (20, 60),
        "level_change_sessions": 63,
        "pipes_mean_observations": 5,
        "half_life_sessions": 10.0,
        "enter": 0.4,
        "leave": 0.2,
        "dwell_sessions": 10,
    }


def test_the_default_form_needs_these_series() -> None:
    assert required_series(SignalConfig()) == (
        "DGS10",
        "DFII10",
        "BAA10Y",
        "WALCL",
        "WTREGEN",
        "RRPONTSYD",
        "SOFR",
        "DFF",
    )


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
