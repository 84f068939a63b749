"""The stages of a sweep below the signal: markets, tables of plans, costs, as compiled code takes them."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from backtests.engines.batch import Market
from backtests.engines.kernel import Valuation
from backtests.engines.vector_engine import as_arrays
from backtests.prepare.plans import asset_classes, policy_prices
from backtests.prepare.prepared import Prepared
from backtests.spec.costs import Costs, trade_terms
from signals.regime import Regime
from strategies.policy import PolicyConfig, limit_weights, target_weights
from strategies.rebalancing import RebalanceCalendar, period_begins

CALENDARS = get_args(RebalanceCalendar)
REGIMES = (Regime.ABUNDANT, Regime.NEUTRAL, Regime.SCARCE)


class PlanTable(NamedTuple):
    """Every row that a plan can have under a policy.

    Attributes:
        weights: (rows, m), regime by regime.
        kind: 0 where the rows of a regime differ by what is tradable alone, 1 where each session has its own: by
            volatility, or by what a rule has chosen.
    """

    weights: np.ndarray
    kind: int


class Below:
    """What the variants of one market take that follows from no signal.

    Attributes:
        prepared: the market.
        market: as compiled code takes it.
        line: see `backtests.engines.batch.Parts`.
        stride: likewise.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        panel, rules = prepared.panel, prepared.rules
        self._tradable = prepared.spec.universe.allowed(panel.tradable(prepared.spec.order_rules.stale_sessions))
        chooses = prepared.spec.universe.begins(panel.decides_for)
        tradable = self._tradable.to_numpy(dtype=bool)
        self._patterns, pattern = np.unique(tradable, axis=0, return_inverse=True)
        count = len(tradable)
        self.line = np.vstack([pattern.ravel(), np.arange(count)]).astype(np.int64)
        self.stride = np.array([len(self._patterns), count])
        sessions = as_arrays(rules.sessions)
        reserve = np.isin(panel.symbols, prepared.spec.universe.reserve)
        self.market = Market(
            sessions=sessions,
            valuation=Valuation(np.ascontiguousarray(sessions.close.T), reserve),
            tradable=np.ascontiguousarray(tradable),
            turns=np.append(False, (tradable[1:] != tradable[:-1]).any(axis=1)),
            begins=np.vstack([period_begins(panel.decides_for, name).to_numpy() | chooses for name in CALENDARS]),
            bill=prepared.risk_free.loc[panel.sessions[1:]].to_numpy(dtype=float, copy=True),
            first=0,
        )

    def table(self, config: PolicyConfig) -> PlanTable:
        """Lay out every row that the plan of a policy can have.

        The functions that make a plan are asked for it, once for each regime: the weights of a session follow from its
        regime, from what is tradable and, by volatility, from the prices up to it.
        """
        spec, panel = self.prepared.spec, self.prepared.panel
        by_volatility = config.weighting == "inverse_volatility" or config.volatility_target is not None
        by_session = by_volatility or spec.universe.rule is not None
        # Without volatilities, prices are not read: sessions of another panel stand for the patterns.
        days = panel.decides_for if by_session else pd.RangeIndex(len(self._patterns))
        tradable = self._tradable if by_session else pd.DataFrame(self._patterns, days, list(panel.symbols))
        prices = tradable
        if by_volatility:
            prices = policy_prices(spec.model_copy(update={"policy": config}), self.prepared.snapshot, panel)
        classes = asset_classes(self.prepared.snapshot, panel)
        rows = []
        for regime in REGIMES:
            held = pd.Series(regime.value, days)
            made = target_weights(held, tradable, prices, spec.universe, config)
            rows.append(limit_weights(made, tradable, prices, spec.universe, config, classes).to_numpy(dtype=float))
        return PlanTable(np.concatenate(rows), int(by_session))

    def terms(self, costs: Costs) -> np.ndarray:
        """Costs and limits by field and instrument, as `strategies.trade_terms.TradeTerms` has them."""
        return np.vstack(trade_terms(self.prepared.panel.symbols, self.prepared.snapshot.instruments, costs))


def stacked(parts: Sequence[np.ndarray], width: int, kind: type) -> tuple[np.ndarray, np.ndarray]:
    """Arrays of different lengths in the rows of one, at their ends; and where each begins."""
    begins = np.array([width - len(part) for part in parts], dtype=np.int64)
    whole: np.ndarray = np.zeros((max(len(parts), 1), width), dtype=kind)
    for row, begin, part in zip(whole, begins, parts, strict=False):
        row[begin:] = part
    return whole, begins
