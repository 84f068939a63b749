"""Which accounts of this machine trade on a market."""

import tomllib
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


def configured_on(market: str, folder: Path) -> list[Path]:
    """The files of a folder that configure an account on a market, open yet or not, in order of their names.

    Args:
        market: its name, without a version.
        folder: in which `paper init` may have written one.
    """
    return [path for path in sorted(folder.glob("*.toml")) if _configured(path) == market]


def _configured(path: Path) -> str | None:
    """The market of a configuration, which alone has it beside a spec; None where a file is something else."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return values["market"] if {"market", "spec"} <= values.keys() else None


def _market(ledger: Path) -> str | None:
    """The snapshot of the newest decision; None without one, or where the ledger cannot be read."""
    try:
        with LedgerReader(ledger) as reader:
            decision = reader.last_decision()
    except ReverseQeError:
        return None
    return None if decision is None else decision.market
