"""The days of a run, and where it ends when the spec does not say."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

import pandas as pd

from backtests.spec.spec import RunSection
from data.clock import next_session, previous_session, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import DELISTING
from data.prices.panel import Panel
from strategies.policy import Plan
from strategies.universe import Universe


class Span(NamedTuple):
    """First and last day of a run, or of an account so far."""

    first: pd.Timestamp
    last: pd.Timestamp


class End(NamedTuple):
    """Where a run ends that says nothing of it.

    Attributes:
        session: the last one.
        cut_by: instruments that it would hold in the next one, whose files have ended; none where no file cut it.
    """

    session: pd.Timestamp
    cut_by: tuple[str, ...] = ()


def require_known(universe: Universe, snapshot: Snapshot) -> None:
    """Refuse, in one line that names the key, an instrument or a benchmark of which the snapshot has no bar."""
    held = set(snapshot.bars["symbol"].unique())
    for symbol in (*universe.symbols, universe.benchmark):
        if symbol not in held:
            raise unknown_symbol(universe.key_of(symbol), symbol, snapshot.name, held)


def unknown_symbol(key: str, symbol: str, market: str, held: Collection[str]) -> InputError:
    """The refusal of an instrument that a market does not hold, with the nearest that it does."""
    by_capitals = {name.upper(): name for name in held}
    near = get_close_matches(symbol.upper(), by_capitals, n=1, cutoff=0.75)
    meant = f"is {by_capitals[near[0]]} meant? " if near else ""
    return InputError(
        f"{key}: unknown symbol {symbol or '(empty)'}: market {market} does not hold it; {meant}"
        f"see what it holds with: reverse-qe data show {market}"
    )


def last_bars(snapshot: Snapshot, universe: Universe) -> pd.Series:
    """Date of the last bar of everything that is traded and of the benchmark, by symbol.

    Raises:
        InputError: a symbol that the snapshot does not hold.
    """
    require_known(universe, snapshot)
    dates = snapshot.bars.groupby("symbol")["date"].max()
    return dates.reindex(list(dict.fromkeys((*universe.symbols, universe.benchmark))))


def without_delisted(ends: pd.Series, snapshot: Snapshot) -> pd.Series:
    """The ends of files that are no ends of trading."""
    delisted = snapshot.actions.loc[snapshot.actions["kind"] == DELISTING, "symbol"]
    return ends[~ends.index.isin(delisted)]


def longest_span(run: RunSection, universe: Universe, snapshot: Snapshot) -> Span:
    """First and last session that the spec's days and the snapshot's bars allow.

    Raises:
        InputError: the days lie outside the snapshot, or there is no session between them.
    """
    ends = last_bars(snapshot, universe)
    benchmark_dates = snapshot.bars.loc[snapshot.bars["symbol"] == universe.benchmark, "date"]
    first, last = benchmark_dates.min(), ends.max()
    start = pd.Timestamp(run.start)
    end = last if run.end is None else pd.Timestamp(run.end)
    if start <= first or end > last or start > end:
        raise InputError(
            f"got the run {start.date()} to {end.date()}, wanted days after {first.date()} (first bar of the benchmark "
            f"{universe.benchmark}) and up to {last.date()} (last bar of market {snapshot.name}); mend "
            "run.start or run.end"
        )
    sessions = sessions_between(start, end)
    if sessions.empty:
        raise InputError(f"there is no NYSE session from {start.date()} to {end.date()}; move run.start or run.end")
    return Span(sessions[0], sessions[-1])


def default_end(panel: Panel, plan: Plan, ends: pd.Series, benchmark: str) -> End:
    """Return the last session on which no held instrument lacks its bar merely because its file ends.

    Args:
        panel: over the longest span.
        plan: over the same sessions.
        ends: date of the last bar by symbol, of the benchmark too, and not of what is delisted: its file has to end.
        benchmark: held throughout, by the baseline, whatever the plan says of it.

    Raises:
        InputError: a file ends before the run has begun.
    """
    run = panel.sessions[1:]
    wanted = plan.targets[plan.rebalance].reindex(plan.targets.index).ffill() > 0
    held = (wanted | wanted.shift(fill_value=False)).reindex(run)
    held[benchmark] = True
    ended = pd.DataFrame({symbol: run > last for symbol, last in ends.items()}, index=run)
    lacking = held[list(ended.columns)] & ended
    lacks_any = lacking.any(axis=1)
    if not lacks_any.any():
        return End(run[-1])
    if lacks_any.iloc[0]:
        raise InputError(
            f"the run begins on {run[0].date()}, but the file of an instrument that it would hold ends before: "
            f"{', '.join(f'{symbol} {last.date()}' for symbol, last in ends.items() if last < run[0])}"
        )
    first = int(lacks_any.to_numpy().argmax())
    return End(previous_session(run[first]), tuple(lacking.columns[lacking.iloc[first]]))


def session_to_come(snapshot: Snapshot) -> pd.Timestamp:
    """The first session after the newest bar of the snapshot."""
    return next_session(snapshot.bars["date"].max())
