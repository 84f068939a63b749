"""What the instruments of a spec answer to, and whether that ranks them as its baskets do. Nothing reads it."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from backtests.prepare.accounts import valuation
from backtests.prepare.choice import with_choice
from backtests.prepare.signal import read_signal
from backtests.prepare.span import Span
from backtests.prepare.weeks import FACTORS, NET_LIQUIDITY, RATES, SCORE, Weeks, weeks_of
from backtests.spec.spec import Spec
from backtests.studies.robust import RobustSlope, robust_slope
from data.errors import InputError
from data.market.snapshot import Snapshot
from signals.blocks.level import SERIES
from strategies.exposures import DURATION, LEAST_WEEKS, TOGETHER, WINDOW_WEEKS, duration_score, exposures
from strategies.rule import CHOSEN

# What a long duration, or a life on abundant liquidity, would make of each slope.
SIGNS = {"real_yield": -1, "breakeven": -1, "credit_spread": -1, NET_LIQUIDITY: 1, SCORE: -1}
IMPLIED, YIELD = "implied_duration", "cash_flow_yield"
# Sessions of the first decisions of quarters are where the rolling window is looked at.
EVERY_WEEKS = 13
FEWEST = 3
LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True, eq=False)
class Exposures:
    """What instruments answered to up to a decision.

    Attributes:
        spec: whose instruments they are.
        snapshot: that was read.
        session: of the decision.
        weeks: the last one that it knows of.
        slopes: as `strategies.exposures.exposures` gives them.
        ranked: by asset, columns basket, duration (empirical), implied_duration (years), cash_flow_yield, figures_to
            (last day of the oldest figure behind these two), days_old (at the session), source, missing (what filings
            do not tell), stale (what they tell too old); the longest duration first.
        rolling: the same slopes each quarter: columns session, factor, asset, slope, error, shrunk, weeks.
        agreement: columns one, other, correlation (Spearman), assets: of rankings, each with what is long, or
            speculative, first.
        baskets: columns ranking, share (of pairs of one speculative and one cash_flow name, in how many the speculative
            one ranks higher; 0.5 by chance), speculative, cash_flow (how many), and of the returns of the one basket
            less those of the other, in which what moves a basket together counts once: difference (of what they
            answered to, in the sense of the ranking), low, high, p_value, detectable (what would be found in four of
            five cases). NaN for what filings tell.
        quarters: by quarter, that share of the empirical duration.
        lacking: factors whose series the market has not.
    """

    spec: Spec
    snapshot: Snapshot
    session: pd.Timestamp
    weeks: pd.Timestamp
    slopes: pd.DataFrame
    ranked: pd.DataFrame
    rolling: pd.DataFrame
    agreement: pd.DataFrame
    baskets: pd.DataFrame
    quarters: pd.Series
    lacking: tuple[str, ...]


def study_exposures(spec: Spec, snapshot: Snapshot, session: pd.Timestamp) -> Exposures:
    """Estimate and rank.

    Args:
        spec: universe and signal; under a rule the baskets that are in force.
        snapshot: prices, rates, results.
        session: decided for.

    Raises:
        InputError: the market has none of the rates, or too few weeks.
    """
    baskets = _baskets(spec, snapshot, session)
    held = set(snapshot.series["series"].unique())
    needed = {**{name: (series,) for name, series in RATES.items()}, NET_LIQUIDITY: SERIES, SCORE: ()}
    factors = [name for name in FACTORS if held.issuperset(needed[name])]
    if not set(factors) & set(RATES):
        raise InputError(
            f"market {snapshot.name} has none of {', '.join(RATES.values())}, wanted the rates that exposures are to; "
            "import them with --macro"
        )
    score = read_signal(spec, snapshot, session).score
    weeks = weeks_of(snapshot, list(baskets), spec.universe.benchmark, session, factors, score)
    slopes, last = _at(weeks, session)
    if slopes["slope"].notna().sum() == 0:
        raise InputError(f"market {snapshot.name} has no {LEAST_WEEKS} weeks before {session.date()} of any instrument")
    ranked = _ranked(slopes, baskets, snapshot, session)
    quarters = weeks.returns.index[LEAST_WEEKS + 1 :: EVERY_WEEKS]
    rolling = pd.concat([_at(weeks, day)[0].assign(session=day).reset_index() for day in quarters], ignore_index=True)
    return Exposures(
        spec=spec,
        snapshot=snapshot,
        session=session,
        weeks=last,
        slopes=slopes,
        ranked=ranked,
        rolling=rolling[["session", "factor", "asset", "slope", "error", "shrunk", "weeks"]],
        agreement=_agreement(rankings(slopes, ranked)),
        baskets=_against(rankings(slopes, ranked), ranked["basket"], weeks.at(session)),
        quarters=_by_quarter(rolling, ranked["basket"]),
        lacking=tuple(name for name in FACTORS if name not in factors),
    )


def rankings(slopes: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """Every ranking, assets by name of it, higher for what is long or speculative."""
    own = slopes["shrunk"].unstack("factor")
    columns = {DURATION: ranked[DURATION], IMPLIED: ranked[IMPLIED], YIELD: -ranked[YIELD]}
    columns |= {name: sign * own[name] for name, sign in SIGNS.items() if name in own}
    return pd.DataFrame(columns).dropna(axis="columns", how="all")


def _baskets(spec: Spec, snapshot: Snapshot, session: pd.Timestamp) -> dict[str, str]:
    """The basket of each instrument outside the reserve."""
    chosen = with_choice(spec, snapshot, Span(session, session))
    if chosen.universe.rule is None:
        return {name: basket for basket in CHOSEN for name in getattr(chosen.universe, basket)}
    row = chosen.universe.choice.on(pd.DatetimeIndex([session])).iloc[0]
    return {str(name): str(basket) for name, basket in row[row != ""].items()}


def _at(weeks: Weeks, session: pd.Timestamp) -> tuple[pd.DataFrame, pd.Timestamp]:
    """The slopes as the decision for a session knows them, and the last week behind them."""
    known = weeks.at(session)
    return exposures(known.returns, known.market, known.factors), weeks.returns.index[max(len(known.returns) - 1, 0)]


def _ranked(slopes: pd.DataFrame, baskets: dict[str, str], snapshot: Snapshot, session: pd.Timestamp) -> pd.DataFrame:
    names = list(baskets)
    told = {name: valuation(snapshot, name, session) for name in names}
    days = pd.DatetimeIndex([told[name].figures_to for name in names])
    both = {"real_yield", "credit_spread"} <= set(slopes.index.unique("factor"))
    table = pd.DataFrame(
        {
            "basket": [baskets[name] for name in names],
            DURATION: duration_score(slopes).reindex(names) if both else np.nan,
            IMPLIED: [told[name].implied_duration for name in names],
            YIELD: [told[name].cash_flow_yield for name in names],
            "figures_to": days,
            "days_old": (session - days).days,
            "source": [told[name].source for name in names],
            "missing": [", ".join(told[name].missing) for name in names],
            "stale": [", ".join(told[name].stale) for name in names],
        },
        names,
    )
    return table.sort_values(DURATION, ascending=False, kind="stable")


def _agreement(ranks: pd.DataFrame) -> pd.DataFrame:
    """Rank correlations of all pairs of rankings, over the assets that both have."""
    rows = []
    for one, other in combinations(ranks.columns, 2):
        pair = ranks[[one, other]].dropna()
        known = len(pair) >= FEWEST
        correlation = float(pair[one].rank().corr(pair[other].rank())) if known else np.nan
        rows.append((one, other, correlation, len(pair)))
    return pd.DataFrame(rows, columns=["one", "other", "correlation", "assets"])


def _share(values: pd.Series, baskets: pd.Series) -> tuple[float, int, int]:
    """In how many pairs a speculative name ranks above a cash_flow one; ties count half."""
    known = values.dropna()
    long, short = (known[baskets.reindex(known.index) == name].to_numpy() for name in CHOSEN)
    if not len(long) or not len(short):
        return np.nan, len(long), len(short)
    apart = np.sign(long[:, np.newaxis] - short[np.newaxis, :])
    return float((apart.mean() + 1) / 2), len(long), len(short)


def _against(ranks: pd.DataFrame, baskets: pd.Series, weeks: Weeks) -> pd.DataFrame:
    last = slice(-WINDOW_WEEKS, None)
    groups = [weeks.returns.iloc[last][baskets.index[baskets == name]].mean(axis=1) for name in CHOSEN]
    apart, index, changes = groups[0] - groups[1], weeks.market.iloc[last], weeks.factors.iloc[last]
    rows = []
    for name, values in ranks.items():
        told = dict.fromkeys(("difference", "low", "high", "p_value", "detectable"), np.nan)
        tested = _tested(str(name), ranks, changes)
        if tested is not None:
            found = _slope_apart(apart, pd.concat([index, *tested], axis=1))
            reach = found.reach(LEVEL)
            interval = (found.value, found.value - reach, found.value + reach)
            told = dict(zip(told, (*interval, found.p_value, found.detectable(LEVEL, POWER)), strict=True))
        rows.append({"ranking": name, **dict(zip(("share", *CHOSEN), _share(values, baskets), strict=True)), **told})
    return pd.DataFrame(rows)


def _slope_apart(apart: pd.Series, regressors: pd.DataFrame) -> RobustSlope:
    """The slope of one basket less the other on the last column, the others held fixed."""
    whole = pd.concat([apart, regressors], axis=1).dropna()
    if len(whole) < LEAST_WEEKS:
        return RobustSlope(np.nan, np.nan, np.nan)
    rows = whole.to_numpy(dtype=float)
    return robust_slope(rows[:, 0], np.column_stack([np.ones(len(rows)), rows[:, 1:]]))


def _tested(ranking: str, ranks: pd.DataFrame, changes: pd.DataFrame) -> list[pd.Series] | None:
    """Beside the market, the regressors whose last has the ranking's answer as its slope; None where there is none."""
    if ranking in SIGNS:
        beside = [name for name in TOGETHER if name in changes and name != ranking] if ranking in TOGETHER else []
        return [*(changes[name] for name in beside), SIGNS[ranking] * changes[ranking]]
    if ranking != DURATION:
        return None
    # The sum of two slopes over their spreads among names is the slope on one of them, the other less its share.
    real, credit = (ranks[name].std(ddof=1) for name in ("real_yield", "credit_spread"))
    scaled = -real * changes["real_yield"]
    others = [changes[name] for name in ("breakeven",) if name in changes]
    return [*others, -credit * changes["credit_spread"] - scaled, scaled]


def _by_quarter(rolling: pd.DataFrame, baskets: pd.Series) -> pd.Series:
    """How well the empirical duration parted the baskets, by quarter in which both had a measured name."""
    found = {}
    for session, rows in rolling.groupby("session"):
        slopes = rows.set_index(["factor", "asset"])
        if {"real_yield", "credit_spread"} <= set(slopes.index.unique("factor")):
            found[session] = _share(duration_score(slopes), baskets)[0]
    return pd.Series(found, dtype=float).dropna()
