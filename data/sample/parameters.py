"""The parameters of the simulated market, from sample.toml, where each carries its unit and its basis."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.errors import InputError

PARAMETER_FILE = Path(__file__).parent / "sample.toml"
BASES = ("measured", "thesis", "assumption")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Calendar(_Section):
    """Days: the model runs from `warm_up`, its market is seen from `first` to `last`."""

    warm_up: date
    first: date
    last: date


class Supply(_Section):
    """Net liquidity: central-bank assets in phases, less two accounts that swing around a mean. USD bn, sessions."""

    start_bn: float = Field(gt=0)
    flow_bn: float = Field(ge=0)
    phase_sessions: tuple[int, int]
    hold_share: float = Field(ge=0, le=1)
    pace_step_bn: float = Field(gt=0)
    treasury_mean_bn: float
    treasury_deviation_bn: float = Field(ge=0)
    treasury_half_life: float = Field(gt=0)
    reverse_repo_mean_bn: float
    reverse_repo_deviation_bn: float = Field(ge=0)
    reverse_repo_half_life: float = Field(gt=0)


class Drain(_Section):
    """What capex takes from idle money, or adds to it: USD bn a session at an open gate; the gate in units of a ratio.

    The gate opens by a logistic curve of capex over operating cash flow, both in trailing four quarters.
    """

    companies: tuple[str, ...]
    flow_bn: float = Field(ge=0)
    ratio: float = Field(gt=0)
    width: float = Field(gt=0)


class IdleMoney(_Section):
    """The tank: USD bn, half-life in sessions; thresholds of the true regime in units of scarcity."""

    half_life: float = Field(gt=0)
    unit_bn: float = Field(gt=0)
    enter: float
    leave: float = Field(gt=0)


class Link(_Section):
    """How the price of capital answers to scarcity 1: basis points or log change a session, basis points for repo."""

    joined: bool
    strength: float = Field(ge=0)
    yield_drift_bp: float
    spread_drift_log: float
    repo_slope_bp: float


class Rates(_Section):
    """Yields, spread and overnight rates without the link: percent; noise a session in bp or log; half-lives."""

    real_yield_mean: float
    real_yield_noise_bp: float = Field(ge=0)
    real_yield_half_life: float = Field(gt=0)
    breakeven_mean: float
    breakeven_noise_bp: float = Field(ge=0)
    breakeven_half_life: float = Field(gt=0)
    spread_mean: float = Field(gt=0)
    spread_noise_log: float = Field(ge=0)
    spread_half_life: float = Field(gt=0)
    yield_spread_correlation: float = Field(ge=-1, le=1)
    meeting_every: int = Field(gt=0)
    target_step: float = Field(gt=0)
    lowest_target: float
    effective_below_target: float
    term_premium: float
    bill_over_policy: float
    lowest_bill: float
    repo_over_policy_bp: float
    reserves_over_policy_bp: float
    reserves_first: date
    repo_noise_bp: float = Field(ge=0)
    repo_half_life: float = Field(gt=0)
    repo_first: date


class Noise(_Section):
    """Tails of the returns: degrees of freedom, cut in deviations; deviation of log turnover."""

    tail: float = Field(gt=2)
    limit: float = Field(gt=0)
    volume: float = Field(ge=0)


class MarketFactor(_Section):
    """The factor that all share: a year; return per percentage point."""

    volatility: float = Field(ge=0)
    premium: float
    yield_beta: float
    spread_beta: float


class Coin(_Section):
    """Coins trade every day; `calm` is the noise of a day without NYSE session over that of one with."""

    calm: float = Field(ge=0)


class Kind(_Section):
    """What the members of a kind share, by kind; units as for the market, turnover in USD millions a day."""

    members: Mapping[str, tuple[str, ...]]
    volatility: Mapping[str, float]
    yield_beta: Mapping[str, float]
    spread_beta: Mapping[str, float]
    premium: Mapping[str, float]
    gap: Mapping[str, float]
    turnover_musd: Mapping[str, float]


class Asset(_Section):
    """What one asset has alone, by symbol: return per return of the market, volatility a year, USD."""

    market_beta: Mapping[str, float]
    own_volatility: Mapping[str, float]
    start_price: Mapping[str, float]


class SampleParameters(_Section):
    """All parameters of one scenario; sample.toml says where each comes from."""

    calendar: Calendar
    supply: Supply
    drain: Drain
    idle_money: IdleMoney
    link: Link
    rates: Rates
    noise: Noise
    market: MarketFactor
    coin: Coin
    kind: Kind
    asset: Asset


@cache
def scenario_names() -> tuple[str, ...]:
    """Return the built-in scenarios, the default first."""
    return tuple(_tables()["scenario"])


@cache
def scenario_parameters(scenario: str) -> SampleParameters:
    """Return the parameters of one scenario.

    Raises:
        InputError: there is no such scenario, or the file does not hold what the model needs.
    """
    if scenario not in scenario_names():
        raise InputError(f"no scenario {scenario!r} of the sample market; there are: {', '.join(scenario_names())}")
    tables = _tables()
    changes = tables.pop("scenario")[scenario]
    try:
        return SampleParameters.model_validate(_values(_overlaid(tables, changes)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{PARAMETER_FILE.name}: scenario {scenario}: {where}: {first['msg']}") from error


def _tables() -> dict[str, Any]:
    return tomllib.loads(PARAMETER_FILE.read_text(encoding="utf-8"))


def _overlaid(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The tables with the changes of a scenario laid over them, parameter by parameter."""
    merged = dict(tables)
    for name, change in changes.items():
        is_section = isinstance(change, dict) and "basis" not in change
        merged[name] = _overlaid(merged.get(name, {}), change) if is_section else change
    return merged


def _values(section: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """The bare values of a tree of parameters; one without unit or basis is refused."""
    values: dict[str, Any] = {}
    for name, entry in section.items():
        path = f"{where}{name}"
        if not isinstance(entry, dict):
            raise InputError(f"{PARAMETER_FILE.name}: {path} is bare, wanted a value, a unit and a basis")
        if "value" not in entry:
            values[name] = _values(entry, f"{path}.")
        elif entry.get("unit") and str(entry.get("basis", "")).startswith(BASES):
            values[name] = entry["value"]
        else:
            raise InputError(f"{PARAMETER_FILE.name}: {path} wants a unit, and a basis that begins with one of {BASES}")
    return values
