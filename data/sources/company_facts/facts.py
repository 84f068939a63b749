"""What of a ``companyfacts`` document can be used: figures of 10-K and 10-Q, in the right unit, each with its days.

The document holds every figure that a company has ever filed without a dimension: whole companies, not share classes.
Its ``fy``, ``fp`` and ``frame`` name the filing or are guesses, and are not read.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from data.net.errors import SourceError
from data.sources.edgar_plausible import MOST_TIMES
from data.sources.edgar_quarters import Fact

FORMS = ("10-K", "10-K/A", "10-KT", "10-KT/A", "10-Q", "10-Q/A", "10-QT", "10-QT/A")
"""Filings that are read. A proxy statement repeats earnings in thousands; a foreign filer counts ordinary shares where
the price is of a receipt for several of them."""

# Fewer shares stand for none: a company to be spun off, or a slip of the cover page.
LEAST_SHARES = 1e5
_NEAR_DAYS, _MIN_NEIGHBOURS = 800, 3
_SAME = 0.005
_FIELDS = ("end", "val", "filed", "accn", "form")


@dataclass(frozen=True)
class Wanted:
    """A figure as it may be filed.

    Attributes:
        taxonomy: ``us-gaap`` or ``dei``.
        tags: names of it, the one that holds first.
        unit: ``USD`` or ``shares``.
        at_a_day: whether it is counted on a day, else over a time that has a start.
    """

    taxonomy: str
    tags: tuple[str, ...]
    unit: str = "USD"
    at_a_day: bool = False


def read_facts(document: Mapping[str, Any], symbol: str, wanted: Wanted) -> tuple[list[Fact], Counter[str]]:
    """Read one figure's values, in any order.

    Returns:
        The values, of which one counted on a day has its day as start and end; and how many are not used, by reason.

    Raises:
        SourceError: the document has another shape.
    """
    tables = document.get("facts")
    if not isinstance(tables, dict):
        raise SourceError(f"EDGAR: {symbol}: got {type(tables).__name__} as facts, wanted tables by taxonomy")
    own = tables.get(wanted.taxonomy, {})
    if not isinstance(own, dict):
        raise SourceError(f"EDGAR: {symbol}: got {type(own).__name__} as {wanted.taxonomy}, wanted figures by tag")
    facts: list[Fact] = []
    left_out: Counter[str] = Counter()
    for tag in wanted.tags:
        told = own.get(tag)
        if told is None:
            continue
        units = told.get("units") if isinstance(told, dict) else None
        if not isinstance(units, dict) or not all(isinstance(rows, list) for rows in units.values()):
            raise SourceError(f"EDGAR: {symbol} {tag}: got no lists of figures by unit, wanted some")
        for unit, rows in units.items():
            if unit != wanted.unit:
                left_out[f"in {unit} and not in {wanted.unit}"] += len(rows)
                continue
            for row in rows:
                fact = _read(row, f"{symbol} {tag}", tag, wanted.at_a_day)
                if isinstance(fact, Fact):
                    facts.append(fact)
                else:
                    left_out[fact] += 1
    return facts, left_out


def day_facts(facts: Collection[Fact], least: float = 0.0) -> tuple[list[Fact], list[str]]:
    """Take what can be used of figures that were counted on a day, and say of each other one why it is not.

    Of two values that one filing gives for a day the more exact is taken where they are nearly equal; else neither, for
    they may be of classes of shares. Each is compared with what had been filed before it, as known then: thousands in
    the place of units are off by a thousand.

    Args:
        facts: under any tags.
        least: of a count, the smallest that one can be; 0 of an amount, which may be below it.
    """
    notes, kept = [], []
    by_filing: dict[tuple[str, date, str], list[Fact]] = {}
    for fact in facts:
        by_filing.setdefault((fact.tag, fact.end, fact.accession), []).append(fact)
    for (tag, end, accession), told in by_filing.items():
        exact = max(told, key=lambda fact: len(f"{abs(fact.value):.0f}".rstrip("0")))
        about = f"{tag} of {end}, {accession}"
        if exact.end > exact.filed:
            notes.append(f"{about} was filed on {exact.filed}, before its day: not used")
        elif any(abs(fact.value - exact.value) > _SAME * abs(exact.value) for fact in told):
            values = " and ".join(f"{fact.value:.0f}" for fact in told)
            notes.append(f"{about} gives {values}, perhaps of several classes: not used")
        else:
            kept.append(exact)
    sound: list[Fact] = []
    ordered = sorted(kept, key=lambda fact: (fact.filed, fact.end, fact.accession))
    for place, fact in enumerate(ordered):
        # Among those that are not used, too: a shell that becomes a company is believed after some filings.
        near = {each.end: abs(each.value) for each in ordered[:place] if abs((fact.end - each.end).days) <= _NEAR_DAYS}
        times = abs(fact.value) / (median(near.values()) or 1.0) if len(near) >= _MIN_NEIGHBOURS else 1.0
        if not (fact.value >= least if least else fact.value) or not 1 / MOST_TIMES < times < MOST_TIMES:
            notes.append(f"{fact.tag} of {fact.end}, {fact.accession} gives {fact.value:.0f}: not used, it cannot be")
        else:
            sound.append(fact)
    return sound, notes


def taxonomies(document: Mapping[str, Any]) -> Sequence[str]:
    """The taxonomies under which a company has filed figures."""
    tables = document.get("facts")
    return sorted(tables) if isinstance(tables, dict) else []


def _read(row: Any, name: str, tag: str, at_a_day: bool) -> Fact | str:
    """A figure, or why it is none that can be used."""
    if not isinstance(row, dict):
        raise SourceError(f"EDGAR: {name}: got {type(row).__name__} in place of a figure, wanted a JSON object")
    if absent := [field for field in _FIELDS if field not in row]:
        raise SourceError(f"EDGAR: {name}: got a figure with {', '.join(row)}, wanted also {', '.join(absent)}")
    value = row["val"]
    if row["form"] not in FORMS:
        return "of other filings than 10-K and 10-Q"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "without a number"
    if not at_a_day and not row.get("start"):
        return "without a first day"
    try:
        start, end, filed = (
            date.fromisoformat(row[field]) for field in ("end" if at_a_day else "start", "end", "filed")
        )
    except (TypeError, ValueError) as error:
        raise SourceError(f"EDGAR: {name}: got a figure that cannot be read: {error}") from error
    return Fact(tag, start, end, float(value), filed, str(row["accn"]))
