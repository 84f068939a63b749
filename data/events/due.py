"""What should be announced next, and what should have been: by the calendar and by the dates of the year before."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import pandas as pd

from data.events.timeline import GUIDED, RESULT

YEAR = pd.Timedelta(weeks=52)
"""From an announcement to that of a year later: companies keep to weekdays."""

NEAR = pd.Timedelta(days=28)
"""Guidance given up to so many days before the day on which it was due is the one that was due."""

BESIDE = pd.Timedelta(days=7)
"""Guidance within so many days of a result belongs to it; what is said elsewhere comes back on no calendar."""

QUARTERS_A_YEAR = 4


class Due(NamedTuple):
    """One announcement that is to come, or has not come.

    Attributes:
        company: its symbol.
        kind: ``result`` or ``guidance``.
        about: the fiscal quarter (``2026Q3``), or the year that is guided (``to 2026-12``).
        expected: naive day on which it is expected.
        overdue: whether that day is over at the moment asked about.
    """

    company: str
    kind: str
    about: str
    expected: pd.Timestamp
    overdue: bool


def due_announcements(
    results: pd.DataFrame, guidance: pd.DataFrame, companies: Collection[str], moment: pd.Timestamp
) -> list[Due]:
    """List the results and guidance that are overdue at a moment, and the next one of each company and kind.

    The result of a quarter is expected 52 weeks after that of the same quarter a year before; where that is not known,
    as long after its end as the newest result came. Guidance is expected 52 weeks after each day on which the company
    gave some with its result, unless it has given some since (`NEAR`). A quarter counts as told once its capex is
    known.

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
    columns = (told["fiscal_period"], told["period_end"], told["announced_at"])
    announced = {_number(period): (end, day) for period, end, day in zip(*columns, strict=True)}
    newest = max(announced)
    last_end, last_day = announced[newest]
    for quarter in range(newest + 1, newest + QUARTERS_A_YEAR + 1):
        if (year_before := quarter - QUARTERS_A_YEAR) in announced:
            expected = announced[year_before][1] + YEAR
        else:
            expected = last_end + pd.offsets.MonthEnd(3 * (quarter - newest)) + (last_day - last_end)
        year, place = divmod(quarter - 1, QUARTERS_A_YEAR)
        yield Due(company, RESULT, f"{year}Q{place + 1}", expected, overdue=False)


def _guidance(guided: pd.DataFrame, told: pd.DataFrame, company: str, today: pd.Timestamp) -> Iterator[Due]:
    results = told["announced_at"]
    recent = guided[guided["announced_at"] >= today - 2 * YEAR]
    newest = guided["announced_at"].max()
    for day in sorted(pd.Timestamp(each) for each in recent["announced_at"].unique()):
        expected = day + YEAR
        if newest < expected - NEAR and ((results - day).abs() <= BESIDE).any():
            ends = recent.loc[recent["announced_at"] == day, "period_end"].dropna() + pd.DateOffset(years=1)
            about = f"to {' and '.join(sorted(set(ends.dt.strftime('%Y-%m'))))}" if len(ends) else ""
            yield Due(company, GUIDED, about, expected, overdue=False)


def _number(period: str) -> int:
    year, quarter = period.split("Q")
    return QUARTERS_A_YEAR * int(year) + int(quarter)
