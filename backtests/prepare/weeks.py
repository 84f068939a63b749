"""Weeks as their returns and the changes of rates and liquidity came to be known, for exposures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.clock import FIRST_DAY, decision_times, sessions_between
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


@dataclass(frozen=True, eq=False)
class Weeks:
    """Weeks, each on the first session after it: the row of a week holds what happened before that session.

    Attributes:
        returns: of each instrument from the last close before one such session to that before the next, fractions;
            NaN where a week has no close.
        market: likewise of the benchmark.
        factors: changes over the week: of yields and spreads in percentage points, of net liquidity in percent, of the
            score as it is. NaN where the week or the one before has no value.
        known: by week and factor, the moment at which the change is known, UTC; NaT where there is none.
    """

    returns: pd.DataFrame
    market: pd.Series
    factors: pd.DataFrame
    known: pd.DataFrame

    def at(self, session: pd.Timestamp) -> "Weeks":
        """Return the weeks as the decision for a session knows them: up to the last whose changes are all told."""
        [moment] = decision_times(pd.DatetimeIndex([session]))
        told = (self.known <= moment) | self.factors.isna()
        upto = (self.returns.index <= session) & told.all(axis=1).to_numpy()
        return replace(
            self,
            returns=self.returns[upto],
            market=self.market[upto],
            factors=self.factors[upto],
            known=self.known[upto],
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
    days = sessions[period_begins(sessions, "weekly").to_numpy()]
    if len(days) < 2:
        raise InputError(
            f"market {snapshot.name}: got no whole week up to {last.date()}, wanted years of them for exposures"
        )
    columns, known = {}, {}
    for name, table in tables.items():
        change = np.log if name == NET_LIQUIDITY else np.asarray
        scale = PERCENT if name == NET_LIQUIDITY else 1.0
        columns[name], known[name] = _changes(table, days, change, scale)
    if SCORE in factors and score is not None:
        columns[SCORE] = score.reindex(days).diff()
        known[SCORE] = pd.Series(decision_times(days), days)
    names = [name for name in FACTORS if name in columns]
    prices = {symbol: _prices(adjusted_closes(snapshot, symbol), days) for symbol in {benchmark, *symbols}}
    returns = pd.DataFrame(prices, days).pct_change(fill_method=None).iloc[1:]
    return Weeks(
        returns[list(symbols)],
        returns[benchmark].rename("market"),
        pd.DataFrame(columns, days)[names].iloc[1:],
        pd.DataFrame(known, days)[names].iloc[1:],
    )


def _observed(snapshot: Snapshot, factor: str) -> pd.DataFrame:
    """``date``, ``value`` and ``known_at`` of what a factor is the change of, each date as it was first told."""
    if factor != NET_LIQUIDITY:
        found = series_observations(snapshot.series, RATES[factor])
    else:
        assets, account, repo = SERIES
        found = same_day_observations({name: series_observations(snapshot.series, name) for name in SERIES})
        found["value"] = found[assets] - found[account] - MILLIONS_PER_BILLION * found[repo]
    return found.drop_duplicates("date", keep="first").sort_values("date", ignore_index=True)


def _changes(table: pd.DataFrame, days: pd.DatetimeIndex, scaled: object, scale: float) -> tuple[pd.Series, pd.Series]:
    """Changes of the last value of each week, and when both of its values were known."""
    dates = table["date"].to_numpy()
    places = np.searchsorted(dates, days.to_numpy(), side="left") - 1
    begins = np.append(np.datetime64("NaT"), days.to_numpy()[:-1])
    there = (places >= 0) & (dates[np.maximum(places, 0)] >= begins)
    assert callable(scaled)
    values = np.where(there, np.asarray(scaled(table["value"].to_numpy(dtype=float)))[np.maximum(places, 0)], np.nan)
    moments = table["known_at"].iloc[np.maximum(places, 0)].set_axis(days).where(pd.Series(there, days))
    both = pd.concat([moments, moments.shift()], axis=1).max(axis=1, skipna=False)
    return pd.Series(values * scale, days).diff(), both


def _prices(closes: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    """The last close before each day; NaN where the week before it has none."""
    dates = closes.index.to_numpy()
    places = np.searchsorted(dates, days.to_numpy(), side="left") - 1
    begins = np.append(np.datetime64("NaT"), days.to_numpy()[:-1])
    there = (places >= 0) & (dates[np.maximum(places, 0)] >= begins)
    return np.where(there, closes.to_numpy(dtype=float)[np.maximum(places, 0)], np.nan)
