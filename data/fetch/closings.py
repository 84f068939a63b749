"""Sessions that did not come: holes of one instrument, or closings of its exchange that the calendar does not know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from data.catalogue.instruments import Instrument, instrument_entry
from data.clock import calendar_sessions, calendars_version
from data.market.closings import unknown_closings, unknown_openings
from data.market.snapshot import Snapshot
from data.net.errors import SourceError
from data.sources.answers import PriceAnswer

# One session missing in a short answer, or 1% in a long one, is told; more is a failure.
MISSING_SHARE = 0.01


@dataclass(frozen=True)
class OddDays:
    """What all instruments of an exchange have otherwise than its calendar.

    Attributes:
        calendar: its name.
        sessions: as the calendar has them, over the days of all bars: naive dates.
        closings: sessions without any bar.
        openings: days with a bar of each that are no session.
    """

    calendar: str
    sessions: pd.DatetimeIndex
    closings: pd.DatetimeIndex
    openings: pd.DatetimeIndex


def odd_days(
    market: Snapshot, answers: Iterable[PriceAnswer], catalogue: Mapping[str, Instrument]
) -> Mapping[str, OddDays]:
    """Compare the calendars of what came with all bars of their exchanges: those that came, and those that are held.

    Args:
        market: what is held.
        answers: what came; each has a bar.
        catalogue: entries by symbol.

    Returns:
        By symbol of `answers`.
    """
    came = {answer.symbol: pd.DatetimeIndex(answer.bars["date"].unique()) for answer in answers}
    calendars = {symbol: instrument_entry(symbol, catalogue).calendar for symbol in came}
    held: dict[str, list[pd.DatetimeIndex]] = {calendar: [] for calendar in calendars.values()}
    for symbol, days in came.items():
        held[calendars[symbol]].append(days.union(pd.DatetimeIndex(market.bars_of(symbol)["date"])))
    for symbol, instrument in market.instruments.items():
        if instrument.calendar in held and symbol not in came:
            held[instrument.calendar].append(pd.DatetimeIndex(market.bars_of(symbol)["date"]))
    found = {calendar: _odd_days(calendar, [days for days in each if len(days)]) for calendar, each in held.items()}
    return {symbol: found[calendar] for symbol, calendar in calendars.items()}


def judged(answer: PriceAnswer, odd: OddDays) -> PriceAnswer:
    """Add to an answer what is to be said of its sessions.

    Raises:
        SourceError: too many are missing that are no closing.
    """
    missing = answer.missing.difference(odd.closings)
    asked = len(answer.bars) + len(answer.missing)
    told = f"asked for {asked} sessions, got {len(answer.bars)}; missing {_named(missing)}"
    if len(missing) > max(1.0, MISSING_SHARE * asked):
        raise SourceError(
            f"Yahoo: {answer.symbol}: {told}; try again later, or, if {odd.calendar} was closed, with a newer "
            f"exchange_calendars than {calendars_version()}",
            retry_later=True,
        )
    extra = pd.DatetimeIndex(answer.bars["date"]).difference(odd.sessions).difference(odd.openings)
    notes = [told] if len(missing) else []
    if len(extra):
        notes.append(f"bars on days without a session of {odd.calendar}: {_named(extra)}")
    return replace(answer, notes=(*answer.notes, *notes))


def exchange_notes(answers: Iterable[PriceAnswer], odd: Mapping[str, OddDays]) -> Iterator[str]:
    """What is to be said of whole exchanges, of the days that came or should have come: one line a kind."""
    asked: dict[str, pd.DatetimeIndex] = {}
    for answer in answers:
        calendar = odd[answer.symbol].calendar
        days = answer.missing.union(pd.DatetimeIndex(answer.bars["date"]))
        asked[calendar] = asked[calendar].union(days) if calendar in asked else days
    knows = f"that exchange_calendars {calendars_version()} does not know"
    for each in {days.calendar: days for days in odd.values()}.values():
        closed = each.closings.intersection(asked[each.calendar])
        opened = each.openings.intersection(asked[each.calendar])
        if len(closed):
            yield f"{each.calendar}: no instrument has a bar on {_named(closed)}: taken for closings {knows}"
        if len(opened):
            yield f"{each.calendar}: all instruments have a bar on {_named(opened)}: sessions {knows}"


def _odd_days(calendar: str, held: list[pd.DatetimeIndex]) -> OddDays:
    sessions = calendar_sessions(calendar, min(days[0] for days in held), max(days[-1] for days in held))
    return OddDays(calendar, sessions, unknown_closings(sessions, held), unknown_openings(sessions, held))


def _named(days: pd.DatetimeIndex) -> str:
    shown = ", ".join(f"{day:%Y-%m-%d}" for day in days[:3])
    return f"{shown} and {len(days) - 3} more" if len(days) > 3 else shown or "none"
