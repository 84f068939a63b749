"""What is set against what: all that the signal says, and the returns of crypto, baskets and spreads after it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.newey_west import CONFIDENCE
from backtests.studies.gauge import leg_means
from backtests.studies.judged.hits import Hits, calls_of, hits
from backtests.studies.judged.regression import holm, slopes, slopes_over
from data.prices.panel import Panel
from signals.liquidity import LiquiditySignal

HORIZONS = (1, 5, 20, 60)
"""Sessions over which returns are added up."""
LAGS = (0, 1, 5, 10)
"""Sessions between a decision and the first return that counts."""
MINIMUM_WINDOWS = 20
"""Windows side by side below which nothing is estimated."""
POWER = 0.8
"""Share of cases in which a slope of the size that is said would be found."""
SCORE = "score"
SPREADS = {"speculative_less_cash_flow": ("speculative", "cash_flow"), "crypto_less_cash_flow": ("crypto", "cash_flow")}
WANTED = {
    "crypto": -1,
    "speculative": -1,
    "cash_flow": 1,
    **dict.fromkeys(SPREADS, -1),
}
"""Sign of each leg while money is scarce, as the thesis has it."""
ALL_YEARS = "all"


def predictors(signal: LiquiditySignal) -> pd.DataFrame:
    """The score, and what each block and each input gives to it, by session decided for; + means scarcer.

    What is missing gives 0, as it does in the score. The columns have two levels: kind (score, block, input) and name.
    """
    said = [(SCORE, SCORE, signal.score)]
    said += [("block", str(name), signal.blocks[name]) for name in signal.blocks]
    said += [("input", str(name), signal.inputs[name]) for name in signal.inputs]
    columns = pd.MultiIndex.from_tuples([(kind, name) for kind, name, _ in said], names=["kind", "predictor"])
    return pd.DataFrame(np.column_stack([each.to_numpy(dtype=float) for *_, each in said]), signal.score.index, columns)


def session_returns(
    panel: Panel,
    tradable: pd.DataFrame,
    legs: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> pd.DataFrame:
    """Returns of legs from the open of each session to that of the next, and of the spreads between legs.

    Args:
        panel: prices.
        tradable: sessions decided for by symbols, as `Panel.tradable` gives it.
        legs: symbols by name of the leg.
        chosen: what is tradable in a leg whose members a rule chooses, in place of `tradable`.

    Returns:
        By session decided for: the mean of the members that are tradable at its decision and have both opens; NaN where
        a leg has none. A leg without members is left out, and so is a spread of it. Equal stakes every session: returns
        of more sessions are sums.
    """
    opens = pd.DataFrame(panel.adjusted_open, index=panel.sessions, columns=list(panel.symbols)).iloc[1:]
    table = leg_means((opens.shift(-1) / opens - 1.0).iloc[:-1], tradable, legs, chosen)
    for name, (long, short) in SPREADS.items():
        if {long, short} <= set(table):
            table[name] = table[long] - table[short]
    return table


def cells_of(said: pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    """One row for each predictor, leg, horizon and lag.

    Args:
        said: as `predictors` gives it, over the sessions of `returns`.
        returns: as `session_returns` gives it.

    Returns:
        Columns kind, predictor, leg, horizon, lag, sessions (of returns), slope (return of the horizon per standard
        deviation of the predictor), low, high (of 95%), t, p, p_holm (over all rows of the score that have a p, or over
        all others), detectable, detectable_holm (the slope that would be found in four of five cases, by itself and
        with all counted), rank_correlation (Spearman's, of overlapping returns), apart_slope, apart_p (the check:
        windows side by side). NaN where there are fewer than `MINIMUM_WINDOWS` windows, or the predictor never moves.
    """
    values = said.loc[returns.index].to_numpy(dtype=float)
    moves = values.std(axis=0) > 1e-12
    deviations = np.where(moves, values.std(axis=0, ddof=1), np.nan) if len(values) > 1 else np.nan * moves
    parts = []
    for leg in (each for each in WANTED if each in returns):
        for horizon in HORIZONS:
            for lag in LAGS:
                found = _cell(values, returns[leg].to_numpy(dtype=float), horizon, lag, deviations)
                keys = said.columns.to_frame(index=False)
                keys["leg"], keys["horizon"], keys["lag"] = leg, horizon, lag
                parts.append(pd.concat([keys, pd.DataFrame(found, keys.index)], axis=1))
    return _with_counts(pd.concat(parts, ignore_index=True))


def _with_counts(table: pd.DataFrame) -> pd.DataFrame:
    """p-values raised for all of their family, and what would be found: the score is asked before its parts."""
    from scipy.stats import t

    p_holm, found = (pd.Series(np.nan, table.index) for _ in range(2))
    for family in (table["kind"] == SCORE, table["kind"] != SCORE):
        p_holm[family] = holm(table.loc[family, "p"].to_numpy())
        tested = max(int(table.loc[family, "p"].notna().sum()), 1)
        rows = table.loc[family]
        edge = t.ppf(1 - (1 - CONFIDENCE) / 2 / tested, rows["freedom"]) + t.ppf(POWER, rows["freedom"])
        found[family] = edge * rows["error"]
    table.insert(list(table).index("p") + 1, "p_holm", p_holm)
    table.insert(list(table).index("detectable") + 1, "detectable_holm", found)
    return table.drop(columns=["error", "freedom"])


def hits_of(regime: pd.Series, score: pd.Series, returns: pd.DataFrame) -> pd.DataFrame:
    """How often the regime was right, over all years and in each, with the score's slope in the same decisions.

    Args:
        regime: by session, over those of `returns`.
        score: likewise.
        returns: as `session_returns` gives it.

    Returns:
        Columns year ("all", or that of the decision), leg, horizon, lag, calls, hit_rate, balanced_accuracy, p_value
        (of all years alone: the calls moved round the sample), slope (per standard deviation of the score over all
        years) and rank_correlation of the score: without an interval, which would be as wide as a year is short.
    """
    sessions = pd.DatetimeIndex(returns.index)
    years = sessions.year.to_numpy()
    held, value = regime.loc[sessions].astype(str).to_numpy(), score.loc[sessions].to_numpy(dtype=float)
    rows = []
    for leg, sign in WANTED.items():
        if leg not in returns:
            continue
        calls = calls_of(held, sign)
        for horizon in HORIZONS:
            for lag in LAGS:
                ahead = sums_ahead(returns[leg].to_numpy(dtype=float), horizon, lag)
                keys = {"leg": leg, "horizon": horizon, "lag": lag}
                for year, chosen in _spans(years, ahead):
                    right = hits(calls[chosen], ahead[chosen], moved=year == ALL_YEARS)
                    rows.append({"year": year, **keys, **_of_year(right, value, ahead, chosen)})
    return pd.DataFrame(rows)


def sums_ahead(returns: np.ndarray, horizon: int, lag: int = 0) -> np.ndarray:
    """The returns of `horizon` sessions from `lag` sessions after each decision on, added up.

    NaN before the first return that there is and where the sample ends earlier; a session without a return adds 0.
    """
    known = np.isfinite(returns)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, returns, 0.0))])
    ahead = np.full(len(returns), np.nan)
    count = len(returns) - horizon - lag + 1
    if count > 0 and known.any():
        begins = np.arange(count) + lag
        ahead[:count] = np.where(begins >= np.argmax(known), total[begins + horizon] - total[begins], np.nan)
    return ahead


def _cell(values: np.ndarray, returns: np.ndarray, horizon: int, lag: int, deviations: np.ndarray) -> dict[str, Any]:
    from scipy.stats import t

    ahead = sums_ahead(returns, horizon, lag)
    complete = np.isfinite(ahead)
    tests = ("slope", "low", "high", "t", "p", "error", "freedom", "detectable")
    names = (*tests, "rank_correlation", "apart_slope", "apart_p")
    sessions = int(np.isfinite(returns).sum())
    if complete.sum() < MINIMUM_WINDOWS * horizon:
        return {"sessions": sessions} | dict.fromkeys(names, np.nan)
    found = slopes_over(values, returns, horizon, lag)
    slope, error = found.slope * deviations, found.error * deviations
    # A leg that never moves has no error, and nothing is told of it.
    error = np.where(error > 0, error, np.nan)
    reach = t.ppf((1 + CONFIDENCE) / 2, found.freedom) * error
    ratio = slope / error
    apart = np.flatnonzero(complete)[::horizon]
    check = slopes(values[apart], ahead[apart])
    check_ratio = check.slope / np.where(check.error > 0, check.error, np.nan)
    numbers = (
        slope,
        slope - reach,
        slope + reach,
        ratio,
        2 * t.sf(np.abs(ratio), found.freedom),
        error,
        np.full(len(error), float(found.freedom)),
        reach + t.ppf(POWER, found.freedom) * error,
        _rank_correlations(values[complete], ahead[complete]),
        check.slope * deviations,
        2 * t.sf(np.abs(check_ratio), check.freedom),
    )
    moves = np.isfinite(deviations)
    return {"sessions": sessions} | {
        name: np.where(moves, each, np.nan) for name, each in zip(names, numbers, strict=True)
    }


def _rank_correlations(values: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each column with a response; NaN where one of them never moves."""
    from scipy.stats import rankdata

    ranks, other = rankdata(values, axis=0), rankdata(response)
    ranks, other = ranks - ranks.mean(axis=0), other - other.mean()
    size = np.sqrt((ranks**2).sum(axis=0) * (other**2).sum())
    found: np.ndarray = (ranks * other[:, np.newaxis]).sum(axis=0) / np.where(size > 0, size, np.nan)
    return found


def _spans(years: np.ndarray, ahead: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    complete = np.isfinite(ahead)
    yield ALL_YEARS, complete
    for year in np.unique(years):
        yield str(year), complete & (years == year)


def _of_year(right: Hits, score: np.ndarray, ahead: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    slope = slopes(score[chosen][:, np.newaxis], ahead[chosen], lags=0).slope if chosen.any() else np.array([np.nan])
    rank = _rank_correlations(score[chosen][:, np.newaxis], ahead[chosen]) if chosen.any() else np.array([np.nan])
    numbers = {"slope": float(slope[0] * score.std(ddof=1)), "rank_correlation": float(rank[0])}
    return {**right._asdict(), **numbers}
