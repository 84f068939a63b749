"""Filed figures that cannot be: told at the figure itself and not used, before quarters are made of them.

Two slips pass every check of form: an amount in another unit, thousands in the place of dollars, and a sum to date that
is above a later one of the same year. A quarter made of such a figure would be wrong, and so would its neighbour.
"""

import math
from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from statistics import median

from data.sources.edgar_quarters import DAYS_A_MONTH, Fact

# A figure of another unit is off by a thousand. What companies spend or earn a month never moves so within a year.
MOST_TIMES = 100.0
_NEAR_DAYS = 400
_MIN_NEIGHBOURS = 3


def plausible_facts(facts: Collection[Fact], never_falls: bool) -> tuple[list[Fact], tuple[str, ...]]:
    """Take the figures that can be, and say of each other one why it is not used.

    Figures are compared with those of other periods that end within 400 days, by what they come to a month.

    Args:
        facts: of one figure of one company, of one tag, period and filing at most one.
        never_falls: whether it is a sum of payments: it grows within a fiscal year and is not near 0 by chance.

    Returns:
        What is used, in the order of `facts`; and a note on each other figure.
    """
    notes = {}
    for fact in facts:
        usual = _usual(fact, facts)
        times = _rate(fact) / usual if usual else 1.0
        if times >= MOST_TIMES or (never_falls and 0 < times <= 1 / MOST_TIMES):
            notes[fact] = f"{_named(fact)}, by the month {times:.3g} times its neighbours: not used"
    while never_falls:
        used = [fact for fact in facts if fact not in notes]
        falls = _falls(used)
        if not falls:
            break
        worst, (shorter, longer) = _worst(falls, used)
        told = f"a sum to {shorter.end} that is above {longer.value:.0f} to {longer.end}"
        if worst is longer:
            told = f"a sum to {longer.end} that is below {shorter.value:.0f} to {shorter.end}"
        notes[worst] = f"{_named(worst)}, {told}: not used"
    return [fact for fact in facts if fact not in notes], tuple(notes.values())


def _named(fact: Fact) -> str:
    return f"{fact.tag}, {fact.start} to {fact.end}: {fact.accession} gives {fact.value:.0f} USD"


def _rate(fact: Fact) -> float:
    """Its size a month."""
    return abs(fact.value) / (((fact.end - fact.start).days + 1) / DAYS_A_MONTH)


def _usual(fact: Fact, facts: Collection[Fact]) -> float:
    """The median of what figures near it come to a month; 0 where too few are near."""
    near = {
        (other.tag, other.period): _rate(other)
        for other in facts
        if other.period != fact.period and abs((other.end - fact.end).days) <= _NEAR_DAYS
    }
    return median(near.values()) if len(near) >= _MIN_NEIGHBOURS else 0.0


def _falls(facts: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """Pairs of sums with one start, the shorter first, of which the longer one is less.

    A figure is compared with what was known when it was filed. Where one of the two had been filed otherwise before,
    they may be of two bases, and nothing is said.
    """
    falls = []
    by_line = sorted(facts, key=lambda fact: (fact.tag, fact.start))
    for _, line in groupby(by_line, key=lambda fact: (fact.tag, fact.start)):
        figures = sorted(line, key=lambda fact: (fact.filed, fact.accession))
        for longer in figures:
            known = [fact for fact in figures if fact.filed <= longer.filed]
            for shorter in {fact.period: fact for fact in known if fact.end < longer.end}.values():
                values = {fact.value for fact in known if fact.period in (shorter.period, longer.period)}
                if values == {shorter.value, longer.value} and shorter.value > longer.value:
                    falls.append((shorter, longer))
    return falls


def _worst(falls: Sequence[tuple[Fact, Fact]], facts: Sequence[Fact]) -> tuple[Fact, tuple[Fact, Fact]]:
    """The figure that is in most of the pairs, of equals the one farthest from what is usual; and one of its pairs."""
    counts: dict[Fact, int] = {}
    for pair in falls:
        for fact in pair:
            counts[fact] = counts.get(fact, 0) + 1

    def oddity(fact: Fact) -> tuple[int, float, date]:
        usual, rate = _usual(fact, facts), _rate(fact)
        return counts[fact], abs(math.log(rate / usual)) if usual and rate else math.inf, fact.filed

    worst = max(counts, key=oddity)
    return worst, next(pair for pair in falls if worst in pair)
