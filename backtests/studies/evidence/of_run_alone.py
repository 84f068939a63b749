"""The evidence of a run that needs no other run and no count of trials: cheap enough for the page of every run."""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.best_stay import sessions_of
from backtests.evidence.circular_shift import circular_shift
from backtests.evidence.left_out import without_sessions
from backtests.evidence.newey_west import CONFIDENCE
from backtests.evidence.table import LUCK, SHIFT, EvidenceTable, Question, Row, Verdict, by_interval, measured
from backtests.measures import pair
from backtests.measures.performance import SESSIONS_PER_YEAR, order_flows
from backtests.measures.rotations import basket_returns
from backtests.run import Backtest
from backtests.studies.anatomy import stay_leads
from backtests.studies.evidence.of_returns import day_rows, difference_row, lasting_rows, require_sessions
from backtests.studies.judged.regression import slopes
from data.errors import InputError
from signals.regime import Regime
from strategies.universe import BASKETS

MIX = "static_mix"
TIMING_LEVEL = 0.05
# A stay that made so much of the gain is the gain.
LARGE = 0.5
# A quarter of a year in each of two regimes.
PAIR_SESSIONS = 63


def evidence_of_run_alone(run: Backtest) -> EvidenceTable:
    """Make the tests that spec and market of a run determine, without a run beside it.

    Raises:
        InputError: the run is too short for any of them.
    """
    require_sessions(len(run.sessions))
    if not run.counts.orders.traded:
        return evidence_of_cash(run)
    rows = [*line_rows(run), *timing_rows(run), *one_rows(run), *hindsight_rows(run)]
    rows += lasting_rows(run.returns, run.risk_free, MIX, run.spec.run.idea_known)
    return EvidenceTable(tuple(rows))


def evidence_of_cash(run: Backtest) -> EvidenceTable:
    """What is left to say of a run that never traded: it differs from its rivals by no skill, and no lack of it."""
    return EvidenceTable((*line_rows(run), *hindsight_rows(run)))


def line_rows(run: Backtest) -> Iterator[Row]:
    """The honest lines of the run in full: against the static mix, and against the rivals at its budgets."""
    lines, count = run.evidence, len(run.sessions)
    if lines.luck is None:
        yield Row(Question.RIVALS, LUCK, Verdict.UNMEASURED, MIX, reason=lines.unknown)
        return
    yield difference_row(MIX, lines.luck, count, is_mix=True)
    for name, found in lines.rivals.items():
        yield difference_row(name, found, count, is_mix=False)


def timing_rows(run: Backtest) -> Iterator[Row]:
    """Whether the moment counts: its weights moved round the run, and the pair by regime."""
    yield from measured(Question.TIMING, SHIFT, partial(_timing, run))
    yield from measured(Question.TIMING, pair.NAME, partial(_pair, run))


def one_rows(run: Backtest) -> Iterator[Row]:
    """The run without its best stays, and without its best days."""
    yield from measured(Question.ONE, "best_stays", partial(_stays, run))
    yield from day_rows(run.returns, run.risk_free, MIX)


def hindsight_rows(run: Backtest) -> Iterator[Row]:
    """What the spec itself says of how its instruments were chosen; how much that was worth the lottery tells."""
    told = run.spec.universe.hindsight
    verdict = Verdict.AGAINST if told else Verdict.OPEN
    yield Row(Question.NAMES, "hindsight", verdict, "", {"hindsight": told})


def _timing(run: Backtest) -> Sequence[Row]:
    """The weights of the baskets moved round the run, times the returns of the baskets.

    Baskets, not instruments: a weight that is moved to before its instrument was listed would earn nothing there. So it
    asks whether the baskets were held at the right time, not which of their members were.
    """
    universe, equity = run.spec.universe, run.engine.equity["equity"]
    held = run.engine.holdings.div(equity, axis="index")
    weights = pd.DataFrame({name: universe.part(name, held).sum(axis=1) for name in BASKETS})
    begins = weights.shift(fill_value=0.0)
    before = equity.shift(fill_value=run.spec.run.initial_cash)
    # Without an order the sum of costs has no kind.
    costs = order_flows(run.engine.orders, run.sessions)["costs"].astype(float) / before
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    baskets = basket_returns(run.prepared.rules, tradable, universe)
    found = circular_shift(begins.to_numpy(), baskets.to_numpy(), costs.to_numpy(), run.risk_free.to_numpy())
    values = {
        "p_value": found.p_value,
        "sharpe": found.sharpe,
        "median": found.median,
        "shifts": found.shifts,
        "sharpe_of_the_run": run.measures.strategy.sharpe,
        "by": "weights of the baskets times their returns, less the run's costs; not the ledger",
    }
    verdict = Verdict.FOR if found.p_value <= TIMING_LEVEL else Verdict.OPEN
    return [Row(Question.TIMING, SHIFT, verdict, "", values)]


def _pair(run: Backtest) -> Sequence[Row]:
    """The pair while money is scarce, less what it does while money is abundant.

    A return from close to close stands against the regime decided for the session before: it began after that decision.
    """
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    found = pair.pair_returns(basket_returns(run.prepared.rules, tradable, run.spec.universe))
    return [pair_row(found, run.regime.shift())]


def pair_row(returns: pd.Series, regime: pd.Series) -> Row:
    """The row of the pair; its interval is of 95%, by Newey and West, on the sessions of the two regimes.

    It speaks for the rotation where the interval lies above 0 and the difference does without its best stay in SCARCE.

    Args:
        returns: of the pair by session; NaN where there is none.
        regime: by session, as known before the return began.

    Raises:
        InputError: fewer than `PAIR_SESSIONS` sessions in one of the two.
    """
    known = returns.dropna()
    held = regime.reindex(known.index)
    counts = held.value_counts()
    few = [name for name in (Regime.SCARCE, Regime.ABUNDANT) if counts.get(name, 0) < PAIR_SESSIONS]
    if few:
        raise InputError(
            f"the pair has {counts.get(few[0], 0)} {few[0]} sessions, wanted at least {PAIR_SESSIONS}; "
            "take a longer run"
        )
    stays = (held != held.shift()).cumsum()
    best = known.where(held == Regime.SCARCE).groupby(stays).sum(min_count=1).idxmax()
    rest = known[stays != best].groupby(held[stays != best]).mean()
    without = float(rest.get(Regime.SCARCE, np.nan) - rest.get(Regime.ABUNDANT, np.nan)) * SESSIONS_PER_YEAR
    both = held.isin([Regime.SCARCE, Regime.ABUNDANT])
    scarce = (held[both] == Regime.SCARCE).to_numpy(dtype=float)
    fit = slopes(scarce[:, np.newaxis], known[both].to_numpy())
    difference, reach = float(fit.slope[0]), NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * float(fit.error[0])
    year = SESSIONS_PER_YEAR
    low, high = (difference - reach) * year, (difference + reach) * year
    values: dict[str, Any] = {
        "difference": difference * year,
        "low": low,
        "high": high,
        "without_best_stay": without if np.isfinite(without) else None,
        **{str(name): float(mean) * year for name, mean in known.groupby(held.astype(str)).mean().items()},
        "sessions": {str(name): int(count) for name, count in counts.items()},
        "volatility_of_a_leg": pair.VOLATILITY,
    }
    verdict = by_interval(low, high)
    if verdict is Verdict.FOR and not without > 0:
        verdict = Verdict.OPEN
    return Row(Question.TIMING, pair.NAME, verdict, "", values)


def _stays(run: Backtest) -> Sequence[Row]:
    stays = stay_leads(run.rotations)
    best = stays.sort_values("lead", ascending=False, kind="stable")
    left = {
        count: without_sessions(run.returns, sessions_of(run.sessions, best.head(count)), run.risk_free)
        for count in (0, 1, 2)
    }
    gained, share = left[0].lead > 0, float(best["share"].iloc[0])
    verdict = Verdict.OPEN
    if gained:
        verdict = Verdict.AGAINST if share >= LARGE or left[2].lead <= 0 else Verdict.FOR
    values = {
        "lead": left[0].lead,
        "share": share if gained else None,
        "start": str(best["start"].iloc[0].date()),
        "end": str(best["end"].iloc[0].date()),
        "regime": str(best["regime"].iloc[0]),
        "without": {
            str(count): {"growth": each.growth, "sharpe": each.sharpe, "lead": each.lead}
            for count, each in left.items()
            if count
        },
        "stays": [
            {"start": str(start.date()), "end": str(end.date()), "regime": str(regime), "lead": float(lead)}
            for start, end, regime, lead in zip(
                stays["start"], stays["end"], stays["regime"], stays["lead"], strict=True
            )
        ],
    }
    return [Row(Question.ONE, "best_stays", verdict, MIX, values)]
