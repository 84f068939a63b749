"""The stress of a run: what is left of it when its costs are multiplied and its signal comes late.

A result that costs twice as high or a signal a day late take away could not have been earned. The delays are those with
which Shu, Yu and Mulvey (2024, Journal of Asset Management 25) test a regime signal.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from backtests.run import Backtest
from backtests.studies.rerun import rerun
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

COST_FACTORS = (1, 2, 4)
DELAYS = (0, 1, 5, 10)
MEASURES = ("cagr", "sharpe", "max_drawdown", "turnover", "costs", "costs_usd")


def stress_table(run: Backtest, report: Callable[[str], None] = lambda _stage: None) -> pd.DataFrame:
    """Run the strategy of a run again, through the event engine, with its costs multiplied and its signal late.

    Everything else stays as it was: sessions, prices, listing dates, order rules. A strategy of the user meets a delay
    in the lines ``target``, ``rebalance`` and ``score`` of its feeds, where it reads them.

    Args:
        run: finished; it comes out again in the row of factor 1 and delay 0.
        report: is told of each cell as it begins.

    Returns:
        One row for each of `COST_FACTORS` and `DELAYS`: ``cost_factor``, ``delay_sessions``, and `MEASURES` as
        `metrics.json` has them, None or NaN where one has no meaning.

    Raises:
        InputError: a multiple of the costs that no trade could bear.
    """
    dearer = {factor: run.spec.costs.scaled(factor) for factor in COST_FACTORS}
    late = {delay: run.prepared.with_signal(delayed_signal(run.signal, delay)) for delay in DELAYS}
    cells = [(factor, delay) for factor in COST_FACTORS for delay in DELAYS]
    rows = []
    for number, (factor, delay) in enumerate(cells, start=1):
        report(f"stress {number} of {len(cells)}")
        _, measured = rerun(late[delay].with_costs(dearer[factor]))
        rows.append(
            {"cost_factor": factor, "delay_sessions": delay} | {name: getattr(measured, name) for name in MEASURES}
        )
    return pd.DataFrame(rows)


def delayed_signal(signal: LiquiditySignal, sessions: int) -> LiquiditySignal:
    """The signal when every session is decided with that of some sessions before.

    Args:
        signal: by session decided for.
        sessions: 0 or more. The first so many sessions, before which nothing was decided, start as every signal does:
            NEUTRAL, with a score of 0 and no probabilities.

    Returns:
        Regime, score and probabilities moved; what explains them stays where it was.
    """
    return replace(
        signal,
        regime=signal.regime.shift(sessions, fill_value=Regime.NEUTRAL.value),
        score=signal.score.shift(sessions, fill_value=0.0),
        probability=None if signal.probability is None else signal.probability.shift(sessions),
    )
