"""Every switch is explained: what is named did it, for without it the pipeline does not switch on that session."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.clock import decision_times, sessions_between
from data.events.timeline import event_timeline
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.config import SignalConfig
from signals.explain.switches import RUN_UP, Switch, regime_switches
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series

ORDER = ["ABUNDANT", "NEUTRAL", "SCARCE"]
LAST = pd.Timestamp("2026-10-09")
SERIES_OF = {
    "level.net_liquidity": ("WALCL", "WTREGEN", "WDTGAL", "RRPONTSYD"),
    "pipes.SOFR_IORB": ("SOFR", "IORB"),
    "pipes.SOFR_DFF": ("SOFR", "DFF"),
}


def data_of(market: Snapshot, config: SignalConfig) -> SignalData:
    used = market.series["series"].isin(required_series(config))
    first = max(market.series.loc[used, "date"].min(), pd.Timestamp("2010-01-04"))
    return SignalData.of(market, sessions_between(first, LAST), config)


def undone(data: SignalData, switch: Switch) -> SignalData:
    """The market without what is said to have done it: series stay where they were, events did not happen."""
    (since,) = decision_times(pd.DatetimeIndex([switch.since]))
    series, later = data.series.copy(), data.series["known_at"] > since
    names = SERIES_OF.get(switch.input, (switch.input.partition(".")[2].rpartition("_")[0],))
    for name in names:
        own = series["series"] == name
        before = series[own & ~later & series["value"].notna()].sort_values(["date", "known_at"])
        if len(before):
            series.loc[own & later, "value"] = before["value"].iloc[-1]
    (begin,) = decision_times(pd.DatetimeIndex([switch.since - pd.Timedelta(days=2 * RUN_UP)]))
    guidance = data.guidance
    if switch.input == "drain.guidance_news":
        guidance = guidance[~guidance["known_at"].between(begin, switch.session.tz_localize("UTC"))]
    return replace(data, series=series, guidance=guidance)


def explained(market: Snapshot, config: SignalConfig) -> tuple[SignalData, LiquiditySignal, list[Switch]]:
    data = data_of(market, config)
    signal = liquidity_signal(data, config)
    return data, signal, regime_switches(signal, event_timeline(market), config)


def check(signal: LiquiditySignal, switches: list[Switch]) -> None:
    """Every change of the regime is there, in order, with a cause that moved the score its way and decided."""
    path = signal.regime
    changed = path.index[(path != path.shift()).to_numpy()][1:]
    assert [switch.session for switch in switches] == list(changed)
    for switch in switches:
        assert switch.cause
        assert (switch.regime, switch.was) == (path[switch.session], path.shift()[switch.session])
        if switch.input:
            assert switch.alone
            up = ["ABUNDANT", "NEUTRAL", "SCARCE"].index(switch.regime) > ["ABUNDANT", "NEUTRAL", "SCARCE"].index(
                switch.was
            )
            assert (switch.moved > 0) is up
            assert switch.since < switch.session


@pytest.mark.parametrize("form", [1, 2])
def test_every_switch_of_the_sample_is_explained(sample: Snapshot, form: int) -> None:
    _, signal, switches = explained(sample, SignalConfig(form=form))
    assert len(switches) > 10
    check(signal, switches)


@pytest.mark.slow
@pytest.mark.real_history
@pytest.mark.parametrize(("form", "least"), [(1, 0.8), (2, 0.9)])
def test_without_its_cause_the_pipeline_does_not_switch_on_real_history(
    history: Snapshot, form: int, least: float
) -> None:
    config = SignalConfig(form=form)
    data, signal, switches = explained(history, config)
    check(signal, switches)
    assert len(switches) > 20
    # What went missing, and results, are not undone here: other inputs rest on them too.
    kept = [each for each in switches if each.input in SERIES_OF or each.input.startswith(("price", "drain.g"))]
    regimes = [liquidity_signal(undone(data, each), config).regime[each.session] for each in kept]
    prevented = sum(regime != each.regime for regime, each in zip(regimes, kept, strict=True))
    assert len(kept) > 20
    assert prevented >= least * len(kept)


def test_a_regime_that_never_changed_has_no_switch(sample: Snapshot) -> None:
    config = SignalConfig()
    data = replace(data_of(sample, config), sessions=sessions_between(pd.Timestamp("2015-01-02"), LAST)[:20])
    assert regime_switches(liquidity_signal(data, config), event_timeline(sample), config) == []


def test_an_event_is_named_by_company_figure_and_day() -> None:
    sessions = sessions_between(pd.Timestamp("2026-01-02"), pd.Timestamp("2026-02-27"))
    size = len(sessions)
    path = np.where(np.arange(size) < 30, 0.1, 0.5)
    name = "drain.guidance_news"
    blank = pd.DataFrame({name: pd.Series(pd.NaT, sessions)})
    signal = LiquiditySignal(
        score=pd.Series(path, sessions),
        regime=pd.Series(np.where(path > 0.4, "SCARCE", "NEUTRAL"), sessions),
        blocks=pd.DataFrame({"drain": path}, sessions),
        inputs=pd.DataFrame({name: path}, sessions),
        values=pd.DataFrame({name: np.where(np.arange(size) < 30, 0.02, 0.3)}, sessions),
        observed=blank,
        known=blank,
        live_blocks=pd.Series(4, sessions),
        units={name: "log ratio"},
    )
    told_at = sessions[29].tz_localize("UTC") + pd.Timedelta("21h30min")
    rows = [
        ("META", "guidance", "raise, to 2026-12", 137.5, told_at, True),
        ("MSFT", "guidance", "qualitative", float("nan"), told_at, False),
        ("ORCL", "result", "2026Q2 capex", 12.0, told_at, True),
        ("META", "guidance", "raise, to 2026-12", 150.0, told_at + pd.Timedelta(days=6), True),
    ]
    events = pd.DataFrame(rows, columns=["company", "kind", "about", "high_usd_bn", "known_at", "counts"]).assign(
        by_user=""
    )
    events["date"] = events["known_at"].dt.tz_localize(None).dt.normalize()
    (switch,) = regime_switches(signal, events, SignalConfig())
    assert switch.session == sessions[30]
    assert switch.cause == (
        f"META guidance raise, to 2026-12 of 137.5 bn USD on {sessions[29].date()} "
        "(news in guidance (guidance_news) from 0.02 to 0.3)"
    )
    assert switch.moved == pytest.approx(0.4)
    assert switch.alone
