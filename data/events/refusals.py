"""Refusals of event rows: one line that names the row, what is wrong with it and what mends it."""

from collections.abc import Collection, Sequence

import pandas as pd

from data.errors import InputError
from data.market.tables import Table


def refuse_rows(table: Table, frame: pd.DataFrame, wrong: pd.Series, reason: str) -> None:
    """Raise `InputError` that names the first row that is wrong and says how many there are.

    Args:
        table: that the rows belong to.
        frame: the rows.
        wrong: one flag a row of `frame`.
        reason: what is wrong and what mends it.
    """
    if wrong.any():
        others = int(wrong.sum()) - 1
        more = f" ({others} more such rows)" if others else ""
        raise InputError(f"{table.name}: {row_name(table, frame[wrong].iloc[0])}: {reason}{more}")


def require_dates(table: Table, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse rows with a blank date in one of the columns."""
    for column in columns:
        refuse_rows(table, frame, frame[column].isna(), f"its {column} is blank; an event needs its date")


def require_unique(table: Table, frame: pd.DataFrame, key: Sequence[str]) -> None:
    """Refuse rows that share one key."""
    repeated = frame.duplicated(list(key))
    refuse_rows(table, frame, repeated, f"two rows have this {', '.join(key)}; keep one")


def require_known_words(table: Table, frame: pd.DataFrame, column: str, words: Collection[str]) -> None:
    """Refuse rows whose text in the column is none of the words ("" is blank)."""
    unknown = ~frame[column].isin(list(words))
    got = ", ".join(repr(text) for text in frame.loc[unknown, column].unique())
    wanted = ", ".join(word or "blank" for word in words)
    refuse_rows(table, frame, unknown, f"got {column} {got}, wanted one of: {wanted}")


def row_name(table: Table, row: pd.Series) -> str:
    """Name a row by its key, for people: ``MSFT 2026-07-29 2027 quarterly guide``."""
    return " ".join(_word(row[column]) for column in table.key)


def _word(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "(blank)"
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return f"{value:g}" if isinstance(value, float) else str(value)
