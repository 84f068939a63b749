"""Fits that took long, kept by content: the same rows, parameters, code and packages are never fitted twice.

This is the one place of signals/ that touches files. What is kept changes no result, only the time that it takes; the
folder ``$REVERSE_QE_HOME/cache/fits`` may be deleted at any time.
"""

import hashlib
import inspect
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from data.files.home import home
from signals.model_config import RegimeModelConfig

Fit = Mapping[str, np.ndarray]
"""The parameters of a fitted model, by name."""

FitFunction = Callable[[pd.DataFrame, RegimeModelConfig], Fit | None]


def kept_fit(
    name: str, packages: tuple[str, ...], fit: FitFunction, past: pd.DataFrame, config: RegimeModelConfig
) -> Fit | None:
    """Return a fit from the folder where it is there, else make and keep it.

    Args:
        name: of the model.
        packages: whose versions a fit depends on.
        fit: a function of `past` and `config` alone; the module that it stands in holds all of our code that it uses.
        past: rows to fit on.
        config: parameters.
    """
    file = home() / "cache" / "fits" / f"{name}-{fit_key(packages, fit, past, config)}.json"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return None if kept is None else {key: np.array(value) for key, value in kept.items()}
    except (OSError, ValueError):
        made = fit(past, config)
        _keep(file, made)
        return made


def fit_key(packages: tuple[str, ...], fit: FitFunction, past: pd.DataFrame, config: RegimeModelConfig) -> str:
    """Hash all that a fit depends on; arguments as for `kept_fit`."""
    digest = hashlib.sha256()
    parts = {
        "packages": {package: metadata.version(package) for package in packages},
        "columns": [str(column) for column in past.columns],
        "config": config.model_dump(mode="json"),
        "function": fit.__qualname__,
    }
    digest.update(json.dumps(parts, sort_keys=True).encode())
    digest.update(Path(inspect.getfile(fit)).read_bytes())
    digest.update(np.ascontiguousarray(past.to_numpy(dtype="float64")).tobytes())
    return digest.hexdigest()[:32]


def _keep(file: Path, fit: Fit | None) -> None:
    """Write aside, then rename. A folder that cannot be written costs the next run its time, and nothing else."""
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    numbers = None if fit is None else {key: value.tolist() for key, value in fit.items()}
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(numbers), encoding="utf-8")
        aside.replace(file)
    with suppress(OSError):
        aside.unlink(missing_ok=True)
