"""A run by what it is called: its folder, its id, the beginning of either, its label, or ``latest``."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

from backtests.archive.stored import MANIFEST, OWN_NAME, RUNS, StoredRun, label_of, read_run, run_folders
from data.errors import InputError
from data.files.paths import usable_path

LATEST = "latest"
SWEEP = "sweep.json"
_SHOWN = 5


class SeveralRunsError(InputError):
    """What was given for a run's name fits more than one."""


def find_run(name: str | Path, root: Path = RUNS) -> Path:
    """Find the folder of one run.

    Args:
        name: the path of a folder; the name of one below `root`, its run's id or label, or the beginning of name or id
            that fits one run alone; ``latest``: the one that was written last.
        root: folder in which runs lie.

    Raises:
        InputError: no run has this name.
        SeveralRunsError: more than one has.
    """
    text = str(usable_path(name, "the run"))
    # A folder that holds no run may have the name of a label.
    if (Path(text) / MANIFEST).is_file():
        return Path(text)
    if ((sweep := Path(text).parent) / SWEEP).is_file():
        raise InputError(
            f"got {text}, and the sweep {sweep} keeps no run of a variant, only its row in variants.parquet; make it: "
            f"reverse-qe backtest {sweep}/spec.toml --set KEY=VALUE"
        )
    folders = _folders(root)
    is_folder = Path(text).is_dir()
    if not folders and not is_folder:
        raise InputError(f"got the run {text}, but there is none below {root}/; make one with: reverse-qe backtest")
    if text == LATEST and folders:
        return max(folders, key=lambda folder: ((folder / MANIFEST).stat().st_mtime_ns, folder.name))
    ids = {folder: _id_of(folder) for folder in folders}
    ways: tuple[Callable[[Path], bool], ...] = (
        lambda folder: text in (folder.name, ids[folder]),
        lambda folder: label_of(folder) == text,
        lambda folder: folder.name.startswith(text) or ids[folder].startswith(text),
    )
    for fits in ways:
        found = [folder for folder in folders if fits(folder) and _is_so_called(folder, text)]
        # The same run that was written twice is one.
        if len({ids[folder] or folder.name for folder in found}) == 1:
            return found[-1]
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            names = ", ".join(folder.name for folder in found[:_SHOWN])
            raise SeveralRunsError(f"got the run {text}, which fits {names}{more}; wanted more of its name")
    if is_folder:
        return Path(text)
    known = [*(label for folder in folders if (label := label_of(folder))), *(folder.name for folder in folders)]
    known += ids.values()
    near = get_close_matches(text, known, 1, 0.5)
    nearest = f"the nearest is {near[0]}; " if near else ""
    raise InputError(f"got the run {text}, and there is none below {root}/; {nearest}see: reverse-qe runs list")


def find_runs(names: Iterable[str | Path]) -> list[StoredRun]:
    """Find and read runs, in the order of their names; see `find_run`."""
    return [read_run(find_run(name)) for name in names]


def _is_so_called(folder: Path, text: str) -> bool:
    """Whether a folder's name, or its label, says the truth: one that was renamed has the id of its manifest alone."""
    if folder.name.startswith(text) or label_of(folder) == text:
        return True
    try:
        return str(read_run(folder).manifest["run_id"]).startswith(text)
    except (InputError, OSError):
        return True  # whoever reads it says what is wrong with it


def _folders(root: Path) -> list[Path]:
    try:
        return run_folders(root)
    except OSError:
        return []


def _id_of(folder: Path) -> str:
    """The id of a run: of its folder's name, where it got that of itself, else of its manifest."""
    if (named := OWN_NAME.fullmatch(folder.name)) is not None:
        return named[1]
    try:
        return str(read_run(folder).manifest["run_id"])
    except (InputError, OSError):
        return ""
