"""From filed figures to years, as they were known after each day with a filing.

A 10-K gives a year. Within the next one, the year that ends with a quarter is what was filed to date and the year
before, less what was filed to the same day of it. Periods are known by their first and last days alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from data.sources.edgar_quarters import Fact, Period, on_one_basis

YEAR_DAYS = range(350, 381)
"""Days that a fiscal year may have: 52 or 53 weeks, and slips of some days."""

PART = 1.5
"""How many times its value another tag's is, where a tag tells a part; sales taxes make less of a difference."""

# A first day may be told some days off; one year's quarter may have a week more than that of the year before.
_OFF, _WEEK = 7, 8
_LEAST_TO_DATE = 70


@dataclass(frozen=True)
class Year:
    """What a figure comes to on a day or in the year that ends on it.

    Attributes:
        value: in the unit of its operands.
        operands: the figures that it is made of.
    """

    value: float
    operands: tuple[Fact, ...]


@dataclass(frozen=True)
class Version:
    """A value, as known from a day of filing on.

    Attributes:
        end: the day that it is about, or that ends the year.
        value: of it.
        filed: the day.
        accessions: filings of that day that made it known.
    """

    end: date
    value: float
    filed: date
    accessions: tuple[str, ...]


Years = Mapping[date, Year]


def versions(facts: Collection[Fact], as_known: Callable[[Sequence[Fact]], Years]) -> list[Version]:
    """Every value that was known, in order: first what was known first, then what later filings made of it.

    Args:
        facts: all that a value is made of.
        as_known: makes values of the facts filed up to a day.
    """
    ordered = sorted(facts, key=lambda fact: (fact.filed, fact.accession))
    told: list[Version] = []
    newest: dict[date, float] = {}
    for day in sorted({fact.filed for fact in ordered}):
        of_day = {fact.accession for fact in ordered if fact.filed == day}
        for end, year in sorted(as_known([fact for fact in ordered if fact.filed <= day]).items()):
            if newest.get(end) != year.value:
                made = {fact.accession for fact in year.operands} & of_day
                told.append(Version(end, year.value, day, tuple(sorted(made or of_day))))
                newest[end] = year.value
    return told


def days_as_known(facts: Sequence[Fact], tags: Sequence[str]) -> Years:
    """Figures that were counted on a day, by the day.

    Args:
        facts: in the order of their filings, up to a day.
        tags: the one that holds first.
    """
    by_tag = {tag: {fact.end: Year(fact.value, (fact,)) for fact in facts if fact.tag == tag} for tag in tags}
    return _newest_first(by_tag)


def years_as_known(facts: Sequence[Fact], tags: Sequence[str], whole: bool = False) -> Years:
    """Years, by their last days.

    Of a period the latest filing holds. Of several tags the one with the newest year holds for every year that it has,
    for a company that has changed its tag tells the years before under the new one too.

    Args:
        facts: in the order of their filings, up to a day.
        tags: the one that holds first among equally new ones.
        whole: leave out a tag that tells a part of what another one tells of the same year.
    """
    by_tag = {tag: _years([fact for fact in facts if fact.tag == tag]) for tag in tags}
    parts = {tag for tag, years in by_tag.items() if whole and _is_part(years, by_tag.values())}
    return _newest_first({tag: years for tag, years in by_tag.items() if tag not in parts})


def less(one: Years, other: Years) -> Years:
    """The difference of two figures, of the days that both have."""
    return {
        end: Year(one[end].value - other[end].value, one[end].operands + other[end].operands)
        for end in one.keys() & other.keys()
    }


def _is_part(years: Years, others: Collection[Years]) -> bool:
    """Whether another tag tells far more of the newest year that both have; names of the whole differ."""
    for other in others:
        both = years.keys() & other.keys()
        if both and other[max(both)].value > PART * years[max(both)].value:
            return True
    return False


def _newest_first(by_tag: Mapping[str, Years]) -> Years:
    filled = [years for years in by_tag.values() if years]
    together: dict[date, Year] = {}
    for years in sorted(filled, key=max, reverse=True):  # Stable: the order of the tags stays among equally new ones.
        together = {**years, **together}
    return together


def _years(facts: Sequence[Fact]) -> Years:
    filed: dict[Period, list[Fact]] = {}
    for fact in facts:
        filed.setdefault(fact.period, []).append(fact)
    whole = {each[-1].end: each for each in filed.values() if _days(each[-1]) in YEAR_DAYS}
    by_start: dict[date, list[list[Fact]]] = {}
    for told in filed.values():
        by_start.setdefault(told[-1].start, []).append(told)
    years = {}
    for told in filed.values():
        newest = told[-1]
        if _LEAST_TO_DATE <= _days(newest) < YEAR_DAYS.start and (year := _rolled(newest, whole, by_start)):
            years[newest.end] = year
    return years | {end: Year(each[-1].value, (each[-1],)) for end, each in whole.items()}


def _rolled(
    to_date: Fact, whole: Mapping[date, list[Fact]], by_start: Mapping[date, Sequence[list[Fact]]]
) -> Year | None:
    """The year that ends with a sum to date; None where one of the others was not filed, or is of another basis."""
    before = next((whole[day] for day in _around(to_date.start - timedelta(1)) if day in whole), None)
    if before is None:
        return None
    year = before[-1]
    for day in _around(year.start):
        for told in by_start.get(day, ()):
            same = told[-1]
            if abs(_days(same) - _days(to_date)) <= _WEEK and on_one_basis(before, told) == (year, same):
                return Year(to_date.value + year.value - same.value, (to_date, year, same))
    return None


def _around(day: date) -> list[date]:
    """A day and those near it, the nearest first."""
    return [day + timedelta(off) for off in sorted(range(-_OFF, _OFF + 1), key=abs)]


def _days(fact: Fact) -> int:
    return (fact.end - fact.start).days + 1
