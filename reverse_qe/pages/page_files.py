"""Pages as files: a page of ours is replaced by a newer one, what is none of ours never is."""

from pathlib import Path

from data.errors import InputError
from data.files.atomic import require_free, write_whole
from reverse_qe.output import say
from reverse_qe.pages.kit import GENERATOR

OPTION = "--page"
SUFFIXES = (".html", ".htm")
# Within so many bytes a page says who made it.
HEAD = 2_000


def require_page_path(path: Path) -> None:
    """Refuse, before any work is done, a path that no page can be written to.

    Raises:
        InputError: something else is there, nothing can be written there, or no browser would show it as a page.
    """
    if not _is_page(path):
        require_free(path, OPTION)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"got {OPTION} {path}, wanted a name that ends in .html; choose {path.with_suffix('.html')}")


def write_page(path: Path, page: str) -> None:
    """Write a page whole or not at all; an older page of ours is replaced, and a folder that is made is told.

    Raises:
        InputError: something else is there, or it cannot be written.
    """
    require_page_path(path)
    is_new = not path.parent.exists()
    try:
        write_whole(path, page, replace=True)
    except OSError as error:
        raise InputError(f"cannot write {OPTION} {path}: {error.strerror}; choose another") from error
    if is_new:
        say(f"! {OPTION} {path}: its folder was not there, and was made")


def _is_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return f'content="{GENERATOR}"'.encode() in file.read(HEAD)
    except (OSError, ValueError):
        return False


def open_page(path: Path) -> str:
    """Show a page in the user's browser, and say in a line what became of it.

    Raises:
        InputError: there is no such page.
    """
    import webbrowser

    if not path.is_file():
        raise InputError(f"got a run without a page, wanted {path}; make it again without --no-tearsheet")
    opened = webbrowser.open(path.resolve().as_uri())
    return f"Page: {path}" if opened else f"No browser could be opened; the page is {path}"
