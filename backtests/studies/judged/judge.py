"""The signal judged: its gauge, then every cell of predictor, leg, horizon and lag, and the regime as a forecast."""

from dataclasses import dataclass, replace

import pandas as pd

from backtests.evidence.newey_west import require_statsmodels
from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from backtests.spec.spec import Spec
from backtests.studies.gauge import Gauge, chosen_by_rule, gauge, legs_of, week_returns
from backtests.studies.judged.cells import SCORE, cells_of, hits_of, predictors, session_returns
from data.market.snapshot import Snapshot
from signals.liquidity import LiquiditySignal

LEVEL = 0.05


@dataclass(frozen=True)
class Judgement:
    """What prices did after the signal; fractions. Intervals are of 95%.

    Attributes:
        gauge: from week to week: the first rows.
        cells: as `backtests.studies.judged.cells.cells_of` gives it.
        hits: as `backtests.studies.judged.cells.hits_of` gives it.
    """

    gauge: Gauge
    cells: pd.DataFrame
    hits: pd.DataFrame

    @property
    def tested(self) -> int:
        """Cells that have a test."""
        return int(self.cells["p"].notna().sum())

    @property
    def of_score(self) -> int:
        """Those of the score: the count by which Holm raises their p-values; all others count for the others."""
        return int(self.cells.loc[self.cells["kind"] == SCORE, "p"].notna().sum())

    @property
    def without_zero(self) -> int:
        """Cells whose own interval leaves 0 out."""
        return int((self.cells["p"] < LEVEL).sum())

    @property
    def told(self) -> pd.DataFrame:
        """The cells that are told from nothing with all of their family taken into account, the surest first."""
        return self.ranked[self.ranked["p_holm"] < LEVEL]

    @property
    def ranked(self) -> pd.DataFrame:
        """All cells that have a test, the surest first."""
        return self.cells.dropna(subset="p").sort_values("p", kind="stable")


def judge_spec(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, last: pd.Timestamp) -> Judgement:
    """Judge the signal by the instruments of a spec, from the start of its run.

    Args:
        spec: universe and start.
        snapshot: prices.
        signal: reaches the session after `last`.
        last: session on whose open the last return may end.

    Raises:
        InputError: the run begins after `last`, or the extra `evidence` is not installed.
    """
    require_statsmodels("the judgement of the signal")
    prepared = prepare(spec, snapshot, Span(pd.Timestamp(spec.run.start), last), signal=signal)
    panel, spec = prepared.panel, prepared.spec
    tradable, legs = panel.tradable(spec.order_rules.stale_sessions), legs_of(spec, snapshot)
    chosen = chosen_by_rule(spec, tradable)
    measured = replace(gauge(signal, week_returns(panel, tradable, legs, chosen)), hindsight=spec.universe.hindsight)
    returns = session_returns(panel, tradable, legs, chosen)
    # A market may begin after the run: of sessions before it nothing was said.
    return judge(measured, signal, returns[returns.index.isin(signal.score.index)])


def judge(measured: Gauge, signal: LiquiditySignal, returns: pd.DataFrame) -> Judgement:
    """Set returns against all that the signal said before them.

    Args:
        measured: its gauge.
        signal: over the sessions of `returns`.
        returns: as `backtests.studies.judged.cells.session_returns` gives it.
    """
    cells = cells_of(predictors(signal), returns)
    return Judgement(measured, cells, hits_of(signal.regime, signal.score, returns))
