"""What is counted of a run, and what people must be told of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from backtests.execution.result import EngineResult
from backtests.prepare.bill import BILL
from backtests.spec.costs import basis_warnings
from backtests.spec.spec import Spec
from data.market.snapshot import Snapshot
from data.prices.actions import listed_bars
from data.prices.panel import Panel
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan
from strategies.trade_terms import TradeTerms


def run_counts(
    panel: Panel,
    plan: Plan,
    terms: TradeTerms,
    engine: EngineResult,
    signal: LiquiditySignal,
    bill: pd.Series,
) -> dict[str, Any]:
    """Count orders by status, valuations at old closes, bars without an open, sessions by number of live blocks.

    Args:
        panel: of what is traded.
        plan: that was run.
        terms: costs and limits of its instruments.
        engine: the strategy's run.
        signal: over the run.
        bill: yield of the 3-month bill by session of the run; NaN where it is not known.
    """
    statuses = engine.orders["status"].value_counts()
    orders = {status: int(statuses.get(status, 0)) for status in ("filled", "reduced", "unfilled", "rejected")}
    held = engine.positions.to_numpy()
    stale = (held > 0) & (panel.missing[1:] > 0)
    unwanted = plan.targets.reindex(index=engine.positions.index, columns=list(panel.symbols)).to_numpy() == 0
    dust = (held > 0) & unwanted & (held * panel.close[1:] < terms.notional)
    # Volumes are looked at where costs or limits ask for them, and else not missed.
    asked = np.isfinite(terms.participation) | (terms.impact > 0)
    without_volume = (panel.has_bar()[1:] & np.isnan(panel.volume[1:]) & asked).sum(axis=0)
    delisted = engine.cash[engine.cash["kind"] == "delisting"]
    live = signal.live_blocks.reindex(bill.index).value_counts(normalize=True)
    return {
        "sessions": len(bill),
        "orders": {"total": len(engine.orders), **orders},
        "close_outs": int((engine.cash["kind"] == "close_out").sum()),
        "delistings": delisted.set_index("symbol")["amount"].astype(float).to_dict(),
        "dust": {symbol: int(count) for symbol, count in zip(panel.symbols, dust.sum(axis=0), strict=True) if count},
        "stale_valuations": {
            symbol: int(count) for symbol, count in zip(panel.symbols, stale.sum(axis=0), strict=True) if count
        },
        "bars_without_open": {
            symbol: int(count) for symbol, count in zip(panel.symbols, panel.bars_without_open(), strict=True) if count
        },
        "bars_without_volume": {
            symbol: int(count) for symbol, count in zip(panel.symbols, without_volume, strict=True) if count
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
    warnings: list[str] = []
    warnings += basis_warnings(
        spec.costs, [snapshot.instruments[symbol].asset_class for symbol in panel.symbols], spec.run.prices
    )
    if snapshot.simulated:
        warnings.append(f"SIMULATED: the prices and series of market {snapshot.name} are made by a model.")
    if spec.universe.hindsight:
        warnings.append(f"HINDSIGHT: {spec.universe.hindsight}")
    if orders["rejected"]:
        warnings.append(f"Rejected orders: {orders['rejected']}. That is a defect of the engine; report it.")
    if orders["reduced"] or orders["unfilled"]:
        warnings.append(
            f"Orders cut to the cash or the volume there was: {orders['reduced']}; not filled: {orders['unfilled']}. "
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
    for symbol, amount in counts["delistings"].items():
        warnings.append(f"{symbol} was held when it was delisted: {amount:,.2f} US dollars were paid for it.")
    for symbol, count in counts["bars_without_volume"].items():
        warnings.append(
            f"{symbol} has {_plural(count, 'bar')} without a volume in the run: there a participation limit lets "
            "nothing through, and an impact is that of an order as large as all of it."
        )
    for symbol, count in counts["dust"].items():
        warnings.append(f"{symbol} was kept on {_plural(count, 'session')} because it was worth too little to be sold.")
    if missing := counts["sessions_without_bill_yield"]:
        takers = "Sharpe and Sortino take 0" if spec.cash.interest == "none" else "Sharpe, Sortino and idle cash take 0"
        warnings.append(f"{BILL} is not known on {missing} of {days} sessions: {takers} there.")
    if (blind := sum(counts["live_blocks"][str(number)] for number in range(signal.needed_blocks))) > 0:
        reason = "the source said nothing yet" if spec.signal.source else "fewer than two blocks were live"
        warnings.append(f"On {blind:.0%} of the sessions {reason}: the regime was NEUTRAL.")
    warnings.extend(signal.notes)
    for place, symbol in enumerate(panel.symbols):
        known = np.flatnonzero(~np.isnan(panel.decision_price[:, place]))
        if not known.size:
            warnings.append(f"{symbol} has no price in the run.")
        elif known[0] > 0:
            warnings.append(f"{symbol} can be traded from {panel.decides_for[known[0]].date()} on.")
    warnings += _held_back(spec, snapshot, panel)
    return tuple(warnings)


def _held_back(spec: Spec, snapshot: Snapshot, panel: Panel) -> Iterator[str]:
    """Instruments that the volatility target gives no weight to, for part of the run, for want of returns."""
    needed = spec.policy.volatility_half_life
    if spec.policy.volatility_target is None:
        return
    for symbol in panel.symbols:
        days = listed_bars(snapshot, symbol).index
        if symbol not in spec.universe.reserve and (len(days) <= needed or days[needed] >= panel.sessions[1]):
            until = f"before {days[needed].date()}" if len(days) > needed else "at all"
            yield f"{symbol} gets no weight {until}: policy.volatility_target asks for {needed} of its returns."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
