"""From when to when events are complete, and the announced pace of a central bank's holdings: checked as they come in.

Coverage is what makes silence a fact: inside it a stretch without an event is one in which nothing happened, outside it
nobody has looked.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

import pandas as pd

from data.events.refusals import refuse_rows, require_dates, require_known_words, require_unique
from data.market.tables import COVERAGE, PACES

CoverageKind = Literal["results", "guidance", "funding", "balance_sheet_pace"]

_CONFIDENCES = ("low", "medium", "high")


def complete_coverage(frame: pd.DataFrame) -> pd.DataFrame:
    """Check rows of coverage; nothing is added to them.

    Args:
        frame: the columns of `data.market.tables.COVERAGE`, parsed.

    Raises:
        InputError: an unknown kind or confidence, a blank day, an end before its begin, a company and kind given twice.
    """
    frame = frame.reset_index(drop=True)
    require_known_words(COVERAGE, frame, "kind", get_args(CoverageKind))
    require_known_words(COVERAGE, frame, "confidence", _CONFIDENCES)
    require_dates(COVERAGE, frame, ["complete_from", "complete_to"])
    require_unique(COVERAGE, frame, COVERAGE.key)
    ends_early = frame["complete_to"] < frame["complete_from"]
    refuse_rows(COVERAGE, frame, ends_early, "its complete_to is before its complete_from; exchange or correct them")
    return COVERAGE.conform(frame)


def complete_paces(frame: pd.DataFrame) -> pd.DataFrame:
    """Check rows of announced paces; nothing is added to them.

    A row without ``effective_from`` or without a pace is a statement that sets none.

    Args:
        frame: the columns of `data.market.tables.PACES`, parsed.

    Raises:
        InputError: a blank day or moment, a moment before the day, an unknown confidence, a row given twice.
    """
    frame = frame.reset_index(drop=True)
    require_dates(PACES, frame, ["announced_at", "known_at"])
    require_known_words(PACES, frame, "confidence", _CONFIDENCES)
    require_unique(PACES, frame, PACES.key)
    early = frame["known_at"].dt.tz_localize(None) < frame["announced_at"]
    refuse_rows(PACES, frame, early, "its known_at is before its announced_at; correct one of them")
    return PACES.conform(frame)


COMPLETE_FURTHER: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = MappingProxyType(
    {PACES.name: complete_paces, COVERAGE.name: complete_coverage}
)
"""How a user's table is checked, by its name."""


def covered_span(coverage: pd.DataFrame, kind: CoverageKind, company: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """First and last day on which a company's events of a kind are complete; None where nothing says so.

    Args:
        coverage: `data.market.tables.COVERAGE`.
        kind: of the events.
        company: its symbol, or the name of the central bank.
    """
    rows = coverage[(coverage["kind"] == kind) & (coverage["company"] == company)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return row["complete_from"], row["complete_to"]
