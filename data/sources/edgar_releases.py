"""Earnings releases: when an 8-K with item 2.02 was public, as told by EDGAR's list of a company's filings.

Two things are known of each filing: the day under which it was filed, and the moment of its acceptance, labelled UTC.
The label is not to be trusted: for about one company in four it is New York's clock, for some it is hours later still,
and a filing that is touched again may be stamped anew. The day helps. EDGAR takes filings from 6:00 to 22:00 in New
York, and files what comes after 17:30 under the next business day. Of the readings that agree with the day, and are not
before the day of the event that the filing reports, the later one is taken; where none does, the filing counts as
public when EDGAR closed that day. See docs/decisions/edgar-client.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from data.events.times import SESSION_TIMES

RESULTS_ITEM = "2.02"
NEW_YORK = "America/New_York"

_OPENS, _SAME_DAY_UNTIL, _CLOSES = pd.Timedelta("6h"), pd.Timedelta("17h30min"), pd.Timedelta("22h")
_LONGEST_WEEKEND = pd.Timedelta(days=5)


@dataclass(frozen=True)
class Release:
    """An earnings release.

    Attributes:
        accession: number of its filing.
        announced_at: the day in New York.
        session: the first of ``bmo``, ``intraday``, ``amc`` whose stamp (`data.events.times.SESSION_TIMES`) is not
            before the acceptance. Blank, which means late in the evening, where none is or the moment is not known.
        basis: what the day and session rest on, for people.
    """

    accession: str
    announced_at: date
    session: str
    basis: str


def read_release(accession: str, filed: date, accepted: str, happened: date | None = None) -> Release:
    """Read one 8-K's moment.

    Args:
        accession: number of the filing.
        filed: day under which it was filed.
        accepted: ``acceptanceDateTime``, such as ``2025-10-30T20:13:05.000Z``.
        happened: ``reportDate``, the day of the event that it reports; None where that is not known.

    Raises:
        ValueError: `accepted` is no moment.
    """
    clock = acceptance_clock(accepted, filed)
    if clock is not None and happened is not None and clock.date() < happened <= filed:
        clock = None
    if clock is None:
        basis = f"8-K {accession}, filed on this day; its acceptance {accepted} fits no clock"
        return Release(accession, filed, "", basis)
    basis = f"8-K {accession}, accepted {clock:%H:%M} ET at the latest"
    return Release(accession, clock.date(), _session(clock), basis)


def acceptance_clock(accepted: str, filed: date) -> pd.Timestamp | None:
    """Return the latest moment of acceptance, on New York's clock, that agrees with the day of filing.

    Args:
        accepted: ``acceptanceDateTime``.
        filed: day under which it was filed.

    Returns:
        With time zone; None where neither reading, UTC or New York's clock, agrees.
    """
    written = pd.Timestamp(accepted).tz_localize(None)
    readings = (written.tz_localize("UTC").tz_convert(NEW_YORK).tz_localize(None), written)
    fitting = [clock for clock in readings if _agrees(clock, pd.Timestamp(filed))]
    return max(fitting).tz_localize(NEW_YORK) if fitting else None


def release_of(releases: Sequence[Release], after: date, filed: date) -> Release | None:
    """Find the release that tells of a quarter: the last one after a day and not after its filing.

    The last, for an earlier one may have told a part only.

    Args:
        releases: in any order.
        after: the end of the quarter, or a later day before which it cannot have been told.
        filed: day of the filing that holds the quarter.
    """
    within = [release for release in releases if after < release.announced_at <= filed]
    return max(within, key=lambda release: (release.announced_at, release.accession), default=None)


def _agrees(clock: pd.Timestamp, filed: pd.Timestamp) -> bool:
    day = clock.normalize()
    time = clock - day
    if not _OPENS <= time <= _CLOSES:
        return False
    return day == filed if time <= _SAME_DAY_UNTIL else day < filed <= day + _LONGEST_WEEKEND


def _session(clock: pd.Timestamp) -> str:
    midnight = pd.Timestamp(clock.date(), tz="UTC")
    return next((session for session, stamp in SESSION_TIMES.items() if clock <= midnight + stamp), "")
