"""What is odd in a snapshot: kept as it came, never mended, and said."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.catalogue.ranges import price_range, range_text
from data.clock import calendar_sessions, calendars_version
from data.market.closings import unknown_closings, unknown_openings
from data.market.entries import held_series_entry
from data.market.snapshot import Snapshot
from data.market.tables import PRICE_COLUMNS
from data.market.units import outside
from data.prices.actions import DELISTING
from data.prices.adjustment import CASH, SPLIT
from data.prices.panel import has_closes_alone
from data.quality.alike import alike_findings
from data.quality.findings import (
    EVER,
    FLOAT_NOISE,
    Days,
    Finding,
    FindingKind,
    Scope,
    on_days,
    part_of,
    part_of_year,
    short_findings,
)
from data.quality.moves import log_moves
from data.quality.price_checks import price_findings
from data.quality.series_checks import newest_values, series_findings

SESSIONS = 252  # of a year
STALE_SESSIONS = 5


@dataclass(frozen=True)
class QualityReport:
    """Everything odd in one snapshot.

    Attributes:
        newest: the newest day of its bars and series; None where it holds neither.
        findings: symbols first, then series, then exchanges, each by name.
        notes: what an import adds: files not read, events judged by rule.
    """

    newest: date | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report for people, a line a name and kind."""
        return [f"{name}: {text}" for name, _, text in self.grouped()] + list(self.notes)

    def grouped(self) -> list[tuple[str, FindingKind, str]]:
        """Name, kind and words of what was found; blank cells of several columns stand together."""
        by_name_and_kind = groupby(self.findings, key=lambda finding: (finding.name, finding.kind))
        return [(name, kind, words(list(findings))) for (name, kind), findings in by_name_and_kind]


def quality_report(snapshot: Snapshot, scope: Scope | None = None) -> QualityReport:
    """Look for what is odd in the bars and series of a snapshot.

    Blank cells; sessions of the instrument's own exchange without a row, and rows on days that its calendar does not
    know, which are kept aside; days on which all instruments of an exchange agree against its calendar; closes outside
    high and low, opens, highs and lows far from the closes beside them, closes that stand still; moves that look like a
    split that was not taken out, and moves far out of the usual; closes of another instrument; adjusted closes that the
    dividends and splits do not explain; bars of a day that had not ended; closes that another source has
    otherwise; rows before the listing date; fewer than 252 rows; a file that ends more than 5 of its sessions before
    the newest bar, or whose last value is older than the catalogue allows on the newest day; a gap between two values
    of a series that is longer than that.

    Args:
        snapshot: that is checked.
        scope: what of it is told; None: all.
    """
    scope = scope or _all_of(snapshot)
    findings: list[Finding] = []
    exchanges = {exchange.calendar: exchange for exchange in _exchanges(snapshot, scope)}
    newest = min(pd.concat([snapshot.bars["date"], snapshot.series["date"]]).max(), scope.bars.last)
    delisted = set(snapshot.actions.loc[snapshot.actions["kind"] == DELISTING, "symbol"])
    # The file of what is delisted has to end, and in a market of closes alone nothing else can stand.
    blank = {"blank_cells"} if has_closes_alone(snapshot) else set()
    expected = {False: blank, True: {"stale", *blank}}
    for symbol, rows in snapshot.bars.groupby("symbol"):
        if symbol in scope.symbols:
            instrument = snapshot.instruments[str(symbol)]
            found = _symbol_findings(str(symbol), rows, instrument, exchanges[instrument.calendar], scope.bars)
            findings += [each for each in found if each.kind not in expected[symbol in delisted]]
            findings += aside_findings(snapshot, str(symbol), scope.bars)
            findings += price_findings(snapshot, str(symbol), scope.bars)
    findings += alike_findings(snapshot, scope.symbols, scope.bars)
    for series, rows in snapshot.series.groupby("series"):
        if series in scope.series:
            observations = newest_values(rows)
            findings += series_findings(
                str(series), observations, held_series_entry(snapshot, str(series)), newest, scope.observations
            )
    for exchange in exchanges.values():
        findings += _exchange_findings(exchange, scope.bars)
    return QualityReport(None if pd.isna(newest) else newest.date(), tuple(findings))


def _all_of(snapshot: Snapshot) -> Scope:
    symbols, series = snapshot.bars["symbol"].unique(), snapshot.series["series"].unique()
    return Scope(frozenset(symbols), frozenset(series), EVER, EVER)


def aside_findings(snapshot: Snapshot, symbol: str, span: Days = EVER) -> Iterator[Finding]:
    """What of one instrument was kept aside: rows of days without a session, actions that its prices deny."""
    bars, actions = (
        table[(table["symbol"] == symbol).to_numpy() & span.hold(pd.DatetimeIndex(table["date"]))]
        if len(table)
        else table
        for table in (snapshot.bars_aside, snapshot.actions_aside)
    )
    if len(bars):
        calendar = f"{snapshot.instruments[symbol].calendar} (exchange_calendars {calendars_version()})"
        text = f"rows, kept aside, on days that are no session of {calendar}"
        yield from on_days(symbol, "unknown_sessions", pd.DatetimeIndex(bars["date"]), text)
    for action in actions.to_dict("records") if len(actions) else ():
        day, kind = action["date"].date(), action["kind"].replace("_", " ")
        text = f"{kind} of {action['value']:g}, set aside: {action['reason']}"
        size = _denied(snapshot.bars_of(symbol), action["date"], action["kind"], action["value"])
        yield Finding(symbol, "action_denied", 1, day, day, text, size=size)


def _denied(bars: pd.DataFrame, day: pd.Timestamp, kind: str, value: float) -> float:
    """What an action that is not used would have made of a unit, as a part of it."""
    if kind in CASH:
        before = bars.loc[bars["date"] < day, "close"]
        return min(value / float(before.iloc[-1]), 1.0) if len(before) else 1.0
    return float(part_of(np.log(value))) if kind == SPLIT and value > 0 else 1.0


def words(findings: list[Finding]) -> str:
    """Return the findings of one name and kind, and the days that they concern."""
    first = min(finding.first for finding in findings)
    last = max(finding.last for finding in findings)
    text = ", ".join(finding.text for finding in findings)
    return f"{text} ({replace(findings[0], first=first, last=last).days})"


@dataclass(frozen=True)
class _Exchange:
    """The days of an exchange: the sessions of its calendar, and what all of its instruments have otherwise."""

    calendar: str
    sessions: pd.DatetimeIndex
    closings: pd.DatetimeIndex
    openings: pd.DatetimeIndex


def _exchanges(snapshot: Snapshot, scope: Scope) -> Iterator[_Exchange]:
    """The exchanges of the instruments, by calendar, over the span of all bars."""
    dates = snapshot.bars["date"]
    held: dict[str, list[pd.DatetimeIndex]] = {}
    for symbol in snapshot.bars["symbol"].unique():
        held.setdefault(snapshot.instruments[symbol].calendar, []).append(
            pd.DatetimeIndex(snapshot.bars_of(symbol)["date"])
        )
    wanted = {snapshot.instruments[symbol].calendar for symbol in scope.symbols if symbol in snapshot.instruments}
    for calendar, days in sorted(held.items()):
        if calendar in wanted:
            sessions = calendar_sessions(calendar, dates.min(), min(dates.max(), scope.bars.last))
            yield _Exchange(calendar, sessions, unknown_closings(sessions, days), unknown_openings(sessions, days))


def _exchange_findings(exchange: _Exchange, span: Days) -> Iterator[Finding]:
    knows = f"exchange_calendars {calendars_version()}"
    closings, openings = (days[span.hold(days)] for days in (exchange.closings, exchange.openings))
    text = f"no instrument has a bar: closings that {knows} does not know"
    size = part_of_year(len(closings), SESSIONS)
    yield from on_days(exchange.calendar, "unknown_closing", closings, text, sizes=size)
    text = f"all instruments have a bar: sessions that {knows} does not know"
    size = part_of_year(len(openings), SESSIONS)
    yield from on_days(exchange.calendar, "unknown_opening", openings, text, sizes=size)


def _symbol_findings(
    symbol: str, rows: pd.DataFrame, instrument: Instrument, exchange: _Exchange, span: Days
) -> Iterator[Finding]:
    """Findings of one instrument; the sessions of its exchange reach up to the newest bar that counts."""
    days = pd.DatetimeIndex(rows["date"])
    inside, moves = span.hold(days), log_moves(rows)
    cells = {column: rows[column].to_numpy() for column in PRICE_COLUMNS}
    for column in PRICE_COLUMNS[1:]:
        blank = np.isnan(cells[column]) & inside
        # What has no open cannot be traded on; nothing else values or fills anything.
        sizes = part_of(moves[blank]) if column == "open" else 0.0
        yield from on_days(symbol, "blank_cells", days[blank], f"blank {column}", column, sizes)

    sessions = exchange.sessions.difference(exchange.closings)
    missing = sessions[(sessions >= days[0]) & (sessions <= days[-1])].difference(days)
    missing = missing[span.hold(missing)]
    text = f"sessions of {exchange.calendar} without a row"
    yield from on_days(symbol, "missing_sessions", missing, text, sizes=part_of(moves[days.searchsorted(missing)]))
    above, below = cells["close"] / cells["high"] - 1, 1 - cells["close"] / cells["low"]
    beyond = np.fmax(above, below)
    outside_range = (beyond > FLOAT_NOISE) & inside
    text = "closes outside high and low"
    yield from on_days(symbol, "close_outside_range", days[outside_range], text, sizes=beyond[outside_range])
    plausible = price_range(instrument)
    text = f"closes outside {range_text(plausible)} {instrument.currency}, in no likely unit"
    yield from on_days(symbol, "implausible", days[outside(rows["close"], plausible) & inside], text, sizes=1.0)
    early = days[(days < pd.Timestamp(instrument.listed)) & inside]
    text = f"rows before the listing on {instrument.listed} (kept, never traded)"
    yield from on_days(symbol, "before_listing", early, text)
    yield from short_findings(symbol, days)
    behind = sessions[sessions > days[-1]]
    if len(behind) > STALE_SESSIONS:
        text = f"stale: it ends {len(behind)} sessions of {exchange.calendar} before the newest bar"
        size = part_of_year(len(behind), SESSIONS)
        yield Finding(symbol, "stale", len(behind), days[-1].date(), behind[-1].date(), text, size=size)
