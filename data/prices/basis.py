"""Whether prices are as traded or adjusted for what came later: told by the data, and kept with the market."""

from typing import Literal

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.market.snapshot import Snapshot
from data.prices.adjustment import CASH, SPIN_OFF, SPLIT

PriceBasis = Literal["as_traded", "adjusted"]

# Adjusted prices are often rounded to a cent; a dividend that moves the adjustment by less is not worth a fault.
ADJUSTMENT_TOLERANCE = 1e-3
ADJUSTING = (*CASH, SPLIT, SPIN_OFF)
# Prices of stocks above a dollar are quoted in cents; those that were adjusted lie on them by chance alone.
_CENTS, _ON_CENTS = 0.01, 0.9
_FLOAT_NOISE = 1e-9


def price_basis(snapshot: Snapshot, symbol: str) -> PriceBasis | None:
    """On which basis the closes of an instrument are; None where the data do not tell.

    What the snapshot keeps of it counts. One that does not say, for it is older or was made by hand, is judged by its
    data, and prices of which nobody collected the actions are then adjusted: a maker who knows better says so in
    `data.market.snapshot.Snapshot.bar_units`.
    """
    kept = snapshot.bar_units.get(symbol)
    if kept is not None and kept.prices is not None:
        return kept.prices
    bars, came = snapshot.bars_of(symbol), kept is not None
    told = told_basis(
        bars,
        told_actions(snapshot, symbol),
        snapshot.instruments[symbol],
        market_has_actions=len(snapshot.actions) > 0,
        by_ticks=came,
    )
    return "adjusted" if told is None and is_unadjusted(bars) else told


def told_actions(snapshot: Snapshot, symbol: str) -> pd.DataFrame:
    """Actions of an instrument, those that are set aside among them: they too say on which days something was told."""
    aside = snapshot.actions_aside
    held = snapshot.actions_of(symbol)
    return held if aside.empty else pd.concat([held, aside.loc[aside["symbol"] == symbol, list(held.columns)]])


def told_basis(
    bars: pd.DataFrame, actions: pd.DataFrame, entry: Instrument, market_has_actions: bool, by_ticks: bool = False
) -> PriceBasis | None:
    """On which basis the closes of one instrument are, by its data.

    A coin has nothing to adjust for. Where the adjusted close differs from the close and every step of it has its
    dividend, split or spin-off, the closes are as traded. Where it never differs, dividends and splits of the
    instrument are in the closes already; without any, the closes are as traded if the market has actions of others, and
    else nothing tells.

    Args:
        bars: ``date``, ``close`` and ``adj_close``.
        actions: of the instrument, those that are set aside among them.
        entry: of the instrument.
        market_has_actions: whether dividends and splits of the market were collected.
        by_ticks: whether closes without any action must also lie on the ticks of quoted prices; adjusted ones do not.
    """
    if entry.is_crypto:
        return "as_traded"
    if is_unadjusted(bars):
        adjusting = pd.DatetimeIndex(actions.loc[actions["kind"].isin(ADJUSTING), "date"])
        inside = adjusting[(adjusting > bars["date"].min()) & (adjusting <= bars["date"].max())]
        if len(inside) or (market_has_actions and by_ticks and not _on_ticks(bars["close"])):
            return "adjusted"
        return "as_traded" if market_has_actions else None
    return None if len(unexplained_steps(bars, actions)) else "as_traded"


def is_unadjusted(bars: pd.DataFrame) -> bool:
    """Whether close and adjusted close are the same throughout."""
    return bool(((bars["adj_close"] / bars["close"] - 1.0).abs() <= _FLOAT_NOISE).all())


def unexplained_steps(bars: pd.DataFrame, actions: pd.DataFrame) -> pd.DatetimeIndex:
    """Days on which adjusted over raw close moves without a dividend, split or spin-off.

    Args:
        bars: ``date``, ``close`` and ``adj_close`` of one instrument.
        actions: of it.
    """
    adjustment = (bars["adj_close"] / bars["close"]).to_numpy()
    moved = np.append(False, np.abs(adjustment[1:] / adjustment[:-1] - 1.0) > ADJUSTMENT_TOLERANCE)
    days = pd.DatetimeIndex(bars["date"])
    places = days.searchsorted(pd.DatetimeIndex(actions.loc[actions["kind"].isin(ADJUSTING), "date"]))
    explained = np.zeros(len(days), dtype=bool)
    explained[places[places < len(days)]] = True
    return days[moved & ~explained]


def _on_ticks(closes: pd.Series) -> bool:
    dollars = closes[closes >= 1.0] / _CENTS
    # Sources that give single precision miss a cent by less than this.
    return bool(len(dollars)) and float(((dollars - dollars.round()).abs() <= _CENTS).mean()) >= _ON_CENTS
