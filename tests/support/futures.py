"""The future of a market, cut, garbled or delayed after a moment, and what that changes before it.

A table under test is indexed by the moment (UTC) at which each row was decided or booked; rows up to the moment after
which the future is perturbed must stay the same to the last bit.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtests.prepare.plans import ONE_SWITCH
from backtests.run import Backtest
from data.clock import decision_times
from data.market.snapshot import Snapshot
from data.market.tables import TABLES

Tables = Mapping[str, pd.DataFrame]
Perturbation = Callable[[Snapshot, pd.Timestamp], Snapshot]

DELAY = pd.Timedelta(days=5)
# Which figures of a table become known with which column.
FIGURES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "series": {"known_at": ("value",)},
    "capex_actuals": {"capex_known_at": ("capex_usd_bn",), "ocf_known_at": ("ocf_usd_bn",)},
    "capex_guidance": {"known_at": ("low_usd_bn", "high_usd_bn", "prior_low_usd_bn", "prior_high_usd_bn")},
    "funding_events": {"known_at": ("amount_usd_bn",)},
    "actions": {"known_at": ("value",)},
    "filed_results": {"known_at": ("value_usd_bn",)},
    "balance_sheet_paces": {"known_at": ("pace_usd_bn_month", "treasury_usd_bn_month", "mbs_usd_bn_month")},
}
SIGNAL_TABLES = ("score", "regime", "live_blocks", "blocks", "inputs", "values", "observed", "known", "gate")
PRICES = ("open", "high", "low", "close", "adj_close", "volume")


def cut(market: Snapshot, moment: pd.Timestamp) -> Snapshot:
    """Nothing that ends or becomes known after the moment is there."""
    tables: dict[str, Any] = {"bars": market.bars[_ended(market.bars, moment)]}
    for table, figures in FIGURES.items():
        frame = getattr(market, table).copy()
        for known_at, names in figures.items():
            future = frame[known_at] > moment
            frame.loc[future, list(names)] = np.nan
            frame.loc[future, known_at] = pd.NaT
        tables[table] = frame[frame[list(figures)].notna().any(axis=1)]
    return replace(market, **tables)


def garble(market: Snapshot, moment: pd.Timestamp) -> Snapshot:
    """Every price that comes after the moment is multiplied by a random factor of its own, and every row of figures.

    Figures of one row and moment, such as the ends of a range, keep their order.
    """
    random = np.random.default_rng(7)
    bars = market.bars.copy()
    later = ~_ended(bars, moment)
    # Each price by its own factor: the adjustment, a ratio of two of them, is garbled with them.
    bars.loc[later, list(PRICES)] *= random.uniform(0.5, 2.0, (int(later.sum()), len(PRICES)))
    tables: dict[str, Any] = {"bars": bars}
    for table, figures in FIGURES.items():
        frame = getattr(market, table).copy()
        for known_at, names in figures.items():
            future = frame[known_at] > moment
            frame.loc[future, list(names)] *= random.uniform(0.5, 2.0, (int(future.sum()), 1))
        tables[table] = frame
    return replace(market, **tables)


def delay(market: Snapshot, moment: pd.Timestamp) -> Snapshot:
    """What becomes known after the moment becomes known five days later."""
    tables: dict[str, Any] = {}
    for table, figures in FIGURES.items():
        frame = getattr(market, table).copy()
        for known_at in figures:
            frame.loc[frame[known_at] > moment, known_at] += DELAY
        tables[table] = frame
    return replace(market, **tables)


PERTURBATIONS: Mapping[str, Perturbation] = {"cut": cut, "garble": garble, "delay": delay}


def decided(table: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """A table by session decided for, indexed by the moment of the decision."""
    return pd.DataFrame(table).set_axis(decision_times(pd.DatetimeIndex(table.index)))


def booked(table: pd.DataFrame | pd.Series, sessions: pd.Series | None = None) -> pd.DataFrame:
    """A table by session (its index, or given), indexed by the moment at which that UTC day is over."""
    days = pd.DatetimeIndex(table.index if sessions is None else sessions)
    return pd.DataFrame(table).set_axis(decision_times(days + pd.Timedelta(days=1)))


def run_tables(run: Backtest) -> Tables:
    """What a run decided and booked, each row at its moment."""
    signal, engine = run.signal, run.engine
    return {
        **{f"signal.{name}": decided(getattr(signal, name)) for name in SIGNAL_TABLES},
        "targets": decided(run.plan.targets),
        "rebalance": decided(run.plan.rebalance),
        "bill_yield": booked(run.bill_yield),
        "equity": booked(engine.equity),
        "positions": booked(engine.positions),
        # One switch is known afterwards, and says so: its day is the start of the best stay.
        "returns": booked(run.returns.drop(columns=ONE_SWITCH)),
        "orders": booked(engine.orders, engine.orders["session"]),
        "cash": booked(engine.cash, engine.cash["session"]),
        "rotations": booked(run.rotations[["regime", "reason"]], run.rotations["start"]),
    }


def changed(before: Tables, after: Tables, moment: pd.Timestamp) -> list[str]:
    """Names of the tables of which a row up to the moment differs in one bit, or is there only once."""
    assert before.keys() == after.keys()
    return [name for name in before if not _up_to(before[name], moment).equals(_up_to(after[name], moment))]


def _up_to(table: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    rows = table[table.index <= moment]
    assert len(rows), "no row up to the moment: nothing is compared"
    return rows


def _ended(bars: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """Which bars are of a date that is over at the moment."""
    return bars["date"] < moment.tz_localize(None).normalize()


# A table that nothing perturbs would be a hole in the net. Coverage is about our tables, and known at no moment; of
# memberships no run decides anything: the lottery draws by them.
assert {*FIGURES, "bars", "event_coverage", "memberships"} == {table.name for table in TABLES}
