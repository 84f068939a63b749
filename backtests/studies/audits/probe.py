"""One run of a spec on a market of which something is another: the real way of a run, from files to orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from backtests.engines.ledger import run_ledger
from backtests.execution.result import EngineResult, LedgerResult
from backtests.prepare.choice import candidates_of
from backtests.prepare.needs import needs_of
from backtests.prepare.prepared import Prepared, prepare
from backtests.prepare.span import Span
from backtests.run import book_returns, play, until_default_end
from backtests.spec.extensions import Extensions
from backtests.spec.spec import Spec
from backtests.studies.audits.foresight import Foresight, foresight_of
from backtests.studies.audits.futures import Future, another_future, with_tables
from backtests.studies.audits.given_rows import given_in_another_future
from backtests.studies.audits.inputs import Input, scaled_by_dividends, since, stopped, without
from backtests.studies.audits.rows import Column, columns_of
from data.clock import decision_times, next_session, previous_session
from data.market.snapshot import Snapshot
from signals.blocks.level import TREASURY_ACCOUNT

Change = Literal["none", "cut", "up", "down", "late", "start", "history", "without", "stopped", "dividends", "version"]
FUTURES: tuple[Future, ...] = ("cut", "up", "down", "late")
EVERY: tuple[Change, ...] = ("cut", "up", "down")
"""Under one of them shows what looks a single session ahead, whichever way it turns on what it sees."""
AFTER = pd.Timedelta(days=91)
"""Of another future that a run goes on to see: a quarter. To what looks further ahead it is one that is cut off."""


@dataclass(frozen=True)
class World:
    """What every probe begins with.

    Attributes:
        spec: complete.
        snapshot: the market, without what the spec cannot read.
        given: the spec's files, as they were when they were read; blocks and policy are not checked on the way.
        versions: earlier versions of the market, likewise.
    """

    spec: Spec
    snapshot: Snapshot
    given: Extensions
    versions: tuple[Snapshot, ...] = ()


@dataclass(frozen=True)
class Probe:
    """What is another in a run.

    Attributes:
        change: "none": nothing; "cut", "up", "down", "late": the future, see `backtests.studies.audits.futures.Future`;
            "start": the first session; "history": what lies before the first session begins later; "without": an input
            has no value; "stopped": it has none from a session on; "dividends": prices as later dividends would scale
            them; "version": the market is an earlier version.
        session: after whose decision the future is another, or from which on; of "start" the first one.
        only: the input of which alone something is another; None: all.
        by_engine: whether Backtrader plays the plan, and not the ledger alone. A strategy of the user it always plays.
        number: of the version.
    """

    change: Change
    session: pd.Timestamp | None = None
    only: Input | None = None
    by_engine: bool = False
    number: int = 0


@dataclass(frozen=True)
class Made:
    """What a run says.

    Attributes:
        columns: see `backtests.studies.audits.rows.columns_of`.
        span: first and last session.
        returns: of the strategy by session, fractions.
        risk_free: of the same sessions.
        still: by column, at how many sessions from that of the probe on an input of the signal has a value, or a target
            weight is above 0.
        foresight: of the run as it is, of a file of regimes or weights.
    """

    columns: Sequence[Column]
    span: Span
    returns: pd.Series
    risk_free: pd.Series
    still: dict[str, int]
    foresight: Foresight | None = None


def lean(spec: Spec, snapshot: Snapshot) -> Snapshot:
    """The market without what the spec cannot read: bars of others, and other series where no block is the user's."""
    needs = needs_of(spec)
    rule = spec.universe.rule
    ranked = [] if rule is None else candidates_of(rule, spec, snapshot)
    tables = {"bars": snapshot.bars[snapshot.bars["symbol"].isin([*needs.symbols, *ranked])]}
    if not spec.signal.blocks:
        # What the level takes where the market lacks what it wants.
        named = {*needs.series, TREASURY_ACCOUNT}
        tables["series"] = snapshot.series[snapshot.series["series"].isin(named)]
    return with_tables(snapshot, tables)


def own_span(world: World) -> Span:
    """The first and the last session of the run itself."""
    prepared = prepare(world.spec, world.snapshot, extensions=world.given)
    if world.spec.run.end is None:
        prepared = until_default_end(prepared)
    return Span(prepared.panel.sessions[1], prepared.panel.sessions[-1])


def run_probe(world: World, span: Span, probe: Probe) -> Made:
    """Run a spec with something changed.

    Args:
        world: spec, market, files.
        span: of the run itself.
        probe: what is another.

    Raises:
        ReverseQeError: as a run does, on such a market.
    """
    snapshot, given, first, last = world.snapshot, world.given, *span
    session, only = probe.session, probe.only
    if probe.change == "version":
        snapshot = world.versions[probe.number]
        last = min(last, previous_session(next_session(snapshot.bars["date"].max())))
    elif probe.change == "dividends":
        snapshot = scaled_by_dividends(snapshot, only)
    elif probe.change == "without" and only is not None:
        snapshot = without(snapshot, only)
    elif session is not None:
        (moment,) = decision_times(pd.DatetimeIndex([session]))
        if probe.change in FUTURES:
            if only is None or only.table != "given":
                where = ("", "") if only is None else (only.table, only.name)
                snapshot = another_future(snapshot, moment, probe.change, where)
            if only is None or only.table == "given":
                given = given_in_another_future(given, moment, probe.change, only.name if only else "")
            if only is None:
                # A run under another future ends some time after it: rows after the session are not compared. Where one
                # input alone is another it goes on to its end, or it would be shorter too.
                last = min(last, previous_session(session if probe.change == "cut" else session + AFTER))
        elif probe.change == "start":
            first = session
        elif probe.change == "history":
            snapshot = since(snapshot, session)
        elif probe.change == "stopped" and only is not None:
            snapshot = stopped(snapshot, only, moment)
    prepared = prepare(world.spec, snapshot, Span(first, last), extensions=given)
    books = _books(prepared, probe.by_engine)
    returns = _returns(books[0], world.spec.run.initial_cash)
    return Made(
        columns=columns_of(prepared, books),
        span=Span(prepared.panel.sessions[1], prepared.panel.sessions[-1]),
        returns=returns,
        risk_free=prepared.risk_free.loc[returns.index],
        still=_still(prepared, session) if probe.change == "stopped" and session is not None else {},
        foresight=foresight_of(prepared) if probe.change == "none" else None,
    )


def _books(prepared: Prepared, by_engine: bool) -> list[EngineResult | LedgerResult]:
    """The plan as the ledger plays it, and Backtrader where it is asked; a strategy of the user Backtrader alone."""
    if prepared.extensions.strategy is not None:
        return [play(prepared)]
    spec = prepared.spec
    ledger = run_ledger(prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash)
    return [ledger, play(prepared)] if by_engine else [ledger]


def _returns(book: EngineResult | LedgerResult, cash: float) -> pd.Series:
    if isinstance(book, EngineResult):
        return book_returns(book, {}, cash)["strategy"]
    before = book.equity.shift(fill_value=cash)
    return (book.equity / before - 1.0).where(before > 0, 0.0)


def _still(prepared: Prepared, session: pd.Timestamp) -> dict[str, int]:
    values = prepared.signal.values.loc[session:].add_prefix("value of ")
    held = prepared.plan.targets.loc[session:].add_prefix("target weight of ")
    counted = {str(name): int(np.isfinite(column).sum()) for name, column in values.items()}
    return counted | {str(name): int((column > 0).sum()) for name, column in held.items()}
