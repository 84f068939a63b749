"""Fits that took long, kept by content: the same rows, parameters, code and packages are never fitted twice.

What is kept, by `data.files.cache`, changes no result, only the time that it takes.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from data.files.cache import keep_cached, read_cached
from signals.model_config import RegimeModelConfig

Fit = Mapping[str, np.ndarray]
"""The parameters of a fitted model, by name."""

FitFunction = Callable[[pd.DataFrame, RegimeModelConfig], Fit | None]

_NONE = b"null"  # that no fit was found is kept too

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each parameter of a fit, by name."""


def kept_fit(
    name: str,
    packages: tuple[str, ...],
    fit: FitFunction,
    past: pd.DataFrame,
    config: RegimeModelConfig,
    shapes: Shapes,
) -> Fit | None:
    """Return a fit from the cache where it is there and whole, else make and keep it.

    What the cache holds is believed where its digest is right, its parameters have their names and shapes, and all of
    their numbers are finite. So a damaged file changes no result under a run's id: it costs the time of a fit.

    Args:
        name: of the model.
        packages: whose versions a fit depends on.
        fit: a function of `past` and `config` alone; the module that it stands in holds all of our code that it uses.
        past: rows to fit on.
        config: parameters.
        shapes: of the fit.
    """
    file = f"fit-{name}-{fit_key(packages, fit, past, config)}.json"
    kept = read_cached(file)
    if kept == _NONE:
        return None
    if kept is not None and (understood := _understood(kept, shapes)) is not None:
        return understood
    made = fit(past, config)
    keep_cached(
        file, json.dumps(None if made is None else {key: value.tolist() for key, value in made.items()}).encode()
    )
    return made


def _understood(kept: bytes, shapes: Shapes) -> Fit | None:
    """The fit that a file holds; None where it is none of these shapes."""
    try:
        fit = {name: np.array(value, dtype="float64") for name, value in json.loads(kept).items()}
    except (AttributeError, RecursionError, TypeError, ValueError):
        return None
    is_whole = {name: each.shape for name, each in fit.items()} == dict(shapes)
    return fit if is_whole and all(np.isfinite(each).all() for each in fit.values()) else None


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
