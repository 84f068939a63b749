"""What prices tell of the actions that came beside them: which of them are right, and on which basis the prices are."""

from dataclasses import dataclass

import pandas as pd

from data.catalogue.instruments import Instrument
from data.errors import InputError
from data.market.manifest import BarUnits
from data.market.tables import ACTIONS, ACTIONS_ASIDE
from data.prices.basis import is_unadjusted, told_basis
from data.prices.settlement import refuse_followed_splits, settled


@dataclass(frozen=True)
class ToldByPrices:
    """What becomes of actions and prices of a market.

    Attributes:
        actions: `data.market.tables.ACTIONS` that are used.
        aside: `data.market.tables.ACTIONS_ASIDE`: those that the prices deny.
        units: by symbol, in what its bars are told.
    """

    actions: pd.DataFrame
    aside: pd.DataFrame
    units: dict[str, BarUnits]


def told_by_prices(
    bars: pd.DataFrame,
    actions: pd.DataFrame | None,
    instruments: dict[str, Instrument],
    in_units: frozenset[str],
) -> ToldByPrices:
    """Settle the actions of every instrument, and tell its basis.

    Args:
        bars: `data.market.tables.BARS`.
        actions: `data.market.tables.ACTIONS`; None where nobody collected them.
        instruments: entries of the symbols.
        in_units: symbols whose volumes are known to be in units.

    Raises:
        InputError: closes follow a split that the adjusted closes do not; by symbol.
    """
    told = ACTIONS.empty() if actions is None else actions
    kept, aside, units = [], [], {}
    bars_of = dict(list(bars.groupby("symbol", sort=False)))
    for symbol, entry in instruments.items():
        its_bars, its_actions = bars_of.get(symbol, bars.iloc[:0]), told[told["symbol"] == symbol]
        try:
            if is_unadjusted(its_bars):
                refuse_followed_splits(its_bars, its_actions)
                used, denied = its_actions, ACTIONS_ASIDE.empty()
            else:
                parted = settled(its_bars, its_actions)
                used, denied = parted.actions, parted.aside
        except InputError as error:
            raise InputError(f"{symbol}: {error}") from error
        kept.append(used)
        aside.append(denied)
        basis = told_basis(its_bars, its_actions, entry, market_has_actions=actions is not None, by_ticks=True)
        if basis is None and is_unadjusted(its_bars):
            basis = "adjusted"  # nobody collected what it would have to be adjusted for
        units[symbol] = BarUnits(prices=basis, volume="units" if symbol in in_units else None)
    return ToldByPrices(ACTIONS.conform(pd.concat(kept)), ACTIONS_ASIDE.conform(pd.concat(aside)), units)
