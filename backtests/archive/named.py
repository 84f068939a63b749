"""A run by what it is called: its folder, its id, the beginning of either, or ``latest``."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

from backtests.archive.stored import MANIFEST, RUNS, StoredRun, read_run
from data.errors import InputError
from data.files.paths import usable_path

LATEST = "latest"
# The id at the end of the name that a run gets of itself.
_ID = re.compile(r".*-([0-9a-f]{12})")
_SHOWN = 5


def find_run(name: str | Path, root: Path = RUNS) -> Path:
    """Find the folder of one run.

    Args:
        name: the path of a folder; the name of one below `root`, its run's id, or the beginning of either that fits one
            run alone; ``latest``: the one that was written last.
        root: folder in which runs lie.

    Raises:
        InputError: no run, or more than one, has this name.
    """
    text = str(usable_path(name, "the run"))
    if Path(text).is_dir():
        return Path(text)
    folders = run_folders(root)
    if not folders:
        raise InputError(f"got the run {text}, but there is none below {root}/; make one with: reverse-qe backtest")
    if text == LATEST:
        return max(folders, key=lambda folder: ((folder / MANIFEST).stat().st_mtime_ns, folder.name))
    ids = {folder: _id_of(folder) for folder in folders}
    for fits in _ways(text):
        found = [folder for folder in folders if fits(folder.name) or fits(ids[folder])]
        # The same run that was written twice is one.
        if len({ids[folder] or folder.name for folder in found}) == 1:
            return found[-1]
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            names = ", ".join(folder.name for folder in found[:_SHOWN])
            raise InputError(f"got the run {text}, which fits {names}{more}; wanted more of its name")
    known = [*(folder.name for folder in folders), *ids.values()]
    near = get_close_matches(text, known, 1, 0.5)
    nearest = f"the nearest is {near[0]}; " if near else ""
    raise InputError(f"got the run {text}, and there is none below {root}/; {nearest}see: reverse-qe runs list")


def find_runs(names: Iterable[str | Path]) -> list[StoredRun]:
    """Find and read runs, in the order of their names; see `find_run`."""
    return [read_run(find_run(name)) for name in names]


def run_folders(root: Path = RUNS) -> list[Path]:
    """Every folder below another that has a run's manifest, by name; what begins with a dot is being written."""
    try:
        names = sorted(each.name for each in root.iterdir())
    except OSError:
        return []
    return [root / name for name in names if not name.startswith(".") and _has_manifest(root / name)]


def _has_manifest(folder: Path) -> bool:
    try:
        return (folder / MANIFEST).is_file()
    except OSError:
        return False


def _id_of(folder: Path) -> str:
    """The id of a run: of its folder's name, where it got that of itself, else of its manifest."""
    if (named := _ID.fullmatch(folder.name)) is not None:
        return named[1]
    try:
        return str(read_run(folder).manifest["run_id"])
    except (InputError, OSError):
        return ""


def _ways(text: str) -> list[Callable[[str], bool]]:
    """Ways for a name to fit, the surest first."""
    return [lambda name: name == text, lambda name: name.startswith(text)]
