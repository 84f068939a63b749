"""What a check of a market's data finds: oddities that are kept as they came, never mended, and said."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, get_args

import pandas as pd

# Prices are compared as parsed from decimals: only the last bits of a float may differ without meaning anything.
FLOAT_NOISE = 1e-9

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
    """

    name: str
    kind: FindingKind
    count: int
    first: date
    last: date
    text: str
    column: str = ""

    @property
    def days(self) -> str:
        """The days that it concerns, for people."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; days as ISO text."""
        return asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}


def on_days(name: str, kind: FindingKind, days: pd.DatetimeIndex, text: str, column: str = "") -> Iterator[Finding]:
    """One finding that counts days, in order; none where there are none."""
    if len(days):
        yield Finding(name, kind, len(days), days[0].date(), days[-1].date(), f"{text}: {len(days)}", column)
