"""What is odd in the data that came since the decision before, told with the step that decides on them."""

from dataclasses import replace

import pandas as pd

from backtests.prepare.stakes import scope_of, stakes_of
from data.market.snapshot import Snapshot
from data.quality.findings import Days, Scope
from data.quality.ranking import ranked
from data.quality.report import quality_report
from paper.ledger.records import DecisionRecord
from paper.market import PaperMarket


def odd_data(market: PaperMarket, session: pd.Timestamp, last: DecisionRecord | None, named: str) -> str:
    """Say the gravest of what is odd in the new data of a spec, and count the rest; empty where nothing is.

    New are bars of the last session that was decided for and after, and observations that became known after that
    decision; of the first decision all that it reads. What is stale is told as long as it is. An untraded benchmark
    moves no money, and is left out.

    Args:
        market: reaches the session; it must hold nothing that came after.
        session: decided for.
        last: the decision before; None: there is none.
        named: the market and the spec as a command takes them, as in ``live --spec mine.toml``.
    """
    spec, snapshot = market.spec, market.snapshot
    scope = scope_of(spec, snapshot, session, snapshot.bars["date"].max())
    scope = replace(scope, symbols=scope.symbols & frozenset(spec.universe.symbols))
    if last is not None:
        scope = _since(scope, snapshot, last)
    found = ranked(quality_report(snapshot, scope).findings, stakes_of(spec, snapshot))
    told = [each for each in found if each.effect > 0]
    if not told:
        return ""
    since = "" if last is None else f" since the decision for {last.session}"
    more = f" {len(told) - 1} more: reverse-qe data verify {named}" if len(told) > 1 else ""
    return f"odd in the data{since}: {told[0].warning}{more}"


def _since(scope: Scope, snapshot: Snapshot, last: DecisionRecord) -> Scope:
    """Of what a decision reads, what the one before could not; a revision of an old value is not new."""
    first_told = snapshot.series.drop_duplicates(["series", "date"])  # of each date the value that was known first
    new = (first_told["known_at"] > pd.Timestamp(last.decided_at)) & first_told["series"].isin(scope.series)
    newest = scope.observations.last
    begins = first_told.loc[new, "date"].min() if new.any() else newest + pd.Timedelta(days=1)
    return replace(
        scope,
        bars=Days(pd.Timestamp(last.session), scope.bars.last),
        observations=Days(begins, max(newest, begins)),
    )
