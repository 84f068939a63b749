"""Are a market's events sound? Checks that must hold, and notes on what its reader should know.

What contradicts a rule of the tables is a defect. What the sources themselves left blank, dated late or told in another
way is a note, with the rows named.
"""

from collections.abc import Callable, Mapping

import pandas as pd

from data.errors import InputError
from data.events.completion import CASH_KINDS, complete_capex, complete_funding, complete_guidance
from data.events.findings import EventCheck, Findings, counted, named_row
from data.events.likeness import likeness_findings
from data.events.plausibility import coverage_findings, figure_findings, pace_findings, proceeds_findings
from data.events.refusals import require_known_words, row_name
from data.events.times import LATER_VINTAGE, SESSION_TIMES, guidance_times
from data.events.units import unit_findings
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, COVERAGE, EVENT_TABLES, FUNDING, GUIDANCE, PACES, Table

GUIDANCE_CHAIN = "guidance chain"
OWN_ROWS = "own rows"
CONFIDENCES = ("", "low", "medium", "high")

_FIGURES = {"capex": "capex", "ocf": "operating cash flow"}
_FISCAL_PERIOD = r"^(\d{4})Q([1-4])$"
# Amounts are kept to a hundredth of a billion and converted by hand from other currencies.
_ROUNDING_USD_BN = 0.005


def validate_events(snapshot: Snapshot) -> tuple[EventCheck, ...]:
    """Check the three event tables of a market.

    The checks of an import (`data.events.completion`) are run anew; every moment of knowledge is derived anew from the
    other columns and compared. Missing quarters, blank figures, rows of low confidence, figures of later vintage and
    breaks in the chain of guidance are noted.
    """
    checks: list[EventCheck] = []
    for name, (wanted, check) in _CHECKS.items():
        findings = check(snapshot)
        checks.append(EventCheck(name, wanted, tuple(findings.defects), tuple(findings.notes)))
    return tuple(checks)


def _tables(snapshot: Snapshot) -> Findings:
    found = Findings()
    for table in EVENT_TABLES:
        try:
            _complete(snapshot, table)
            require_known_words(table, snapshot.table(table), "confidence", CONFIDENCES)
        except InputError as error:
            found.defects.append(str(error))
    return found


def _known_at(snapshot: Snapshot) -> Findings:
    found = Findings()
    for table in EVENT_TABLES:
        held = snapshot.table(table)
        try:
            derived = _complete(snapshot, table)
        except InputError:
            continue  # a defect of the tables already, named there
        for column in (name for name, kind in table.columns.items() if kind == "time"):
            got, wanted = held[column], derived[column]
            differs = (got != wanted) & ~(got.isna() & wanted.isna())
            if table is GUIDANCE:  # version 0.1.0 stamped guidance with the release
                differs &= got != guidance_times(held, snapshot.capex_actuals, SESSION_TIMES)
            for place in held.index[differs]:
                name = named_row(table, held, place)
                found.defects.append(
                    f"{name}: {column} is {got[place]}, the rule of data/events/times.py gives "
                    f"{wanted[place]}; write that, or import the events anew"
                )
    return found


def _order_of_times(snapshot: Snapshot) -> Findings:
    found = Findings()
    for table, columns, days in (
        (CAPEX, ("capex_known_at", "ocf_known_at"), ("period_end", "announced_at")),
        (GUIDANCE, ("known_at",), ("announced_at",)),
        (FUNDING, ("known_at",), ("date",)),
    ):
        rows = snapshot.table(table)
        for column in columns:
            for day in days:
                for place in rows.index[rows[column].dt.tz_localize(None) <= rows[day]]:
                    found.defects.append(
                        f"{named_row(table, rows, place)}: {column} {rows[column][place]} is not after its {day}; "
                        "correct the dates and import anew"
                    )
    return found


def _quarters(snapshot: Snapshot) -> Findings:
    found = Findings()
    for company, rows in snapshot.capex_actuals.groupby("company"):
        number = _quarter_numbers(rows["fiscal_period"])
        if number.isna().any():
            wrong = ", ".join(rows["fiscal_period"][number.isna()])
            found.defects.append(f"{company}: fiscal period {wrong!r} is none; write year and quarter, as in 2016Q2")
            continue
        line = rows.assign(step=number.sort_values().diff()).loc[number.sort_values().index]
        early = line[line["period_end"].diff() <= pd.Timedelta(0)]
        for period in early["fiscal_period"]:
            found.defects.append(f"{company}: {period} ends no later than the quarter before; correct period_end")
        for period, step in line.loc[line["step"] > 1, ["fiscal_period", "step"]].itertuples(index=False):
            found.notes.append(f"{company}: {counted(int(step) - 1, 'quarter')} missing before {period}")
    return found


def _figures(snapshot: Snapshot) -> Findings:
    found = Findings()
    results = snapshot.capex_actuals
    for figure, name in _FIGURES.items():
        blank = results[results[f"{figure}_usd_bn"].isna()]
        for company, rows in blank.groupby("company"):
            found.notes.append(f"{company}: {name} is blank in {_periods(rows)}")
        for place in results.index[results[f"{figure}_usd_bn"].isna() != results[f"{figure}_known_at"].isna()]:
            row = named_row(CAPEX, results, place)
            found.defects.append(
                f"{row}: {name} has a figure without a moment, or a moment without a figure; import the events anew"
            )
    for place in snapshot.capex_guidance.index[_without_midpoint(snapshot.capex_guidance)]:
        row = named_row(GUIDANCE, snapshot.capex_guidance, place)
        found.defects.append(
            f"{row}: it is comparable but has no mid-point; give low and high, or set comparable to false"
        )
    funding = snapshot.funding_events
    for place in funding.index[funding["counts"] & funding["amount_usd_bn"].isna()]:
        found.defects.append(
            f"{named_row(FUNDING, funding, place)}: it counts but has no amount; give it, or set counts to false"
        )
    for place in funding.index[funding["counts"] & ~funding["kind"].isin(list(CASH_KINDS))]:
        found.notes.append(f"{named_row(FUNDING, funding, place)}: it counts, though its kind brings no cash")
    return found


def _confidence(snapshot: Snapshot) -> Findings:
    found = Findings()
    for table in EVENT_TABLES:
        rows = snapshot.table(table)
        for wanted, words in (("low", "of low confidence"), ("", "without a confidence")):
            found.notes += _named(table, rows[rows["confidence"] == wanted], words)
        found.notes += _named(table, rows[rows["source"].str.strip() == ""], "without a source")
    recalled = snapshot.capex_actuals[snapshot.capex_actuals["date_confidence"] == "low"]
    for company, rows in recalled.groupby("company"):
        found.notes.append(
            f"{company}: the day of announcement is recalled, known from the filing, in {_periods(rows)}"
        )
    return found


def _vintage(snapshot: Snapshot) -> Findings:
    found = Findings()
    results = snapshot.capex_actuals
    for figure, name in _FIGURES.items():
        later = results[(results[f"{figure}_vintage"] == LATER_VINTAGE) & results[f"{figure}_usd_bn"].notna()]
        for company, rows in later.groupby("company"):
            found.notes.append(f"{company}: {name} is of later vintage, known only from then, in {_periods(rows)}")
    return found


def _umbrellas(snapshot: Snapshot) -> Findings:
    found = Findings()
    funding = snapshot.funding_events
    names = funding["company"] + " " + funding["date"].dt.strftime("%Y-%m-%d")
    for umbrella_name, parts in funding[funding["part_of"] != ""].groupby("part_of"):
        umbrellas = funding[(names == umbrella_name) & ~funding.index.isin(parts.index)]
        if len(umbrellas) != 1:
            row = named_row(FUNDING, parts, parts.index[0])
            found.defects.append(
                f"{row}: its part_of {umbrella_name} is {len(umbrellas)} other rows, wanted one; write the company and "
                "date of the umbrella row"
            )
            continue
        umbrella, total = umbrellas.iloc[0], parts["amount_usd_bn"].sum()
        whole = umbrella["amount_usd_bn"]
        if umbrella["counts"]:
            for place in parts.index[parts["counts"]]:
                row = named_row(FUNDING, parts, place)
                found.defects.append(f"{row}: it and {umbrella_name}, of which it is a part, both count; let one")
        elif total > whole + _ROUNDING_USD_BN:
            found.defects.append(
                f"{umbrella_name}: its parts ({len(parts)}) come to {total:g}, more than its {whole:g} USD bn; correct "
                "an amount or part_of"
            )
        else:
            found.notes.append(f"{umbrella_name}: its parts ({len(parts)}) come to {total:g} of {whole:g} USD bn")
    return found


def _guidance_chain(snapshot: Snapshot) -> Findings:
    """Break by break; only what counts must be unbroken, for a revision is measured against the prior range."""
    found = Findings()
    ends = ("low_usd_bn", "high_usd_bn")
    ordered = snapshot.capex_guidance.sort_values(["announced_at", "known_at"], kind="stable")
    for _, chain in ordered.groupby(["company", "period_start", "period_end", "basis"]):
        priors = chain[[f"prior_{end}" for end in ends]].set_axis(list(ends), axis=1)
        before = chain[list(ends)].shift()
        differs = ((priors != before) & ~(priors.isna() & before.isna())).any(axis=1)
        for place in chain.index[differs]:
            name, prior = named_row(GUIDANCE, chain, place), _range(*priors.loc[place])
            if place == chain.index[0]:
                found.notes.append(f"{name}: its prior range {prior} is that of no row before on the same basis")
                continue
            text = f"{name}: its prior range is {prior}, the row before gave {_range(*before.loc[place])}"
            if chain["comparable"][place]:
                found.defects.append(f"{text}; correct one of them, or set comparable to false")
            else:
                found.notes.append(f"{text}; it does not count")
    return found


def _own_rows(snapshot: Snapshot) -> Findings:
    found = Findings()
    for table in (*EVENT_TABLES, PACES, COVERAGE):
        rows = snapshot.table(table)
        for place in rows.index[rows["by_user"] != ""]:
            found.notes.append(f"{named_row(table, rows, place)}: by the user: {rows['by_user'][place]}")
    return found


_CHECKS: Mapping[str, tuple[str, Callable[[Snapshot], Findings]]] = {
    "tables": ("keys are unique, words known, dates given, low is not above high", _tables),
    "known_at": ("every moment is the one that the rules give", _known_at),
    "order of times": ("nothing is known before the day and period that it is about", _order_of_times),
    "quarters": ("fiscal periods are quarters whose ends ascend; a missing one is noted", _quarters),
    "figures": ("what counts has a figure, and figures have their moments; blanks are noted", _figures),
    "confidence": ("rows of low confidence, without source or with a recalled day are noted", _confidence),
    "vintage": ("figures that are known only in a later vintage are noted", _vintage),
    "umbrellas": ("parts have their umbrella, never count beside it, and do not exceed it", _umbrellas),
    OWN_ROWS: ("rows that the user has given, or has corrected, are noted", _own_rows),
    "units": ("amounts are in billions of US dollars", unit_findings),
    "likeness": ("rows that may be one event told twice are noted", likeness_findings),
    "neighbours": ("no figure spans two quarters; one far from those around it is noted", figure_findings),
    "proceeds": ("notes that count come to no more than the proceeds reported", proceeds_findings),
    "coverage": ("spans are sound; what no span covers is noted", coverage_findings),
    "paces": ("each is known on its day or later and takes effect in order", pace_findings),
    GUIDANCE_CHAIN: ("the prior range of what counts is the range of the row before", _guidance_chain),
}


def _complete(snapshot: Snapshot, table: Table) -> pd.DataFrame:
    """Derive the table anew from its own raw columns and judgements."""
    rows = snapshot.table(table)
    if table is CAPEX:
        return complete_capex(rows).table
    return (complete_guidance(rows, snapshot.capex_actuals) if table is GUIDANCE else complete_funding(rows)).table


def _without_midpoint(guidance: pd.DataFrame) -> pd.Series:
    return guidance["comparable"] & guidance[["low_usd_bn", "high_usd_bn"]].isna().any(axis=1)


def _named(table: Table, rows: pd.DataFrame, words: str) -> list[str]:
    """One note that names rows; none where there are none."""
    if rows.empty:
        return []
    names = "; ".join(row_name(table, row) for _, row in rows.iterrows())
    return [f"{table.name}: {counted(len(rows), 'row')} {words}: {names}"]


def _periods(rows: pd.DataFrame) -> str:
    """Fiscal periods for people, quarters in a row as a span: ``8 quarters (2015Q4, 2016Q2 to 2017Q4)``."""
    periods = rows["fiscal_period"].sort_values()
    runs = periods.groupby((_quarter_numbers(periods).diff() != 1).cumsum())
    spans = (run.iloc[0] if len(run) == 1 else f"{run.iloc[0]} to {run.iloc[-1]}" for _, run in runs)
    return f"{counted(len(periods), 'quarter')} ({', '.join(spans)})"


def _quarter_numbers(periods: pd.Series) -> pd.Series:
    """Number quarters so that those in a row differ by 1; NaN where the text is no fiscal period."""
    parts = periods.str.extract(_FISCAL_PERIOD).astype(float)
    numbers: pd.Series = 4 * parts[0] + parts[1]
    return numbers


def _range(low: float, high: float) -> str:
    if pd.isna(low) and pd.isna(high):
        return "blank"
    return " to ".join("open" if pd.isna(end) else f"{end:g}" for end in (low, high))
