"""What a run says by session, column after column in the order in which it comes about, and where two differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from backtests.execution.result import EngineResult, LedgerResult
from backtests.prepare.prepared import Prepared
from signals.liquidity import LiquiditySignal

Group = Literal["input", "signal", "regime", "target", "order"]
GROUPS: tuple[Group, ...] = ("input", "signal", "regime", "target", "order")
_MOMENTS = ("date of ", "known_at of ")  # kept as microseconds


@dataclass(frozen=True)
class Column:
    """One column of what a run says.

    Attributes:
        group: what it is a part of.
        name: for people, such as "target weight of MU".
        days: (n,) sessions, increasing.
        values: (n,) numbers or texts.
        lag: sessions after `days` at which a value is known: 0 of what is decided for a session, 1 of what a session
            leaves behind.
    """

    group: Group
    name: str
    days: np.ndarray
    values: np.ndarray
    lag: int = 0

    def upto(self, session: pd.Timestamp) -> "Column":
        """Its rows that the decision for a session may rest on."""
        count = int(np.searchsorted(self.days, np.datetime64(session), side="right" if self.lag == 0 else "left"))
        return Column(self.group, self.name, self.days[:count], self.values[:count], self.lag)

    def since(self, session: pd.Timestamp) -> "Column":
        """Its rows from a session on."""
        first = int(np.searchsorted(self.days, np.datetime64(session)))
        return Column(self.group, self.name, self.days[first:], self.values[first:], self.lag)


@dataclass(frozen=True)
class Difference:
    """Where a column of two runs differs.

    Attributes:
        group: of the column.
        column: its name.
        session: the first at which it does.
        last: the last one.
        rows: at how many.
        was: the value there.
        becomes: the value there in the other run; None where it has no such row.
    """

    group: Group
    column: str
    session: pd.Timestamp
    last: pd.Timestamp
    rows: int
    was: float | str
    becomes: float | str | None


def columns_of(prepared: Prepared, books: Sequence[EngineResult | LedgerResult]) -> list[Column]:
    """Lay out what a run says.

    Args:
        prepared: signal and plan.
        books: of engines that have played the plan.
    """
    plan = prepared.plan
    return [
        *_choice_columns(prepared),
        *_signal_columns(prepared.signal),
        *_of("input", prepared.bill_yield.rename("yield of the bill").to_frame(), lag=1),
        *_of("target", plan.targets.add_prefix("target weight of ")),
        *_of("target", plan.rebalance.astype(float).rename("rebalancing").to_frame()),
        *(column for book in books for column in _book_columns(book, prepared)),
    ]


def _choice_columns(prepared: Prepared) -> Iterator[Column]:
    """What a rule ranked each name by, NaN where it did not, and the basket of all that it ever had on its list."""
    universe = prepared.spec.universe
    if universe.rule is None:
        return
    choice, days = universe.choice, prepared.panel.decides_for
    ranked = choice.measures.pivot(index="session", columns="symbol", values="measure")
    yield from _of("input", ranked.add_prefix("measure of "))
    baskets = choice.on(days).reindex(columns=ranked.columns, fill_value="")
    yield from _of("target", baskets.astype(str).add_prefix("basket of "))


def _signal_columns(signal: LiquiditySignal) -> Iterator[Column]:
    for said, frame in (("value of", signal.values), ("date of", signal.observed), ("known_at of", signal.known)):
        yield from _of("input", frame.add_prefix(f"{said} "))
    yield from _of("signal", signal.inputs.add_prefix("contribution of "))
    yield from _of("signal", signal.blocks.add_prefix("contribution of "))
    for said, table in (("gate", signal.gate), ("live block", signal.live), ("young block", signal.young)):
        if table is not None:
            yield from _of("signal", table.astype(float).add_prefix(f"{said} "))
    yield from _of("signal", pd.DataFrame({"score": signal.score, "live blocks": signal.live_blocks.astype(float)}))
    if signal.probability is not None:
        yield from _of("signal", signal.probability.add_prefix("probability of "))
    yield from _of("regime", signal.regime.rename("regime").to_frame())
    if signal.kind is not None:
        yield from _of("regime", signal.kind.rename("kind of scarcity").to_frame())


def _book_columns(book: EngineResult | LedgerResult, prepared: Prepared) -> Iterator[Column]:
    """Orders in US dollars at the prices that their decisions know, which no later dividend changes; what is held."""
    if isinstance(book, EngineResult):
        panel = prepared.panel
        prices = pd.DataFrame(panel.decision_price, panel.decides_for, list(panel.symbols))
        money = (book.decided * prices).where(book.decided != 0, 0.0)
        yield from _of("order", money.add_prefix("order, US dollars of "))
        yield from _of("order", book.holdings.add_prefix("holding in Backtrader of "), lag=1)
        yield from _of("order", book.equity.add_suffix(" in Backtrader"), lag=1)
    else:
        # Not the equity: the ledger adds up all that the plan ever wants, and floats know in which order.
        yield from _of("order", pd.DataFrame({"US dollars traded": book.traded, "cash": book.cash}), lag=1)
        yield from _of("order", book.holdings.add_prefix("holding of "), lag=1)


def _of(group: Group, frame: pd.DataFrame, lag: int = 0) -> Iterator[Column]:
    days = frame.index.to_numpy().astype("datetime64[us]")
    for name, values in frame.items():
        if values.dtype.kind == "M":
            naive = values.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
            array = np.where(np.isnat(naive), np.nan, naive.astype("int64").astype(float))
        elif values.dtype.kind in "fiub":
            array = values.to_numpy(dtype=float)
        else:
            array = values.to_numpy(dtype=str)
        yield Column(group, str(name), days, array, lag)


def differences(
    before: Sequence[Column],
    after: Sequence[Column],
    rows: Callable[[Column], Column] = lambda column: column,
    tolerance: float = 0.0,
    common: bool = False,
    money: float = 1.0,
) -> list[Difference]:
    """Compare two runs, column by column in their order.

    Args:
        before: what counts: columns that it has not are left aside.
        after: the other run. A column that it has not is left aside too: an engine has not played it.
        rows: which rows of a column are compared.
        tolerance: share of the larger value up to which numbers are the same, and of 1 where both are smaller; 0: to
            the bit.
        common: whether only sessions of both are compared; else one that the other run lacks is a difference.
        money: US dollars, which stand in the place of 1 where orders and what is held are compared.
    """
    others = {column.name: column for column in after}
    found = []
    for column in before:
        if column.name in others:
            share = tolerance * (money if column.group == "order" else 1.0)
            difference = _difference(rows(column), rows(others[column.name]), tolerance, share, common)
            if difference is not None:
                found.append(difference)
    return found


def _difference(before: Column, after: Column, tolerance: float, least: float, common: bool) -> Difference | None:
    if len(before.days) == len(after.days) and np.array_equal(before.days, after.days):
        days, was, becomes = before.days, before.values, after.values
        lacking = np.zeros(len(days), dtype=bool)
    else:
        places = np.searchsorted(after.days, before.days)
        found = np.minimum(places, max(len(after.days) - 1, 0))
        lacking = after.days[found] != before.days if len(after.days) else np.ones(len(before.days), dtype=bool)
        days, was = before.days, before.values
        becomes = after.values[found] if len(after.days) else before.values
    differs = ~lacking & ~_same(was, becomes, tolerance, least)
    if not common:
        differs |= lacking
    if not differs.any():
        return None
    places = np.flatnonzero(differs)
    first, last = int(places[0]), int(places[-1])
    return Difference(
        group=before.group,
        column=before.name,
        session=pd.Timestamp(days[first]),
        last=pd.Timestamp(days[last]),
        rows=len(places),
        was=_plain(was[first], before.name),
        becomes=None if lacking[first] else _plain(becomes[first], before.name),
    )


def _same(one: np.ndarray, other: np.ndarray, tolerance: float, least: float) -> np.ndarray:
    if one.dtype.kind != "f" or other.dtype.kind != "f":
        same: np.ndarray = one == other
        return same
    with np.errstate(invalid="ignore"):
        near = one == other
        if tolerance:
            near |= np.abs(one - other) <= np.maximum(least, tolerance * np.maximum(np.abs(one), np.abs(other)))
    close: np.ndarray = near | (np.isnan(one) & np.isnan(other))
    return close


def _plain(value: np.generic, column: str) -> float | str:
    if isinstance(value, np.str_):
        return str(value)
    if column.startswith(_MOMENTS) and not np.isnan(value):
        return str(pd.Timestamp(int(value), unit="us"))
    return float(value)
