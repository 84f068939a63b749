"""What could have been chosen in the place of each name of a spec, as it was known on the day it was first held."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from data.catalogue.instruments import AssetClass
from data.clock import decision_times
from data.errors import InputError
from data.market.memberships import LABELS, members_known, newest_labels
from data.market.snapshot import Snapshot
from data.prices.conversions import SYMBOL_CHANGE
from strategies.universe import Basket, Universe

Labels = Literal["then", "today"]
# Baskets whose names are drawn; the reserve stands in for cash and stays.
DRAWN: tuple[Basket, ...] = ("speculative", "cash_flow")
# What an index of US stocks can stand in for.
OF_AN_INDEX: AssetClass = "us_stock"


class Slot(NamedTuple):
    """A place of a basket.

    Attributes:
        symbol: that the spec has there.
        basket: of it.
        asset_class: of it.
        column: of the spec's universe.
        row: of the first decision that may hold it; what is drawn in its place is chosen there, and not held before.
    """

    symbol: str
    basket: Basket
    asset_class: AssetClass
    column: int
    row: int


@dataclass(frozen=True)
class Asked:
    """What names are drawn from.

    Attributes:
        universe: the market that has them; None: that of the run.
        sectors: by basket, names of sectors or industries of which its stocks are drawn. A basket that is not named
            has the sector that most of its stocks had.
        labels: ``then``: sectors as known on the day of the choice; ``today``: the newest that the market tells,
            which is hindsight.
    """

    universe: Snapshot | None = None
    sectors: Mapping[str, Collection[str]] = field(default_factory=dict)
    labels: Labels = "then"


def slots_of(
    universe: Universe, classes: Mapping[str, AssetClass], tradable: np.ndarray, symbols: Sequence[str]
) -> tuple[Slot, ...]:
    """The places of a spec that something is drawn for, by the day on which each is first held.

    Args:
        universe: of the spec.
        classes: of its instruments.
        tradable: (n, m) whether each of the symbols may be held at each session decided for.
        symbols: of the columns.

    Returns:
        What may never be held has none.
    """
    found = []
    for basket in DRAWN:
        for symbol in universe.members(basket):
            column = symbols.index(symbol)
            if tradable[:, column].any():
                row = int(tradable[:, column].argmax())
                found.append(Slot(symbol, basket, classes[symbol], column, row))
    return tuple(sorted(found, key=lambda slot: slot.row))


def chosen_sectors(
    asked: Asked, universe: Snapshot, slots: Sequence[Slot], decides_for: pd.DatetimeIndex
) -> dict[str, list[str]]:
    """By basket, the sectors that its stocks are drawn from; none where the market tells no members.

    Raises:
        InputError: a basket or sector that there is not, or that has to be named.
    """
    if asked.labels not in get_args(Labels):
        raise InputError(f"got {asked.labels!r} for labels, wanted one of {', '.join(get_args(Labels))}")
    if wrong := sorted({*asked.sectors} - {*DRAWN}):
        raise InputError(f"got a sector of the basket {wrong[0]!r}, wanted one of {', '.join(DRAWN)}")
    if universe.memberships.empty:
        if asked.sectors or asked.labels != "then":
            raise InputError(
                f"got sectors to draw from, but market {universe.name} tells none, wanted a market with members by "
                "date; make one by: reverse-qe data import --universe FOLDER --name NAME"
            )
        return {}
    told = {str(name) for label in LABELS for name in universe.memberships[label].unique()} - {""}
    for basket, names in asked.sectors.items():
        if unknown := sorted({*names} - told):
            raise InputError(
                f"{basket}: got the sector {unknown[0]!r}, wanted one that market {universe.name} tells: "
                f"{', '.join(_sectors_of(universe))}, or an industry of its members"
            )
    stocks = [slot for slot in slots if slot.asset_class == OF_AN_INDEX]
    return {
        basket: [*asked.sectors[basket]]
        if basket in asked.sectors
        else _usual_sector(basket, mine, universe, decides_for)
        for basket in DRAWN
        if (mine := [slot for slot in stocks if slot.basket == basket])
    }


def candidates(
    slot: Slot, own: Snapshot, asked: Asked, sectors: Mapping[str, Collection[str]], decision: pd.Timestamp
) -> tuple[Snapshot, list[str]]:
    """What could have been chosen for a place at a decision, whether or not it has prices then.

    A stock is drawn of the sectors of its basket, where there are such; all else of its asset class, from the market of
    the run where the universe has nothing of it.

    Args:
        slot: the place.
        own: market of the run.
        asked: what names are drawn from.
        sectors: by basket; empty where the universe tells none.
        decision: moment, UTC, of the choice.

    Returns:
        The market that has the names, and the names, sorted.
    """
    universe = own if asked.universe is None else asked.universe
    if sectors and slot.asset_class == OF_AN_INDEX:
        known = members_known(universe, decision)
        told = known if asked.labels == "then" else newest_labels(universe).reindex(known.index)
        return universe, sorted(known.index[told.isin(list(sectors[slot.basket])).any(axis=1).to_numpy()])
    market = universe if _of_class(universe, slot.asset_class) else own
    return market, _of_class(market, slot.asset_class)


def _of_class(market: Snapshot, asset_class: AssetClass) -> list[str]:
    """Instruments of a class that can be held as they are, to their end."""
    apart = left_out(market, asset_class)
    own = (symbol for symbol, entry in market.instruments.items() if entry.asset_class == asset_class)
    return sorted(symbol for symbol in own if symbol not in apart)


def left_out(market: Snapshot, asset_class: AssetClass) -> dict[str, str]:
    """Instruments of a class that no draw takes, and why."""
    changed = set(market.actions.loc[market.actions["kind"] == SYMBOL_CHANGE, "symbol"])
    reasons = {}
    for symbol, entry in market.instruments.items():
        if entry.asset_class == asset_class and entry.currency != "USD":
            reasons[symbol] = "not priced in US dollars"
        elif entry.asset_class == asset_class and symbol in changed:
            reasons[symbol] = "that became another symbol"
    return reasons


def _usual_sector(basket: str, slots: Sequence[Slot], universe: Snapshot, decides_for: pd.DatetimeIndex) -> list[str]:
    """The sector that most of a basket's stocks had when each was first held, as known then."""
    told: list[str] = []
    for slot in slots:
        members = members_known(universe, decision_times(decides_for[[slot.row]])[0])
        told += [str(members.loc[slot.symbol, "sector"])] if slot.symbol in members.index else []
    if not told:
        raise InputError(
            f"{basket}: none of its stocks was a known member of market {universe.name} when it was first held, wanted "
            f"a sector to draw from: --sector {basket}=NAME, one of {', '.join(_sectors_of(universe))}"
        )
    return [max(sorted(set(told)), key=told.count)]


def _sectors_of(universe: Snapshot) -> list[str]:
    return sorted({*universe.memberships["sector"]} - {""})
