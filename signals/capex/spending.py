"""What the spenders' quarters tell: capex in trailing four quarters, its growth, and its share of operating cash flow.

Quarters are fiscal and counted by company: "2016Q2" follows "2016Q1", whatever the calendar says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from data.catalogue.companies import Company, company_entry
from data.errors import InputError
from signals.config import SignalConfig
from signals.known import NAT, NEVER, Array, Known, days_between, latest, microseconds, moments_of

QUARTERS_A_YEAR = 4
CAPEX = "capex_usd_bn"
OCF = "ocf_usd_bn"
HEADLINE = "headline_capex_usd_bn"
FIGURES = {CAPEX: "capex_known_at", OCF: "ocf_known_at"}

_FISCAL_PERIOD = re.compile(r"(\d{4})Q([1-4])")


class Quarters(NamedTuple):
    """One company's figures on its unbroken line of fiscal quarters.

    Attributes:
        company: its symbol.
        first: number of the first quarter, 4 x year + quarter.
        capex: USD billions by quarter; NaN where it was not reported.
        ocf: the same of operating cash flow.
        headline: the same of capex with finance leases, known with capex.
        capex_known: when capex became known, `signals.known`'s microseconds; `NEVER` where it did not.
        ocf_known: the same of operating cash flow.
        end: last day of the quarter; `NAT` where nothing was reported.
    """

    company: str
    first: int
    capex: Array
    ocf: Array
    headline: Array
    capex_known: Array
    ocf_known: Array
    end: Array


class Trailing(NamedTuple):
    """Sums over a company's newest quarters, at each moment at which they change.

    Attributes:
        moment: increasing.
        observed: end of the newest quarter of which the figure is known.
        known: when the last of the quarters became known.
        sums: (moments, sums); NaN where not all of the quarters are known.
    """

    moment: Array
    observed: Array
    known: Array
    sums: Array


def company_quarters(capex: pd.DataFrame, company: str) -> Quarters:
    """Lay one company's figures out on its unbroken line of fiscal quarters.

    Args:
        capex: `data.market.tables.CAPEX`.
        company: its symbol.

    Raises:
        InputError: no row; a fiscal period that is no such as 2016Q2, is reported twice, or ends no later than the one
            before; a figure that is infinite or has no time at which it became known.
    """
    return _quarters(_Columns.of(capex), company)


def fiscal_period(quarter: int) -> str:
    """Name a quarter by its number on the line: ``2016Q2``."""
    year, before = divmod(quarter - 1, QUARTERS_A_YEAR)
    return f"{year}Q{before + 1}"


def followed_quarters(
    capex: pd.DataFrame, config: SignalConfig, known: Mapping[str, Company] | None = None
) -> dict[str, Quarters]:
    """Lay out the figures of every company that the drain follows, see `company_quarters`.

    Args:
        capex: `data.market.tables.CAPEX`.
        config: whose companies.
        known: entries of companies; default the shipped ones.

    Returns:
        By symbol, `config.companies` first, then `config.further_event_companies`; of these, one without any row has a
        line without quarters.

    Raises:
        InputError: one of the latter has no row and no entry in the catalogue of companies; see `company_quarters` too.
    """
    columns = _Columns.of(capex)
    lines = {company: _quarters(columns, company) for company in config.companies}
    reported = set(columns.company)
    for company in config.further_event_companies:
        if company in reported:
            lines[company] = _quarters(columns, company)
        else:
            # It may report later; but what is no company's symbol is a slip.
            company_entry(company, known)
            none, never = np.empty(0), np.empty(0, dtype=np.int64)
            lines[company] = Quarters(company, 0, none, none, none, never, never, never)
    return lines


def trailing_capex(quarters: Quarters, moments: Array, config: SignalConfig) -> Array:
    """Sum one company's capex over its newest four quarters, as known at each moment.

    Args:
        quarters: of the company.
        moments: in any order.
        config: `capex_stale_days`.

    Returns:
        USD billions by moment; NaN where the four are not all known, or the newest is too old.
    """
    trailing = trailing_sums(quarters.capex_known, [quarters.capex], quarters.end, QUARTERS_A_YEAR)
    return _fresh(trailing, moments, config)


def trailing_cash_flow(quarters: Quarters, moments: Array, config: SignalConfig) -> Array:
    """Sum one company's operating cash flow over its newest four quarters; otherwise as `trailing_capex`."""
    trailing = trailing_sums(quarters.ocf_known, [quarters.ocf], quarters.end, QUARTERS_A_YEAR)
    return _fresh(trailing, moments, config)


def capex_growth(companies: Sequence[Quarters], sessions: Array, config: SignalConfig) -> Known:
    """Measure the log growth over a year of capex in trailing four quarters, summed over companies.

    A company counts with its newest quarter whose capex is known and the seven before it; where one of these eight is
    not known, of any company, or a newest quarter is too old (`config.capex_stale_days`), the growth is missing.

    Args:
        companies: their quarters.
        sessions: increasing.
        config: `capex_stale_days`.

    Returns:
        By session: the growth (log; NaN where missing or a sum is not positive), the end of the newest quarter of all,
        and when the last of the figures became known.
    """
    parts = []
    for each in companies:
        earlier = np.concatenate([np.full(QUARTERS_A_YEAR, np.nan), each.capex])[: len(each.capex)]
        sums = trailing_sums(each.capex_known, [earlier, each.capex], each.end, QUARTERS_A_YEAR, 2 * QUARTERS_A_YEAR)
        parts.append(sums)
    total, observed, known = _sum_of_companies(parts, sessions, config)
    before, trailing = total[:, 0], total[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        growth = np.where((before > 0) & (trailing > 0), np.log(trailing / before), np.nan)
    return Known(growth, observed, known)


def capex_to_cash_flow(
    companies: Sequence[Quarters], sessions: Array, config: SignalConfig, headline: bool = False
) -> Known:
    """Measure capex over operating cash flow, both in trailing four quarters and summed over companies.

    A company counts with its newest quarter of which both figures are known, and the three before it: capex is often
    known from a release whose cash flow follows, and a ratio of two different years would be none. Missing as in
    `capex_growth`.

    Args:
        companies: their quarters.
        sessions: increasing.
        config: `capex_stale_days`.
        headline: whether capex counts with finance leases, in every quarter in which they are told.

    Returns:
        As `capex_growth`; the ratio is NaN where the cash flow is not positive.
    """
    parts = []
    for each in companies:
        capex = np.where(np.isnan(each.headline), each.capex, each.headline) if headline else each.capex
        both_known = np.maximum(each.capex_known, each.ocf_known)
        parts.append(trailing_sums(both_known, [capex, each.ocf], each.end, QUARTERS_A_YEAR))
    total, observed, known = _sum_of_companies(parts, sessions, config)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total[:, 1] > 0, total[:, 0] / total[:, 1], np.nan)
    return Known(share, observed, known)


def trailing_sums(
    known: Array, figures: Sequence[Array], end: Array, count: int, needed: int | None = None
) -> Trailing:
    """Sum figures over the newest `count` quarters at each moment at which a quarter becomes known.

    Args:
        known: when each quarter did; `NEVER` where it did not.
        figures: by quarter, each.
        end: of the quarters.
        count: quarters that are summed.
        needed: newest quarters that have to be known; `count` where not given.
    """
    needed = needed or count
    moments = np.unique(known[known != NEVER])
    if not len(moments):
        return Trailing(moments, moments, moments, np.empty((0, len(figures))))
    available = known <= moments[:, None]
    newest = np.where(available, np.arange(len(known)), -1).max(axis=1, initial=-1)
    rows = newest[:, None] + np.arange(1 - needed, 1)
    whole = rows[:, 0] >= 0
    rows = rows.clip(min=0)
    is_known = np.take_along_axis(available, rows, axis=1)
    last_known = np.where(is_known, known[rows], NAT).max(axis=1, initial=NAT)
    complete = whole & is_known.all(axis=1)
    summed = [np.where(complete, figure[rows[:, needed - count :]].sum(axis=1), np.nan) for figure in figures]
    return Trailing(moments, end[newest], last_known, np.column_stack(summed))


def sampled(trailing: Trailing, moments: Array) -> tuple[Array, Array, Array]:
    """Read sums at some moments: the end of the newest quarter, when the last was known, and the sums."""
    place = np.searchsorted(trailing.moment, moments, side="right") - 1
    none = place < 0
    if not len(trailing.moment):
        blank = np.full(len(moments), NAT)
        return blank, blank, np.full((len(moments), trailing.sums.shape[1]), np.nan)
    place = np.maximum(place, 0)
    return (
        np.where(none, NAT, trailing.observed[place]),
        np.where(none, NAT, trailing.known[place]),
        np.where(none[:, None], np.nan, trailing.sums[place]),
    )


class _Columns(NamedTuple):
    """The columns of `data.market.tables.CAPEX` that are used, figures and moments by the name of the column."""

    company: list[str]
    period: list[str]
    end: Array
    numbers: dict[str, Array]
    moments: dict[str, Array]

    @classmethod
    def of(cls, capex: pd.DataFrame) -> Self:
        return cls(
            company=capex["company"].tolist(),
            period=capex["fiscal_period"].tolist(),
            end=microseconds(capex["period_end"]),
            numbers={name: capex[name].to_numpy(dtype=float) for name in (*FIGURES, HEADLINE)},
            moments={name: microseconds(capex[name]) for name in FIGURES.values()},
        )


def _quarters(columns: _Columns, company: str) -> Quarters:
    rows = [place for place, name in enumerate(columns.company) if name == company]
    if not rows:
        raise InputError(
            f"capex of {company}: got no row, wanted its quarters; import its results, or take it out of the "
            "signal's companies"
        )
    numbers = [_number(company, columns.period[place]) for place in rows]
    rows = [rows[place] for place in np.argsort(numbers, kind="stable")]
    numbers.sort()
    periods = [columns.period[place] for place in rows]
    if doubled := [periods[place] for place in range(1, len(rows)) if numbers[place] == numbers[place - 1]]:
        raise InputError(f"capex of {company}: got {doubled[0]} twice, wanted each quarter once; take one row out")
    ends = columns.end[rows]
    early = np.append(ends[:1] == NAT, (np.diff(ends) <= 0) | (ends[1:] == NAT))
    if early.any():
        place = int(early.argmax())
        raise InputError(
            f"capex of {company}: got {periods[place]} ending on {moments_of(ends)[place]}, wanted a day after the end "
            "of the quarter before; correct fiscal_period or period_end"
        )
    line = np.array(numbers) - numbers[0]
    laid: dict[str, Array] = {}
    for figure, known_at in FIGURES.items():
        value, known = columns.numbers[figure][rows], columns.moments[known_at][rows]
        wrong = np.isinf(value) | (~np.isnan(value) & (known == NAT))
        if wrong.any():
            place = int(wrong.argmax())
            raise InputError(
                f"capex of {company}: got {figure} {value[place]} for {periods[place]} with {known_at} "
                f"{moments_of(known)[place]}, wanted a number and the time at which it became known; correct the row"
            )
        laid[figure] = _on_line(value, line, np.nan)
        laid[known_at] = _on_line(np.where(np.isnan(value) | (known == NAT), NEVER, known), line, NEVER)
    return Quarters(
        company=company,
        first=numbers[0],
        capex=laid[CAPEX],
        ocf=laid[OCF],
        headline=_on_line(columns.numbers[HEADLINE][rows], line, np.nan),
        capex_known=laid[FIGURES[CAPEX]],
        ocf_known=laid[FIGURES[OCF]],
        end=_on_line(ends, line, NAT),
    )


def _fresh(trailing: Trailing, moments: Array, config: SignalConfig) -> Array:
    """The one sum at some moments; NaN where its newest quarter is too old."""
    observed, _, sums = sampled(trailing, moments)
    return np.where(days_between(observed, moments) <= config.capex_stale_days, sums[:, 0], np.nan)


def _sum_of_companies(parts: Sequence[Trailing], sessions: Array, config: SignalConfig) -> tuple[Array, Array, Array]:
    """Add the companies' sums up at each decision; NaN where one is missing or too old."""
    total = np.zeros((len(sessions), parts[0].sums.shape[1]))
    ends, moments = [], []
    for part in parts:
        observed, known, sums = sampled(part, sessions)
        fresh = days_between(observed, sessions) <= config.capex_stale_days
        total = total + np.where(fresh[:, None], sums, np.nan)
        ends.append(observed)
        moments.append(known)
    return total, latest(ends), latest(moments)


def _number(company: str, period: str) -> int:
    match = _FISCAL_PERIOD.fullmatch(period)
    if match is None:
        raise InputError(f"capex of {company}: got fiscal period {period!r}, wanted one such as 2016Q2; correct it")
    return QUARTERS_A_YEAR * int(match[1]) + int(match[2])


def _on_line(values: Array, line: Array, blank: float) -> Array:
    """Values at their places on a line of quarters, blank elsewhere."""
    laid = np.full(int(line[-1]) + 1, blank, dtype=values.dtype)
    laid[line] = values
    return laid
