"""What could be expected of one company's next announcement of capex, from what was known of it until then."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Self

import pandas as pd

from signals.capex.spending import CAPEX, HEADLINE, QUARTERS_A_YEAR, Quarters
from signals.known import DAY, NAT, NEVER

_QUARTER_DAYS = 365.25 / QUARTERS_A_YEAR
# Fiscal years of 52 or 53 weeks end up to a week from the month's end; ends one month apart are of other quarters.
_ALIGNED_DAYS = 15
# Bases of guidance of which no result tells the figure: accrued, gross of what customers pay, net of proceeds.
_WITHOUT_RESULTS = re.compile(r"\b(accrual|accrued|gross|net)\b", re.IGNORECASE)
_WITH_LEASES = re.compile(r"\blease", re.IGNORECASE)


class Expectation(NamedTuple):
    """What could be expected of an announcement.

    Attributes:
        usd_bn: USD billions; NaN where nothing could be.
        rests_on: what it was made from, or why there is none.
        figure: of the result that it is to be compared with, a column of `data.market.tables.CAPEX`.
    """

    usd_bn: float
    rests_on: str
    figure: str = CAPEX


class Guidance(NamedTuple):
    """One comparable statement; moments and days are `signals.known`'s microseconds.

    Attributes:
        known: from when it was.
        start: first day of the year guided.
        end: last day of it.
        mid: mid-point, USD billions.
        prior_mid: mid-point before, as it tells itself; NaN where it does not.
        basis: what is counted, in the company's words.
        figure: of results on the same basis; None where there is none.
    """

    known: int
    start: int
    end: int
    mid: float
    prior_mid: float
    basis: str
    figure: str | None

    @classmethod
    def of(cls, known: int, start: int, end: int, mid: float, prior_mid: float, basis: str) -> Self:
        """Find the figure of results that stands on the basis."""
        return cls(known, start, end, mid, prior_mid, basis, _figure(basis))


@dataclass(frozen=True)
class Spender:
    """One company: what it has reported, by fiscal quarter without a gap, and what it has guided, and when.

    Attributes:
        figures: USD billions by quarter, by name of the figure; NaN where not reported.
        known: when each quarter's became known; `NEVER` where they did not.
        ends: of the quarters; `NAT` where not reported.
        guidance: comparable, in order of `Guidance.known`.
        first: place of the first quarter that stands on the basis of those after it.
    """

    figures: dict[str, list[float]]
    known: list[int]
    ends: list[int]
    guidance: tuple[Guidance, ...]
    first: int = 0

    @classmethod
    def of(cls, quarters: Quarters, guidance: Sequence[Guidance], one_basis_from: int = NAT) -> Self:
        """Read its history.

        Args:
            quarters: of the company.
            guidance: its comparable statements, in order of ``known``.
            one_basis_from: day from which its quarters stand on one basis.
        """
        ends = quarters.end.tolist()
        return cls(
            figures={CAPEX: quarters.capex.tolist(), HEADLINE: quarters.headline.tolist()},
            known=quarters.capex_known.tolist(),
            ends=ends,
            guidance=tuple(guidance),
            first=sum(end <= one_basis_from for end in ends),
        )

    def expected_result(self, place: int) -> Expectation:
        """What could be expected of a quarter's result, from what was known before it.

        That is what the newest guidance of the year leaves for each quarter still to come: its mid-point less the
        quarters known, divided by the quarters left. Where there is no guidance on the basis of a reported figure, or
        nothing is left of it: capex of the same quarter a year before, grown as the last four quarters have grown over
        the four before.

        Args:
            place: of the quarter, which is known at some time.
        """
        moment = self.known[place]
        if min(self.known[place + 1 :], default=NEVER) < moment:
            return Expectation(math.nan, "a later quarter was known before it")
        by_guidance = self._left_of_guidance(place, moment)
        return by_guidance or self._grown_from_year_before(place, moment)

    def expected_guidance(self, guided: Guidance) -> Expectation:
        """What could be expected of a guidance, from what was known when it was given, results of that moment included.

        Of a revision: the mid-point before, as it tells itself, else of the guidance before on the same year and basis.
        Of a year's first guidance: what is last known of the year before on the same basis (its four quarters, else its
        guidance), grown as the last four quarters have grown over the four before.
        """
        if not math.isnan(guided.prior_mid):
            return Expectation(guided.prior_mid, "the mid-point before")
        about = (guided.start, guided.end, guided.basis)
        alike = [each for each in self.guidance if (each.start, each.end, each.basis) == about]
        if earlier := [each for each in alike if each.known < guided.known]:
            return Expectation(earlier[-1].mid, "the mid-point before")
        after = guided.known + 1
        newest = max((place for place, known in enumerate(self.known) if known < after), default=-1)
        base = self._year_before(guided, newest, after)
        growth = self._trailing_growth(newest, after)
        if math.isnan(base.usd_bn):
            return base
        if math.isnan(growth):
            return Expectation(math.nan, "first of its year, and not all of the last eight quarters were known")
        return Expectation(growth * base.usd_bn, f"{base.rests_on}, at trailing growth")

    def _left_of_guidance(self, place: int, moment: int) -> Expectation | None:
        for guided in reversed(self.guidance):
            if guided.known >= moment or guided.figure is None:
                continue
            left = quarters_between(self.ends[place], guided.end)
            if left is None or not 0 <= left < QUARTERS_A_YEAR:
                continue
            begin = place + 1 + left - QUARTERS_A_YEAR
            values = self.figures[guided.figure]
            if not self._all_known(begin, place, moment) or math.isnan(values[place]):
                return None
            remainder = guided.mid - math.fsum(values[begin:place])
            rests_on = f"guidance of {_day_text(guided.known)}"
            return Expectation(remainder / (left + 1), rests_on, guided.figure) if remainder > 0 else None
        return None

    def _grown_from_year_before(self, place: int, moment: int) -> Expectation:
        growth = self._trailing_growth(place - 1, moment)
        if math.isnan(growth):
            return Expectation(math.nan, "no guidance of its year, and not all of the eight quarters before were known")
        year_before = self.figures[CAPEX][place - QUARTERS_A_YEAR]
        return Expectation(growth * year_before, "the same quarter a year before, at trailing growth")

    def _trailing_growth(self, last: int, moment: int) -> float:
        """Capex of the four quarters up to `last` over that of the four before; NaN where one of them is not known."""
        middle, begin = last + 1 - QUARTERS_A_YEAR, last + 1 - 2 * QUARTERS_A_YEAR
        if not self._all_known(begin, last + 1, moment):
            return math.nan
        capex = self.figures[CAPEX]
        earlier = math.fsum(capex[begin:middle])
        return math.fsum(capex[middle : last + 1]) / earlier if earlier > 0 else math.nan

    def _year_before(self, guided: Guidance, newest: int, after: int) -> Expectation:
        """What is last known, on the basis of a guidance, of the year before the one that it guides."""
        ahead = quarters_between(self.ends[newest], guided.end) if newest >= 0 else None
        if guided.figure is not None and ahead is not None:
            last = newest + ahead - QUARTERS_A_YEAR
            begin = last + 1 - QUARTERS_A_YEAR
            values = self.figures[guided.figure][max(begin, 0) : max(last + 1, 0)]
            if last <= newest and self._all_known(begin, last + 1, after) and not any(map(math.isnan, values)):
                return Expectation(math.fsum(values), "the year before")
        for each in reversed(self.guidance):
            years_apart = quarters_between(each.end, guided.end) == QUARTERS_A_YEAR
            if each.known < after and each.basis == guided.basis and years_apart:
                return Expectation(each.mid, "guidance of the year before")
        return Expectation(math.nan, "first of its year, and the year before is not known on its basis")

    def _all_known(self, begin: int, end: int, moment: int) -> bool:
        """Whether all quarters from one place to before another were known before a moment, on one basis."""
        return begin >= self.first and all(known < moment for known in self.known[begin:end])


def quarters_between(earlier: int, later: int) -> int | None:
    """Count the quarters from one end of a fiscal quarter to another; None where they are no whole quarters apart."""
    if NAT in (earlier, later):
        return None
    days = (later - earlier) / DAY
    count = round(days / _QUARTER_DAYS)
    return count if abs(days - count * _QUARTER_DAYS) <= _ALIGNED_DAYS else None


@cache
def _figure(basis: str) -> str | None:
    if _WITHOUT_RESULTS.search(basis):
        return None
    return HEADLINE if _WITH_LEASES.search(basis) else CAPEX


def _day_text(moment: int) -> str:
    """The day of a moment: ``2026-07-29``."""
    return f"{pd.Timestamp(moment, unit='us'):%Y-%m-%d}"
