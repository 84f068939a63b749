"""What the log of trials determines, written beside it: no run folder holds it, for it changes with every trial."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from backtests.archive.trials.lines import log_folder
from backtests.archive.trials.project import project_folder
from backtests.evidence.trials import TrialCount
from data.errors import InputError
from data.files.atomic import write_whole


def write_beside_log(name: str, values: Mapping[str, Any], counted: TrialCount) -> None:
    """Write what was told of a result with the count of trials it was told with; where it cannot be, it was printed.

    Args:
        name: of the file, without its end; an older one is replaced.
        values: for JSON.
        counted: the trials that it was reckoned with.
    """
    with suppress(OSError, InputError):
        told = {"project": str(project_folder()), "trials": asdict(counted), **values}
        text = json.dumps(told, indent=2, allow_nan=False) + "\n"
        write_whole(log_folder() / "told" / f"{name}.json", text, replace=True)
