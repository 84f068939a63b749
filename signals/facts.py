"""The tables of a market as arrays, laid out once for all blocks."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from data.errors import InputError
from data.events.coverage import CoverageKind
from signals.block import SignalData
from signals.config import SignalConfig
from signals.known import DAY, NEVER, Array, Observations, in_order, microseconds
from signals.windows import PLAIN, Windows

T = TypeVar("T")


class Span(NamedTuple):
    """First and last day on which the events of one company and kind are complete, `signals.known`'s microseconds."""

    begin: int
    end: int

    def holds(self, sessions: Array, grace_days: int) -> Array:
        """Whether silence says at each decision that nothing happened: in the span, and some days after its end."""
        inside: Array = (sessions >= self.begin) & (sessions <= self.end + grace_days * DAY)
        return inside


class Facts:
    """What blocks are made from, thing by thing.

    Attributes:
        data: the tables.
        sessions: `signals.known`'s microseconds; the decision for each is at its midnight.
        windows: what measures trailing windows.
    """

    windows: Windows = PLAIN

    def __init__(self, data: SignalData) -> None:
        self.data = data
        self.sessions = microseconds(data.sessions)
        self._taken: dict[str, Observations] = {}

    def once(self, stage: str, config: SignalConfig, make: Callable[[SignalConfig], T]) -> T:
        """Work out a stage of the signal; where many configurations are asked for, it may be recalled.

        Args:
            stage: name of it. What is made follows from these facts and from the keys that are read of the
                configuration alone, and nobody writes to it.
            config: of the signal.
            make: is given the configuration.
        """
        return make(config)

    def has(self, name: str) -> bool:
        """Whether the market holds a series, be it blank."""
        return name in self._rows_of

    def series(self, name: str) -> Observations:
        """Take the observations of one series; blank values are skipped.

        Raises:
            InputError: the series has no row, an infinite value, a value without ``known_at``, or two values for one
                date and ``known_at``.
        """
        if name not in self._taken:
            self._taken[name] = self._observations(name)
        return self._taken[name]

    def _observations(self, name: str) -> Observations:
        rows = self._rows_of.get(name)
        if rows is None:
            raise InputError(
                f"series {name}: got no row, wanted its observations; the signal needs it: import {name}.csv"
            )
        day, value, known = (column[rows] for column in self._columns)
        present = ~np.isnan(value)
        day, value, known = day[present], value[present], known[present]
        if np.isinf(value).any():
            raise InputError(f"series {name}: got an infinite value, wanted a number or a blank; correct the row")
        if (known == NEVER).any():
            raise InputError(
                f"series {name}: got a value for {_day(day[known == NEVER][0])} without known_at, wanted the time; add "
                "it"
            )
        observations = in_order(day, value, known)
        again = (np.diff(observations.day) == 0) & (np.diff(observations.known) == 0)
        if again.any():
            raise InputError(
                f"series {name}: got two values for {_day(observations.day[:-1][again][0])} with one known_at, wanted "
                "one; take one out, or give a revision its own known_at"
            )
        return observations

    def span(self, kind: CoverageKind, company: str) -> Span | None:
        """Find the span in which the events of one company and kind are complete; None where nothing says so."""
        return self._spans.get((kind, company))

    @cached_property
    def _spans(self) -> dict[tuple[str, str], Span]:
        rows = self.data.coverage
        ends = zip(
            microseconds(rows["complete_from"]).tolist(), microseconds(rows["complete_to"]).tolist(), strict=True
        )
        names = zip(rows["kind"].tolist(), rows["company"].tolist(), strict=True)
        return {name: Span(*span) for name, span in zip(names, ends, strict=True)}

    @cached_property
    def _rows_of(self) -> dict[str, Array]:
        places, names = pd.factorize(self.data.series["series"])
        order = np.argsort(places, kind="stable")
        ends = np.cumsum(np.bincount(places, minlength=len(names)))
        return {
            str(name): order[end - size : end] for name, end, size in zip(names, ends, np.bincount(places), strict=True)
        }

    @cached_property
    def _columns(self) -> tuple[Array, Array, Array]:
        series = self.data.series
        known = microseconds(series["known_at"])
        return (
            microseconds(series["date"]),
            series["value"].to_numpy(dtype=float),
            np.where(series["known_at"].isna(), NEVER, known),
        )


def _day(number: int) -> str:
    return str(np.datetime64(int(number), "us").astype("datetime64[D]"))
