"""What is left of a run's lead when its best names are gone, its costs rise, or its signal comes late.

The plans run on the ledger, which gives the event engine's equity; a strategy of the user runs in the event engine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import pandas as pd

from backtests.engines.ledger import run_ledger
from backtests.evidence.table import Question, Row, Verdict, measured
from backtests.measures.holdings import instrument_profits
from backtests.measures.performance import performance
from backtests.prepare.plans import run_baseline_plans
from backtests.prepare.prepared import Prepared, prepare
from backtests.prepare.span import Span
from backtests.run import Backtest
from backtests.studies.rerun import rerun
from backtests.studies.stress import delayed_signal
from data.errors import InputError
from strategies.policy import Plan
from strategies.universe import Universe

MIX = "static_mix"
COST_FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
DELAYS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20)
# What is gone at costs that are this much higher, or a signal that comes a week late, was hardly there.
DEAR, LATE = 2.0, 5


@dataclass(frozen=True)
class Lead:
    """The strategy less the static mix.

    Attributes:
        growth: log growth over the whole run.
        sharpe: difference of the Sharpe ratios, a year; NaN where one has none.
    """

    growth: float
    sharpe: float


class _Replay:
    """A run played again with something changed."""

    def __init__(self, run: Backtest) -> None:
        self._run = run

    @cached_property
    def mix(self) -> Plan:
        """The plan of the static mix, which neither costs nor the signal change."""
        prepared = self._run.prepared
        return run_baseline_plans(self._run.spec, self._run.snapshot, prepared.market, prepared.signal)[MIX]

    def lead(self, prepared: Prepared, mix: Plan) -> Lead:
        """The lead that something changed leaves."""
        risk_free = self._run.risk_free
        own, other = _strategy_returns(prepared), _ledger_returns(prepared, mix)
        if (own <= -1).any() or (other <= -1).any():
            raise InputError("the strategy or the static mix lost everything: growth has no logarithm")
        ratios = [performance(each, risk_free).sharpe for each in (own, other)]
        difference = np.nan if None in ratios else ratios[0] - ratios[1]  # type: ignore[operator]
        return Lead(float(np.log1p(own).sum() - np.log1p(other).sum()), float(difference))


def break_even_rows(run: Backtest) -> Iterator[Row]:
    """How dear trading, and how late the signal, may be before the lead over the static mix is gone."""
    replay = _Replay(run)
    yield from measured(Question.LAST, "break_even_costs", partial(_costs, run, replay))
    yield from measured(Question.LAST, "break_even_delay", partial(_delay, run, replay))


def name_rows(run: Backtest) -> Iterator[Row]:
    """The run without its best names, strategy and static mix alike."""
    return measured(Question.ONE, "best_names", partial(_names, run))


def instrument_gains(run: Backtest) -> pd.Series:
    """What each instrument brought over the run, US dollars, the greatest first."""
    final = run.engine.positions.iloc[-1] * np.nan_to_num(run.panel.close[-1])
    profits = instrument_profits(run.engine.orders, run.engine.cash, final)
    return profits.sort_values(ascending=False, kind="stable")


def _costs(run: Backtest, replay: _Replay) -> Sequence[Row]:
    leads: dict[float, Lead] = {}
    for factor in COST_FACTORS:
        try:
            costs = run.spec.costs.scaled(factor)
        except InputError:  # such as no trade could bear
            break
        leads[factor] = replay.lead(run.prepared.with_costs(costs), replay.mix)
        if leads[factor].growth <= 0:
            break
    return [_break_even("break_even_costs", leads, 1.0, DEAR)]


def _delay(run: Backtest, replay: _Replay) -> Sequence[Row]:
    if run.spec.run.strategy is not None or run.prepared.extensions.weights is not None:
        raise InputError("a strategy or weights of your own need not follow the signal, so its delay says nothing")
    leads: dict[float, Lead] = {}
    for delay in DELAYS:
        late = run.prepared.with_signal(delayed_signal(run.signal, delay))
        leads[delay] = replay.lead(late, replay.mix)
        if leads[delay].growth <= 0:
            break
    return [_break_even("break_even_delay", leads, 0.0, LATE)]


def _break_even(test: str, leads: dict[float, Lead], begin: float, enough: float) -> Row:
    growth = crossing({at: each.growth for at, each in leads.items()})
    sharpe = crossing({at: each.sharpe for at, each in leads.items()})
    values = {
        "lead": leads[begin].growth,
        "sharpe_lead": _number(leads[begin].sharpe),
        "break_even": growth,
        "sharpe_break_even": sharpe,
        "tried_to": max(leads),
        "leads": [{"at": at, "growth": each.growth, "sharpe": _number(each.sharpe)} for at, each in leads.items()],
    }
    if leads[begin].growth <= 0 or not leads[begin].sharpe > 0:
        return Row(Question.LAST, test, Verdict.OPEN, MIX, values)
    verdict = (
        Verdict.AGAINST if min(each for each in (growth, sharpe, np.inf) if each is not None) <= enough else Verdict.FOR
    )
    return Row(Question.LAST, test, verdict, MIX, values)


def crossing(leads: dict[float, float]) -> float | None:
    """Where a lead is gone, on the straight line between the two places around it; None where it is not.

    Args:
        leads: by place, the places increasing.
    """
    places = list(leads.items())
    if places and places[0][1] <= 0:
        return places[0][0]
    for (one, above), (other, below) in pairwise(places):
        if below <= 0:
            return float(one + (other - one) * above / (above - below))
    return None


def _names(run: Backtest) -> Sequence[Row]:
    given = run.prepared.extensions
    if given.strategy is not None or given.policy is not None or given.weights is not None:
        raise InputError("a strategy, policy or weights of your own name their instruments themselves")
    gains = instrument_gains(run)
    whole = float(gains.sum())
    left = {}
    for count in (1, 2):
        found = _without(run, tuple(gains.index[:count]))
        left[str(count)] = {
            "names": list(gains.index[:count]),
            "lead": found.growth,
            "sharpe_lead": _number(found.sharpe),
        }
    lead = _Replay(run).lead(run.prepared, _Replay(run).mix)
    share = float(gains.iloc[0]) / whole if whole > 0 else None
    values = {
        "lead": lead.growth,
        "sharpe_lead": _number(lead.sharpe),
        "gains_usd": {str(name): float(gain) for name, gain in gains.items()},
        "best": str(gains.index[0]),
        "share": share,
        "without": left,
    }
    verdict = Verdict.OPEN
    if lead.growth > 0:
        verdict = Verdict.FOR if left["2"]["lead"] > 0 else Verdict.AGAINST  # type: ignore[operator]
    return [Row(Question.ONE, "best_names", verdict, MIX, values)]


def _without(run: Backtest, names: tuple[str, ...]) -> Lead:
    """The lead of the same spec without some names, in the mix too."""
    universe, spec = run.spec.universe, run.spec
    if universe.rule is not None:
        return _without_chosen(run, names)
    members = {
        basket: tuple(symbol for symbol in universe.members(basket) if symbol not in names)
        for basket in ("speculative", "cash_flow", "reserve")
    }
    fewer = Universe(**{**universe.model_dump(), **members})
    changed = spec.model_copy(update={"universe": fewer})
    span = Span(run.sessions[0], run.sessions[-1])
    prepared = prepare(changed, run.snapshot, span, run.prepared.extensions, run.signal)
    mix = run_baseline_plans(changed, run.snapshot, prepared.market, prepared.signal)[MIX]
    return _Replay(run).lead(prepared, mix)


def _without_chosen(run: Backtest, names: tuple[str, ...]) -> Lead:
    """The same of baskets by rule: what it has chosen stays, but for these names, which nothing replaces."""
    spec, choice = run.spec, run.spec.universe.choice
    fewer = replace(choice, baskets=choice.baskets.assign(**dict.fromkeys(names, "")))
    changed = spec.model_copy(update={"universe": spec.universe.chosen(fewer)})
    prepared = replace(run.prepared, spec=changed).with_signal(run.signal)
    mix = run_baseline_plans(changed, run.snapshot, prepared.market, prepared.signal)[MIX]
    return _Replay(run).lead(prepared, mix)


def _strategy_returns(prepared: Prepared) -> pd.Series:
    if prepared.extensions.strategy is not None:
        return rerun(prepared)[0]
    spec = prepared.spec
    equity = run_ledger(prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash).equity
    return _returns(equity, spec.run.initial_cash)


def baseline_returns(prepared: Prepared, names: Sequence[str] = (MIX,)) -> pd.DataFrame:
    """Daily returns of some baselines of a spec, by session."""
    plans = run_baseline_plans(prepared.spec, prepared.snapshot, prepared.market, prepared.signal)
    return pd.DataFrame({name: _ledger_returns(prepared, plans[name]) for name in names})


def _ledger_returns(prepared: Prepared, plan: Plan) -> pd.Series:
    spec = prepared.spec
    return _returns(
        run_ledger(prepared.market_rules, plan, spec.order_rules, spec.run.initial_cash).equity, spec.run.initial_cash
    )


def _returns(equity: pd.Series, initial_cash: float) -> pd.Series:
    before = equity.shift(fill_value=initial_cash)
    return (equity / before - 1.0).where(before > 0, 0.0)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
