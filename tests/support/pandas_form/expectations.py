"""What could be expected of one company's next announcement of capex, from what was known of it until then."""

import math
import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from pandas_form.spending import CAPEX, HEADLINE, QUARTERS_A_YEAR

_QUARTER_DAYS = 365.25 / QUARTERS_A_YEAR
# Fiscal years of 52 or 53 weeks end up to a week from the month's end; ends one month apart are of other quarters.
_ALIGNED_DAYS = 15
# Bases of guidance of which no result tells the figure: accrued, gross of what customers pay, net of proceeds.
_WITHOUT_RESULTS = re.compile(r"\b(accrual|accrued|gross|net)\b", re.IGNORECASE)
_WITH_LEASES = re.compile(r"\blease", re.IGNORECASE)


@dataclass(frozen=True)
class Expectation:
    """What could be expected of an announcement.

    Attributes:
        usd_bn: USD billions; NaN where nothing could be.
        rests_on: what it was made from, or why there is none.
        figure: of the result that it is to be compared with, a column of `data.market.tables.CAPEX`.
    """

    usd_bn: float
    rests_on: str
    figure: str = CAPEX


@dataclass(frozen=True)
class Guidance:
    """One comparable statement; moments and days without time zone, the former UTC.

    Attributes:
        known: when it was.
        start: first day of the year guided.
        end: last day of it.
        mid: mid-point, USD billions.
        prior_mid: mid-point before, as it tells itself; NaN where it does not.
        basis: what is counted, in the company's words.
    """

    known: np.datetime64
    start: np.datetime64
    end: np.datetime64
    mid: float
    prior_mid: float
    basis: str

    @property
    def figure(self) -> str | None:
        """The figure of results on the same basis; None where there is none."""
        if _WITHOUT_RESULTS.search(self.basis):
            return None
        return HEADLINE if _WITH_LEASES.search(self.basis) else CAPEX


@dataclass(frozen=True)
class Spender:
    """One company: what it has reported, by fiscal quarter without a gap, and what it has guided, and when.

    Attributes:
        figures: USD billions by quarter, by name of the figure; NaN where not reported.
        known: when each quarter's became known, UTC; NaT where they never did.
        ends: of the quarters; NaT where not reported.
        guidance: comparable, in order of `Guidance.known`.
    """

    figures: dict[str, np.ndarray]
    known: np.ndarray
    ends: np.ndarray
    guidance: tuple[Guidance, ...]

    @classmethod
    def of(cls, quarters: pd.DataFrame, guidance: pd.DataFrame) -> Self:
        """Read its history.

        Args:
            quarters: as `signals.capex.spending.company_quarters` returns them.
            guidance: its comparable rows of `data.market.tables.GUIDANCE`, in order of ``known_at``.
        """
        statements = zip(
            guidance["known_at"].dt.tz_localize(None).to_numpy(),
            guidance["period_start"].to_numpy(),
            guidance["period_end"].to_numpy(),
            (guidance["low_usd_bn"] + guidance["high_usd_bn"]) / 2,
            (guidance["prior_low_usd_bn"] + guidance["prior_high_usd_bn"]) / 2,
            guidance["basis"],
            strict=True,
        )
        return cls(
            figures={name: quarters[name].to_numpy() for name in (CAPEX, HEADLINE)},
            known=quarters["capex_known_at"].dt.tz_localize(None).to_numpy(),
            ends=quarters["period_end"].to_numpy(),
            guidance=tuple(Guidance(*statement) for statement in statements),
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
        before = self.known < self.known[place]
        if before[place + 1 :].any():
            return Expectation(math.nan, "a later quarter was known before it")
        by_guidance = self._left_of_guidance(place, before)
        return by_guidance or self._grown_from_year_before(place, before)

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
        known = self.known <= guided.known
        base = self._year_before(guided, known)
        growth = self._trailing_growth(int(np.flatnonzero(known).max(initial=-1)), known)
        if math.isnan(base.usd_bn):
            return base
        if math.isnan(growth):
            return Expectation(math.nan, "first of its year, and not all of the last eight quarters were known")
        return Expectation(growth * base.usd_bn, f"{base.rests_on}, at trailing growth")

    def _left_of_guidance(self, place: int, before: np.ndarray) -> Expectation | None:
        for guided in reversed([each for each in self.guidance if each.known < self.known[place]]):
            figure, left = guided.figure, quarters_between(self.ends[place], guided.end)
            if figure is None or left is None or not 0 <= left < QUARTERS_A_YEAR:
                continue
            first = place + 1 + left - QUARTERS_A_YEAR
            values = self.figures[figure]
            if first < 0 or not before[first:place].all() or math.isnan(values[place]):
                return None
            remainder = guided.mid - float(values[first:place].sum())
            rests_on = f"guidance of {np.datetime_as_string(guided.known, unit='D')}"
            return Expectation(remainder / (left + 1), rests_on, figure) if remainder > 0 else None
        return None

    def _grown_from_year_before(self, place: int, before: np.ndarray) -> Expectation:
        growth = self._trailing_growth(place - 1, before)
        if math.isnan(growth):
            return Expectation(math.nan, "no guidance of its year, and not all of the eight quarters before were known")
        year_before = float(self.figures[CAPEX][place - QUARTERS_A_YEAR])
        return Expectation(growth * year_before, "the same quarter a year before, at trailing growth")

    def _trailing_growth(self, last: int, known: np.ndarray) -> float:
        """Capex of the four quarters up to `last` over that of the four before; NaN where one of them is not known."""
        middle, first = last + 1 - QUARTERS_A_YEAR, last + 1 - 2 * QUARTERS_A_YEAR
        if first < 0 or not known[first : last + 1].all():
            return math.nan
        capex = self.figures[CAPEX]
        earlier = capex[first:middle].sum()
        return float(capex[middle : last + 1].sum() / earlier) if earlier > 0 else math.nan

    def _year_before(self, guided: Guidance, known: np.ndarray) -> Expectation:
        """What is last known, on the basis of a guidance, of the year before the one that it guides."""
        newest = int(np.flatnonzero(known).max(initial=-1))
        ahead = quarters_between(self.ends[newest], guided.end) if newest >= 0 else None
        if guided.figure is not None and ahead is not None:
            last = newest + ahead - QUARTERS_A_YEAR
            first = last + 1 - QUARTERS_A_YEAR
            values = self.figures[guided.figure][max(first, 0) : last + 1]
            if first >= 0 and last <= newest and known[first : last + 1].all() and not np.isnan(values).any():
                return Expectation(float(values.sum()), "the year before")
        for each in reversed(self.guidance):
            years_apart = quarters_between(each.end, guided.end) == QUARTERS_A_YEAR
            if each.known <= guided.known and each.basis == guided.basis and years_apart:
                return Expectation(each.mid, "guidance of the year before")
        return Expectation(math.nan, "first of its year, and the year before is not known on its basis")


def quarters_between(earlier: np.datetime64, later: np.datetime64) -> int | None:
    """Count the quarters from one end of a fiscal quarter to another; None where they are no whole quarters apart."""
    days = (later - earlier) / np.timedelta64(1, "D")
    count = round(days / _QUARTER_DAYS)
    return count if abs(days - count * _QUARTER_DAYS) <= _ALIGNED_DAYS else None
