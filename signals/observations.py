"""Observations as they were known: what a decision may look at, and nothing that became known later.

Observations are frames of ``date`` (naive, what the value is about), ``value`` and ``known_at`` (UTC, when it was
public), one row a date and vintage. Every step keeps both times, so that a derived value is known when the last of its
parts is.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.clock import decision_times
from data.errors import InputError
from signals.known import Observations, in_order, known_values, mean_of_newest, microseconds, moments_of, together


def series_observations(series: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the observations of one series; blank values are skipped.

    Args:
        series: `data.market.tables.SERIES`.
        name: of the series.

    Returns:
        ``date``, ``value`` (unit of the series, never NaN), ``known_at``; sorted by ``known_at``, then ``date``.

    Raises:
        InputError: the series has no row, an infinite value, a value without ``known_at``, or two values for one date
            and ``known_at``.
    """
    rows = series.loc[series["series"] == name, ["date", "value", "known_at"]]
    if rows.empty:
        raise InputError(f"series {name}: got no row, wanted its observations; the signal needs it: import {name}.csv")
    rows = rows[rows["value"].notna()]
    if np.isinf(rows["value"]).any():
        raise InputError(f"series {name}: got an infinite value, wanted a number or a blank; correct the row")
    if rows["known_at"].isna().any():
        day = rows.loc[rows["known_at"].isna(), "date"].iloc[0]
        raise InputError(f"series {name}: got a value for {day:%Y-%m-%d} without known_at, wanted the time; add it")
    repeated = rows.duplicated(["date", "known_at"])
    if repeated.any():
        day = rows.loc[repeated, "date"].iloc[0]
        raise InputError(
            f"series {name}: got two values for {day:%Y-%m-%d} with one known_at, wanted one; "
            "take one out, or give a revision its own known_at"
        )
    return rows.sort_values(["known_at", "date"], ignore_index=True)


def same_day_observations(observations: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Bring several series together on the dates that all of them have.

    Args:
        observations: by name; each with ``date``, ``value``, ``known_at``.

    Returns:
        ``date``, ``known_at`` and a column of values a name; sorted by ``known_at``, then ``date``. A row is known when
        the last of its values is; a revision of one of them makes a further row. A date that one of the series lacks
        has no row.
    """
    days, known, values = together([_arrays(frame) for frame in observations.values()])
    first, *others = [(name, values[:, place]) for place, name in enumerate(observations)]
    known_at = ("known_at", moments_of(known).tz_localize("UTC"))
    return pd.DataFrame(dict([("date", moments_of(days)), first, known_at, *others]))


def trailing_mean(observations: pd.DataFrame, count: int) -> pd.DataFrame:
    """Average the newest observations, anew whenever one of them becomes known or is revised.

    Args:
        observations: ``date``, ``value``, ``known_at``; no NaN.
        count: observations in a mean, counted in dates with a value, each in its newest vintage.

    Returns:
        ``date`` (the newest in the mean), ``value``, ``known_at``; no row while fewer than `count` dates are known.
    """
    day, value, known = mean_of_newest(_arrays(observations), count)
    return pd.DataFrame({"date": moments_of(day), "value": value, "known_at": moments_of(known).tz_localize("UTC")})


def as_known(observations: pd.DataFrame, sessions: pd.DatetimeIndex, stale_after_days: int) -> pd.DataFrame:
    """Look up, for each session's decision, the newest observation known then.

    Args:
        observations: ``date``, ``value``, ``known_at``; no NaN.
        sessions: naive session dates, increasing; the decision is at 00:00 UTC of each.
        stale_after_days: calendar days from the date to the decision after which the value is too old to use.

    Returns:
        Indexed by `sessions`: ``value`` of the newest date, in its newest vintage (NaN where none is known or the
        newest is too old), ``observed`` (that date) and ``known`` (its ``known_at``); these two are given for a value
        that is too old as well, and are NaT where none is known.
    """
    value, observed, known = known_values(_arrays(observations), microseconds(sessions), stale_after_days)
    columns = {"value": value, "observed": moments_of(observed), "known": moments_of(known).tz_localize("UTC")}
    return pd.DataFrame(columns, index=sessions)


def sample_at_decisions(states: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Read a state that changes at known moments at each session's decision.

    Args:
        states: indexed by the moment (UTC, increasing, unique) from which each row holds; it may hold NaN.
        sessions: naive session dates, increasing.

    Returns:
        The row that holds at each decision, indexed by `sessions`; NaN and NaT before the first.
    """
    return states.reindex(decision_times(sessions), method="ffill").set_index(sessions)


def basis_points(difference: pd.Series) -> pd.Series:
    """Turn differences of rates from percentage points into basis points; NaN stays NaN.

    Rounded to a millionth: this takes off what binary fractions add, so that a rate that did not move gives exactly 0.
    """
    return (100 * difference).round(6)


def _arrays(observations: pd.DataFrame) -> Observations:
    days, known = microseconds(observations["date"]), microseconds(observations["known_at"])
    return in_order(days, observations["value"].to_numpy(dtype=float), known)
