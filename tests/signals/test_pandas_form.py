"""The signal on arrays equals that of version 0.1.0, which went table by table in pandas and is kept as an oracle."""

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.events.editions import reference_events
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE
from pandas_form.liquidity import liquidity_signal as pandas_signal
from signals.block import SignalData
from signals.config import GateConfig, InputConfig, SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal

NUMBERS = ("score", "blocks", "inputs", "values", "gate")
BILL = InputConfig(name="bill", block="pipes", series="DGS3MO", transform="mean", length=5, scarcer_when="higher")
CONFIGS = {
    "default": SignalConfig(form=1),
    "everything off": SignalConfig(form=1, gate=GateConfig(enabled=False), capex_events=False, outside_funding=False),
    "options": SignalConfig(
        form=1,
        gate=GateConfig(ratio=0.45, level=True),
        mark_joint_rises=True,
        change_sessions=(5, 20, 60),
        window_sessions=300,
        min_window_sessions=60,
        min_scale_sessions=40,
        half_life_sessions=3.0,
        pipes_mean_observations=3,
        level_change_sessions=20,
        inputs=(
            BILL,
            BILL.model_copy(update={"name": "ten", "series": "DGS10", "transform": "change", "block": "drain"}),
            BILL.model_copy(update={"name": "real", "series": "DFII10", "transform": "value", "length": None}),
        ),
    ),
}


def assert_equal(data: SignalData, config: SignalConfig) -> LiquiditySignal:
    made, wanted = liquidity_signal(data, config), pandas_signal(data, config)
    for name in NUMBERS:
        got, expected = getattr(made, name), getattr(wanted, name)
        if expected is None:
            assert got is None
            continue
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected), err_msg=name)
        # Values in their own units differ by less than their size allows; what counts in the score by 1e-12.
        scale = np.maximum(np.abs(expected), 1.0) if name == "values" else 1.0
        assert np.nanmax(np.abs(got - expected) / scale, initial=0.0) < 1e-12, name
    for name in ("observed", "known"):
        pd.testing.assert_frame_equal(getattr(made, name), getattr(wanted, name), check_freq=False)
    for name in ("regime", "live_blocks"):
        pd.testing.assert_series_equal(getattr(made, name), getattr(wanted, name), check_freq=False)
    assert made.units == wanted.units
    return made


@pytest.mark.parametrize("name", CONFIGS)
def test_the_sample_market(sample: Snapshot, name: str) -> None:
    data = SignalData.of(
        sample, sessions_between(sample.series["date"].min(), pd.Timestamp("2026-10-09")), CONFIGS[name]
    )
    made = assert_equal(data, CONFIGS[name])
    assert made.regime.nunique() == 3


@pytest.mark.real_history
@pytest.mark.parametrize("edition", ["2026-10", "newest"])
def test_real_history_on_both_editions_of_the_events(history: Snapshot, edition: str) -> None:
    events = reference_events(edition)  # type: ignore[arg-type]
    data = SignalData(
        series=history.series,
        capex=events[CAPEX.name],
        guidance=events[GUIDANCE.name],
        funding=events[FUNDING.name],
        sessions=sessions_between(pd.Timestamp("2003-01-02"), pd.Timestamp("2026-10-09")),
    )
    for config in (
        SignalConfig(form=1),
        SignalConfig(form=1, credit_spread="BAMLH0A0HYM2_else_BAA10Y", policy_rate="IORB"),
    ):
        assert assert_equal(data, config).live_blocks.iloc[-1] == 4


def test_revisions_late_news_and_blanks(sample: Snapshot) -> None:
    """A fifth of all values is revised, comes late or is blank."""
    random = np.random.default_rng(5)
    series = sample.series
    series = series[series["date"] >= "2016-01-01"]
    late = random.integers(0, 9, len(series)) * pd.Timedelta(days=1) * (random.random(len(series)) < 0.2)
    rows = series.assign(
        known_at=series["known_at"] + late, value=series["value"].where(random.random(len(series)) > 0.03)
    )
    again = rows[random.random(len(rows)) < 0.1]
    again = again.assign(value=again["value"] * 1.01, known_at=again["known_at"] + pd.Timedelta("6D3h"))
    both = pd.concat([rows, again]).drop_duplicates(["series", "date", "known_at"])
    sessions = sessions_between(pd.Timestamp("2016-01-04"), pd.Timestamp("2020-12-31"))
    tables = (both, sample.capex_actuals, sample.capex_guidance, sample.funding_events)
    assert_equal(SignalData(*tables, sessions), SignalConfig(form=1, window_sessions=200, min_window_sessions=50))
