"""What is counted of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from backtests.execution.result import EngineResult
from backtests.prepare.prepared import Prepared
from data.prices.actions import listed_bars
from strategies.fills import OrderStatus

ENDINGS = (OrderStatus.FILLED, OrderStatus.REDUCED, OrderStatus.UNFILLED, OrderStatus.REJECTED)


@dataclass(frozen=True)
class OrderCounts:
    """Orders by how they ended."""

    total: int
    filled: int
    reduced: int
    unfilled: int
    rejected: int

    @property
    def traded(self) -> bool:
        """Whether one of them was filled, wholly or in part."""
        return self.filled + self.reduced > 0


@dataclass(frozen=True)
class RunCounts:
    """What a run met with; instruments that did not meet with it are left out.

    Attributes:
        sessions: of the run.
        orders: by how they ended.
        unsent: rebalancings at which an order could not have been filled even at the decision's own price, and so was
            none, by symbol.
        close_outs: holdings sold off because their bars had stopped.
        delistings: US dollars paid for what was held of a delisted instrument, by symbol.
        dust: sessions on which a holding stayed because it is worth less than the smallest order, by symbol.
        stale_valuations: sessions on which a holding was valued at an old close, by symbol.
        bars_without_open: by symbol.
        bars_without_volume: by symbol, where costs or limits ask for volumes.
        sessions_without_bill_yield: sessions on which the 3-month bill's yield was not known.
        live_blocks: share of the sessions by number of live blocks of the signal.
        benchmark_sessions_without_bar: sessions on which the benchmark had no bar.
    """

    sessions: int
    orders: OrderCounts
    unsent: Mapping[str, int]
    close_outs: int
    delistings: Mapping[str, float]
    dust: Mapping[str, int]
    stale_valuations: Mapping[str, int]
    bars_without_open: Mapping[str, int]
    bars_without_volume: Mapping[str, int]
    sessions_without_bill_yield: int
    live_blocks: Mapping[int, float]
    benchmark_sessions_without_bar: int


def run_counts(prepared: Prepared, engine: EngineResult) -> RunCounts:
    """Count what a run met with.

    Args:
        prepared: what was run.
        engine: the strategy's run.
    """
    panel, terms, signal = prepared.panel, prepared.rules.terms, prepared.signal
    sessions = panel.sessions[1:]
    statuses = engine.orders["status"].value_counts()
    held = engine.positions.to_numpy()
    stale = (held > 0) & (panel.missing[1:] > 0)
    unwanted = prepared.plan.targets.reindex(index=sessions, columns=list(panel.symbols)).to_numpy() == 0
    dust = (held > 0) & unwanted & (held * panel.close[1:] < terms.notional)
    # Volumes are looked at where costs or limits ask for them, and else not missed.
    asked = np.isfinite(terms.participation) | (terms.impact > 0)
    without_volume = panel.has_bar()[1:] & np.isnan(panel.volume[1:]) & asked
    delisted = engine.cash[engine.cash["kind"] == "delisting"]
    live = signal.live_blocks.reindex(sessions).value_counts(normalize=True)
    benchmark_bars = listed_bars(prepared.snapshot, prepared.spec.universe.benchmark).index

    def by_symbol(counted: Iterable[int]) -> dict[str, int]:
        return {symbol: int(count) for symbol, count in zip(panel.symbols, counted, strict=True) if count}

    return RunCounts(
        sessions=len(sessions),
        orders=OrderCounts(len(engine.orders), *(int(statuses.get(status, 0)) for status in ENDINGS)),
        unsent={str(symbol): int(count) for symbol, count in engine.unsent.groupby("symbol").sum().items()},
        close_outs=int((engine.cash["kind"] == "close_out").sum()),
        delistings=dict(zip(delisted["symbol"], delisted["amount"].astype(float).tolist(), strict=True)),
        dust=by_symbol(dust.sum(axis=0)),
        stale_valuations=by_symbol(stale.sum(axis=0)),
        bars_without_open=by_symbol(panel.bars_without_open()),
        bars_without_volume=by_symbol(without_volume.sum(axis=0)),
        sessions_without_bill_yield=int(prepared.bill_yield.loc[sessions].isna().sum()),
        live_blocks={number: float(live.get(number, 0.0)) for number in range(len(signal.blocks.columns) + 1)},
        benchmark_sessions_without_bar=int((~sessions.isin(benchmark_bars)).sum()),
    )
