"""What is odd in a snapshot: kept as it came, never mended, and said."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.catalogue.ranges import price_range, range_text, series_range
from data.catalogue.series import series_entry
from data.clock import calendar_sessions, calendars_version
from data.market.closings import unknown_closings, unknown_openings
from data.market.snapshot import Snapshot
from data.market.tables import PRICE_COLUMNS
from data.market.units import outside
from data.quality.findings import FLOAT_NOISE, Finding, FindingKind, on_days
from data.quality.price_checks import price_findings

MIN_ROWS = 252
STALE_SESSIONS = 5


@dataclass(frozen=True)
class Gap:
    """A stretch without an observation.

    Attributes:
        days: calendar days from the one observation to the next.
        first: day of the observation before it.
        last: day of the observation after it.
    """

    days: int
    first: date
    last: date


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
        return [(name, kind, _words(list(findings))) for (name, kind), findings in by_name_and_kind]

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines; days as ISO text."""
        return {
            "newest": None if self.newest is None else self.newest.isoformat(),
            "findings": [finding.as_json() for finding in self.findings],
            "notes": list(self.notes),
        }


def quality_report(snapshot: Snapshot) -> QualityReport:
    """Look for what is odd in the bars and series of a snapshot.

    Blank cells; sessions of the instrument's own exchange without a row, and rows on days that its calendar does not
    know, which are kept aside; days on which all instruments of an exchange agree against its calendar; closes outside
    high and low; moves that look like a split that was not taken out, and moves far out of the usual; adjusted closes
    that the dividends and splits do not explain; bars of a day that had not ended; closes that another source has
    otherwise; rows before the listing date; fewer than 252 rows; a file that ends more than 5 of its sessions before
    the newest bar, or whose last value is older than the catalogue allows on the newest day; a gap between two values
    of a series that is longer than that.
    """
    findings: list[Finding] = []
    exchanges = {exchange.calendar: exchange for exchange in _exchanges(snapshot)}
    for symbol, rows in snapshot.bars.groupby("symbol"):
        instrument = snapshot.instruments[str(symbol)]
        findings += _symbol_findings(str(symbol), rows, instrument, exchanges[instrument.calendar])
        findings += aside_findings(snapshot, str(symbol))
        findings += price_findings(snapshot, str(symbol))
    newest = pd.concat([snapshot.bars["date"], snapshot.series["date"]]).max()
    for series, rows in snapshot.series.groupby("series"):
        findings += _series_findings(str(series), rows.drop_duplicates("date", keep="last"), newest)
    for exchange in exchanges.values():
        findings += _exchange_findings(exchange)
    return QualityReport(None if pd.isna(newest) else newest.date(), tuple(findings))


def aside_findings(snapshot: Snapshot, symbol: str) -> Iterator[Finding]:
    """What of one instrument was kept aside: rows of days without a session, actions that its prices deny."""
    bars, actions = (table[table["symbol"] == symbol] for table in (snapshot.bars_aside, snapshot.actions_aside))
    calendar = snapshot.instruments[symbol].calendar
    text = f"rows, kept aside, on days that are no session of {calendar} (exchange_calendars {calendars_version()})"
    yield from on_days(symbol, "unknown_sessions", pd.DatetimeIndex(bars["date"]), text)
    for action in actions.to_dict("records"):
        day, kind = action["date"].date(), action["kind"].replace("_", " ")
        text = f"{kind} of {action['value']:g}, set aside: {action['reason']}"
        yield Finding(symbol, "action_denied", 1, day, day, text)


def largest_gap(days: pd.DatetimeIndex) -> Gap:
    """Return the longest stretch from one of these days to the next; the earliest of equal ones.

    Args:
        days: naive dates, ascending, two or more.
    """
    steps = np.diff(days.to_numpy())
    at = int(steps.argmax())
    first, last = days[at], days[at + 1]
    return Gap((last - first).days, first.date(), last.date())


def _words(findings: list[Finding]) -> str:
    """The findings of one name and kind, and the days that they concern."""
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


def _exchanges(snapshot: Snapshot) -> Iterator[_Exchange]:
    """The exchanges of all bars, by calendar, over the span of all bars."""
    dates = snapshot.bars["date"]
    held: dict[str, list[pd.DatetimeIndex]] = {}
    for symbol, rows in snapshot.bars.groupby("symbol"):
        held.setdefault(snapshot.instruments[str(symbol)].calendar, []).append(pd.DatetimeIndex(rows["date"]))
    for calendar, days in sorted(held.items()):
        sessions = calendar_sessions(calendar, dates.min(), dates.max())
        yield _Exchange(calendar, sessions, unknown_closings(sessions, days), unknown_openings(sessions, days))


def _exchange_findings(exchange: _Exchange) -> Iterator[Finding]:
    knows = f"exchange_calendars {calendars_version()}"
    text = f"no instrument has a bar: closings that {knows} does not know"
    yield from on_days(exchange.calendar, "unknown_closing", exchange.closings, text)
    text = f"all instruments have a bar: sessions that {knows} does not know"
    yield from on_days(exchange.calendar, "unknown_opening", exchange.openings, text)


def _symbol_findings(symbol: str, rows: pd.DataFrame, instrument: Instrument, exchange: _Exchange) -> Iterator[Finding]:
    """Findings of one instrument; the sessions of its exchange reach up to the newest bar of the snapshot."""
    days = pd.DatetimeIndex(rows["date"])
    calendar = instrument.calendar
    for column in PRICE_COLUMNS[1:]:
        yield from on_days(symbol, "blank_cells", days[rows[column].isna()], f"blank {column}", column)

    sessions = exchange.sessions.difference(exchange.closings)
    missing = sessions[(sessions >= days[0]) & (sessions <= days[-1])].difference(days)
    yield from on_days(symbol, "missing_sessions", missing, f"sessions of {calendar} without a row")
    above = rows["close"] > rows["high"] * (1 + FLOAT_NOISE)
    below = rows["close"] < rows["low"] * (1 - FLOAT_NOISE)
    yield from on_days(symbol, "close_outside_range", days[above | below], "closes outside high and low")
    plausible = price_range(instrument)
    text = f"closes outside {range_text(plausible)} {instrument.currency}, in no likely unit"
    yield from on_days(symbol, "implausible", days[outside(rows["close"], plausible)], text)
    early = days[days < pd.Timestamp(instrument.listed)]
    text = f"rows before the listing on {instrument.listed} (kept, never traded)"
    yield from on_days(symbol, "before_listing", early, text)
    yield from _short(symbol, days)
    behind = sessions[sessions > days[-1]]
    if len(behind) > STALE_SESSIONS:
        text = f"stale: it ends {len(behind)} sessions of {calendar} before the newest bar"
        yield Finding(symbol, "stale", len(behind), days[-1].date(), behind[-1].date(), text)


def _series_findings(series: str, rows: pd.DataFrame, newest: pd.Timestamp) -> Iterator[Finding]:
    """Findings of one macro series, one row a date; `newest` is the newest day of the snapshot."""
    days = pd.DatetimeIndex(rows["date"])
    entry = series_entry(series)
    limit, plausible = entry.stale_after_days, series_range(entry)
    if plausible is not None:
        text = f"values outside {range_text(plausible)}, in no likely unit"
        yield from on_days(series, "implausible", days[outside(rows["value"], plausible)], text)
    blank = rows["value"].isna().to_numpy()
    yield from on_days(series, "blank_cells", days[blank], "blank value", "value")
    yield from _short(series, days)
    valued = days[~blank]
    if len(valued) and (age := (newest - valued[-1]).days) > limit:
        text = f"stale: its last value is {age} days old on the newest day, at most {limit} may pass"
        yield Finding(series, "stale", age, valued[-1].date(), newest.date(), text)
    if len(valued) > 1 and (gap := largest_gap(valued)).days > limit:
        text = f"its largest gap is {gap.days} days, at most {limit} may pass"
        yield Finding(series, "long_gap", gap.days, gap.first, gap.last, text)


def _short(name: str, days: pd.DatetimeIndex) -> Iterator[Finding]:
    if len(days) < MIN_ROWS:
        text = f"short: {len(days)} rows, fewer than {MIN_ROWS}"
        yield Finding(name, "short", len(days), days[0].date(), days[-1].date(), text)
