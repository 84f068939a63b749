"""Sharpe ratios of many variants over spans of the sessions of a run, and over spans taken together."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backtests.measures.performance import SESSIONS_PER_YEAR
from data.errors import InputError

# Returns of one batch of variants, read at once.
BATCH = 2048
# A deviation of daily returns below it is none.
FLAT = 1e-12


class Rows(NamedTuple):
    """Rows of the sessions of a run that follow each other, the end left out."""

    begin: int
    end: int


class Moments(NamedTuple):
    """Of the excess returns of some variants over some sessions.

    Attributes:
        sessions: how many.
        mean: (variants,) of the returns; 0 where there is no session.
        squares: (variants,) sum of the squared deviations from it.
    """

    sessions: int
    mean: np.ndarray
    squares: np.ndarray


def read_returns(table: Path, sessions: int) -> Iterator[np.ndarray]:
    """Daily returns of the variants, (variants, sessions), batch by batch; NaN where a variant could not be run.

    Raises:
        InputError: they are of other sessions, or not of the same.
    """
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(table).iter_batches(BATCH, columns=["returns"]):
        column = batch.column(0)
        returns = np.full((len(column), sessions), np.nan)
        if column.null_count < len(column):
            if set(column.drop_null().value_lengths().to_pylist()) != {sessions}:
                raise InputError(f"{table}: got variants of different sessions, wanted the same days of a run for all")
            # Flat from the file: as lists of Python's numbers they would take ten times the time.
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            returns[valid] = column.flatten().to_numpy().reshape(-1, sessions)
        yield returns


def moments_of(excess: np.ndarray, rows: Rows) -> Moments:
    """Of returns, (variants, sessions), over some sessions that follow each other."""
    part = excess[:, rows.begin : rows.end]
    if not part.shape[1]:
        return Moments(0, np.zeros(len(excess)), np.zeros(len(excess)))
    mean = part.mean(axis=1)
    return Moments(part.shape[1], mean, ((part - mean[:, np.newaxis]) ** 2).sum(axis=1))


def together(parts: Sequence[Moments]) -> Moments:
    """Of spans taken together.

    By Chan, Golub and LeVeque (1983, "Algorithms for computing the sample variance", The American Statistician 37):
    without the differences of large sums of squares.
    """
    if len(parts) == 1:
        return parts[0]
    count = sum(each.sessions for each in parts)
    mean = sum(each.sessions / max(count, 1) * each.mean for each in parts)
    squares = sum(each.squares + each.sessions * (each.mean - mean) ** 2 for each in parts)
    return Moments(count, np.asarray(mean), np.asarray(squares))


def sharpe_ratios(moments: Moments) -> np.ndarray:
    """A year, of each variant; NaN where there are fewer than two sessions or its returns do not deviate."""
    nothing = np.full(len(moments.mean), np.nan)
    if moments.sessions < 2:
        return nothing
    deviation = np.sqrt(moments.squares / (moments.sessions - 1))
    ratio: np.ndarray = np.divide(moments.mean, deviation, out=nothing, where=deviation > FLAT)
    ratio *= np.sqrt(SESSIONS_PER_YEAR)
    return ratio


def sharpe_over(excess: np.ndarray, spans: Sequence[Rows]) -> np.ndarray:
    """Sharpe ratios a year of returns, (variants, sessions), over spans taken together."""
    return sharpe_ratios(together([moments_of(excess, rows) for rows in spans]))
