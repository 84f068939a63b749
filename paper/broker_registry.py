"""The brokers that can be chosen, one entry each: what else of the trader depends on the broker asks its entry.

A broker to come is a room below `paper/brokers` and an entry here. Nothing is imported before a broker is opened.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import NamedTuple


class Extra(NamedTuple):
    """What a broker needs besides the core: an extra of this package, the package that it brings, and its module."""

    name: str
    package: str
    module: str


class BrokerEntry(NamedTuple):
    """A kind of broker.

    Attributes:
        name: the word of ``broker.kind``.
        title: for people.
        opener: ``module:function`` that opens an account; it takes what `paper.brokers.opener.open_broker` does.
        market: that `paper init` names where nothing else is said.
        settings: the keys of the section ``broker`` that it reads, besides ``kind``.
        keys: those of them that name environment variables which hold its keys.
        extra: that it needs; None where the core is enough.
        replays: whether the market's bars fill its orders: its account can be replayed session by session, it needs no
            network, and between two planned steps nothing happens at it.
        fills: when an order of a coin, and one of a stock, fills; ``{open}`` is the open of New York.
        unpaid: what the account does not pay, nor take, though a real one would; empty where there is no such thing.
    """

    name: str
    title: str
    opener: str
    market: str
    settings: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extra: Extra | None = None
    replays: bool = False
    fills: tuple[str, str] = ("at once", "at {open}")
    unpaid: str = ""

    def lacks_extra(self) -> bool:
        """Whether the extra that it needs is not installed."""
        return self.extra is not None and find_spec(self.extra.module) is None


BROKERS: Mapping[str, BrokerEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            BrokerEntry(
                name="simulated",
                title="a book of ours, no network",
                opener="paper.brokers.simulated.broker:open_account",
                market="sample",
                replays=True,
                fills=("at the next UTC open", "at {open}, once the bars are in the market"),
            ),
            BrokerEntry(
                name="alpaca",
                title="a paper account at Alpaca",
                opener="paper.brokers.alpaca.broker:open_account",
                market="live",
                settings=("endpoint", "key_env", "secret_env"),
                keys=("key_env", "secret_env"),
                extra=Extra("alpaca", "alpaca-py", "alpaca"),
                fills=("at once", "at {open}"),
                unpaid="dividends, regulatory fees",
            ),
        )
    }
)
DEFAULT_BROKER = "simulated"
