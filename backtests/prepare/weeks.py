"""Weeks as their returns and the changes of rates and liquidity came to be known, for exposures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.clock import FIRST_DAY, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import adjusted_closes
from signals.blocks.level import MILLIONS_PER_BILLION, SERIES
from signals.observations import same_day_observations, series_observations
from strategies.rebalancing import period_begins

RATES = {"real_yield": "DFII10", "breakeven": "T10YIE", "credit_spread": "BAA10Y"}
NET_LIQUIDITY, SCORE = "net_liquidity", "score"
FACTORS = (*RATES, NET_LIQUIDITY, SCORE)
PERCENT = 100.0
# From the first session after a week to the one at whose decision its figures are public, holidays of bonds among them.
SESSIONS_LATER = 2


@dataclass(frozen=True, eq=False)
class Weeks:
    """Weeks, each on the first session after it: the row of a week holds what happened before that session.

    Attributes:
        returns: of each instrument from the last close before one such session to that before the next, fractions;
            NaN where a week has no close.
        market: likewise of the benchmark.
        factors: changes over the week: of yields and spreads in percentage points, of net liquidity in percent, of the
            score as it is. NaN where the week or the one before has no value.
        counts_from: the session from whose decision on a week counts: the third after it, for the figures of a Friday
            are published on the business day after it. What was not public then stands for no value of the week.
    """

    returns: pd.DataFrame
    market: pd.Series
    factors: pd.DataFrame
    counts_from: pd.Series

    def at(self, session: pd.Timestamp) -> "Weeks":
        """Return the weeks that count at the decision for a session."""
        upto = (self.counts_from <= session).to_numpy()
        return replace(
            self,
            returns=self.returns[upto],
            market=self.market[upto],
            factors=self.factors[upto],
            counts_from=self.counts_from[upto],
        )


def weeks_of(
    snapshot: Snapshot,
    symbols: Sequence[str],
    benchmark: str,
    last: pd.Timestamp,
    factors: Collection[str],
    score: pd.Series | None = None,
) -> Weeks:
    """Lay out the weeks of a market up to a session.

    Every observation counts as it was first told: what is revised later changes no estimate.

    Args:
        snapshot: bars and series.
        symbols: instruments to measure.
        benchmark: stands for the market.
        last: session; the last week is that before it.
        factors: of `FACTORS`; the market has their series.
        score: of the signal by session decided for; needed for the factor of that name.

    Raises:
        InputError: a series or an instrument without a row.
    """
    tables = {name: _observed(snapshot, name) for name in factors if name != SCORE}
    begin = min([each["date"].min() for each in tables.values()], default=snapshot.bars["date"].min())
    sessions = sessions_between(max(begin, FIRST_DAY), last)
    places = np.flatnonzero(period_begins(sessions, "weekly").to_numpy())
    if len(places) < 2:
        raise InputError(
            f"market {snapshot.name}: got no whole week up to {last.date()}, wanted years of them for exposures"
        )
    days = sessions[places]
    further = sessions.append(sessions_between(last + pd.Timedelta(days=1), last + pd.Timedelta(days=21)))
    counts_from = pd.Series(further[places + SESSIONS_LATER], days)
    columns = {name: _changes(table, counts_from, name == NET_LIQUIDITY) for name, table in tables.items()}
    if SCORE in factors and score is not None:
        columns[SCORE] = score.reindex(days).diff()
    names = [name for name in FACTORS if name in columns]
    prices = {symbol: _prices(adjusted_closes(snapshot, symbol), days) for symbol in {benchmark, *symbols}}
    returns = pd.DataFrame(prices, days).pct_change(fill_method=None).iloc[1:]
    changes = pd.DataFrame(columns, days)[names].iloc[1:]
    return Weeks(returns[list(symbols)], returns[benchmark].rename("market"), changes, counts_from.iloc[1:])


def _observed(snapshot: Snapshot, factor: str) -> pd.DataFrame:
    """``date``, ``value`` and ``known_at`` of what a factor is the change of, each date as it was first told."""
    if factor != NET_LIQUIDITY:
        found = series_observations(snapshot.series, RATES[factor])
    else:
        assets, account, repo = SERIES
        found = same_day_observations({name: series_observations(snapshot.series, name) for name in SERIES})
        found["value"] = found[assets] - found[account] - MILLIONS_PER_BILLION * found[repo]
    return found.drop_duplicates("date", keep="first").sort_values("date", ignore_index=True)


def _changes(table: pd.DataFrame, counts_from: pd.Series, in_percent: bool) -> pd.Series:
    """Changes of the last value of each week that is public when the week begins to count; percent of logarithms."""
    days = pd.DatetimeIndex(counts_from.index)
    dates, known = table["date"].to_numpy(), pd.DatetimeIndex(table["known_at"]).tz_localize(None).to_numpy()
    values = table["value"].to_numpy(dtype=float)
    if in_percent:  # What is not above 0 has no percent.
        values = PERCENT * np.log(np.where(values > 0, values, np.nan))
    ends = np.searchsorted(dates, days.to_numpy(), side="left")
    found = np.full(len(days), np.nan)
    for week, moment in enumerate(counts_from.to_numpy()):
        begin = ends[week - 1] if week else 0
        public = np.flatnonzero(known[begin : ends[week]] <= moment)
        if len(public):
            found[week] = values[begin + public[-1]]
    return pd.Series(found, days).diff()


def _prices(closes: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    """The last close before each day; NaN where the week before it has none."""
    dates = closes.index.to_numpy()
    places = np.searchsorted(dates, days.to_numpy(), side="left") - 1
    begins = np.append(np.datetime64("NaT"), days.to_numpy()[:-1])
    there = (places >= 0) & (dates[np.maximum(places, 0)] >= begins)
    return np.where(there, closes.to_numpy(dtype=float)[np.maximum(places, 0)], np.nan)
