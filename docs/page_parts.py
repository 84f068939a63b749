"""Parts of the pages that scripts beside this one write: paragraphs, tables, lists, in Markdown."""

import textwrap
from collections.abc import Iterable, Sequence

import pandas as pd

from signals.regime import Regime

REGIMES = tuple(str(regime) for regime in Regime)


def paragraphs(*texts: str) -> str:
    """Paragraphs, filled to the width of a page."""
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) for text in texts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, a line a row."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])


def listed(names: Sequence[str]) -> str:
    """Names with commas and an "and"."""
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + "".join(names[-1:])


def difference(row: "pd.Series[float]") -> str:
    """The cell of a difference with its interval; "-" where there is none."""
    if pd.isna(row["difference"]):
        return "-"
    return f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"


def shares(row: "pd.Series[float]") -> tuple[str, ...]:
    """The cells of the shares of the regimes."""
    return tuple("-" if pd.isna(row[regime]) else f"{row[regime]:.0%}" for regime in REGIMES)


def excludes_zero(row: "pd.Series[float]") -> bool:
    """Whether the interval of a row lies on one side of 0."""
    return bool(row["low"] > 0 or row["high"] < 0)


def verdict(compared: pd.DataFrame) -> str:
    """What the intervals of differences carry, and no more."""
    clear = [str(name) for name, row in compared.iterrows() if excludes_zero(row)]
    count = len(compared)
    if not clear:
        return f"Each of the {count} intervals holds 0: none of these changes is shown to help or to harm."
    return (
        f"{len(clear)} of the {count} intervals exclude 0: {listed(clear)}. Of {count} changes without any effect, "
        f"{0.05 * count:.1f} would, on average."
    )
