"""From filed year-to-date figures to fiscal quarters, as they were known after each filing.

A cash flow statement counts from the start of the fiscal year: three, six, nine and twelve months. A quarter that no
filing reports by itself is the difference of two such figures with one start. Periods are known by their start and end
alone: the ``fy`` and ``fp`` of the SEC's data name the filing, not the figure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

import pandas as pd

QUARTER_DAYS = range(70, 121)
"""Days that a fiscal quarter may have: 12 to 17 weeks."""

DAYS_A_MONTH = 365.25 / 12

Period = tuple[date, date]
Figures = dict[Period, list["Fact"]]
"""What was filed of each period, in the order of the filings."""


@dataclass(frozen=True)
class Fact:
    """One figure of one filing.

    Attributes:
        tag: us-gaap name of what it counts.
        start: first day of the period that it is about.
        end: last day of it.
        value: USD.
        filed: day of the filing.
        accession: number of the filing.
    """

    tag: str
    start: date
    end: date
    value: float
    filed: date
    accession: str

    @property
    def period(self) -> Period:
        """What names the figure: the first and the last day that it is about."""
        return self.start, self.end


@dataclass(frozen=True)
class Quarter:
    """What one fiscal quarter came to, as known from a filing on.

    Attributes:
        fiscal_period: such as 2026Q2.
        end: its last day.
        value: USD.
        filed: day of the filing from which it was known.
        operands: the figure itself, or the longer and the shorter one whose difference it is.
    """

    fiscal_period: str
    end: date
    value: float
    filed: date
    operands: tuple[Fact, ...]

    @property
    def newest(self) -> Fact:
        """The operand that was filed last; it made the quarter known."""
        return max(self.operands, key=lambda fact: (fact.filed, fact.end))

    @property
    def derivation(self) -> str:
        """How the value came about, for people."""
        return " less ".join(f"{_months(fact)} months of {fact.accession}" for fact in self.operands)


@dataclass(frozen=True)
class QuarterHistory:
    """The quarters of one figure of a company.

    Attributes:
        versions: by fiscal period, in order: first what was known first, then each restated value.
        notes: one line each, for people: what could not be made a quarter.
    """

    versions: Mapping[str, tuple[Quarter, ...]]
    notes: tuple[str, ...]


def quarter_history(facts: Collection[Fact], tags: Sequence[str], year_end_month: int) -> QuarterHistory:
    """Derive the quarters after each day with a filing, and keep what each of these days added or changed.

    Args:
        facts: of one figure of one company, under all of its tags, in any order; of one tag, period and filing at most
            one (`sound_facts`).
        tags: the figure's tags, the one that holds first.
        year_end_month: in which the fiscal year ends.

    Returns:
        The history; a quarter whose value is filed again unchanged keeps its version.
    """
    versions: dict[str, list[Quarter]] = {}
    for day in sorted({fact.filed for fact in facts}):
        for period, quarter in quarters_as_known(facts, tags, year_end_month, day).items():
            known = versions.setdefault(period, [])
            if not known or known[-1].value != quarter.value:
                known.append(quarter)
    ordered = {period: tuple(versions[period]) for period in sorted(versions)}
    return QuarterHistory(ordered, (*_odd_periods(facts, year_end_month), *_gaps(ordered)))


def quarters_as_known(
    facts: Collection[Fact], tags: Sequence[str], year_end_month: int, day: date
) -> dict[str, Quarter]:
    """Derive the fiscal quarters from what had been filed up to a day.

    Of each period the latest filing holds. A quarter that is reported by itself is taken as it is, any other is the
    difference of two figures with one start whose ends are a quarter apart. Where one of them has been restated and the
    other not yet, the difference is that of what was filed before (see `on_one_basis`). Of two tags the earlier in
    `tags` holds; a difference across them is taken only where the tags agree (see `_alike`).

    Args:
        facts: as in `quarter_history`.
        tags: as in `quarter_history`.
        year_end_month: in which the fiscal year ends.
        day: the last day of filing that counts.

    Returns:
        By fiscal period; each `Quarter.filed` is `day`.
    """
    quarters: dict[str, Quarter] = {}
    for figures in _alike(_filed(facts, tags, day)):
        operands: list[tuple[Fact, ...]] = [*_a_quarter_apart(figures)]
        for filed in sorted(figures.values(), key=lambda filed: (filed[-1].end, filed[-1].filed)):
            if _days(*filed[-1].period) in QUARTER_DAYS:
                operands.append((filed[-1],))
        derived = (_quarter(each, year_end_month, day) for each in operands)
        quarters = {quarter.fiscal_period: quarter for quarter in derived if quarter} | quarters
    return quarters


def fiscal_period(end: date, year_end_month: int) -> str | None:
    """Name the fiscal quarter that ends on a day; None where no quarter of such a year ends near it.

    Years of 52 or 53 weeks end up to two weeks off the end of a month: the nearest month's end is meant. The year is
    numbered by the calendar year in which it ends.
    """
    month = nearest_month(end)
    months_left = (year_end_month - month.month) % 12
    if months_left % 3:
        return None
    return f"{(month + months_left).year}Q{4 - months_left // 3}"


def nearest_month(end: date) -> pd.Period:
    """Return the month whose end is nearest to a day."""
    return pd.Timestamp(end).to_period("M") - (1 if end.day <= 15 else 0)


def sound_facts(facts: Collection[Fact]) -> tuple[list[Fact], tuple[str, ...]]:
    """Take what can be used of what was filed.

    Filings hold slips: a period that ends before it starts, or after its filing, is left out. Where one filing gives a
    period in two values, the more exact is taken, for a note to the statements may repeat it rounded.

    Returns:
        The figures, of one tag, period and filing at most one; and a note on each slip.
    """
    kept: dict[tuple[str, Period, str], Fact] = {}
    notes = []
    for fact in facts:
        about = f"{fact.tag}, {fact.start} to {fact.end}: {fact.accession}"
        if not fact.start < fact.end < fact.filed:
            notes.append(f"{about}, filed on {fact.filed}, is not used, for these days are out of order")
            continue
        name = (fact.tag, fact.period, fact.accession)
        other = kept.setdefault(name, fact)
        if other.value != fact.value:
            kept[name] = max(other, fact, key=_digits)
            values = f"{other.value:.0f} and {fact.value:.0f} USD"
            notes.append(f"{about} gives {values}; {kept[name].value:.0f} is taken, the more exact")
    return list(kept.values()), tuple(notes)


def _filed(facts: Collection[Fact], tags: Sequence[str], day: date) -> list[Figures]:
    """What had been filed up to a day, by period; one mapping a tag, in the order of the tags."""
    by_tag: dict[str, dict[Period, list[Fact]]] = {tag: {} for tag in tags}
    for fact in sorted(facts, key=lambda fact: (fact.filed, fact.accession)):
        if fact.filed <= day:
            by_tag[fact.tag].setdefault(fact.period, []).append(fact)
    return [figures for figures in by_tag.values() if figures]


def _alike(by_tag: Sequence[Figures]) -> list[Figures]:
    """Join the figures of tags that count the same.

    A company that changes its tag files the year before under the new one too. Where both tags have a figure for a
    period, and all such figures are equal, they count the same: one may be taken from the other. Without such a proof a
    difference across them would hold the difference of the definitions.
    """
    joined: list[Figures] = []
    for figures in by_tag:
        for earlier in joined:
            both = earlier.keys() & figures.keys()
            if both and all(earlier[period][-1].value == figures[period][-1].value for period in both):
                earlier.update({period: filed for period, filed in figures.items() if period not in earlier})
                break
        else:
            joined.append(dict(figures))
    return joined


def _quarter(operands: tuple[Fact, ...], year_end_month: int, day: date) -> Quarter | None:
    end = operands[0].end
    value = operands[0].value - sum(fact.value for fact in operands[1:])
    period = fiscal_period(end, year_end_month)
    return Quarter(period, end, value, day, operands) if period else None


def _a_quarter_apart(figures: Figures) -> Iterator[tuple[Fact, Fact]]:
    """Pairs of figures with one start whose ends are a quarter apart, the longer one first, on one basis."""
    by_start: dict[date, list[list[Fact]]] = {}
    for start, end in sorted(figures, key=lambda period: period[1]):
        by_start.setdefault(start, []).append(figures[start, end])
    for line in by_start.values():
        for shorter, longer in combinations(line, 2):
            if (longer[0].end - shorter[0].end).days in QUARTER_DAYS:
                pair = on_one_basis(longer, shorter)
                if pair:
                    yield pair


def on_one_basis(longer: Sequence[Fact], shorter: Sequence[Fact]) -> tuple[Fact, Fact] | None:
    """The newest values of two figures of which none is restated and the other not: else the difference holds both.

    Args:
        longer: as it was filed, in order.
        shorter: likewise.
    """
    for day in sorted({fact.filed for fact in (*longer, *shorter)}, reverse=True):
        one = [fact for fact in longer if fact.filed <= day]
        other = [fact for fact in shorter if fact.filed <= day]
        if one and other and _follows(one, other) and _follows(other, one):
            return one[-1], other[-1]
    return None


def _follows(restated: Sequence[Fact], other: Sequence[Fact]) -> bool:
    """Whether a figure was filed again once another one was restated, or was restated with it."""
    since = _last_change(restated)
    if since is None or other[-1].filed >= since:
        return True
    with_it = _last_change(other)
    before = max(fact.filed for fact in restated if fact.filed < since)
    return with_it is not None and before < with_it


def _last_change(filed: Sequence[Fact]) -> date | None:
    """The day of the filing that gave a figure its newest value; None where it never had another one."""
    changes = [fact.filed for before, fact in pairwise(filed) if fact.value != before.value]
    return changes[-1] if changes else None


def _odd_periods(facts: Collection[Fact], year_end_month: int) -> list[str]:
    odd = {fact.end for fact in facts if fiscal_period(fact.end, year_end_month) is None}
    if not odd:
        return []
    days = ", ".join(str(end) for end in sorted(odd))
    return [f"not used: figures to {days}, for no quarter of a fiscal year to month {year_end_month} ends there"]


def _gaps(versions: Mapping[str, tuple[Quarter, ...]]) -> list[str]:
    if not versions:
        return []
    line = pd.period_range(min(versions), max(versions), freq="Q")
    missing = [str(period) for period in line if str(period) not in versions]
    return [f"no quarter could be derived for {', '.join(missing)}"] if missing else []


def _digits(fact: Fact) -> int:
    """Digits up to the last one that is not 0."""
    return len(f"{abs(fact.value):.0f}".rstrip("0"))


def _days(start: date, end: date) -> int:
    return (end - start).days + 1


def _months(fact: Fact) -> int:
    return round(_days(fact.start, fact.end) / DAYS_A_MONTH)
