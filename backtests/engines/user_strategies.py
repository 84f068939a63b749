"""What the event engine asks of a strategy that a user has written, and what it refuses by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from backtests.audit.paper_lines import SETTERS
from data.errors import InputError
from data.files.user_code import LookAheadError

# A sell of more than is held by this share is a short sale, not rounding.
ROUNDING = 1e-9


def refuse_cheating(strategy: type[Any], base: type[Any]) -> None:
    """Refuse a strategy that decides on bars whose fill it already sees.

    Args:
        strategy: a class of the user.
        base: Backtrader's, from which it is derived.

    Raises:
        InputError: it defines one of the methods of cheat-on-open.
    """
    for name in ("next_open", "nextstart_open", "prenext_open"):
        if getattr(strategy, name) is not getattr(base, name):
            raise InputError(f"{strategy.__name__}.{name}: cheat-on-open is not offered; decide in next")


def refuse_settings(broker: Any) -> None:
    """Make every setter of the broker that a strategy could reach refuse its call by name."""

    def refusal(name: str) -> Callable[..., None]:
        def refuse(*_arguments: Any, **_options: Any) -> None:
            raise InputError(f"got broker.{name}(), which a strategy may not call; costs and cash stand in the spec")

        return refuse

    for name in SETTERS:
        setattr(broker, name, refusal(name))


def require_market_order(order: Any, sellable: float, tied: bool) -> None:
    """Refuse, by name, an order that is no plain market order for one session.

    Args:
        order: as it is submitted.
        sellable: units held of its instrument, less those that wait to be sold.
        tied: whether another order cancels it (``oco``).

    Raises:
        InputError: another kind of order, a size that is no number, or a short sale.
    """
    name, size = order.data._name, abs(order.created.size)
    if order.exectype != order.Market:
        raise InputError(f"got a {order.getordername()} order for {name}, wanted market orders alone")
    options = {"valid": order.valid is not None, "parent": order.parent is not None, "transmit": not order.transmit}
    for option, is_used in {**options, "oco": tied}.items():
        if is_used:
            raise InputError(
                f"got an order for {name} with {option}, wanted none: every order stands by itself, for one session"
            )
    if order.issell() and size > sellable * (1.0 + ROUNDING):
        raise InputError(
            f"got a sell of {size:g} {name} of which {sellable:g} are held and not on sale yet, wanted no short sale"
        )
    if np.isinf(size):
        raise InputError(f"got an order for {size:g} {name}, wanted a number of units")


def asked_when(strategy: type[Any], is_asked: Callable[[int], bool]) -> type[Any]:
    """The strategy, asked for its decisions at some bars alone; its indicators see all of them.

    Args:
        strategy: a class of the user.
        is_asked: whether it decides at a bar, of which this is the number, from 1.
    """

    class Asked(strategy):  # type: ignore[misc]
        began = False

        def prenext(self) -> None:
            if is_asked(len(self)):
                super().prenext()

        def nextstart(self) -> None:
            self.next()

        def next(self) -> None:
            if not is_asked(len(self)):
                return
            if self.began:
                super().next()
            else:
                self.began = True
                super().nextstart()

        def stop(self) -> None:
            self.broker.is_over = True
            super().stop()

    Asked.__name__, Asked.__qualname__ = strategy.__name__, strategy.__qualname__
    return Asked


@contextmanager
def no_later_bar(datas: Sequence[Any]) -> Iterator[None]:
    """Name the line of a feed of which a strategy reads a bar that has not come yet.

    Raises:
        LookAheadError: in the place of the `IndexError` with which such a reading ends, bars being loaded one by one.
    """
    try:
        yield
    except IndexError as error:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        reader = traceback.tb_frame.f_locals if traceback is not None else {}
        lines = [
            f"{name} of {data._name}"
            for data in datas
            for name in data.getlinealiases()
            if getattr(data.lines, name) is reader.get("self")
        ]
        if not lines or reader.get("ago", 0) <= 0:
            raise
        session = datas[0].datetime.date(0)
        raise LookAheadError(
            f"reads {lines[0]}, {reader['ago']} bars after that of {session}, at its decision"
        ) from error
