"""The folder by which trials are counted."""

from pathlib import Path


def project_folder(start: Path | None = None) -> Path:
    """Return the folder in which a user works, its links followed.

    It is the nearest one, from `start` upwards, that holds a ``.git``; where none does, `start` itself.

    Args:
        start: None: the current folder.

    Raises:
        OSError: the current folder is gone.
    """
    folder = (start or Path.cwd()).resolve()
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)
