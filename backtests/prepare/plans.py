"""The plans of a run: the policy and the baselines, laid over what decisions know of a market."""

from collections.abc import Mapping, Sequence

import pandas as pd

from backtests.audit.look_ahead import check_policy
from backtests.prepare.warmup import warmup_panel
from backtests.spec.extensions import Extensions, read_extensions, weights_function
from backtests.spec.spec import Spec
from data.catalogue.instruments import AssetClass
from data.clock import FIRST_DAY, sessions_between
from data.errors import InputError
from data.files.user_code import UserCallable, UserFile, user_faults
from data.market.snapshot import Snapshot
from data.prices.known import known_prices
from data.prices.panel import Panel
from signals.blocks import drain
from signals.liquidity import LiquiditySignal
from signals.partial import gate_regimes, regimes_without
from signals.regime import Regime
from strategies.baselines import MOVING_AVERAGE_MONTHS, baseline_plans, unblended
from strategies.given_weights import read_weights, rows_in_force, weights_in_force
from strategies.policy import Plan, make_plan
from strategies.rivals import MOMENTUM_SESSIONS, momentum_regimes, switched_regimes

# Names of the rivals, beside the baselines of `strategies.baselines`.
PRICE_MOMENTUM, WITHOUT_DRAIN, GATE_ALONE, ONE_SWITCH = (
    "price_momentum",
    "signal_without_drain",
    "gate_alone",
    "one_switch",
)


def make_run_plan(
    spec: Spec, snapshot: Snapshot, panel: Panel, signal: LiquiditySignal, extensions: Extensions | None = None
) -> Plan:
    """Lay the policy over a panel: targets and rebalancing by session decided for.

    Args:
        spec: universe, policy, order rules.
        snapshot: that the panel is of; volatilities look at its prices from before the panel.
        panel: prices of the universe.
        signal: reaches the panel's last decision.
        extensions: of the spec; read where they are not given.

    Raises:
        InputError: what a policy of the user raises, or makes, is wrong; the policy needs what the signal has not.
        LookAheadError: it looks ahead.
    """
    given = extensions or read_extensions(spec)
    tradable, weights, states = panel.tradable(spec.order_rules.stale_sessions), None, None
    if given.policy is not None:
        weights = _weights_of_user(spec, snapshot, panel, signal, given.policy, given.checked)
    elif given.weights is not None:
        rows = _given_rows(spec, given.weights)
        with user_faults(given.weights.path):
            weights, states = weights_in_force(rows, tradable), rows_in_force(rows, panel.decides_for)
    return make_plan(
        signal.regime.reindex(panel.decides_for),
        tradable,
        policy_prices(spec, snapshot, panel),
        spec.universe,
        spec.policy,
        weights,
        asset_classes(snapshot, panel),
        _probability(signal, panel),
        states,
    )


def _given_rows(spec: Spec, file: UserFile) -> pd.DataFrame:
    """The rows of a file of target weights, all of them of instruments of the universe."""
    rows = read_weights(file.path, file.content)
    if others := [symbol for symbol in rows.columns if symbol not in spec.universe.symbols]:
        raise InputError(
            f"{file.path}, line 1: got weights of {', '.join(others)}, wanted instruments of the universe alone; add "
            "them there, or take them out"
        )
    return rows


def _weights_of_user(
    spec: Spec, snapshot: Snapshot, panel: Panel, signal: LiquiditySignal, user: UserCallable, checked: bool
) -> pd.DataFrame:
    """What a policy of the user makes of a panel and of the sessions before it; refused where a check finds a leak."""
    warmup = warmup_panel(spec, snapshot, panel)
    panels = [panel] if warmup is None else [warmup, panel]
    tradable = pd.concat([each.tradable(spec.order_rules.stale_sessions) for each in panels])
    prices = pd.concat([each.decision_prices() for each in panels])
    regime = signal.regime.reindex(tradable.index, fill_value=Regime.NEUTRAL.value)
    policy = weights_function(user)

    def weights_upto(cut: pd.Timestamp) -> pd.DataFrame:
        return policy(regime.loc[:cut], tradable.loc[:cut], prices.loc[:cut], spec.universe, spec.policy)

    weights = weights_upto(tradable.index[-1])
    if checked:
        check_policy(weights, weights_upto, user)
    return weights.loc[panel.decides_for]


def run_baseline_plans(spec: Spec, snapshot: Snapshot, market: Panel, signal: LiquiditySignal) -> Mapping[str, Plan]:
    """Lay the baselines over a panel of the universe and the benchmark; arguments as for `make_run_plan`."""
    benchmark = spec.universe.benchmark
    looks_back_to = market.sessions[1] - pd.DateOffset(months=MOVING_AVERAGE_MONTHS + 2)
    return baseline_plans(
        signal.regime.reindex(market.decides_for),
        market.tradable(spec.order_rules.stale_sessions),
        policy_prices(spec, snapshot, market),
        _prices_from(looks_back_to, snapshot, [benchmark], market)[benchmark],
        spec.universe,
        spec.policy,
        asset_classes(snapshot, market),
        _probability(signal, market),
        _rival_regimes(spec, snapshot, market, signal),
    )


def run_switch_plan(spec: Spec, snapshot: Snapshot, market: Panel, day: pd.Timestamp, regime: str) -> Plan:
    """Lay the policy over a panel for NEUTRAL before a day and one regime from it on; see `make_run_plan`."""
    return make_plan(
        switched_regimes(market.decides_for, day, regime),
        market.tradable(spec.order_rules.stale_sessions),
        policy_prices(spec, snapshot, market),
        spec.universe,
        unblended(spec.policy),
        asset_classes=asset_classes(snapshot, market),
    )


def _rival_regimes(spec: Spec, snapshot: Snapshot, market: Panel, signal: LiquiditySignal) -> Mapping[str, pd.Series]:
    """The regimes of the rivals by session decided for; those of parts that the signal has not are left out."""
    # Calendar days enough for so many sessions.
    first = market.decides_for[0] - pd.Timedelta(days=2 * MOMENTUM_SESSIONS)
    prices = _prices_from(first, snapshot, spec.universe.symbols, market)
    regimes = {
        PRICE_MOMENTUM: momentum_regimes(prices, spec.universe),
        WITHOUT_DRAIN: regimes_without(signal, drain.NAME, spec.signal),
        GATE_ALONE: gate_regimes(signal, spec.signal),
    }
    return {name: path.reindex(market.decides_for) for name, path in regimes.items() if path is not None}


def policy_prices(spec: Spec, snapshot: Snapshot, panel: Panel) -> pd.DataFrame:
    """Prices known at each decision of a panel, and at those before it that its volatilities look back on."""
    sessions = spec.policy.lookback_sessions
    if sessions == 0:
        return panel.decision_prices()
    # Calendar days enough for so many sessions.
    first = panel.decides_for[0] - pd.Timedelta(days=2 * sessions)
    return _prices_from(first, snapshot, panel.symbols, panel)


def _prices_from(first: pd.Timestamp, snapshot: Snapshot, symbols: Sequence[str], panel: Panel) -> pd.DataFrame:
    """Prices known at each decision from a day on, up to the last one of a panel."""
    return known_prices(snapshot, symbols, sessions_between(max(first, FIRST_DAY), panel.decides_for[-1]))


def asset_classes(snapshot: Snapshot, panel: Panel) -> dict[str, AssetClass]:
    """The asset class of each instrument of a panel."""
    return {symbol: snapshot.instruments[symbol].asset_class for symbol in panel.symbols}


def _probability(signal: LiquiditySignal, panel: Panel) -> pd.DataFrame | None:
    return None if signal.probability is None else signal.probability.reindex(panel.decides_for)
