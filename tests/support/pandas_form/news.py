"""Capex as news: each result and each guidance moves the drain by what it says beyond what could be expected.

News is the logarithm of what was announced over what could be expected then. Being a ratio it does not depend on the
company's size; weighted by the company's share of all trailing capex, it is about what the news adds to the logarithm
of what all of them spend, so that news of several companies can be added up.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from data.events.refusals import refuse_rows
from data.market.tables import GUIDANCE
from pandas_form.expectations import Expectation, Spender
from pandas_form.impulses import fading_sum
from pandas_form.spending import fiscal_period, trailing_capex
from signals.config import SignalConfig

RESULT, GUIDED = KINDS = ("result", "guidance")
_ANNOUNCED = {
    "kind": "str",
    "company": "str",
    "about": "str",
    "date": "datetime64[us]",
    "known_at": "datetime64[us, UTC]",
    "usd_bn": "float64",
    "expected_usd_bn": "float64",
    "rests_on": "str",
}
# A fiscal year of 52 weeks, and one of 53 that begins up to a week off the month.
_DAYS_OF_A_YEAR = (357, 378)
_NOT_COMPARABLE = Expectation(math.nan, "not comparable with any other figure")


def capex_news(quarters: Mapping[str, pd.DataFrame], guidance: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    """Score every announcement of capex of the companies that are followed, each by what was known at its moment.

    What could be expected: see `signals.capex.expectations.Spender`.

    Args:
        quarters: by company, see `signals.capex.spending.followed_quarters`.
        guidance: `data.market.tables.GUIDANCE`; of other companies as well.
        config: `capex_stale_days`.

    Returns:
        One row an announcement, in order of ``known_at``: ``kind`` (result or guidance), ``company``, ``about`` (the
        fiscal quarter, or the end of the year guided), ``date`` (end of the quarter; day of the guidance), ``known_at``
        (UTC), ``usd_bn`` (actual or mid-point) and ``expected_usd_bn`` (USD billions), ``rests_on`` (what the
        expectation was made from), ``news`` (log ratio), ``weight`` (share of all trailing capex), ``value`` (their
        product; NaN where the row is not scored) and ``reason`` why it is not ("" where it is).

    Raises:
        InputError: a comparable guidance has no time, no mid-point, low above high, or a period that is no year.
    """
    guidance = guidance[guidance["company"].isin(list(quarters))].sort_values("known_at", kind="stable")
    _require_sound(guidance[guidance["comparable"]])
    rows: list[tuple[object, ...]] = []
    for company, line in quarters.items():
        own = guidance[guidance["company"] == company]
        spender = Spender.of(line, own[own["comparable"]])
        rows += [*_results(company, line, spender), *_guidance(company, own, spender)]
    news = pd.DataFrame(rows, columns=list(_ANNOUNCED)).astype(_ANNOUNCED)
    news = news.sort_values(["known_at", "date", "company", "kind"], kind="stable", ignore_index=True)
    news["weight"] = _weights(news, quarters, config)
    sound = (news["usd_bn"] > 0) & (news["expected_usd_bn"] > 0)
    news["news"] = np.log((news["usd_bn"] / news["expected_usd_bn"]).where(sound))
    news["value"] = news["weight"] * news["news"]
    reason = news["rests_on"].where(news["expected_usd_bn"].isna(), "")
    reason = reason.mask((reason == "") & ~sound, "no logarithm of what is not positive")
    reason = reason.mask(
        (reason == "") & news["weight"].isna(), "no weight: fewer than four quarters in a row are known"
    )
    return news.assign(reason=reason)[[*_ANNOUNCED, "news", "weight", "value", "reason"]]


def fading_news(news: pd.DataFrame, kind: str, sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    """Add up what is left of the scored news of one kind at each decision, see `signals.capex.impulses.fading_sum`.

    Args:
        news: as `capex_news` returns it.
        kind: one of `KINDS`.
        sessions: naive session dates, increasing.
        config: half-life and `capex_stale_days`.
    """
    scored = news[(news["kind"] == kind) & news["value"].notna()]
    return fading_sum(scored, sessions, config.event_half_life_sessions, config.capex_stale_days)


def _results(company: str, quarters: pd.DataFrame, spender: Spender) -> Iterator[tuple[object, ...]]:
    """The results of a company, each with what could be expected of it: the columns of `_ANNOUNCED`."""
    for place in np.flatnonzero(~np.isnat(spender.known)).tolist():
        expected = spender.expected_result(place)
        about = fiscal_period(int(quarters.index[place]))
        times = spender.ends[place], pd.Timestamp(spender.known[place], tz="UTC")
        usd_bn = spender.figures[expected.figure][place]
        yield (RESULT, company, about, *times, usd_bn, expected.usd_bn, expected.rests_on)


def _guidance(company: str, rows: pd.DataFrame, spender: Spender) -> Iterator[tuple[object, ...]]:
    """The guidance of a company, likewise."""
    comparable = iter(spender.guidance)
    about = rows["event"] + ", to " + rows["period_end"].dt.strftime("%Y-%m")
    middle = (rows["low_usd_bn"] + rows["high_usd_bn"]) / 2
    announced = about, rows["announced_at"], rows["known_at"], middle, rows["comparable"]
    for *told, counts in zip(*announced, strict=True):
        expected = spender.expected_guidance(next(comparable)) if counts else _NOT_COMPARABLE
        yield (GUIDED, company, *told, expected.usd_bn, expected.rests_on)


def _weights(news: pd.DataFrame, quarters: Mapping[str, pd.DataFrame], config: SignalConfig) -> pd.Series:
    """The announcing company's share of the trailing capex of all, as far as it is known at the moment."""
    moments = pd.DatetimeIndex(news["known_at"])
    trailing = pd.DataFrame(
        {company: trailing_capex(line, moments, config).to_numpy() for company, line in quarters.items()}
    )
    own = trailing.to_numpy()[np.arange(len(news)), trailing.columns.get_indexer(pd.Index(news["company"]))]
    return pd.Series(own, index=news.index).where(own > 0) / trailing.sum(axis=1)


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
