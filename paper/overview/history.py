"""What an account did: its equity beside the backtest of its spec, its orders, its movements, what was told."""

from dataclasses import dataclass

import pandas as pd

from paper.config import PaperConfig
from paper.ledger.reader import LedgerReader
from paper.ledger.records import Event
from paper.overview.status import account_market, equity_beside_backtest, ledger_of


@dataclass(frozen=True)
class AccountHistory:
    """What an account did.

    Attributes:
        equity: US dollars at the closes, by session: columns paper and backtest, which runs the account's spec over the
            account's sessions from the same cash. Empty before the first close.
        orders: every order, as `LedgerReader.orders` gives it.
        entries: every movement of the ledger, as `LedgerReader.entries` gives it.
        events: halts, resumptions and steps, newest first.
    """

    equity: pd.DataFrame
    orders: pd.DataFrame
    entries: pd.DataFrame
    events: tuple[Event, ...]


def read_history(config: PaperConfig) -> AccountHistory:
    """Read what an account did; nothing is asked of a broker or a source, and nothing is written.

    Raises:
        InputError: the account is not open yet; its spec or market is gone.
    """
    with LedgerReader(ledger_of(config)) as ledger:
        market = account_market(config, ledger)
        return AccountHistory(
            equity=equity_beside_backtest(ledger, market),
            orders=ledger.orders(),
            entries=ledger.entries(),
            events=tuple(ledger.events()),
        )
