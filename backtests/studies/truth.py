"""A run against a known truth: whether the signal finds the true regimes of a simulated market, and what it earns."""

from dataclasses import dataclass

import pandas as pd

from backtests.engines.ledger import run_ledger
from backtests.measures.performance import performance
from backtests.prepare.plans import run_baseline_plans
from backtests.prepare.prepared import prepare
from backtests.spec.costs import Costs
from backtests.spec.spec import Spec
from data.errors import InputError
from data.market.snapshot import Snapshot


@dataclass(frozen=True)
class TruthComparison:
    """How one run did against the truth of its market.

    Attributes:
        kappa: Cohen's kappa of the decided regime with the true one, lagged.
        sharpe: of the rotation, a year, over the 3-month bill.
        static_mix_sharpe: the same of the NEUTRAL budgets held throughout.
    """

    kappa: float
    sharpe: float
    static_mix_sharpe: float

    @property
    def sharpe_difference(self) -> float:
        """What the rotation has over the static mix."""
        return self.sharpe - self.static_mix_sharpe


def compare_with_truth(spec: Spec, snapshot: Snapshot, truth: pd.Series) -> TruthComparison:
    """Run the rotation and the static mix through the ledger, and the regime against the truth.

    A smoothed score cannot follow the truth at once: it is compared with the truth of as many sessions before as its
    half-life has.

    Args:
        spec: of the rotation; the run ends with the market, whether or not the spec says so.
        snapshot: a market whose bars all end on the same day.
        truth: names of `signals.regime.Regime` by session, for the sessions of the run and the half-life before them.

    Raises:
        InputError: spec and snapshot do not fit together, the truth does not reach over the run, or kappa or a Sharpe
            ratio has no meaning there.
    """
    prepared = prepare(spec, snapshot)
    sessions = prepared.panel.sessions[1:]
    lagged = _lagged(truth, round(spec.signal.half_life_sessions), sessions)
    risk_free = prepared.risk_free.loc[sessions]
    terms = (spec.order_rules, spec.run.initial_cash)
    baselines = run_baseline_plans(spec, snapshot, prepared.market, prepared.signal)
    equities = {
        "rotation": run_ledger(prepared.rules, prepared.plan, *terms).equity,
        "static mix": run_ledger(prepared.market_rules, baselines["static_mix"], *terms).equity,
    }
    sharpes = {name: _sharpe(name, equity, spec.run.initial_cash, risk_free) for name, equity in equities.items()}
    return TruthComparison(
        kappa=cohen_kappa(prepared.signal.regime.reindex(sessions), lagged),
        sharpe=sharpes["rotation"],
        static_mix_sharpe=sharpes["static mix"],
    )


def before_costs(spec: Spec) -> Spec:
    """The same spec with trades that cost nothing."""
    free = {"commission_bp": 0.0}
    return spec.model_copy(update={"costs": Costs(crypto=free, us_stock=free, us_etf=free)})


def cohen_kappa(one: pd.Series, other: pd.Series) -> float:
    """Measure how far two paths of states agree beyond chance: 1 always, 0 as often as chance, below 0 less often.

    Cohen (1960), "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20.

    Args:
        one: state by session; any labels.
        other: the same, on the same index.

    Raises:
        InputError: no session, a session without a state, indexes that differ, or both paths in one and the same state
            throughout: chance alone then agrees always, and kappa has no meaning.
    """
    if one.empty or not one.index.equals(other.index):
        raise InputError(
            f"kappa: got paths of {len(one)} and {len(other)} sessions, wanted the same ones, at least one"
        )
    for path in (one, other):
        if path.isna().any():
            raise InputError(f"kappa: got no state at {path.index[path.isna()][0]}, wanted one for each; fill it in")
    observed = float((one == other).mean())
    shares = [path.value_counts(normalize=True) for path in (one, other)]
    chance = float(shares[0].mul(shares[1], fill_value=0.0).sum())
    if len(shares[0]) == 1 and chance == 1.0:
        raise InputError(
            f"kappa: got {one.iloc[0]} in both paths throughout, wanted paths that change; take more sessions"
        )
    return (observed - chance) / (1.0 - chance)


def _lagged(truth: pd.Series, lag: int, sessions: pd.DatetimeIndex) -> pd.Series:
    """For each session of the run the true regime some sessions before."""
    lagged = truth.shift(lag).reindex(sessions)
    if lagged.isna().any():
        raise InputError(
            f"truth: got no regime of {lag} sessions before {lagged.index[lagged.isna()][0].date()}, wanted one "
            f"for every session from {sessions[0].date()} to {sessions[-1].date()}; give the truth of the market run"
        )
    return lagged


def _sharpe(name: str, equity: pd.Series, initial_cash: float, risk_free: pd.Series) -> float:
    returns = equity / equity.shift(fill_value=initial_cash) - 1.0
    sharpe = performance(returns, risk_free).sharpe
    if sharpe is None:
        raise InputError(f"the {name} never moved against the bill: got no Sharpe ratio, wanted one; take a longer run")
    return sharpe
