"""Observations as they were known: what a decision may look at, and nothing that became known later.

Observations are frames of ``date`` (naive, what the value is about), ``value`` and ``known_at`` (UTC, when it was
public), one row a date and vintage. Every step keeps both times, so that a derived value is known when the last of its
parts is.
"""

from bisect import insort
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.clock import decision_times
from data.errors import InputError


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
    first, *others = [frame.rename(columns={"value": name}) for name, frame in observations.items()]
    together = first
    for other in others:
        pairs = together.merge(other, on="date", suffixes=("", "_other"))
        pairs["known_first"] = pairs["known_at"]
        pairs["known_at"] = pairs[["known_first", "known_at_other"]].max(axis=1)
        # Of the pairs of vintages known at one moment, the one that is newest in both stands.
        pairs = pairs.sort_values(["date", "known_at", "known_first", "known_at_other"])
        pairs = pairs.drop_duplicates(["date", "known_at"], keep="last")
        together = pairs.drop(columns=["known_first", "known_at_other"])
    return together.sort_values(["known_at", "date"], ignore_index=True)


def trailing_mean(observations: pd.DataFrame, count: int) -> pd.DataFrame:
    """Average the newest observations, anew whenever one of them becomes known or is revised.

    Args:
        observations: ``date``, ``value``, ``known_at``; no NaN.
        count: observations in a mean, counted in dates with a value, each in its newest vintage.

    Returns:
        ``date`` (the newest in the mean), ``value``, ``known_at``; no row while fewer than `count` dates are known.
    """
    ordered = observations.sort_values(["known_at", "date"], ignore_index=True)
    # Days as whole numbers: comparing time stamps would take most of the time.
    numbers: list[int] = ordered["date"].to_numpy().astype("int64").tolist()
    days: list[int] = []
    values: dict[int, float] = {}
    newest_days, means, rows = [], [], []
    for row, (day, value) in enumerate(zip(numbers, ordered["value"].tolist(), strict=True)):
        if day not in values:
            insort(days, day)
        values[day] = value
        newest = days[-count:]
        if len(newest) == count and day >= newest[0]:
            newest_days.append(newest[-1])
            means.append(sum(values[each] for each in newest) / count)
            rows.append(row)
    dates = np.array(newest_days, dtype="int64").astype(ordered["date"].to_numpy().dtype)
    frame = pd.DataFrame({"date": dates, "value": means, "known_at": ordered["known_at"].iloc[rows].array})
    frame = frame.astype({name: observations[name].dtype for name in frame.columns})
    return frame.drop_duplicates(["date", "known_at"], keep="last", ignore_index=True)


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
    ordered = observations.sort_values(["known_at", "date"], ignore_index=True)
    days = ordered["date"].to_numpy()
    # A row that is about the newest date so far takes over; the others are late news of the past.
    takes_over = days == np.maximum.accumulate(days)
    states = ordered[takes_over].drop_duplicates("known_at", keep="last")
    states = states.rename(columns={"date": "observed"}).assign(known=states["known_at"]).set_index("known_at")
    known = sample_at_decisions(states, sessions)
    age = (sessions - pd.DatetimeIndex(known["observed"])).days
    known["value"] = known["value"].mask(age > stale_after_days)
    return known[["value", "observed", "known"]]


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
