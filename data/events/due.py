"""What should be announced next, and what should have been: by the calendar and by the dates of the year before.

A company tells the same quarter on about the same day each year: of the 217 results of the shipped events whose quarter
of the year before is there too, the median came 52 weeks after it to the day, and the latest 8 days after that.
"""

import itertools
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

import pandas as pd

from data.clock import next_session
from data.errors import InputError
from data.events.timeline import GUIDED, RESULT
from data.market.snapshot import Snapshot

YEAR = pd.Timedelta(weeks=52)
"""From an announcement to that of a year later: companies keep to weekdays."""

NEAR = pd.Timedelta(days=28)
"""Guidance given up to so many days before the day on which it was due is the one that was due."""

BESIDE = pd.Timedelta(days=7)
"""Guidance within so many days of a result belongs to it; what is said elsewhere comes back on no calendar."""

QUARTERS_A_YEAR = 4

_FISCAL_PERIOD = re.compile(r"(\d{4})Q([1-4])")


class Due(NamedTuple):
    """One announcement that is to come, or has not come.

    Attributes:
        company: its symbol.
        kind: ``result`` or ``guidance``.
        about: the fiscal quarter (``2026Q3``), or the year that is guided (``to 2026-12``).
        expected: naive day on which it is expected, an NYSE session.
        overdue: whether that day is over at the moment asked about.
        basis: what the day rests on, for people.
    """

    company: str
    kind: str
    about: str
    expected: pd.Timestamp
    overdue: bool
    basis: str = ""


def due_announcements(
    results: pd.DataFrame, guidance: pd.DataFrame, companies: Collection[str], moment: pd.Timestamp
) -> list[Due]:
    """List the results and guidance that are overdue at a moment, and the next one of each company and kind.

    The result of a quarter is expected 52 weeks after that of the same quarter a year before; where that is not known,
    as long after its end as the newest result came. Guidance is expected 52 weeks after each day on which the company
    gave some with its result, unless it has given some since (`NEAR`). A day without a session gives way to the next
    session. A quarter counts as told once its capex is known; a fiscal period that names no quarter is passed over.

    Args:
        results: `data.market.tables.CAPEX`.
        guidance: `data.market.tables.GUIDANCE`.
        companies: whose announcements are looked for.
        moment: UTC; nothing that became known later is looked at.

    Returns:
        In order of the day expected; a company that has never announced has none.
    """
    told = results[results["capex_known_at"] <= moment]
    guided = guidance[guidance["known_at"] <= moment]
    today = moment.tz_convert("UTC").tz_localize(None).normalize()
    due: list[Due] = []
    for company in companies:
        own = told[told["company"] == company]
        due += _to_come(_results(own, company), today)
        due += _to_come(_guidance(guided[guided["company"] == company], own, company, today), today)
    return sorted(due, key=lambda each: (each.expected, each.company, each.kind))


def due_in(
    snapshot: Snapshot, moment: pd.Timestamp, companies: Collection[str] = (), kinds: Collection[str] = ()
) -> pd.DataFrame:
    """List what is due in a market: `due_announcements` of every company that has results in it, or of some.

    Args:
        snapshot: of the market.
        moment: UTC; nothing that became known later is looked at.
        companies: only these; none: all.
        kinds: ``result``, ``guidance``; none: both.

    Returns:
        A row for each `Due`, with ``days_late``: whole days since the day expected, below 0 before it.

    Raises:
        InputError: a company without results in the market, or another kind.
    """
    held = sorted(snapshot.capex_actuals["company"].unique())
    for name, got, known in (("company", companies, held), ("kind", kinds, [RESULT, GUIDED])):
        if unknown := [each for each in got if each not in known]:
            raise InputError(
                f"got {name} {', '.join(unknown)}, wanted one of what is due: {', '.join(known) or 'nothing is'}"
            )
    found = due_announcements(snapshot.capex_actuals, snapshot.capex_guidance, companies or held, moment)
    rows = pd.DataFrame([each for each in found if not kinds or each.kind in kinds], columns=list(Due._fields))
    days = pd.to_datetime(rows["expected"])
    return rows.assign(expected=days, days_late=(moment.tz_convert("UTC").tz_localize(None).normalize() - days).dt.days)


def _to_come(expected: Iterator[Due], today: pd.Timestamp) -> Iterator[Due]:
    """What is overdue, and the first that is not, of one company and kind in order of time."""
    for each in expected:
        overdue = each.expected < today
        yield each._replace(overdue=overdue)
        if not overdue:
            return


def _results(told: pd.DataFrame, company: str) -> Iterator[Due]:
    if told.empty:
        return
    columns = (told["fiscal_period"].map(_number), told["period_end"], told["announced_at"])
    announced = {number: (end, day) for number, end, day in zip(*columns, strict=True) if number}
    newest = max(announced, default=None)
    if newest is None:
        return
    last_end, last_day = announced[newest]
    for quarter in itertools.count(newest + 1):
        if (year_before := quarter - QUARTERS_A_YEAR) in announced:
            day = announced[year_before][1]
            expected, basis = day + YEAR, f"{_name(year_before)} on {day:%Y-%m-%d}"
        else:
            lag = last_day - last_end
            expected = last_end + pd.offsets.MonthEnd(3 * (quarter - newest)) + lag
            basis = f"{lag.days} days after its end, as {_name(newest)}"
        yield Due(company, RESULT, _name(quarter), _session(expected), overdue=False, basis=basis)


def _guidance(guided: pd.DataFrame, told: pd.DataFrame, company: str, today: pd.Timestamp) -> Iterator[Due]:
    results = told["announced_at"]
    recent = guided[guided["announced_at"] >= today - 2 * YEAR]
    newest = guided["announced_at"].max()
    for day in sorted(pd.Timestamp(each) for each in recent["announced_at"].unique()):
        expected = day + YEAR
        if newest < expected - NEAR and ((results - day).abs() <= BESIDE).any():
            ends = recent.loc[recent["announced_at"] == day, "period_end"].dropna() + pd.DateOffset(years=1)
            about = f"to {' and '.join(sorted(set(ends.dt.strftime('%Y-%m'))))}" if len(ends) else ""
            yield Due(company, GUIDED, about, _session(expected), overdue=False, basis=f"guided on {day:%Y-%m-%d}")


def _session(day: pd.Timestamp) -> pd.Timestamp:
    """The day, or the first session after it where it is none."""
    return next_session(day - pd.Timedelta(days=1))


def _number(period: str) -> int:
    """Number quarters so that those in a row differ by 1; 0 of a text that names none."""
    match = _FISCAL_PERIOD.fullmatch(period)
    return QUARTERS_A_YEAR * int(match[1]) + int(match[2]) if match else 0


def _name(quarter: int) -> str:
    year, place = divmod(quarter - 1, QUARTERS_A_YEAR)
    return f"{year}Q{place + 1}"
