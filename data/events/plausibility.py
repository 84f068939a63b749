"""Do a market's events agree with what is reported elsewhere, and with one another? Sums, gaps, spans, paces."""

import csv
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.events.editions import REFERENCE_DIR
from data.events.findings import Findings, counted, named_row
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, COVERAGE, PACES

BOND = "bond_issue"
FAR = 1.5
"""A quarter this many times above both neighbours, or below both, is noted."""

# Notes are sold below their face value and converted by hand from other currencies.
_DISCOUNT = 0.02
_DIFFERENCED = r"\b(?:difference of year-to-date|less \d|months .* less)\b"


class _Reported(NamedTuple):
    """Proceeds from debt that cash flow statements of some companies report for a span of days."""

    companies: str
    first: pd.Timestamp
    last: pd.Timestamp
    reported_usd_bn: float
    explanation: str


def figure_findings(snapshot: Snapshot) -> Findings:
    """Find quarters that span more than themselves, and note those far from the quarters around them."""
    found = Findings()
    for company, rows in snapshot.capex_actuals.sort_values("period_end").groupby("company"):
        quarter = pd.PeriodIndex(rows["period_end"], freq="M").asi8 // 3
        step = np.diff(quarter, prepend=quarter[:1] - 1)
        told = (rows["source"] + " " + rows["note"]).str.contains(_DIFFERENCED)
        first_of_year = rows["fiscal_period"].str.endswith("Q1")
        for place in rows.index[(step > 1) & told & ~first_of_year & rows["capex_usd_bn"].notna()]:
            name = named_row(CAPEX, rows, place)
            found.defects.append(
                f"{name}: it is a difference of year-to-date figures, and the quarter before is missing, so it spans "
                "more than its quarter; take the year-to-date figure of that quarter off, or leave it blank"
            )
        values = rows["capex_usd_bn"].where(rows["capex_usd_bn"] > 0).to_numpy()
        before, after = np.roll(values, 1), np.roll(values, -1)
        near = (step == 1) & (np.roll(step, -1) == 1)
        near[[0, -1]] = False
        high = near & (values / FAR > np.fmax(before, after))
        low = near & (values < np.fmin(before, after) / FAR)
        for place, value, (earlier, later) in zip(
            rows.index[high | low], values[high | low], np.column_stack([before, after])[high | low], strict=True
        ):
            found.notes.append(
                f"{company}: capex of {rows['fiscal_period'][place]} is {value:g}, the quarters around it {earlier:g} "
                f"and {later:g}"
            )
    return found


def proceeds_findings(snapshot: Snapshot) -> Findings:
    """Lay the notes that count beside the proceeds from debt that cash flow statements report.

    What was raised can be less than what a company reports, which counts bank loans and commercial paper too; it cannot
    be more. Nothing is found where the market's coverage does not hold the span.
    """
    found = Findings()
    funding = snapshot.funding_events
    notes = funding[(funding["kind"] == BOND) & funding["counts"]]
    spans = snapshot.event_coverage[snapshot.event_coverage["kind"] == "funding"].set_index("company")
    for line in _reported():
        companies = line.companies.split()
        covered = spans.reindex(companies)
        if not ((covered["complete_from"] <= line.first) & (covered["complete_to"] >= line.last)).all():
            continue
        raised = notes.loc[
            notes["company"].isin(companies) & notes["date"].between(line.first, line.last), "amount_usd_bn"
        ].sum()
        name = f"{line.companies}, {line.first.date()} to {line.last.date()}"
        told = f"{name}: notes of {raised:.2f} count, proceeds of {line.reported_usd_bn:g} were reported"
        if raised > line.reported_usd_bn * (1 + _DISCOUNT) + _DISCOUNT:
            found.defects.append(f"{told}; correct an amount, a date or counts")
        elif raised < line.reported_usd_bn * (1 - _DISCOUNT):
            found.notes.append(f"{told}: {line.explanation or 'not explained'}")
    return found


def coverage_findings(snapshot: Snapshot) -> Findings:
    """Find spans that end before they begin, or that lack a quarter, and note what is told outside of any."""
    found = Findings()
    coverage = snapshot.event_coverage
    for place in coverage.index[~(coverage["complete_from"] <= coverage["complete_to"])]:
        found.defects.append(
            f"{named_row(COVERAGE, coverage, place)}: its complete_to is not after its complete_from; correct them"
        )
    if coverage.empty:
        found.notes.append("the market does not say from when to when its events are complete")
        return found
    found.defects += _missing_quarters(snapshot)
    funding, guidance = snapshot.funding_events, snapshot.capex_guidance
    for kind, rows, day in (
        ("funding", funding[funding["counts"]], "date"),
        ("guidance", guidance[guidance["comparable"]], "announced_at"),
    ):
        spans = coverage[coverage["kind"] == kind].set_index("company")
        span = spans.reindex(rows["company"])
        days = rows[day].to_numpy()
        inside = (span["complete_from"].to_numpy() <= days) & (days <= span["complete_to"].to_numpy())
        for company, outside in rows[~inside].groupby("company"):
            days_told = f"{outside[day].min().date()} to {outside[day].max().date()}"
            found.notes.append(f"{company}: {kind}, {counted(len(outside), 'row')} outside its coverage, {days_told}")
    return found


def _missing_quarters(snapshot: Snapshot) -> Iterator[str]:
    """Quarters that are missing inside a span that says that every one is there.

    A quarter is inside where the one before it ends after the span begins, and the one after it was announced before
    the span ends.
    """
    spans = snapshot.event_coverage[snapshot.event_coverage["kind"] == "results"].set_index("company")
    for company, rows in snapshot.capex_actuals.sort_values("period_end").groupby("company"):
        if company not in spans.index:
            continue
        first, last = (spans[day][company] for day in ("complete_from", "complete_to"))
        ends, told = rows["period_end"], rows["announced_at"]
        step = np.diff(pd.PeriodIndex(ends, freq="M").asi8 // 3, prepend=0)
        inside = (ends.shift() >= first) & (told <= last) & (step > 1)
        for place in rows.index[inside]:
            yield (
                f"{company}: {counted(int(step[rows.index.get_loc(place)]) - 1, 'quarter')} missing before "
                f"{rows['fiscal_period'][place]}, and its results are said to be complete from {first.date()} to "
                f"{last.date()}; add the rows, or shorten the span"
            )


def pace_findings(snapshot: Snapshot) -> Findings:
    """Find paces known before their day, or in force before the month they were told in."""
    found = Findings()
    paces = snapshot.balance_sheet_paces
    early = paces["known_at"].dt.tz_localize(None) < paces["announced_at"]
    for place in paces.index[early]:
        found.defects.append(f"{named_row(PACES, paces, place)}: its known_at is before its day; correct one of them")
    back_dated = paces["effective_from"] < paces["announced_at"] - pd.Timedelta(days=7)
    for place in paces.index[back_dated]:
        found.defects.append(
            f"{named_row(PACES, paces, place)}: it takes effect more than a week before it is told; correct a date"
        )
    weak = paces[paces["confidence"] == "low"]
    for place in weak.index:
        found.notes.append(f"{named_row(PACES, weak, place)}: of low confidence")
    return found


@cache
def _reported() -> tuple[_Reported, ...]:
    with (REFERENCE_DIR / "reported_proceeds.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            _Reported(
                row["companies"],
                pd.Timestamp(row["first"]),
                pd.Timestamp(row["last"]),
                float(row["reported_usd_bn"]),
                row["explanation"],
            )
            for row in csv.DictReader(file)
        )
