"""The broker that a configuration names, opened."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path

from paper.broker import Broker
from paper.config import PaperConfig
from paper.market import PaperMarket


def open_broker(
    config: PaperConfig, folder: Path, market: PaperMarket, initial_cash: float, clock: Callable[[], datetime]
) -> Broker:
    """Open the account at the broker of a configuration.

    Args:
        config: kind of broker, and what it needs.
        folder: of the account's state.
        market: of the account; its bars fill the orders of a broker that replays.
        initial_cash: US dollars of a simulated account that is not there yet.
        clock: tells the time, UTC.

    Raises:
        InputError: the extra, or a key, is missing.
    """
    module, _, function = config.broker.entry.opener.partition(":")
    broker: Broker = getattr(import_module(module), function)(config, folder, market, initial_cash, clock)
    return broker
