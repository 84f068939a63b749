"""The tables of an event study, from abnormal returns around its days."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from backtests.studies.event_study.abnormal import Abnormal, StudyConfig
from backtests.studies.event_study.events import weeks_of
from backtests.studies.event_study.legs import LegWindow, leg_path, leg_window
from backtests.studies.robust import robust_slope

TERCILES = ("low", "middle", "high")
LEVEL = 0.05
# In so many of such studies a slope that is there is to be found.
POWER = 0.8
# Weeks below which no slope is estimated.
LEAST_WEEKS = 20


@dataclass(frozen=True)
class Measured:
    """Events and abnormal returns, and the tables that are made of them.

    Attributes:
        sessions: of the study.
        events: as `backtests.studies.event_study.events.study_events` gives them.
        days: on which something could first be answered, each once: places of the sessions of stocks and of coins.
        place: of each event's day among them.
        found: abnormal returns around the days.
        config: windows.
        legs: symbols by leg; those that are one symbol by itself come last.
        names: symbols, in the order of `found`.
        chosen: of a leg whose members a rule chooses, (days, members) whether each is in it on each day.
    """

    sessions: pd.DatetimeIndex
    events: pd.DataFrame
    days: pd.DataFrame
    place: np.ndarray
    found: Abnormal
    config: StudyConfig
    legs: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    chosen: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def weeks(self) -> np.ndarray:
        """The calendar week of each day."""
        return weeks_of(self.sessions, self.days["stocks"].tolist())

    @property
    def _wide(self) -> int:
        """How many legs are more than one symbol by itself."""
        return len(self.legs) - len(self.names)

    def rows_of(self, kind: str) -> np.ndarray:
        """Which days have an event of a kind."""
        rows = np.zeros(len(self.days), dtype=bool)
        rows[self.place[(self.events["kind"] == kind).to_numpy()]] = True
        return rows

    def members(self, leg: str) -> list[int]:
        """Places of the instruments of a leg."""
        return [self.names.index(symbol) for symbol in self.legs[leg]]

    def asked(self, leg: str, rows: np.ndarray) -> np.ndarray:
        """Some days, for each member of a leg where a rule chooses them."""
        return rows[:, None] & self.chosen[leg] if leg in self.chosen else rows

    def windows(self, kind: str, leg: str) -> list[LegWindow]:
        """A leg over every window around the events of a kind; each is worked out once."""
        if (kind, leg) not in self._made:
            rows, members = self.rows_of(kind), self.members(leg)
            self._made[kind, leg] = [
                leg_window(self.found, members, self.weeks, window, self.config, self.asked(leg, rows))
                for window in range(len(self.config.windows))
            ]
        return self._made[kind, leg]

    @cached_property
    def _made(self) -> dict[tuple[str, str], list[LegWindow]]:
        return {}

    def counts(self, kinds: Collection[str]) -> pd.DataFrame:
        """How many events, days and weeks, see `backtests.studies.event_study.study.EventStudy`, as of the others."""
        made, longest = [], max(last - first for first, last in self.config.windows)
        for kind in kinds:
            rows = self.rows_of(kind)
            days = np.unique(self.days["stocks"].to_numpy()[rows])
            weeks = np.unique(self.weeks[rows])
            starts = self.days["stocks"].to_numpy()[rows]
            first_of_week = np.array([starts[self.weeks[rows] == week].min() for week in weeks])
            overlapping = int((np.diff(first_of_week) <= longest).sum()) if len(weeks) > 1 else 0
            events = int((self.events["kind"] == kind).sum())
            unfitted, blank = self._left_out(rows)
            made.append(
                {"kind": kind, "events": events, "days": len(days), "weeks": len(weeks), "overlapping": overlapping}
                | {"answers": int(rows.sum()) * len(self.names), "unfitted": unfitted, "blank": blank}
            )
        return pd.DataFrame(made)

    def _left_out(self, rows: np.ndarray) -> tuple[int, int]:
        """Answers of one instrument to one day: those that have no fit, and those that have, and lack a return."""
        around, first = self.found.around[rows], self.config.reach[0]
        unfitted = np.isnan(self.found.spread[rows])
        blank = np.zeros(unfitted.shape, dtype=bool)
        for begin, end in self.config.windows:
            blank |= np.isnan(around[..., begin - first : end + 1 - first]).any(axis=2)
        return int(unfitted.sum()), int((blank & ~unfitted).sum())

    def tests(self, kinds: Collection[str]) -> pd.DataFrame:
        """Mean and tests of every kind, leg and window."""
        rows = []
        for kind in kinds:
            for leg in self.legs:
                for (first, last), each in zip(self.config.windows, self.windows(kind, leg), strict=True):
                    told: dict[str, Any] = {"kind": kind, "leg": leg, "first": first, "last": last}
                    told |= _mean(each.car)
                    named = (
                        ("t", each.plain),
                        ("bmp", each.standardised),
                        ("kp", each.correlated),
                        ("corrado", each.ranks),
                    )
                    for name, statistic in named:
                        told |= {name: statistic.value, f"p_{name}": statistic.p_value}
                    rows.append(told | {"effective": each.effective})
        return _with_holm(pd.DataFrame(rows), "p_bmp", self._wide)

    def news_by_week(self, kind: str) -> pd.Series:
        """The news of a kind by calendar week: all of its announcements added up."""
        of_kind = self.events[(self.events["kind"] == kind) & self.events["news"].notna()]
        weeks = self.weeks[self.place[of_kind.index.to_numpy()]]
        return of_kind["news"].groupby(weeks).sum()

    def surprises(self, kinds: Collection[str]) -> pd.DataFrame:
        """Mean by tercile of news."""
        rows = []
        for kind, leg, window, car in self._with_news(kinds):
            third = _thirds(car["news"])
            for place, name in enumerate(TERCILES):
                values = car["car"][third == place].to_numpy()
                rows.append(
                    {"kind": kind, "leg": leg, "first": window[0], "last": window[1], "tercile": name, **_mean(values)}
                )
        columns = ["kind", "leg", "first", "last", "tercile", "weeks", "mean", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def slopes(self, kinds: Collection[str]) -> pd.DataFrame:
        """Slopes on news."""
        rows = [
            {"kind": kind, "leg": leg, "first": window[0], "last": window[1], **_slope(car)}
            for kind, leg, window, car in self._with_news(kinds)
        ]
        columns = ["kind", "leg", "first", "last", "weeks", "slope", "low", "high", "p_slope", "detectable"]
        return _with_holm(pd.DataFrame(rows, columns=columns), "p_slope", self._wide)

    def _with_news(self, kinds: Collection[str]) -> list[tuple[str, str, tuple[int, int], pd.DataFrame]]:
        """By kind, leg and window: news and cumulative abnormal return of the weeks that have both."""
        found = []
        for kind in kinds:
            news = self.news_by_week(kind)
            if news.empty:
                continue
            for leg in self.legs:
                for window, each in zip(self.config.windows, self.windows(kind, leg), strict=True):
                    car = pd.Series(each.car, index=each.weeks)
                    found.append((kind, leg, window, pd.DataFrame({"news": news, "car": car}).dropna()))
        return found

    def paths(self, kinds: Collection[str]) -> pd.DataFrame:
        """Mean by session of the chart."""
        rows = []
        for kind in kinds:
            asked, weeks = self.rows_of(kind), self.weeks
            for leg in self.legs:
                path = leg_path(self.found, self.members(leg), weeks, self.config, self.asked(leg, asked))
                for at, session in enumerate(range(self.config.path[0], self.config.path[1] + 1)):
                    rows.append({"kind": kind, "leg": leg, "session": session, **_mean(path[:, at])})
        return pd.DataFrame(rows)


def _thirds(news: pd.Series) -> pd.Series:
    """0, 1 or 2 of the lowest, middle and highest third; equal news are in one, and all news alike in the middle."""
    share = (news.rank() - 1.0) / max(len(news) - 1, 1)
    return (share > 1 / 3).astype(int) + (share > 2 / 3).astype(int)


def _mean(values: np.ndarray) -> dict[str, Any]:
    """Mean of a week's values and its interval, t-distributed."""
    count = len(values)
    if count < 3:
        return {"weeks": count, "mean": float(values.mean()) if count else np.nan, "low": np.nan, "high": np.nan}
    from scipy.stats import t

    mean = float(values.mean())
    half = float(t.ppf(1 - LEVEL / 2, count - 1)) * float(values.std(ddof=1)) / np.sqrt(count)
    return {"weeks": count, "mean": mean, "low": mean - half, "high": mean + half}


def _slope(car: pd.DataFrame) -> dict[str, Any]:
    """The slope of returns on news in its standard deviations; a few announcements bear most of the news."""
    found = {"weeks": len(car), **dict.fromkeys(("slope", "low", "high", "p_slope", "detectable"), np.nan)}
    deviation = car["news"].std(ddof=1)
    if len(car) < LEAST_WEEKS or not deviation > 0:
        return found
    fit = robust_slope(car["car"].to_numpy(), np.column_stack([np.ones(len(car)), car["news"] / deviation]))
    reach, detectable = fit.reach(LEVEL), fit.detectable(LEVEL, POWER)
    told = (fit.value, fit.value - reach, fit.value + reach, fit.p_value, detectable)
    return {"weeks": len(car), **dict(zip(("slope", "low", "high", "p_slope", "detectable"), told, strict=True))}


def _with_holm(rows: pd.DataFrame, p_value: str, wide: int) -> pd.DataFrame:
    """p-values corrected for all that were made: of the wide legs, and of single names (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests

    legs = list(dict.fromkeys(rows["leg"]))
    is_wide = rows["leg"].isin(legs[:wide])
    corrected = pd.Series(np.nan, index=rows.index)
    for of_legs in (is_wide, ~is_wide):
        made = of_legs & rows[p_value].notna()
        if made.any():
            corrected[made] = multipletests(rows.loc[made, p_value], method="holm")[1]
    return rows.assign(holm=corrected)
