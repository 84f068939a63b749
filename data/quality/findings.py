"""What a check of a market's data finds: oddities that are kept as they came, never mended, and said."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

# Prices are compared as parsed from decimals: only the last bits of a float may differ without meaning anything.
FLOAT_NOISE = 1e-9
MIN_ROWS = 252

FindingKind = Literal[
    "blank_cells",
    "missing_sessions",
    "unknown_sessions",
    "unknown_closing",
    "unknown_opening",
    "close_outside_range",
    "split_like_move",
    "implausible",
    "outlier",
    "far_cell",
    "standing",
    "alike",
    "unexplained_adjustment",
    "action_not_adjusted",
    "action_denied",
    "bar_not_ended",
    "sources_differ",
    "before_listing",
    "short",
    "stale",
    "long_gap",
]
KINDS: tuple[FindingKind, ...] = get_args(FindingKind)


class Days(NamedTuple):
    """A span of days, both ends in it."""

    first: pd.Timestamp
    last: pd.Timestamp

    def hold(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Whether each day lies in the span."""
        if self is EVER:
            return np.ones(len(days), dtype=bool)
        return np.asarray((days >= self.first) & (days <= self.last))


EVER = Days(pd.Timestamp("1700-01-01"), pd.Timestamp("2262-01-01"))  # all that a date can be


@dataclass(frozen=True)
class Scope:
    """What of a market is looked at.

    Attributes:
        symbols: instruments.
        series: macro series.
        bars: the days of bars that count.
        observations: the days of observations that count.
    """

    symbols: frozenset[str]
    series: frozenset[str]
    bars: Days
    observations: Days


@dataclass(frozen=True)
class Finding:
    """One oddity of one symbol, series or exchange.

    Attributes:
        name: the symbol, the series, or the exchange's calendar.
        kind: what is odd.
        count: how many: cells, sessions, rows, days or actions; for stale, sessions (symbol) or days (series); for
            long_gap, days.
        first: the first day that it concerns.
        last: the last day that it concerns.
        text: the finding in words, without name and days.
        column: of the blank cells; else "".
        size: what it can make wrong of the value that stands on it, a fraction from 0 to 1: of a price or value that
            may be wrong, by how much; of what is missing, the move over it; of what is lacking for long, the part of a
            year. Of several days the largest. 0 for what makes nothing wrong.
    """

    name: str
    kind: FindingKind
    count: int
    first: date
    last: date
    text: str
    column: str = ""
    size: float = 0.0

    @property
    def days(self) -> str:
        """The days that it concerns, for people."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; days as ISO text."""
        return asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}


def on_days(
    name: str,
    kind: FindingKind,
    days: pd.DatetimeIndex,
    text: str,
    column: str = "",
    sizes: np.ndarray | float = 0.0,
) -> Iterator[Finding]:
    """One finding that counts days, in order; none where there are none."""
    if len(days):
        size = min(float(np.max(sizes)), 1.0)
        yield Finding(name, kind, len(days), days[0].date(), days[-1].date(), f"{text}: {len(days)}", column, size)


def short_findings(name: str, days: pd.DatetimeIndex) -> Iterator[Finding]:
    """The one finding that a name has fewer rows than a year; none where it has them."""
    if len(days) < MIN_ROWS:
        text = f"short: {len(days)} rows, fewer than {MIN_ROWS}"
        yield Finding(name, "short", len(days), days[0].date(), days[-1].date(), text)


def part_of(moves: np.ndarray) -> np.ndarray:
    """The sizes of moves, given as logarithms: from 0 to 1, the same up and down; half for a double or a half."""
    return np.asarray(-np.expm1(-np.abs(np.nan_to_num(moves))))


def part_of_year(days: float, year: int) -> float:
    """A length of time as a part of a year, at most the whole."""
    return min(max(days / year, 0.0), 1.0)
