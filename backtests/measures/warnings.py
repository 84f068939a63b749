"""What people must be told of a run: warnings of what may have changed its result, and notes that explain it."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from backtests.measures.counts import RunCounts
from backtests.measures.data_findings import GRAVE
from backtests.prepare.bill import BILL
from backtests.prepare.prepared import Prepared
from backtests.prepare.span import last_bars
from backtests.spec.costs import basis_warnings
from data.catalogue.catalogue import newer_entries
from data.prices.actions import listed_bars
from data.quality.ranking import Ranked
from strategies.given_weights import read_weights, rows_in_force

CLOSES_ALONE = (
    "CLOSES ALONE: market {name} has no opens of its index: what is decided for a session, by what was known before "
    "it, fills at the session's close."
)


def run_warnings(prepared: Prepared, counts: RunCounts, findings: Sequence[Ranked]) -> tuple[str, ...]:
    """Sentences on what must be known before the numbers of a run are believed.

    Findings that can move the result much stand before what explains it, lesser ones at the end.

    Args:
        prepared: what was run.
        counts: of the run.
        findings: in its data, the greatest first.
    """
    grave, lesser = ([each for each in findings if (each.effect >= GRAVE) == is_grave] for is_grave in (True, False))
    return (
        *_of_the_market(prepared),
        *_of_orders(counts),
        *preparation_warnings(prepared),
        *(each.warning for each in grave),
        *_of_prices(prepared, counts),
        *_of_the_signal(prepared, counts),
        *(each.warning for each in lesser),
    )


def preparation_warnings(prepared: Prepared) -> tuple[str, ...]:
    """Those of them that are known before anything is run."""
    return (*_of_given_weights(prepared), *cut_sentences(prepared))


def cut_sentences(prepared: Prepared) -> Iterator[str]:
    """Where the end of a file has cut the run; nothing where none has."""
    if prepared.cut_by:
        end, ends = prepared.panel.sessions[-1].date(), last_bars(prepared.snapshot, prepared.spec.universe)
        files = " and ".join(f"the file of {symbol} ends on {day.date()}" for symbol, day in prepared.cut_by.items())
        yield (
            f"The run ends on {end}, not with the market on {ends.max().date()}: {files}, and it would be held longer; "
            "take it out of the spec, or set run.end."
        )


def run_notes(prepared: Prepared, counts: RunCounts) -> tuple[str, ...]:
    """Sentences on what a run met with, and did as its rules say. Arguments as for `run_warnings`."""
    return (
        *_order_notes(counts),
        *_price_notes(prepared, counts),
        *_held_back(prepared),
        *newer_entries(prepared.snapshot.kept_entries),
    )


def _of_the_market(prepared: Prepared) -> Iterator[str]:
    spec, snapshot = prepared.spec, prepared.snapshot
    if snapshot.simulated:
        yield f"SIMULATED: the prices and series of market {snapshot.name} are made by a model."
    if spec.universe.hindsight:
        yield f"HINDSIGHT: {spec.universe.hindsight}"
    if prepared.panel.fills_at_close:
        yield CLOSES_ALONE.format(name=snapshot.name)
    classes = [snapshot.instruments[symbol].asset_class for symbol in prepared.panel.symbols]
    yield from basis_warnings(spec.costs, classes, spec.run.prices)


def _of_orders(counts: RunCounts) -> Iterator[str]:
    if counts.orders.rejected:
        yield f"Rejected orders: {counts.orders.rejected}. That is a defect of the engine; report it."


def _of_prices(prepared: Prepared, counts: RunCounts) -> Iterator[str]:
    panel = prepared.panel
    for symbol, count in counts.stale_valuations.items():
        yield f"{symbol} was held and valued at an old close on {_plural(count, 'session')} without a bar."
    for symbol, count in counts.bars_without_open.items():
        yield f"{symbol} has {_plural(count, 'bar')} without an open in the run: valued, not traded on."
    if missing := counts.benchmark_sessions_without_bar:
        yield f"The benchmark has no bar on {_plural(missing, 'session')}: its return there is 0."
    if counts.close_outs:
        yield f"{_plural(counts.close_outs, 'holding')} without bars closed out below the last close."
    for symbol, count in counts.bars_without_volume.items():
        yield (
            f"{symbol} has {_plural(count, 'bar')} without a volume in the run: there a participation limit lets "
            "nothing through, and an impact is that of an order as large as all of it."
        )
    for place, symbol in enumerate(panel.symbols):
        if np.isnan(panel.decision_price[:, place]).all():
            yield f"{symbol} has no price in the run."


def _of_the_signal(prepared: Prepared, counts: RunCounts) -> Iterator[str]:
    spec, signal = prepared.spec, prepared.signal
    if missing := counts.sessions_without_bill_yield:
        takers = "Sharpe and Sortino take 0" if spec.cash.interest == "none" else "Sharpe, Sortino and idle cash take 0"
        yield f"{BILL} is not known on {missing} of {counts.sessions} sessions: {takers} there."
    if (blind := sum(counts.live_blocks[number] for number in range(signal.needed_blocks))) > 0:
        reason = "the source said nothing yet" if spec.signal.source else "fewer than two blocks were live"
        yield f"On {blind:.0%} of the sessions {reason}: the regime was NEUTRAL."
    yield from signal.notes


def _of_given_weights(prepared: Prepared) -> Iterator[str]:
    """Rows of a file of weights that no decision of the run has used."""
    file = prepared.extensions.weights
    if file is None:
        return
    rows = read_weights(file.path, file.content)
    places = rows_in_force(rows, pd.DatetimeIndex(prepared.panel.decides_for))
    first, last = places.iloc[0], places.iloc[-1]
    if last < 0:
        known = rows.index[0]
        yield f"{file.path.name}: its first row is known at {known}, after every decision of the run: all in cash."
    passed = rows.index[[place for place in range(first + 1, last) if place not in set(places)]]
    if len(passed):
        yield (
            f"{file.path.name}: {_plural(len(passed), 'row')} had no effect, for the next was known before the next "
            f"decision, at 00:00 UTC of a session: the first is known at {passed[0]}."
        )


def _order_notes(counts: RunCounts) -> Iterator[str]:
    orders = counts.orders
    if orders.reduced or orders.unfilled:
        yield (
            f"Orders cut to the cash or the volume there was: {orders.reduced}; not filled: {orders.unfilled}. "
            "What was cut for want of cash or volume was planned anew the session after (orders.csv says why)."
        )
    for symbol, count in counts.unsent.items():
        yield (
            f"{symbol} was to be traded for less than its smallest unit or order at {_plural(count, 'rebalancing')}: "
            "nothing was sent."
        )
    for symbol, count in counts.dust.items():
        yield f"{symbol} was kept on {_plural(count, 'session')} because it was worth too little to be sold."


def _price_notes(prepared: Prepared, counts: RunCounts) -> Iterator[str]:
    panel = prepared.panel
    for symbol, amount in counts.delistings.items():
        yield f"{symbol} was held when it was delisted: {amount:,.2f} US dollars were paid for it."
    for place, symbol in enumerate(panel.symbols):
        known = np.flatnonzero(~np.isnan(panel.decision_price[:, place]))
        if known.size and known[0] > 0:
            yield f"{symbol} can be traded from {panel.decides_for[known[0]].date()} on."


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
