"""Returns of the simulated assets: the sum of what each is exposed to, plus noise of its kind and of its own."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from data.sample.noise import Array, generator, heavy_tailed
from data.sample.parameters import SampleParameters

SESSIONS_A_YEAR = 252
DAYS_A_YEAR = 365.25
MARKET, BILL = "SIM-MARKET", "SIM-BILL"
NOISES = ("market", "kind", "own")
PARTS = ("bill", "premium", "yields", "spreads", *NOISES)


def kind_of(parameters: SampleParameters, symbol: str) -> str:
    """Return the kind of an asset: one of those of the parameters, ``market`` or ``bill``."""
    alone = {MARKET: "market", BILL: "bill"}
    return alone.get(symbol) or next(kind for kind, members in parameters.kind.members.items() if symbol in members)


def noise_deviations(parameters: SampleParameters, symbol: str) -> dict[str, float]:
    """Deviation in one session of each of `NOISES` that an asset has: the market's, its kind's and its own."""
    per_session = 1 / np.sqrt(SESSIONS_A_YEAR)
    market = float(parameters.market.volatility * per_session)
    kind = kind_of(parameters, symbol)
    if kind not in parameters.kind.members:
        return {"market": market} if kind == "market" else {}
    if kind == "coin":  # its year of noise holds quieter days besides the sessions
        per_session = 1 / np.sqrt(SESSIONS_A_YEAR + (DAYS_A_YEAR - SESSIONS_A_YEAR) * parameters.coin.calm**2)
    return {
        "market": parameters.asset.market_beta[symbol] * market,
        "kind": float(parameters.kind.volatility[kind] * per_session),
        "own": float(parameters.asset.own_volatility[symbol] * per_session),
    }


def calmness(parameters: SampleParameters, days: pd.DatetimeIndex, sessions: pd.DatetimeIndex) -> Array:
    """Return the factor on the noise of each day: 1 on sessions, less on the days between."""
    return np.where(days.isin(sessions), 1.0, parameters.coin.calm)


def return_parts(
    parameters: SampleParameters, symbol: str, bill: "pd.Series[float]", economy: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Simple returns of one asset from close to close, part by part.

    Args:
        parameters: of the scenario.
        symbol: of the asset.
        bill: the published bill yield by session, percent; every asset earns the one of the session before.
        economy: of `data.sample.economy.simulate_economy`, the one that prices belong to.
        seed: of the market.

    Returns:
        `PARTS` by session, for coins by day; a row's sum is the return. On a day without session a coin has noise of
        its kind and its own alone.
    """
    noise = _noise(
        parameters,
        symbol,
        pd.DatetimeIndex(economy.index),
        lambda source, size: heavy_tailed(source, size, parameters.noise.tail, parameters.noise.limit),
        seed,
        "returns",
    )
    exposures = _exposures(parameters, kind_of(parameters, symbol), symbol, bill, economy)
    return exposures.reindex(noise.index, fill_value=0.0).join(noise)[list(PARTS)]


def opening_gaps(
    parameters: SampleParameters, symbol: str, parts: pd.DataFrame, sessions: pd.DatetimeIndex, seed: int
) -> "pd.Series[float]":
    """Simple returns of one asset from close to open, by the dates of `parts`.

    Noise is taken as a random walk through the day, of which the end is known: at the open it has gone a share of its
    way, plus what a Brownian bridge strays. Assets stray together as their returns go together, or the gap of one would
    foretell the day of another. Bill, premium, yields and spreads come after the open.
    """
    share = parameters.kind.gap.get(kind_of(parameters, symbol), 0.0)
    strays = _noise(parameters, symbol, sessions, np.random.Generator.standard_normal, seed, "gaps")
    way = parts[list(NOISES)].sum(axis=1)
    return way * share + strays.sum(axis=1) * float(np.sqrt(share * (1 - share)))


def _exposures(
    parameters: SampleParameters, kind: str, symbol: str, bill: "pd.Series[float]", economy: pd.DataFrame
) -> pd.DataFrame:
    """What an asset earns without noise, by session: its kind's exposures and those of its share in the market."""
    market, shared = parameters.market, parameters.kind
    beta = parameters.asset.market_beta.get(symbol, 0.0 if kind == "bill" else 1.0)
    premium = beta * market.premium + shared.premium.get(kind, 0.0)
    yield_beta = beta * market.yield_beta + shared.yield_beta.get(kind, 0.0)
    spread_beta = beta * market.spread_beta + shared.spread_beta.get(kind, 0.0)
    return pd.DataFrame(
        {
            "bill": (1 + bill.shift().bfill() / 100) ** (1 / SESSIONS_A_YEAR) - 1,
            "premium": premium / SESSIONS_A_YEAR,
            "yields": yield_beta * economy["real_yield"].diff().fillna(0.0),
            "spreads": spread_beta * economy["spread"].diff().fillna(0.0),
        }
    )


def _noise(
    parameters: SampleParameters,
    symbol: str,
    sessions: pd.DatetimeIndex,
    draw: Callable[[np.random.Generator, int], Array],
    seed: int,
    use: str,
) -> pd.DataFrame:
    """`NOISES` by session, for coins by day; 0 where there is none. What assets share is drawn from one stream."""
    kind = kind_of(parameters, symbol)
    days = pd.date_range(sessions[0], sessions[-1]).as_unit("us") if kind == "coin" else sessions
    streams = {"market": (use, "market"), "kind": (use, "kind", kind), "own": (use, "own", symbol)}
    noise = pd.DataFrame(0.0, index=days, columns=list(NOISES))
    for source, deviation in noise_deviations(parameters, symbol).items():
        dates = sessions if source == "market" else days
        drawn = draw(generator(seed, *streams[source]), len(dates))
        noise.loc[dates, source] = deviation * drawn * calmness(parameters, dates, sessions)
    return noise
