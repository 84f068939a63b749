"""Many variants of a run in the subset of Python that numba compiles: regime, plan, book and measures of each.

What variants have in common is worked out once and taken by number. `tests/backtests/test_batch.py` holds thresholds,
plan and measures to `signals.regime`, `strategies.policy` and `backtests.measures.performance`.
"""

import math
from typing import NamedTuple

import numpy as np

from backtests.engines.kernel import Bench, Counts, Journal, PlanRows, Track, Valuation, play_run, value_closes
from backtests.execution.records import Sessions
from strategies.order_rules import OrderRules
from strategies.trade_terms import TradeTerms

ABUNDANT = 0
NEUTRAL = 1
SCARCE = 2
LEAST_LIVE = 2  # `signals.regime.MIN_LIVE_BLOCKS`
YEAR = 252  # sessions, as of `backtests.measures.performance`, and so the rounding below
SAME = 1e-12
MEASURES = (
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "turnover",
    "costs",
    "costs_usd",
    "exposure",
    "exposure_without_reserve",
    "final_equity_usd",
)
COUNTS = (*Counts._fields, "regime_changes")


class Market(NamedTuple):
    """What all variants of a batch share, of n sessions and m instruments.

    Attributes:
        sessions: of the run, with the terms, interest, haircut and settlement of no variant.
        valuation: of a book.
        tradable: (n, m) whether an instrument may be held at the session decided for.
        turns: (n,) whether that differs from the session before.
        begins: (calendars, n) whether a period begins at the session decided for.
        bill: (n - 1,) risk-free return of each session of the run.
        first: place, among the sessions of the scores, of the first that is decided for.
    """

    sessions: Sessions
    valuation: Valuation
    tradable: np.ndarray
    turns: np.ndarray
    begins: np.ndarray
    bill: np.ndarray
    first: int


class Parts(NamedTuple):
    """What variants take by number.

    Attributes:
        score: (scores, sessions of the signal).
        live: (scores, sessions of the signal) live blocks.
        begin: (scores,) place of the session at which the signal begins; before it is nothing.
        path: (paths, sessions of the signal) regimes that follow from no thresholds.
        weights: (rows, m) target weights; those of one table stand together, regime by regime.
        line: (2, n) which row of a regime's holds at the session decided for: where rows differ by what is tradable
            alone, and where each session has its own.
        stride: (2,) rows of a regime.
        terms: (terms, fields of `TradeTerms`, m).
        interest: (rates, n).
    """

    score: np.ndarray
    live: np.ndarray
    begin: np.ndarray
    path: np.ndarray
    weights: np.ndarray
    line: np.ndarray
    stride: np.ndarray
    terms: np.ndarray
    interest: np.ndarray


class Variants(NamedTuple):
    """Numbers of v variants, each of shape (v,); those called by a part are its places.

    Attributes:
        score: of the score.
        path: of a path of regimes; -1 where thresholds make it.
        enter: see `signals.config.SignalConfig`, as of the next two.
        leave: as above.
        dwell: sessions.
        table: first row of its table of weights.
        kind: of the table, a row of `Parts.line`.
        calendar: a row of `Market.begins`.
        band: see `strategies.order_rules.OrderRules`, as of the next three.
        edge: as above.
        adjustment: as above.
        minimum_order: as above.
        haircut: see `strategies.order_rules.OrderRulesConfig.stale_haircut`.
        terms: of trading.
        settlement: sessions.
        interest: of cash.
        cash: US dollars at the start.
    """

    score: np.ndarray
    path: np.ndarray
    enter: np.ndarray
    leave: np.ndarray
    dwell: np.ndarray
    table: np.ndarray
    kind: np.ndarray
    calendar: np.ndarray
    band: np.ndarray
    edge: np.ndarray
    adjustment: np.ndarray
    minimum_order: np.ndarray
    haircut: np.ndarray
    terms: np.ndarray
    settlement: np.ndarray
    interest: np.ndarray
    cash: np.ndarray


class Workspace(NamedTuple):
    """What one variant after the other is worked out on.

    Attributes:
        regime: by session of the signal.
        row: (n,) of the weights.
        rebalance: (n,).
        values: (2, n); see `backtests.engines.kernel.value_closes`.
        returns: (n - 1,).
        bench: of the loop.
        track: of the book.
        journal: of one line.
    """

    regime: np.ndarray
    row: np.ndarray
    rebalance: np.ndarray
    values: np.ndarray
    returns: np.ndarray
    bench: Bench
    track: Track
    journal: Journal


class Outcomes(NamedTuple):
    """What becomes of v variants.

    Attributes:
        measures: (v, `MEASURES`); NaN where one has no meaning.
        counts: (v, `COUNTS`).
        returns: (v, n - 1) daily returns; without a row where they are not kept.
    """

    measures: np.ndarray
    counts: np.ndarray
    returns: np.ndarray


def play_variants(
    begin: int, end: int, variants: Variants, parts: Parts, market: Market, space: Workspace, outcomes: Outcomes
) -> int:
    """Play the variants from `begin` up to `end`; the outcomes are written to."""
    regime, changes = space.regime, 0
    for at in range(begin, end):
        is_same = at > begin and is_same_path(at, variants)
        if variants.path[at] >= 0:
            regime = parts.path[variants.path[at]]
        elif not is_same:
            score = variants.score[at]
            regime = space.regime
            begin_at = parts.begin[score]
            walk_regimes(
                parts.score[score, begin_at:],
                parts.live[score, begin_at:],
                variants.enter[at],
                variants.leave[at],
                variants.dwell[at],
                regime[begin_at:],
            )
        if not (is_same and is_same_table(at, variants)):
            changes = lay_plan(at, regime, variants, parts, market, space)
        plan = PlanRows(parts.weights, space.row, space.rebalance)
        rules = OrderRules(variants.band[at], variants.edge[at], variants.adjustment[at], variants.minimum_order[at])
        sessions = sessions_of(at, variants, parts, market.sessions)
        cash = variants.cash[at]
        counts = play_run(cash, plan, rules, sessions, market.valuation, space.bench, space.track, space.journal)
        measure(cash, space.track, market.bill, space.values, space.returns, outcomes.measures[at])
        outcomes.counts[at, 0], outcomes.counts[at, 1] = counts.orders, counts.filled
        outcomes.counts[at, 2], outcomes.counts[at, 3] = counts.reduced, counts.unfilled
        outcomes.counts[at, 4] = changes
        if len(outcomes.returns):
            for row in range(len(space.returns)):
                outcomes.returns[at, row] = space.returns[row]
    return end - begin


def is_same_path(at: int, variants: Variants) -> bool:
    """Whether the regimes of a variant are those of the one before it."""
    same: bool = (
        variants.score[at] == variants.score[at - 1]
        and variants.path[at] == variants.path[at - 1]
        and variants.enter[at] == variants.enter[at - 1]
        and variants.leave[at] == variants.leave[at - 1]
        and variants.dwell[at] == variants.dwell[at - 1]
    )
    return same


def is_same_table(at: int, variants: Variants) -> bool:
    """Whether a variant takes its weights from the table of the one before it, on the same days."""
    same: bool = (
        variants.table[at] == variants.table[at - 1]
        and variants.kind[at] == variants.kind[at - 1]
        and variants.calendar[at] == variants.calendar[at - 1]
    )
    return same


def walk_regimes(
    score: np.ndarray, live: np.ndarray, enter: float, leave: float, dwell: int, regime: np.ndarray
) -> None:
    """Walk the thresholds as `signals.regime.walk_thresholds` does; `regime` is written to."""
    now, held = NEUTRAL, 0
    for row in range(len(score)):
        value, wanted = score[row], NEUTRAL
        may_change = True
        if live[row] >= LEAST_LIVE:
            may_change = held >= dwell
            if value > enter or (now == SCARCE and value >= leave):
                wanted = SCARCE
            elif value < -enter or (now == ABUNDANT and value <= -leave):
                wanted = ABUNDANT
        if may_change and wanted != now:
            now, held = wanted, 0
        held += 1
        regime[row] = now


def lay_plan(at: int, regime: np.ndarray, variants: Variants, parts: Parts, market: Market, space: Workspace) -> int:
    """Find the weights of each session and whether the book is brought to them, as `strategies.rebalancing` does.

    Returns:
        How often the regime changes in the run.
    """
    kind, calendar, first = variants.kind[at], variants.calendar[at], market.first
    changes = 0
    for row in range(len(space.row)):
        now = regime[first + row]
        space.row[row] = variants.table[at] + now * parts.stride[kind] + parts.line[kind, row]
        is_due = market.begins[calendar, row]
        if row and now != regime[first + row - 1]:
            is_due = True
            changes += 1
        if row and not is_due and market.turns[row]:
            for place in range(market.tradable.shape[1]):
                is_left = parts.weights[space.row[row - 1], place] > 0.0 and not market.tradable[row, place]
                is_due = is_due or is_left
        space.rebalance[row] = is_due
    return changes


def sessions_of(at: int, variants: Variants, parts: Parts, sessions: Sessions) -> Sessions:
    """The sessions of a run with what a variant says of costs, cash and close-outs."""
    terms = parts.terms[variants.terms[at]]
    return Sessions(
        sessions.open,
        sessions.close,
        sessions.volume,
        sessions.decision_price,
        sessions.split,
        sessions.dividend,
        sessions.ended,
        sessions.payout,
        sessions.stale,
        sessions.coins,
        TradeTerms(terms[0], terms[1], terms[2], terms[3], terms[4], terms[5], terms[6], terms[7], terms[8]),
        parts.interest[variants.interest[at]],
        sessions.changes_units,
        sessions.pays_dividends,
        variants.haircut[at],
        variants.settlement[at],
        sessions.conversions,
    )


def measure(
    cash: float, track: Track, bill: np.ndarray, values: np.ndarray, returns: np.ndarray, found: np.ndarray
) -> None:
    """Measure a book as `backtests.measures.performance` does; `values`, `returns` and `found` are written to."""
    count = len(returns)
    years = count / YEAR
    value_closes(cash, track, values, returns)
    wealth = cash
    deepest, compounded, peak = 0.0, 1.0, 1.0
    total = excess_total = traded = costs = equity_total = exposure = at_risk = 0.0
    lowest, largest, least_excess, most_excess = math.inf, -math.inf, math.inf, -math.inf
    for row in range(count):
        reserve, risky = track.reserve[row + 1], track.at_risk[row + 1]
        wealth, share, earned = values[0, row + 1], values[1, row + 1], returns[row]
        excess = earned - bill[row]
        total += earned
        excess_total += excess
        lowest, largest = min(lowest, earned), max(largest, earned)
        least_excess, most_excess = min(least_excess, excess), max(most_excess, excess)
        compounded *= 1.0 + earned
        peak = max(peak, compounded)
        # Divided only where it may be deeper: a division takes as long as all else in this line.
        if compounded - peak < deepest * peak * (1.0 - SAME):
            deepest = min(deepest, (compounded - peak) / peak)
        costs += track.costs[row + 1]
        equity_total += wealth
        traded += track.traded[row + 1] * share
        exposure += (reserve + risky) * share
        at_risk += risky * share
    growth = compounded ** (1.0 / years) - 1.0
    mean, excess_mean = total / count, excess_total / count
    squares = excess_squares = shortfalls = 0.0
    for row in range(count):
        excess = returns[row] - bill[row]
        squares += (returns[row] - mean) ** 2
        excess_squares += (excess - excess_mean) ** 2
        shortfalls += min(excess, 0.0) ** 2
    is_flat = largest - lowest < SAME or most_excess - least_excess < SAME
    has_short = not is_flat and least_excess < -SAME and shortfalls > 0.0
    found[0] = growth if math.isfinite(growth) else math.nan
    found[1] = math.nan if count < 2 else 0.0 if largest - lowest < SAME else math.sqrt(squares / (count - 1) * YEAR)
    found[2] = math.nan if is_flat else excess_mean / math.sqrt(excess_squares / (count - 1)) * math.sqrt(YEAR)
    found[3] = excess_mean * YEAR / math.sqrt(shortfalls / count * YEAR) if has_short else math.nan
    found[4] = deepest
    found[5] = growth / -deepest if deepest < 0.0 and math.isfinite(growth / -deepest) else math.nan
    found[6] = traded / 2.0 / years
    found[7] = costs / (equity_total / count) / years if equity_total > 0.0 else math.nan
    found[8] = costs
    found[9], found[10] = exposure / count, at_risk / count
    found[11] = wealth
