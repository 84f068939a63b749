"""Capex as news: each result and each guidance moves the drain by what it says beyond what could be expected.

News is the logarithm of what was announced over what could be expected then. Being a ratio it does not depend on the
company's size; weighted by the company's share of all trailing capex, it is about what the news adds to the logarithm
of what all of them spend, so that news of several companies can be added up.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.events.refusals import refuse_rows
from data.market.tables import GUIDANCE
from signals.capex.expectations import Expectation, Guidance, Spender
from signals.capex.impulses import fading_sum
from signals.capex.spending import Quarters, fiscal_period, trailing_capex
from signals.config import SignalConfig
from signals.known import NAT, NEVER, Array, Known, microseconds, moments_of

RESULT, GUIDED = KINDS = ("result", "guidance")
# A fiscal year of 52 weeks, and one of 53 that begins up to a week off the month.
_DAYS_OF_A_YEAR = (357, 378)
_NOT_COMPARABLE = Expectation(math.nan, "not comparable with any other figure")


class Announced(NamedTuple):
    """One announcement, and what could be expected of it.

    Attributes:
        known: from when it was.
        day: end of the quarter; day of the guidance.
        company: that announced.
        kind: one of `KINDS`.
        about: the fiscal quarter, or the end of the year guided.
        usd_bn: actual or mid-point, USD billions.
        expected: USD billions; NaN where nothing could be expected.
        rests_on: what the expectation was made from, or why there is none.
    """

    known: int
    day: int
    company: str
    kind: str
    about: str
    usd_bn: float
    expected: float
    rests_on: str


class _Statement(NamedTuple):
    """One row of guidance: its day, what it is about, whether it can be compared, and what it says."""

    day: int
    about: str
    comparable: bool
    guidance: Guidance


class News(NamedTuple):
    """Every announcement in order of time, scored.

    Attributes:
        rows: the announcements.
        news: log of what was announced over what was expected; NaN where there is none.
        weight: the company's share of all trailing capex; NaN where it is not known.
    """

    rows: tuple[Announced, ...]
    news: Array
    weight: Array

    @property
    def value(self) -> Array:
        """News times weight; NaN where a row is not scored."""
        value: Array = self.news * self.weight
        return value

    def table(self) -> pd.DataFrame:
        """Lay them out for people, with the ``reason`` why one is not scored ("" where it is)."""
        frame = pd.DataFrame(self.rows, columns=list(Announced._fields))
        reason = np.where(np.isnan(self.weight), "no weight: fewer than four quarters in a row are known", "")
        reason = np.where(np.isnan(self.news), "no logarithm of what is not positive", reason)
        reason = np.where(frame["expected"].isna(), frame["rests_on"], reason)
        return pd.DataFrame(
            {
                "kind": frame["kind"],
                "company": frame["company"],
                "about": frame["about"],
                "date": moments_of(frame["day"].to_numpy(dtype=np.int64)),
                "known_at": moments_of(frame["known"].to_numpy(dtype=np.int64)).tz_localize("UTC"),
                "usd_bn": frame["usd_bn"].astype(float),
                "expected_usd_bn": frame["expected"].astype(float),
                "rests_on": frame["rests_on"],
                "news": self.news,
                "weight": self.weight,
                "value": self.value,
                "reason": reason,
            }
        )


def capex_news(
    quarters: Mapping[str, Quarters],
    guidance: pd.DataFrame,
    config: SignalConfig,
    one_basis_from: Mapping[str, int] | None = None,
) -> News:
    """Score every announcement of capex of the companies that are followed, each by what was known at its moment.

    What could be expected: see `signals.capex.expectations.Spender`.

    Args:
        quarters: by company, see `signals.capex.spending.followed_quarters`.
        guidance: `data.market.tables.GUIDANCE`; of other companies as well.
        config: `capex_stale_days`.
        one_basis_from: by company, the day from which its quarters stand on one basis; all of them where not given.

    Raises:
        InputError: a comparable guidance has no time, no mid-point, low above high, or a period that is no year.
    """
    guidance = guidance[guidance["company"].isin(list(quarters))].sort_values("known_at", kind="stable")
    _require_sound(guidance[guidance["comparable"]])
    bases = one_basis_from or {}
    told = _statements(guidance)
    rows: list[Announced] = []
    for company, line in quarters.items():
        own = told.get(company, [])
        comparable = [statement.guidance for statement in own if statement.comparable]
        spender = Spender.of(line, comparable, bases.get(company, NAT))
        rows += [*_results(company, line, spender), *_guidance(company, own, spender)]
    rows.sort(key=lambda row: (row.known, row.day, row.company, row.kind))
    return News(tuple(rows), _logarithms(rows), _weights(rows, quarters, config))


def with_figure(news: News, place: int, usd_bn: float, quarters: Mapping[str, Quarters], config: SignalConfig) -> News:
    """Let one announcement tell another figure.

    Args:
        news: of all announcements.
        place: of the announcement among them.
        usd_bn: that it tells, USD billions.
        quarters: by company, as they are with that figure.
        config: `capex_stale_days`.
    """
    row = news.rows[place]._replace(usd_bn=usd_bn)
    logarithms, weights = news.news.copy(), news.weight.copy()
    logarithms[place], weights[place] = _logarithms([row])[0], _weights([row], quarters, config)[0]
    return News((*news.rows[:place], row, *news.rows[place + 1 :]), logarithms, weights)


def fading_news(news: News, kind: str, sessions: Array, config: SignalConfig) -> Known:
    """Add up what is left of the scored news of one kind at each decision, see `signals.capex.impulses.fading_sum`.

    Args:
        news: of all announcements.
        kind: one of `KINDS`.
        sessions: increasing.
        config: half-life and `capex_stale_days`.
    """
    value = news.value
    scored = [place for place, row in enumerate(news.rows) if row.kind == kind and not math.isnan(value[place])]
    return fading_sum(
        np.array([news.rows[place].day for place in scored], dtype=np.int64),
        value[scored],
        np.array([news.rows[place].known for place in scored], dtype=np.int64),
        sessions,
        config.event_half_life_sessions,
        config.capex_stale_days,
    )


def _results(company: str, quarters: Quarters, spender: Spender) -> Iterator[Announced]:
    """The results of a company, each with what could be expected of it."""
    for place, known in enumerate(spender.known):
        if known == NEVER:
            continue
        expected = spender.expected_result(place)
        usd_bn = spender.figures[expected.figure][place]
        about = fiscal_period(quarters.first + place)
        yield Announced(known, spender.ends[place], company, RESULT, about, usd_bn, expected.usd_bn, expected.rests_on)


def _guidance(company: str, statements: Sequence[_Statement], spender: Spender) -> Iterator[Announced]:
    """The guidance of a company, likewise."""
    for day, about, comparable, guided in statements:
        expected = spender.expected_guidance(guided) if comparable else _NOT_COMPARABLE
        yield Announced(guided.known, day, company, GUIDED, about, guided.mid, expected.usd_bn, expected.rests_on)


def _statements(guidance: pd.DataFrame) -> dict[str, list[_Statement]]:
    """The rows of a table of guidance by company, in its order."""
    low_high = (guidance["low_usd_bn"].to_numpy(dtype=float) + guidance["high_usd_bn"].to_numpy(dtype=float)) / 2
    priors = guidance[["prior_low_usd_bn", "prior_high_usd_bn"]].to_numpy(dtype=float).sum(axis=1) / 2
    ends = microseconds(guidance["period_end"])
    months = ends.view("datetime64[us]").astype("datetime64[M]").astype(str)
    columns = zip(
        guidance["company"].tolist(),
        microseconds(guidance["announced_at"]).tolist(),
        guidance["event"].tolist(),
        months.tolist(),
        guidance["comparable"].tolist(),
        microseconds(guidance["known_at"]).tolist(),
        microseconds(guidance["period_start"]).tolist(),
        ends.tolist(),
        low_high.tolist(),
        priors.tolist(),
        guidance["basis"].tolist(),
        strict=True,
    )
    told: dict[str, list[_Statement]] = {}
    for company, day, event, month, comparable, *stated in columns:
        statement = _Statement(day, f"{event}, to {month}", comparable, Guidance.of(*stated))
        told.setdefault(company, []).append(statement)
    return told


def _logarithms(rows: Sequence[Announced]) -> Array:
    """What was announced over what was expected; NaN where there is none."""
    actual, expected = np.array([row.usd_bn for row in rows]), np.array([row.expected for row in rows])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((actual > 0) & (expected > 0), np.log(actual / expected), np.nan)


def _weights(rows: Sequence[Announced], quarters: Mapping[str, Quarters], config: SignalConfig) -> Array:
    """The announcing company's share of the trailing capex of all, as far as it is known at the moment."""
    moments = np.array([row.known for row in rows], dtype=np.int64)
    trailing = np.column_stack([trailing_capex(line, moments, config) for line in quarters.values()])
    column = {company: place for place, company in enumerate(quarters)}
    own = trailing[np.arange(len(rows)), [column[row.company] for row in rows]]
    total = np.nansum(trailing, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(own > 0, own / total, np.nan)


def _require_sound(comparable: pd.DataFrame) -> None:
    refuse_rows(
        GUIDANCE, comparable, comparable["known_at"].isna(), "it is comparable and has no known_at; give its time"
    )
    days = (comparable["period_end"] - comparable["period_start"]).dt.days + 1
    reason = "it is comparable and its period is no year; give period_start and period_end, or set comparable to false"
    refuse_rows(GUIDANCE, comparable, ~days.between(*_DAYS_OF_A_YEAR), reason)
    low, high = comparable["low_usd_bn"], comparable["high_usd_bn"]
    unsound = ~((low > 0) & (low <= high) & np.isfinite(high))
    reason = "it is comparable, and low and high are no range of positive numbers; give both, low first"
    refuse_rows(GUIDANCE, comparable, unsound, reason)
