"""A leg around each day of events: the mean of its members, each in its own event time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtests.studies.event_study.abnormal import Abnormal, StudyConfig
from backtests.studies.event_study.significance import (
    NOTHING,
    Statistic,
    correlated_test,
    mean_correlation,
    mean_test,
    rank_test,
)


@dataclass(frozen=True)
class LegWindow:
    """A leg over one window, and its tests.

    Attributes:
        weeks: (c,) cluster of each observation: events of one calendar week are one observation.
        car: (c,) cumulative abnormal return of the leg, the mean of the week's days; a fraction.
        plain: of `car`.
        standardised: of the cumulative returns over their standard deviation, BMP.
        correlated: of all members as observations, corrected for what moves them together, Kolari and Pynnonen.
        ranks: of Corrado.
        effective: of the members as observations, as many independent ones.
    """

    weeks: np.ndarray
    car: np.ndarray
    plain: Statistic = NOTHING
    standardised: Statistic = NOTHING
    correlated: Statistic = NOTHING
    ranks: Statistic = NOTHING
    effective: float = 0.0


def leg_window(
    found: Abnormal, members: Sequence[int], weeks: np.ndarray, window: int, config: StudyConfig, rows: np.ndarray
) -> LegWindow:
    """Test a leg over one window.

    Args:
        found: of all days of events.
        members: places of the leg's instruments; one that lacks a return in the window is left out of that day.
        weeks: (k,) calendar week of each day of events.
        window: place among the windows of `config`.
        config: windows.
        rows: (k,) which days are asked for, or (k, members) of each member.
    """
    first, last = config.windows[window]
    begin = first - config.reach[0]
    around = found.around[:, members, begin : begin + last - first + 1]
    cars = around.sum(axis=2)
    deviation = found.spread[:, members] * np.sqrt(found.widened[:, members, window])
    there = ~np.isnan(cars) & (deviation > 0) & _by_member(rows)
    days = np.flatnonzero(there.any(axis=1))
    if not len(days):
        return LegWindow(np.array([], dtype=int), np.array([]))
    place, clusters = _clusters(weeks[days])
    fitted = _mean_of(found.fitted[:, members], there)[days]
    in_window = _mean_of(around, there)[days]
    car = in_window.sum(axis=1)
    spread = np.sqrt(np.nansum(np.square(fitted), axis=1) / ((~np.isnan(fitted)).sum(axis=1) - 2))
    widened = _mean_of(found.widened[:, members, window][..., None], there)[days, 0]
    standardised = car / (spread * np.sqrt(widened))
    single, groups = _observations(cars, deviation, there, found.fitted[:, members], weeks)
    correlation = mean_correlation(groups, len(single))
    return LegWindow(
        weeks=clusters,
        car=_by_cluster(car, place, len(clusters)),
        plain=mean_test(_by_cluster(car, place, len(clusters))),
        standardised=mean_test(_by_cluster(standardised, place, len(clusters))),
        correlated=correlated_test(single, correlation),
        ranks=rank_test(
            _rows_by_cluster(fitted, place, len(clusters)), _rows_by_cluster(in_window, place, len(clusters))
        ),
        effective=len(single) / max(1.0 + (len(single) - 1) * correlation, 1.0),
    )


def leg_path(
    found: Abnormal, members: Sequence[int], weeks: np.ndarray, config: StudyConfig, rows: np.ndarray
) -> np.ndarray:
    """(c, p) cumulative abnormal returns of a leg from the first session of the chart on, a row a calendar week."""
    first, last = config.path
    begin = first - config.reach[0]
    around = found.around[:, members, begin : begin + last - first + 1]
    there = ~np.isnan(around.sum(axis=2)) & _by_member(rows)
    days = np.flatnonzero(there.any(axis=1))
    if not len(days):
        return np.empty((0, last - first + 1))
    place, clusters = _clusters(weeks[days])
    return _rows_by_cluster(_mean_of(around, there)[days].cumsum(axis=1), place, len(clusters))


def _by_member(rows: np.ndarray) -> np.ndarray:
    return rows if rows.ndim == 2 else rows[:, None]


def _clusters(weeks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    clusters, place = np.unique(weeks, return_inverse=True)
    return place, clusters


def _mean_of(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(k, ...) mean over the members that are there; NaN where none has a value."""
    given = there[..., None] & ~np.isnan(values)
    count = given.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(given, values, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan))


def _by_cluster(values: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(place, values, count) / np.bincount(place, minlength=count)


def _rows_by_cluster(values: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """(c, ...) mean over the days of a cluster; NaN where none of them has a value."""
    there = ~np.isnan(values)
    sums, counts = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
    np.add.at(sums, place, np.where(there, values, 0.0))
    np.add.at(counts, place, there)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / np.where(counts > 0, counts, np.nan)


def _observations(
    cars: np.ndarray, deviation: np.ndarray, there: np.ndarray, fitted: np.ndarray, weeks: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each member once a week, standardised; and by week what the fit leaves of its members on the first day."""
    with np.errstate(invalid="ignore", divide="ignore"):
        standardised = np.where(there, cars / deviation, np.nan)
    single, groups = list[float](), list[np.ndarray]()
    for week in np.unique(weeks[there.any(axis=1)]):
        days = np.flatnonzero((weeks == week) & there.any(axis=1))
        of_week = standardised[days]
        present = ~np.isnan(of_week).all(axis=0)
        single += np.nanmean(of_week[:, present], axis=0).tolist()
        first = days[np.argmax(~np.isnan(of_week[:, present]), axis=0)]
        groups.append(fitted[first, np.flatnonzero(present)])
    return np.array(single), groups
