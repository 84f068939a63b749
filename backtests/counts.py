"""What is counted of a run, and what people must be told of it."""

from typing import Any

import numpy as np
import pandas as pd

from backtests.engine_result import EngineResult
from backtests.spec import Spec
from data.panel import Panel
from data.snapshot import Snapshot
from signals.liquidity import LiquiditySignal

BILL = "DGS3MO"


def run_counts(panel: Panel, engine: EngineResult, signal: LiquiditySignal, bill: pd.Series) -> dict[str, Any]:
    """Count orders by status, valuations at old closes, bars without an open, sessions by number of live blocks.

    Args:
        panel: of what is traded.
        engine: the strategy's run.
        signal: over the run.
        bill: yield of the 3-month bill by session of the run; NaN where it is not known.
    """
    statuses = engine.orders["status"].value_counts()
    orders = {status: int(statuses.get(status, 0)) for status in ("filled", "reduced", "unfilled", "rejected")}
    stale = (engine.positions.to_numpy() > 0) & (panel.missing[1:] > 0)
    live = signal.live_blocks.reindex(bill.index).value_counts(normalize=True)
    return {
        "sessions": len(bill),
        "orders": {"total": len(engine.orders), **orders},
        "close_outs": int((engine.cash["kind"] == "close_out").sum()),
        "stale_valuations": {
            symbol: int(count) for symbol, count in zip(panel.symbols, stale.sum(axis=0), strict=True) if count
        },
        "bars_without_open": {
            symbol: int(count) for symbol, count in zip(panel.symbols, panel.bars_without_open(), strict=True) if count
        },
        "sessions_without_bill_yield": int(bill.isna().sum()),
        "live_blocks": {str(number): float(live.get(number, 0.0)) for number in range(len(signal.blocks.columns) + 1)},
    }


def run_warnings(
    spec: Spec, snapshot: Snapshot, panel: Panel, signal: LiquiditySignal, counts: dict[str, Any]
) -> tuple[str, ...]:
    """Sentences on what must be known before the numbers of a run are believed.

    Args:
        spec: complete.
        snapshot: that was run.
        panel: of what is traded.
        signal: over the run.
        counts: as `run_counts` gives them, with ``benchmark_sessions_without_bar``.
    """
    orders, days = counts["orders"], counts["sessions"]
    warnings = []
    if snapshot.simulated:
        warnings.append(f"SIMULATED: the prices and series of market {snapshot.name} are made by a model.")
    if spec.universe.hindsight:
        warnings.append(f"HINDSIGHT: {spec.universe.hindsight}")
    if orders["rejected"]:
        warnings.append(f"Rejected orders: {orders['rejected']}. That is a defect of the engine; report it.")
    if orders["reduced"] or orders["unfilled"]:
        warnings.append(
            f"Orders cut to the cash present: {orders['reduced']}; not filled: {orders['unfilled']}. "
            "The session after planned anew (orders.csv says why)."
        )
    for symbol, count in counts["stale_valuations"].items():
        warnings.append(f"{symbol} was held and valued at an old close on {_plural(count, 'session')} without a bar.")
    for symbol, count in counts["bars_without_open"].items():
        warnings.append(f"{symbol} has {_plural(count, 'bar')} without an open in the run: valued, not traded on.")
    if missing := counts["benchmark_sessions_without_bar"]:
        warnings.append(f"The benchmark has no bar on {_plural(missing, 'session')}: its return there is 0.")
    if counts["close_outs"]:
        warnings.append(f"{_plural(counts['close_outs'], 'holding')} without bars closed out below the last close.")
    if missing := counts["sessions_without_bill_yield"]:
        warnings.append(f"{BILL} is not known on {missing} of {days} sessions: Sharpe and Sortino take 0 there.")
    if (blind := sum(counts["live_blocks"][str(number)] for number in range(signal.needed_blocks))) > 0:
        reason = "the source said nothing yet" if spec.signal.source else "fewer than two blocks were live"
        warnings.append(f"On {blind:.0%} of the sessions {reason}: the regime was NEUTRAL.")
    for place, symbol in enumerate(panel.symbols):
        known = np.flatnonzero(~np.isnan(panel.decision_price[:, place]))
        if not known.size:
            warnings.append(f"{symbol} has no price in the run.")
        elif known[0] > 0:
            warnings.append(f"{symbol} can be traded from {panel.decides_for[known[0]].date()} on.")
    return tuple(warnings)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
