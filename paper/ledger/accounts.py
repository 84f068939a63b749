"""Which accounts of this machine trade on a market."""

from collections.abc import Collection
from pathlib import Path

from data.errors import ReverseQeError
from data.files.home import home
from paper.ledger.reader import LEDGER_FILE, LedgerReader


def accounts_on(markets: Collection[str]) -> list[Path]:
    """The folders of accounts whose newest decision was taken on one of some snapshots, in order of their names.

    Accounts that keep their state elsewhere than below `data.files.home.home` are not known here.

    Args:
        markets: names of snapshots, such as ``history`` or ``live.3``.
    """
    return [
        ledger.parent for ledger in sorted((home() / "paper").glob(f"*/{LEDGER_FILE}")) if _market(ledger) in markets
    ]


def _market(ledger: Path) -> str | None:
    """The snapshot of the newest decision; None without one, or where the ledger cannot be read."""
    try:
        with LedgerReader(ledger) as reader:
            decision = reader.last_decision()
    except ReverseQeError:
        return None
    return None if decision is None else decision.market
