"""Units that become, or bring, units of another instrument: changes of symbol and spin-offs."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.adjustment import SPIN_OFF

SYMBOL_CHANGE = "symbol_change"


@dataclass(frozen=True)
class Conversion:
    """What held units of one instrument become or bring when a session begins.

    Attributes:
        session: naive date.
        symbol: that is held.
        into: that is given for it, or beside it.
        units: given for one held unit, both on the basis of the prices.
        price: US dollars for a unit of what is given less than its smallest unit.
        keeps: whether the held unit stays, as in a spin-off.
    """

    session: pd.Timestamp
    symbol: str
    into: str
    units: float
    price: float
    keeps: bool


def conversions_of(
    snapshot: Snapshot, symbol: str, sessions: pd.DatetimeIndex, is_adjusted: bool
) -> Iterator[Conversion]:
    """Conversions of one instrument that take effect on one of some sessions, but for the first.

    On adjusted prices a spin-off is in the prices; a change of symbol keeps the value that a holding was quoted at.

    Args:
        snapshot: bars and actions.
        symbol: of the snapshot.
        sessions: n naive dates.
        is_adjusted: whether prices and units are.

    Raises:
        InputError: the market has no price of what is given.
    """
    actions = snapshot.actions_of(symbol)
    if actions.empty:
        return
    for action in actions[actions["kind"].isin((SPIN_OFF, SYMBOL_CHANGE))].to_dict("records"):
        keeps, into = action["kind"] == SPIN_OFF, str(action["into"])
        at = int(sessions.searchsorted(action["date"]))
        if not 0 < at < len(sessions) or (keeps and is_adjusted):
            continue
        given = snapshot.bars_of(into)
        given = given[given["date"] <= sessions[at]] if keeps else given[given["date"] >= action["date"]]
        held = snapshot.bars_of(symbol)
        held = held[held["date"] < action["date"]]
        # Of a change that is decided before its day has any bar, raw prices need none of what is given.
        is_to_come = not (keeps or is_adjusted) and action["date"] > _newest_session(snapshot)
        if held.empty or (given.empty and not is_to_come):
            raise InputError(
                f"{symbol}: on {action['date'].date()} a held unit {'brought' if keeps else 'became'} "
                f"{action['value']:g} of {into}, of which market {snapshot.name} has no price then; import or fetch it "
                "too"
            )
        last, units = held.iloc[-1], float(action["value"])
        if is_adjusted:
            quoted = given.iloc[0]
            units *= float(last["adj_close"] / last["close"] * quoted["close"] / quoted["adj_close"])
        price = float(last["adj_close"] if is_adjusted else last["close"])
        if keeps:
            price = price * (1.0 - 1.0 / action["factor"]) if action["factor"] > 0 else float(given["close"].iloc[-1])
        yield Conversion(sessions[at], symbol, into, units, price / units, keeps)


def _newest_session(snapshot: Snapshot) -> pd.Timestamp:
    """The newest day of which a market has a bar of anything but a coin."""
    coins = [symbol for symbol, entry in snapshot.instruments.items() if entry.is_crypto]
    newest: pd.Timestamp = snapshot.bars.loc[~snapshot.bars["symbol"].isin(coins), "date"].max()
    return newest
