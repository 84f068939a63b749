"""Where snapshots and state are kept."""

import os
from pathlib import Path


def home() -> Path:
    """Return the folder of snapshots and state: ``$REVERSE_QE_HOME``, or the user's data folder."""
    named = os.environ.get("REVERSE_QE_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("reverse-qe", appauthor=False))
