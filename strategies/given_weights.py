"""Target weights that another tool has made: a CSV file of what was decided when, in the place of the policy."""

import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from data.clock import decision_times
from data.errors import InputError
from data.files.cells import number_in
from data.files.known_rows import next_moment, rows_by_line
from strategies.weight_checks import ROUNDING


def read_weights(path: Path, content: bytes) -> pd.DataFrame:
    """Read target weights.

    Args:
        path: of the file, for messages.
        content: CSV with the column ``known_at`` (ISO 8601 with an offset from UTC, ascending) and one column an
            instrument: fractions of equity, 0 for none, a row's at most 1 together; what is left stays in cash.

    Returns:
        Weights by ``known_at`` (UTC).

    Raises:
        InputError: file, line and reason of the first fault.
    """
    rows = rows_by_line(path, content)
    header = rows[0][1] if rows else []
    if header[:1] != ["known_at"] or len(header) < 2 or len(set(header)) < len(header) or len(rows) < 2:
        raise InputError(
            f"{path}, line 1: got the columns {','.join(header) or 'none'} and {max(len(rows) - 1, 0)} rows, wanted "
            "known_at, then a column an instrument, each once, and at least one row"
        )
    times: list[datetime] = []
    weights: list[list[float]] = []
    for line, row in rows[1:]:
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} cells, wanted {len(header)}")
            times.append(next_moment(row[0], times))
            weights.append([_weight(cell, symbol) for symbol, cell in zip(header[1:], row[1:], strict=True)])
            if math.fsum(weights[-1]) > 1.0 + ROUNDING:
                raise ValueError(f"weights of {math.fsum(weights[-1]):g} together, wanted at most 1: no borrowing")
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}") from error
    return pd.DataFrame(weights, pd.DatetimeIndex(times, name="known_at").as_unit("us"), header[1:])


def rows_in_force(rows: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.Series:
    """The place of the row that holds at each session's decision: the newest known by then; -1 before the first.

    Args:
        rows: as `read_weights` gives them.
        sessions: decided for.
    """
    places = np.searchsorted(rows.index.to_numpy(), decision_times(sessions).to_numpy(), side="right") - 1
    return pd.Series(places, sessions)


def weights_in_force(rows: pd.DataFrame, tradable: pd.DataFrame) -> pd.DataFrame:
    """Target weights by session: those of the row in force, nothing before the first, of what cannot be held, nothing.

    Args:
        rows: as `read_weights` gives them.
        tradable: sessions decided for by symbols, which hold the columns of the rows.

    Raises:
        InputError: a row wants, on the first session on which it holds, what cannot be traded then.
    """
    place = rows_in_force(rows, pd.DatetimeIndex(tradable.index))
    wanted = rows.reindex(columns=tradable.columns, fill_value=0.0).reset_index(drop=True)
    weights = wanted.reindex(place.to_numpy()).fillna(0.0).set_axis(tradable.index)
    begins = (place != place.shift()).to_numpy()
    faults = (weights > 0) & ~tradable.astype(bool) & begins[:, np.newaxis]
    if faults.any(axis=None):
        session = faults.index[faults.any(axis=1)][0]
        symbol = faults.columns[faults.loc[session]][0]
        raise InputError(
            f"target weights for {session.date()}: got {weights.loc[session, symbol]:g} for {symbol}, but it cannot be "
            "traded then, wanted 0"
        )
    return weights.where(tradable.astype(bool), 0.0)


def _weight(cell: str, symbol: str) -> float:
    weight = number_in(cell)
    if not 0.0 <= weight <= 1.0 + ROUNDING:
        raise ValueError(f"{symbol}: {cell!r}, wanted a fraction of equity from 0 to 1")
    return weight
