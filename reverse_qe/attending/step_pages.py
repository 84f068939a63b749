"""The pages that are written after each step of an account: that of the signal in the morning, and the account's."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.files.atomic import require_free
from paper.config import PaperConfig

if TYPE_CHECKING:
    from paper.overview.status import Status

MORNING, ACCOUNT = "morning.html", "account.html"


def pages_in(folder: Path, config: PaperConfig) -> dict[str, Callable[[], None]]:
    """By name, what writes each page into a folder, whole or not at all; an older one is replaced.

    Raises:
        InputError: the folder cannot be made, or holds something else of such a name.
    """
    from reverse_qe.pages.page_files import require_page_path

    if not folder.is_dir():
        require_free(folder, "--pages")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make --pages {folder}: {error.strerror}; choose another folder") from error
    for name in (MORNING, ACCOUNT):
        require_page_path(folder / name)
    return {
        f"the page {MORNING}": lambda: _write(folder / MORNING, morning_page(config)),
        f"the page {ACCOUNT}": lambda: _write(folder / ACCOUNT, page_of_account(config)),
    }


def morning_page(config: PaperConfig) -> str:
    """The page of `reverse-qe signal --page` for an account's spec and market."""
    from reverse_qe import api

    return api.signal(config.spec, config.market).page()


def page_of_account(config: PaperConfig, stands: "Status | None" = None) -> str:
    """The page of `reverse-qe paper status --page`; `stands` is read where it is not given."""
    from paper.explain.explain import explained
    from paper.overview.history import read_history
    from paper.overview.status import read_status
    from reverse_qe.pages.account import account_page

    return account_page(stands or read_status(config), read_history(config), explained(config))


def _write(path: Path, page: str) -> None:
    from reverse_qe.pages.page_files import write_page

    write_page(path, page)
