"""Events: results, guidance and funding as announced, each with its source and the moment from which it was known.

Tables of users have the raw columns of those that the project ships (`data.events.editions`). `complete_capex`,
`complete_guidance` and `complete_funding` check them and add what follows from them: the moments of knowledge
and, where they are not given, the judgements by which a row counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from data.catalogue.companies import Company, company_catalogue
from data.events.editions import every_edition, reference_events
from data.events.refusals import refuse_rows, require_dates, require_known_words, require_unique, row_name
from data.events.times import LATER_VINTAGE, SESSION_TIMES, filing_dates, funding_times, guidance_times, result_times
from data.market.tables import CAPEX, FUNDING, GUIDANCE, Table

CASH_KINDS = frozenset({"bond_issue", "private_credit", "equity_raise"})
"""Kinds of funding that bring cash; commitments (``mega_deal``) and policy (``fed_...``) do not."""

_SESSIONS = ("", *SESSION_TIMES)
_YEARS = range(1990, 2101)
_RANGES = (("low_usd_bn", "high_usd_bn"), ("prior_low_usd_bn", "prior_high_usd_bn"))


@dataclass(frozen=True)
class Completed:
    """A table with every column, and what its user should know about it.

    Attributes:
        table: conforms to its `data.market.tables.Table`.
        judged_by_rule: number of rows that neither bring their judgement nor stand in the reference table.
        notes: one line each, for people; says which rows those are.
    """

    table: pd.DataFrame
    judged_by_rule: int = 0
    notes: tuple[str, ...] = ()


def complete_capex(frame: pd.DataFrame) -> Completed:
    """Add ``capex_known_at`` and ``ocf_known_at`` to the results of fiscal quarters.

    The rule is `data.events.times.result_times`; filings that the frame does not hold are looked up in the reference
    table.

    Args:
        frame: the raw columns of `data.market.tables.CAPEX`, parsed. Figures in USD billions, NaN where unknown.

    Raises:
        InputError: a blank date, an unknown session, confidence or vintage, a quarter given twice, a result dated
            before the end of its quarter, a low ``date_confidence`` without a filing date, a figure of later vintage
            from a filing whose date is not known.
    """
    frame = frame.reset_index(drop=True)
    require_dates(CAPEX, frame, ["announced_at", "period_end"])
    require_unique(CAPEX, frame, CAPEX.key)
    require_unique(CAPEX, frame, ["company", "fiscal_period"])
    require_known_words(CAPEX, frame, "session", _SESSIONS)
    require_known_words(CAPEX, frame, "date_confidence", ["", "low", "medium", "high"])
    for figure in ("capex", "ocf"):
        given = frame[frame[f"{figure}_usd_bn"].notna()]
        require_known_words(CAPEX, given, f"{figure}_vintage", ["as_first_reported", LATER_VINTAGE])
    early = frame[["announced_at", "filed_at"]].min(axis=1) < frame["period_end"]
    refuse_rows(CAPEX, frame, early, "announced or filed before its period_end; correct the dates")
    unfiled = (frame["date_confidence"] == "low") & frame["filed_at"].isna()
    refuse_rows(CAPEX, frame, unfiled, "its date_confidence is low and its filed_at is blank; give the filing date")

    raw = ["source", "filed_at"]
    filings = filing_dates(pd.concat([every_edition(CAPEX.name)[raw], frame[raw]]))
    times = {f"{figure}_known_at": result_times(frame, figure, filings) for figure in ("capex", "ocf")}
    return Completed(CAPEX.conform(frame.assign(**times)))


def complete_guidance(
    frame: pd.DataFrame, results: pd.DataFrame | None = None, companies: Mapping[str, Company] | None = None
) -> Completed:
    """Add ``period_start``, ``period_end``, ``comparable`` and ``known_at`` to guidance.

    ``known_at`` follows `data.events.times.guidance_times`. Judgements that the frame does not bring are those of the
    reference table for a row with the same key and figures. Any other row is judged by rule: its period is the
    company's fiscal year, for a quarterly guide the fiscal quarter in progress on the day; it is comparable if it has a
    mid-point (low and high) and its ``event`` is not quarterly, qualitative or accounting.

    Args:
        frame: the raw columns of `data.market.tables.GUIDANCE`, parsed, and any of the columns of judgement. USD
        billions; a
            blank low or high means open.
        results: `data.market.tables.CAPEX`, raw columns suffice; default the shipped ones.
        companies: whose fiscal years are known; default the shipped ones.

    Raises:
        InputError: a blank date or year, an unknown session, a row given twice, low > high, a company without a fiscal
            calendar, a period that is blank, reversed, or over before it is guided.
    """
    frame = frame.reset_index(drop=True)
    require_dates(GUIDANCE, frame, ["announced_at"])
    no_year = ~frame["fiscal_year"].isin(_YEARS)
    refuse_rows(GUIDANCE, frame, no_year, "its fiscal_year is blank or no year; give the year that is guided")
    require_unique(GUIDANCE, frame, GUIDANCE.key)
    require_known_words(GUIDANCE, frame, "session", _SESSIONS)
    for low, high in _RANGES:
        refuse_rows(GUIDANCE, frame, frame[low] > frame[high], f"{low} is above {high}; correct the range")

    figures = [column for ends in _RANGES for column in ends]
    by_rule = partial(_guidance_by_rule, known=company_catalogue() if companies is None else companies)
    judged = _judge(GUIDANCE, frame, ["period_start", "period_end", "comparable"], figures, by_rule)
    frame = judged.table
    sound = (frame["period_start"] < frame["period_end"]) & (frame["announced_at"] <= frame["period_end"])
    reason = "the period guided is blank, reversed or over; give columns period_start and period_end"
    refuse_rows(GUIDANCE, frame, ~sound, reason)

    known_at = guidance_times(frame, reference_events()[CAPEX.name] if results is None else results)
    return Completed(GUIDANCE.conform(frame.assign(known_at=known_at)), judged.judged_by_rule, judged.notes)


def complete_funding(frame: pd.DataFrame) -> Completed:
    """Add ``part_of``, ``counts`` and ``known_at`` to funding and policy events.

    ``known_at`` follows `data.events.times.funding_times`. Judgements that the frame does not bring are those of the
    reference table for a row with the same key (the amount is part of it). Any other row is judged by rule: it is part
    of nothing, and it counts if it has an amount and its kind is one of `CASH_KINDS`.

    Args:
        frame: the raw columns of `data.market.tables.FUNDING`, parsed, and any of the columns of judgement. USD
        billions.

    Raises:
        InputError: a blank date, or a row given twice.
    """
    frame = frame.reset_index(drop=True)
    require_dates(FUNDING, frame, ["date"])
    require_unique(FUNDING, frame, FUNDING.key)
    judged = _judge(FUNDING, frame, ["part_of", "counts"], [], _funding_by_rule)
    table = FUNDING.conform(judged.table.assign(known_at=funding_times(judged.table)))
    return Completed(table, judged.judged_by_rule, judged.notes)


def _judge(
    table: Table,
    frame: pd.DataFrame,
    judgements: Sequence[str],
    figures: Sequence[str],
    by_rule: Callable[[pd.DataFrame, Sequence[str]], pd.DataFrame],
) -> Completed:
    """Add the judgements that `frame` lacks: the reference table's for rows of one key and figures, else by rule."""
    absent = [column for column in judgements if column not in frame]
    if not absent:
        return Completed(frame)
    match = [*table.key, *figures]
    # A row that has not changed keeps the judgement of the edition that had it first.
    reference = every_edition(table.name)[[*match, *absent]].drop_duplicates(match)
    merged = frame[match].merge(reference, on=match, how="left", indicator="found_in").set_axis(frame.index)
    unknown = merged["found_in"] == "left_only"
    added = pd.concat([merged.loc[~unknown, absent], by_rule(frame[unknown], absent)])
    notes: tuple[str, ...] = ()
    if unknown.any():
        names = "; ".join(row_name(table, row) for _, row in frame[unknown].iterrows())
        notes = (
            f"{table.name}: {unknown.sum()} of {len(frame)} rows are not in the reference table; "
            f"{', '.join(absent)} judged by rule: {names}",
        )
    return Completed(frame.join(added), int(unknown.sum()), notes)


def _guidance_by_rule(rows: pd.DataFrame, columns: Sequence[str], known: Mapping[str, Company]) -> pd.DataFrame:
    has_midpoint = rows["low_usd_bn"].notna() & rows["high_usd_bn"].notna()
    judged = pd.DataFrame(
        {"comparable": has_midpoint & ~rows["event"].str.contains("quarterly|qualitative|accounting")}
    )
    if "period_start" in columns or "period_end" in columns:
        judged = judged.join(_guided_periods(rows, known))
    return judged[list(columns)]


def _guided_periods(rows: pd.DataFrame, known: Mapping[str, Company]) -> pd.DataFrame:
    names = ", ".join(known)
    reason = f"no fiscal calendar for this company (there are: {names}); give columns period_start and period_end"
    refuse_rows(GUIDANCE, rows, ~rows["company"].isin(list(known)), reason)
    years, quarterly = rows["fiscal_year"].astype(int), rows["event"].str.contains("quarterly")
    periods = [
        _guided_period(known[company], *row)
        for company, *row in zip(rows["company"], years, rows["announced_at"], quarterly, strict=True)
    ]
    return pd.DataFrame(periods, rows.index, ["period_start", "period_end"], "datetime64[us]")


def _guided_period(
    company: Company, fiscal_year: int, announced_at: pd.Timestamp, quarterly: bool
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of the fiscal year, or of its quarter in progress (its first if the year is still to come)."""
    # Years of 52 or 53 weeks are taken to end with the month.
    last = pd.Period(year=fiscal_year, month=company.fiscal_year_end_month, freq="M")
    months = 12
    if quarterly:
        months = 3
        months_left = last.ordinal - announced_at.to_period("M").ordinal
        last -= min(months_left // 3 * 3, 9)
    return (last - (months - 1)).start_time, last.end_time.normalize()


def _funding_by_rule(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    counts = rows["kind"].isin(list(CASH_KINDS)) & rows["amount_usd_bn"].notna()
    return pd.DataFrame({"part_of": "", "counts": counts}, index=rows.index)[list(columns)]
