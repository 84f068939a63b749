"""The built-in sample market: a simulated economy that follows the thesis, with a known truth."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.catalogue.series import read_catalogue
from data.clock import sessions_between
from data.errors import InputError
from data.events.editions import reference_events
from data.market.gate import refuse_faults
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, COVERAGE, FUNDING, GUIDANCE, SERIES
from data.sample.assets import calmness, kind_of, noise_deviations, opening_gaps, return_parts
from data.sample.bars import make_bars
from data.sample.economy import simulate_economy, true_regimes
from data.sample.noise import generator
from data.sample.parameters import SampleParameters, scenario_names, scenario_parameters
from data.sample.published import announced_paces, published_series

DEFAULT_SEED = 1
Frame = TypeVar("Frame", pd.DataFrame, pd.Series)
_NAME = re.compile(r"sample(?::(?P<scenario>[^@]+)(?:@(?P<seed>\d{1,9}))?)?")
_INSTRUMENT_FILE = Path(__file__).parent / "instruments.toml"


@dataclass(frozen=True)
class _Simulation:
    """One run of the model: the economy that publishes, the one of the true regime, the one that prices belong to."""

    parameters: SampleParameters
    seed: int
    published: pd.DataFrame
    truth: pd.DataFrame
    prices: pd.DataFrame

    def return_parts(self, symbol: str) -> pd.DataFrame:
        return return_parts(self.parameters, symbol, self.published["bill"], self.prices, self.seed)


def load_market(name: str = "sample") -> Snapshot:
    """Make a built-in market: the same name always gives the same content.

    Args:
        name: ``sample``, ``sample:SCENARIO`` or ``sample:SCENARIO@SEED``.

    Raises:
        InputError: there is no such scenario, or the name has another form.
    """
    simulation = _simulate(name)
    frames = [_bars(simulation, symbol).assign(symbol=symbol) for symbol in sample_instruments()]
    bars = BARS.conform(pd.concat(frames).rename_axis("date").reset_index())
    refuse_faults(bars)
    return _snapshot(name, simulation, bars, published_series(simulation.published, simulation.parameters))


def load_events(name: str = "sample") -> Snapshot:
    """Make the events of a built-in market, with what it would be without a price and a series."""
    return _snapshot(name, _simulate(name), BARS.empty(), SERIES.empty())


def _snapshot(name: str, simulation: _Simulation, bars: pd.DataFrame, series: pd.DataFrame) -> Snapshot:
    events = reference_events()
    coverage = events[COVERAGE.name]
    paces, simulated = announced_paces(simulation.published, simulation.parameters)
    return Snapshot(
        name=name,
        simulated=True,
        instruments=sample_instruments(),
        bars=bars,
        bar_units=dict.fromkeys(sample_instruments(), BarUnits(prices="as_traded", volume="units")),
        series=series,
        origin=f"SIMULATED by the built-in model ({name}): no price, series or pace was ever observed; events are real",
        capex_actuals=events[CAPEX.name],
        capex_guidance=events[GUIDANCE.name],
        funding_events=events[FUNDING.name],
        balance_sheet_paces=paces,
        event_coverage=pd.concat([coverage[coverage["kind"] != "balance_sheet_pace"], simulated]),
    )


def true_regime(name: str = "sample") -> pd.Series:
    """Return the regime that the model's idle money is in at the end of each NYSE session; no strategy may read it.

    Returns:
        ``ABUNDANT``, ``NEUTRAL`` or ``SCARCE`` by session.
    """
    simulation = _simulate(name)
    regimes = true_regimes(simulation.truth["scarcity"], simulation.parameters.idle_money)
    return regimes.loc[pd.Timestamp(simulation.parameters.calendar.first) :]


def true_return_parts(name: str, symbol: str) -> pd.DataFrame:
    """Return what each return of one asset is made of (`data.sample.assets.PARTS`), by date of its bars."""
    if symbol not in sample_instruments():
        raise InputError(f"no asset {symbol!r} in the sample market; there are: {', '.join(sample_instruments())}")
    return _since_listing(_simulate(name).return_parts(symbol), symbol)


@cache
def sample_instruments() -> dict[str, Instrument]:
    """Return the simulated instruments, by symbol."""
    return dict(read_catalogue(_INSTRUMENT_FILE, Instrument))


def _simulate(name: str) -> _Simulation:
    scenario, seed = _scenario_and_seed(name)
    parameters = scenario_parameters(scenario)
    calendar = parameters.calendar
    sessions = sessions_between(pd.Timestamp(calendar.warm_up), pd.Timestamp(calendar.last))
    capex = reference_events()[CAPEX.name]

    def economy(role: str) -> pd.DataFrame:
        return simulate_economy(parameters, capex, sessions, seed, role)

    published = economy("published")
    if parameters.link.joined:
        return _Simulation(parameters, seed, published, published, published)
    return _Simulation(parameters, seed, published, economy("truth"), economy("prices"))


def _scenario_and_seed(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(f"got the market {name!r}, wanted sample, sample:SCENARIO or sample:SCENARIO@SEED (a number)")
    return match["scenario"] or scenario_names()[0], int(match["seed"] or DEFAULT_SEED)


def _bars(simulation: _Simulation, symbol: str) -> pd.DataFrame:
    parameters, seed = simulation.parameters, simulation.seed
    kind = kind_of(parameters, symbol)
    sessions = pd.DatetimeIndex(simulation.published.index)
    parts = simulation.return_parts(symbol)
    gaps = _since_listing(opening_gaps(parameters, symbol, parts, sessions, seed), symbol)
    returns = _since_listing(parts.sum(axis=1), symbol)
    deviation = np.sqrt(sum(size**2 for size in noise_deviations(parameters, symbol).values()))
    after_open = np.sqrt(1 - parameters.kind.gap.get(kind, 0.0))
    return make_bars(
        returns,
        gaps,
        deviation * after_open * calmness(parameters, pd.DatetimeIndex(returns.index), sessions),
        parameters.asset.start_price[symbol],
        parameters.kind.turnover_musd[kind] * 1e6,
        parameters.noise.volume,
        generator(seed, "bars", symbol),
    )


def _since_listing(frame: Frame, symbol: str) -> Frame:
    return frame.loc[pd.Timestamp(sample_instruments()[symbol].listed) :]
