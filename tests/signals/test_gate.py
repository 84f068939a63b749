"""The threshold of idle money: the curve at points worked out by hand, and what it does to growth and to the level."""

import math

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.events.editions import reference_events
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES
from frames import capex_growth, drain_block, gate_state, idle_money_gate, level_block, raw_contributions
from signals.block import SignalData
from signals.capex.spending import company_quarters
from signals.config import GateConfig, SignalConfig


def state_at(ratio: float, **gate: float) -> pd.Series:
    return gate_state(pd.Series([ratio]), GateConfig(**gate)).iloc[0]


@pytest.mark.parametrize(
    ("ratio", "g"),
    [(0.5, 0.5), (0.6, 1 / (1 + math.exp(-2))), (0.4, 1 / (1 + math.exp(2))), (0.43, 0.19781611144141825)],
)
def test_the_curve_by_hand(ratio: float, g: float) -> None:
    state = state_at(ratio)
    assert state["ratio"] == ratio
    assert state["g"] == pytest.approx(g, rel=1e-12)
    assert state["multiplier"] == pytest.approx(1.5 * g - 0.5, rel=1e-12)


def test_capex_goes_from_stimulus_to_drain() -> None:
    assert state_at(0.0)["multiplier"] == pytest.approx(-0.5, abs=1e-4)
    assert state_at(1.0)["multiplier"] == pytest.approx(1.0, abs=1e-4)
    assert state_at(0.0, stimulus=0.0)["multiplier"] == pytest.approx(0.0, abs=1e-4)
    ratios = np.linspace(0, 2, 101)
    path = gate_state(pd.Series(ratios), GateConfig())
    assert (path["multiplier"].diff()[1:] >= 0).all()
    assert path["g"].between(0, 1).all()


def test_far_from_the_threshold_nothing_overflows() -> None:
    with np.errstate(all="raise"):
        assert state_at(1e6, width=1e-9)["g"] == 1.0
        assert state_at(-1e6, width=1e-9)["g"] == 0.0


def test_where_the_ratio_is_missing_so_is_all() -> None:
    assert state_at(math.nan).isna().all()


def results(share: list[float], growth: float) -> pd.DataFrame:
    """Quarters from 2015 on of a company whose capex grows steadily and takes these shares of its cash flow."""
    ends = pd.date_range("2015-03-31", periods=len(share), freq="QE").astype("datetime64[us]")
    capex = np.exp(growth / 4 * np.arange(len(share)))
    frame = pd.DataFrame(
        {
            "company": "AAA",
            "fiscal_period": [f"{2015 + place // 4}Q{place % 4 + 1}" for place in range(len(share))],
            "period_end": ends,
            "capex_usd_bn": capex,
            "ocf_usd_bn": capex / np.array(share),
            "capex_known_at": (ends + pd.Timedelta(days=30)).tz_localize("UTC"),
            "ocf_known_at": (ends + pd.Timedelta(days=30)).tz_localize("UTC"),
        }
    )
    blank = CAPEX.empty().reindex(frame.index)
    absent = {name: "" if kind == "text" else blank[name] for name, kind in CAPEX.columns.items() if name not in frame}
    return CAPEX.conform(frame.assign(**absent))


STEADY = results([0.3] * 10 + [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7], growth=0.2)
SESSIONS = sessions_between(pd.Timestamp("2017-01-03"), pd.Timestamp("2019-09-30"))
GATED = SignalConfig(form=1, companies=("AAA",), capex_events=False, outside_funding=False)


def data(capex: pd.DataFrame, series: pd.DataFrame | None = None) -> SignalData:
    rows = SERIES.empty() if series is None else series
    return SignalData(rows, capex, GUIDANCE.empty(), FUNDING.empty(), SESSIONS)


def test_steady_growth_turns_from_stimulus_to_drain_as_the_threshold_is_crossed() -> None:
    """The reason for which the value is gated, not its z-score: that of steady growth says nothing, on either side."""
    growth = capex_growth([company_quarters(STEADY, "AAA")], SESSIONS, GATED)["value"].dropna()
    np.testing.assert_allclose(growth, 0.2, rtol=1e-9)
    block = drain_block(data(STEADY), GATED)
    (gated,) = block.inputs
    assert gated.name == "drain.capex_growth"
    assert block.gate is not None
    wanted = (0.2 * block.gate["multiplier"])[growth.index]
    pd.testing.assert_series_equal(gated.value[growth.index], wanted, check_names=False)
    assert gated.value["2017-06-01"] == pytest.approx(0.2 * (1.5 / (1 + math.exp(4)) - 0.5), rel=1e-9)
    assert gated.value.iloc[-1] > 0.15
    assert raw_contributions(block, GATED).iloc[-1].item() > 0

    off = GATED.model_copy(update={"gate": GateConfig(enabled=False)})
    plain = drain_block(data(STEADY), off)
    assert plain.gate is None
    contributions = raw_contributions(plain, off)
    assert contributions["drain.capex_growth"].dropna().eq(0).all()
    assert contributions["drain.capex_to_cash_flow"].iloc[-1] > 0


def test_growth_without_a_ratio_is_missing() -> None:
    capex = STEADY.assign(ocf_usd_bn=STEADY["ocf_usd_bn"].mask(STEADY["fiscal_period"] == "2018Q1"))
    (gated,) = drain_block(data(capex), GATED).inputs
    growth = capex_growth([company_quarters(capex, "AAA")], SESSIONS, GATED)["value"]
    assert gated.value["2018-08-01":"2019-01-25"].isna().all()
    assert growth["2018-08-01":"2019-01-25"].notna().all()


def test_a_fall_of_the_level_counts_by_the_gate_and_a_rise_in_full() -> None:
    days = pd.date_range("2016-10-05", "2019-09-25", freq="W-WED").astype("datetime64[us]")
    walk = pd.Series(4e6 + 1e5 * np.sin(np.arange(len(days)) / 8))
    parts = [
        pd.DataFrame({"series": name, "date": days, "value": value, "known_at": (days + pd.Timedelta("46h"))})
        for name, value in (("WALCL", walk), ("WTREGEN", 0.0), ("RRPONTSYD", 0.0))
    ]
    series = SERIES.conform(pd.concat(parts).assign(known_at=lambda rows: rows["known_at"].dt.tz_localize("UTC")))
    gated = GATED.model_copy(update={"gate": GateConfig(level=True)})
    (plain,) = level_block(data(STEADY, series), GATED).inputs
    block = level_block(data(STEADY, series), gated)
    (counted,) = block.inputs
    gate = idle_money_gate(data(STEADY), gated)
    assert gate is not None
    falls, rises = plain.value < 0, plain.value >= 0
    assert falls.sum() > 100
    assert rises.sum() > 100
    pd.testing.assert_series_equal(counted.value[falls], (gate["g"] * plain.value)[falls], check_names=False)
    pd.testing.assert_series_equal(counted.value[rises], plain.value[rises])
    assert gate["g"][falls & counted.value.notna()].between(0.02, 0.98).any()
    assert idle_money_gate(data(STEADY), GATED.model_copy(update={"gate": GateConfig(enabled=False)})) is None


@pytest.mark.parametrize(
    ("day", "ratio", "g"),
    # Published: capex over operating cash flow of the four in calendar 2023 and 2025.
    [("2024-02-20", 0.41, 0.14), ("2026-02-20", 0.65, 0.95)],
)
def test_shipped_results_stand_on_either_side_of_the_threshold(day: str, ratio: float, g: float) -> None:
    four = SignalConfig(form=1, companies=("MSFT", "GOOGL", "AMZN", "META"))
    sessions = sessions_between(pd.Timestamp(day), pd.Timestamp(day))
    tables = (reference_events("2026-10")[table.name] for table in (CAPEX, GUIDANCE, FUNDING))
    state = idle_money_gate(SignalData(SERIES.empty(), *tables, sessions), four)
    assert state is not None
    assert state["ratio"].item() == pytest.approx(ratio, abs=0.006)
    assert state["g"].item() == pytest.approx(g, abs=0.015)


def test_a_company_without_results_is_refused() -> None:
    with pytest.raises(InputError, match="capex of BBB: got no row"):
        idle_money_gate(data(STEADY), SignalConfig(form=1, companies=("BBB",)))
