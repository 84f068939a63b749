"""Where snapshots and state are kept."""

import os
from pathlib import Path

from data.errors import InputError
from data.files.paths import usable_path


def home() -> Path:
    """Return the folder of snapshots and state: ``$REVERSE_QE_HOME``, or the user's data folder."""
    named = os.environ.get("REVERSE_QE_HOME")
    if named:
        try:
            folder = usable_path(named, "REVERSE_QE_HOME").expanduser()
        except RuntimeError as error:
            raise InputError(f"got REVERSE_QE_HOME {named}: no such user; name a folder") from error
        if folder.is_file():
            raise InputError(f"got REVERSE_QE_HOME {named}, which is a file; name a folder")
        return folder
    import platformdirs

    return Path(platformdirs.user_data_dir("reverse-qe", appauthor=False))
