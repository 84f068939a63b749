"""From intents to the orders that Alpaca takes: rounded to its increments, cut to what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any, Self

from paper.broker import Intent, OrderState, Side
from paper.brokers.alpaca.answers import flag, to_alpaca
from strategies.fills import HINDRANCES, Hindrance, OrderStatus

CENT = Decimal("0.01")
SMALLEST_PART = Decimal("1e-9")
# US dollars.
SMALLEST_BUY = Decimal(1)
SMALLEST_COIN_BUY = Decimal(10)
LARGEST_COIN_ORDER = Decimal(200_000)
# Units are valued at the price of the moment, which may have risen since the decision.
LARGEST_COIN_SELL = LARGEST_COIN_ORDER * Decimal("0.8")

TOO_SMALL, NO_CASH = HINDRANCES[Hindrance.NO_ORDER], HINDRANCES[Hindrance.NO_CASH]


@dataclass(frozen=True)
class Asset:
    """What Alpaca says of an instrument.

    Attributes:
        tradable: at all.
        fractionable: by parts of a unit, and so for a sum of money.
        increment: units are multiples of it.
        smallest: units of the smallest order.
    """

    tradable: bool
    fractionable: bool
    increment: Decimal
    smallest: Decimal

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read an asset as Alpaca tells of it; increments are told of coins alone.

        Raises:
            ValueError, TypeError, ArithmeticError: something is not what it should be.
        """
        fractionable = flag(raw["fractionable"])
        parts = SMALLEST_PART if fractionable else Decimal(1)
        increment, smallest = (
            Decimal(str(raw.get(name) or parts)) for name in ("min_trade_increment", "min_order_size")
        )
        if not all(each.is_finite() and each > 0 for each in (increment, smallest)):
            raise ValueError(f"got the increment {increment} and the smallest order {smallest}")
        return cls(flag(raw["tradable"]) and raw["status"] == "active", fractionable, increment, smallest)


@dataclass(frozen=True)
class Order:
    """A market order.

    Attributes:
        client_id: of the intent.
        symbol: Alpaca's.
        side: of the intent.
        time_in_force: ``day``, ``gtc`` or ``ioc``.
        units: to trade; None where money is given.
        money: US dollars to spend; None where units are given.
    """

    client_id: str
    symbol: str
    side: Side
    time_in_force: str
    units: Decimal | None = None
    money: Decimal | None = None


def sized_sells(
    intents: Sequence[Intent], assets: Mapping[str, Asset], free: Mapping[str, str], coin_time_in_force: str
) -> list[Order | OrderState]:
    """Orders to sell units, no more than are there.

    Args:
        intents: to sell.
        assets: by our symbol.
        free: units by our symbol that no open order holds.
        coin_time_in_force: ``gtc`` or ``ioc``.

    Returns:
        For each intent its order, or why there is none.
    """
    orders: list[Order | OrderState] = []
    for intent in intents:
        asset = assets[intent.symbol]
        units, there = _decimal(intent.units), Decimal(free.get(intent.symbol, "0"))
        if units > there - asset.increment:
            # All of it: a float a hair below would leave dust.
            units = there
        if intent.is_coin:
            units = min(units, LARGEST_COIN_SELL / _decimal(intent.decision_price))
        units = units // asset.increment * asset.increment
        if not asset.tradable:
            orders.append(_ended(intent, OrderStatus.UNFILLED, f"refused: {intent.symbol} is not tradable at Alpaca"))
        elif units <= 0 or units < asset.smallest:
            orders.append(_ended(intent, OrderStatus.UNFILLED, TOO_SMALL))
        else:
            orders.append(_order(intent, coin_time_in_force, units=units))
    return orders


def sized_buys(
    intents: Sequence[Intent], assets: Mapping[str, Asset], cash: float, coin_time_in_force: str
) -> list[Order | OrderState]:
    """Orders to spend money, all cut by one factor where it exceeds the cash.

    Args:
        intents: to buy.
        assets: by our symbol.
        cash: US dollars that are there at this moment.
        coin_time_in_force: ``gtc`` or ``ioc``.

    Returns:
        For each intent its order, or why there is none.
    """
    promised = sum(_decimal(intent.money) for intent in intents)
    factor = min(Decimal(1), _decimal(cash) / promised)
    orders: list[Order | OrderState] = []
    for intent in intents:
        asset, money = assets[intent.symbol], _decimal(intent.money) * factor
        if intent.is_coin:
            money = min(money, LARGEST_COIN_ORDER)
        money = money.quantize(CENT, ROUND_DOWN)
        smallest = SMALLEST_COIN_BUY if intent.is_coin else SMALLEST_BUY
        least = max(smallest, asset.smallest * _decimal(intent.decision_price))
        if not asset.tradable:
            orders.append(_ended(intent, OrderStatus.UNFILLED, f"refused: {intent.symbol} is not tradable at Alpaca"))
        elif not asset.fractionable:
            reason = f"{intent.symbol} trades in whole units only at Alpaca: it cannot be bought for a sum of money"
            orders.append(_ended(intent, OrderStatus.REJECTED, reason))
        elif factor < 1 and money < _decimal(intent.least):
            orders.append(_ended(intent, OrderStatus.UNFILLED, NO_CASH))
        elif money < least:
            orders.append(_ended(intent, OrderStatus.UNFILLED, NO_CASH if factor < 1 else TOO_SMALL))
        else:
            orders.append(_order(intent, coin_time_in_force, money=money))
    return orders


def _order(
    intent: Intent, coin_time_in_force: str, units: Decimal | None = None, money: Decimal | None = None
) -> Order:
    return Order(
        client_id=intent.client_id,
        symbol=to_alpaca(intent.symbol, intent.is_coin),
        side=intent.side,
        time_in_force=coin_time_in_force if intent.is_coin else "day",
        units=units,
        money=money,
    )


def _ended(intent: Intent, status: OrderStatus, reason: str) -> OrderState:
    return OrderState(intent.client_id, status, 0.0, reason)


def _decimal(number: float | None) -> Decimal:
    """A float as people write it: the shortest decimal that stands for it."""
    return Decimal(repr(number or 0.0))
