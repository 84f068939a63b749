"""The economy of the simulated market: idle money is filled by supply and drained by capex; capital has its price.

One line a session. Causes run one way, so that every step is a recursion over the step before it:
supply and drain -> idle money -> scarcity -> drift of yields and spreads, repo rate; yields -> policy rate -> bill.
"""

from itertools import accumulate

import numpy as np
import pandas as pd

from data.errors import InputError
from data.sample.noise import Array, generator
from data.sample.parameters import Drain, IdleMoney, Rates, SampleParameters, Supply


def simulate_economy(
    parameters: SampleParameters, capex_actuals: pd.DataFrame, sessions: pd.DatetimeIndex, seed: int, name: str
) -> pd.DataFrame:
    """Run one economy.

    Args:
        parameters: of the scenario.
        capex_actuals: `data.market.tables.CAPEX`, the results that drain.
        sessions: NYSE sessions, shape (n,), the warm-up included.
        seed: of the market.
        name: of the economy: others of the same seed are independent of it.

    Returns:
        Indexed by session: ``central_bank``, ``treasury``, ``reverse_repo``, ``drain``, ``pace`` (USD bn; the last two
        a session, ``pace`` that of the central bank's assets), ``scarcity`` (at the session's end), ``real_yield``,
        ``nominal_yield``, ``spread``, ``policy``, ``bill``, ``repo`` (percent, to the hundredth as published). No NaN.
    """
    supply = _supply(parameters.supply, len(sessions), seed, name)
    economy = pd.DataFrame(supply, index=sessions)
    ratio = capex_to_cash_flow(capex_actuals, parameters.drain.companies, sessions)
    economy["drain"] = _drain(parameters.drain, ratio)
    net = economy["central_bank"] - economy["treasury"] - economy["reverse_repo"]
    inflow = net.diff().fillna(0.0) - economy["drain"]
    idle = _decaying(inflow.to_numpy(), parameters.idle_money.half_life)
    economy["scarcity"] = -idle / parameters.idle_money.unit_bn
    return economy.assign(**_prices_of_capital(parameters, economy["scarcity"].to_numpy(), seed, name))


def true_regimes(scarcity: pd.Series, thresholds: IdleMoney) -> pd.Series:
    """Return the regime that idle money is in: entered beyond `enter`, left within `leave`; at first NEUTRAL."""
    regime, path = "NEUTRAL", []
    for value in scarcity:
        if value > thresholds.enter:
            regime = "SCARCE"
        elif value < -thresholds.enter:
            regime = "ABUNDANT"
        elif (regime == "SCARCE" and value < thresholds.leave) or (regime == "ABUNDANT" and value > -thresholds.leave):
            regime = "NEUTRAL"
        path.append(regime)
    return pd.Series(path, index=scarcity.index, name="true_regime", dtype="str")


def capex_to_cash_flow(
    capex_actuals: pd.DataFrame, companies: tuple[str, ...], sessions: pd.DatetimeIndex
) -> "pd.Series[float]":
    """Capex of all companies over their operating cash flow, in the four quarters to the one that a session lies in.

    Before the first such year on record that one holds, after the last the last.
    """
    capex, earned = pd.Series(0.0, index=sessions), pd.Series(0.0, index=sessions)
    for company in companies:
        results = capex_actuals[capex_actuals["company"] == company].set_index("period_end").sort_index()
        figures = results[["capex_usd_bn", "ocf_usd_bn"]].dropna().rolling(4).sum().dropna()
        if figures.empty:
            raise InputError(
                f"no year of capex and cash flow of {company} in the events, which drains the sample market; take it "
                "out of [drain]"
            )
        held = figures.reindex(sessions, method="bfill").fillna(figures.iloc[-1])
        capex, earned = capex + held["capex_usd_bn"], earned + held["ocf_usd_bn"]
    return capex / earned


def _drain(drain: Drain, ratio: "pd.Series[float]") -> "pd.Series[float]":
    # 2g - 1 of the logistic gate.
    return pd.Series(drain.flow_bn * np.tanh((ratio - drain.ratio) / (2 * drain.width)), ratio.index)


def _supply(supply: Supply, size: int, seed: int, name: str) -> dict[str, Array]:
    flows = supply.flow_bn * _phases(supply, size, generator(seed, name, "phases"))
    treasury = _swings(size, supply.treasury_deviation_bn, supply.treasury_half_life, seed, name, "treasury")
    repo = _swings(size, supply.reverse_repo_deviation_bn, supply.reverse_repo_half_life, seed, name, "reverse repo")
    return {
        "pace": flows,
        "central_bank": supply.start_bn + np.cumsum(flows),
        "treasury": np.maximum(supply.treasury_mean_bn + treasury, 0.0),
        "reverse_repo": np.maximum(supply.reverse_repo_mean_bn + repo, 0.0),
    }


def _phases(supply: Supply, size: int, stream: np.random.Generator) -> Array:
    """+1 in expansion, -1 in runoff, 0 in a hold. Expansion and runoff take turns, with a hold between at times."""
    shortest, longest = supply.phase_sessions
    direction = int(stream.choice([-1, 1]))
    path: list[int] = []
    while len(path) < size:
        path += [direction] * int(stream.integers(shortest, longest, endpoint=True))
        if stream.random() < supply.hold_share:
            path += [0] * int(stream.integers(shortest, longest, endpoint=True))
        direction = -direction
    return np.asarray(path[:size], dtype=np.float64)


def _prices_of_capital(parameters: SampleParameters, scarcity: Array, seed: int, name: str) -> dict[str, Array]:
    """Yields and spread drift with the scarcity at the end of the session before; the repo rate stands with it."""
    rates, link = parameters.rates, parameters.link
    before = np.concatenate([[0.0], scarcity[:-1]]) * link.strength
    size = len(scarcity)
    yield_noise = generator(seed, name, "real yield").standard_normal(size)
    apart = generator(seed, name, "spread").standard_normal(size)
    rho = rates.yield_spread_correlation
    spread_noise = rho * yield_noise + np.sqrt(1 - rho**2) * apart

    real_steps = (rates.real_yield_noise_bp * yield_noise + link.yield_drift_bp * before) / 100
    real = rates.real_yield_mean + _decaying(real_steps, rates.real_yield_half_life)
    breakeven_steps = rates.breakeven_noise_bp / 100 * generator(seed, name, "breakeven").standard_normal(size)
    breakeven = rates.breakeven_mean + _decaying(breakeven_steps, rates.breakeven_half_life)
    spread_steps = rates.spread_noise_log * spread_noise + link.spread_drift_log * before
    spread = rates.spread_mean * np.exp(_decaying(spread_steps, rates.spread_half_life))

    policy = _policy_rate(real + breakeven, rates)
    repo_bp = _swings(size, rates.repo_noise_bp, rates.repo_half_life, seed, name, "repo") + rates.repo_over_policy_bp
    repo = policy + (repo_bp + link.strength * link.repo_slope_bp * scarcity) / 100
    bill = np.maximum(policy + rates.bill_over_policy, rates.lowest_bill)
    exact = {"real_yield": real, "nominal_yield": real + breakeven, "spread": spread}
    exact |= {"policy": policy, "bill": bill, "repo": repo}
    return {series: np.asarray(np.round(values, 2)) for series, values in exact.items()}


def _policy_rate(nominal_yield: Array, rates: Rates) -> Array:
    """The effective rate: at each meeting its target takes a step towards the 10-year yield less the term premium."""
    wanted, step = nominal_yield - rates.term_premium, rates.target_step
    target, path = max(round(wanted[0] / step) * step, rates.lowest_target), []
    for session, value in enumerate(wanted):
        if session % rates.meeting_every == 0 and abs(value - target) > step:
            target = max(target + (step if value > target else -step), rates.lowest_target)
        path.append(target - rates.effective_below_target)
    return np.asarray(path)


def _swings(size: int, deviation: float, half_life: float, seed: int, *purpose: str) -> Array:
    """Noise around 0 that decays with a half-life, of this stationary deviation."""
    noise = generator(seed, *purpose).standard_normal(size)
    return _decaying(noise * deviation * np.sqrt(1 - _keep(half_life) ** 2), half_life)


def _decaying(steps: Array, half_life: float) -> Array:
    """x[t] = keep * x[t-1] + steps[t], where keep halves x in `half_life` sessions."""
    keep = _keep(half_life)
    return np.asarray(list(accumulate(steps.tolist(), lambda level, step: keep * level + step)))


def _keep(half_life: float) -> float:
    return float(0.5 ** (1 / half_life))
