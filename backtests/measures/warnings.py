"""What people must be told of a run."""

from collections.abc import Iterator

import numpy as np

from backtests.measures.counts import RunCounts
from backtests.prepare.bill import BILL
from backtests.prepare.prepared import Prepared
from backtests.spec.costs import basis_warnings
from data.prices.actions import listed_bars


def run_warnings(prepared: Prepared, counts: RunCounts) -> tuple[str, ...]:
    """Sentences on what must be known before the numbers of a run are believed.

    Args:
        prepared: what was run.
        counts: of the run.
    """
    spec, snapshot, panel, signal = prepared.spec, prepared.snapshot, prepared.panel, prepared.signal
    orders, days = counts.orders, counts.sessions
    warnings: list[str] = []
    warnings += basis_warnings(
        spec.costs, [snapshot.instruments[symbol].asset_class for symbol in panel.symbols], spec.run.prices
    )
    if snapshot.simulated:
        warnings.append(f"SIMULATED: the prices and series of market {snapshot.name} are made by a model.")
    if spec.universe.hindsight:
        warnings.append(f"HINDSIGHT: {spec.universe.hindsight}")
    if orders.rejected:
        warnings.append(f"Rejected orders: {orders.rejected}. That is a defect of the engine; report it.")
    if orders.reduced or orders.unfilled:
        warnings.append(
            f"Orders cut to the cash or the volume there was: {orders.reduced}; not filled: {orders.unfilled}. "
            "What was cut for want of cash or volume was planned anew the session after (orders.csv says why)."
        )
    for symbol, count in counts.unsent.items():
        warnings.append(
            f"{symbol} was to be traded for less than its smallest unit or order at {_plural(count, 'rebalancing')}: "
            "nothing was sent."
        )
    for symbol, count in counts.stale_valuations.items():
        warnings.append(f"{symbol} was held and valued at an old close on {_plural(count, 'session')} without a bar.")
    for symbol, count in counts.bars_without_open.items():
        warnings.append(f"{symbol} has {_plural(count, 'bar')} without an open in the run: valued, not traded on.")
    if missing := counts.benchmark_sessions_without_bar:
        warnings.append(f"The benchmark has no bar on {_plural(missing, 'session')}: its return there is 0.")
    if counts.close_outs:
        warnings.append(f"{_plural(counts.close_outs, 'holding')} without bars closed out below the last close.")
    for symbol, amount in counts.delistings.items():
        warnings.append(f"{symbol} was held when it was delisted: {amount:,.2f} US dollars were paid for it.")
    for symbol, count in counts.bars_without_volume.items():
        warnings.append(
            f"{symbol} has {_plural(count, 'bar')} without a volume in the run: there a participation limit lets "
            "nothing through, and an impact is that of an order as large as all of it."
        )
    for symbol, count in counts.dust.items():
        warnings.append(f"{symbol} was kept on {_plural(count, 'session')} because it was worth too little to be sold.")
    if missing := counts.sessions_without_bill_yield:
        takers = "Sharpe and Sortino take 0" if spec.cash.interest == "none" else "Sharpe, Sortino and idle cash take 0"
        warnings.append(f"{BILL} is not known on {missing} of {days} sessions: {takers} there.")
    if (blind := sum(counts.live_blocks[number] for number in range(signal.needed_blocks))) > 0:
        reason = "the source said nothing yet" if spec.signal.source else "fewer than two blocks were live"
        warnings.append(f"On {blind:.0%} of the sessions {reason}: the regime was NEUTRAL.")
    warnings.extend(signal.notes)
    for place, symbol in enumerate(panel.symbols):
        known = np.flatnonzero(~np.isnan(panel.decision_price[:, place]))
        if not known.size:
            warnings.append(f"{symbol} has no price in the run.")
        elif known[0] > 0:
            warnings.append(f"{symbol} can be traded from {panel.decides_for[known[0]].date()} on.")
    warnings += _held_back(prepared)
    return tuple(warnings)


def _held_back(prepared: Prepared) -> Iterator[str]:
    """Instruments that the volatility target gives no weight to, for part of the run, for want of returns."""
    spec, panel = prepared.spec, prepared.panel
    needed = spec.policy.volatility_half_life
    if spec.policy.volatility_target is None:
        return
    for symbol in panel.symbols:
        days = listed_bars(prepared.snapshot, symbol).index
        if symbol not in spec.universe.reserve and (len(days) <= needed or days[needed] >= panel.sessions[1]):
            until = f"before {days[needed].date()}" if len(days) > needed else "at all"
            yield f"{symbol} gets no weight {until}: policy.volatility_target asks for {needed} of its returns."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
