"""Our own functions, compiled by numba from the sources that plain code runs; numba is imported here alone.

What is compiled is kept on disk, in a folder whose name hashes every source that it is compiled from: numba itself
looks at the file of the function that is called, and not at those of the functions that this one calls.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from backtests.engines import batch, kernel
from backtests.execution import records, session
from data.errors import InputError
from data.files.cache import cache_folder
from strategies import fills, order_rules, trade_terms

MODULES = (trade_terms, fills, order_rules, records, session, kernel, batch)
"""What the kernel is compiled from, each after those that it calls."""
# The folder in which what is compiled is kept is numba's setting for the whole process.
_SETTING = RLock()


@cache
def compiled_kernel() -> SimpleNamespace:
    """The functions of `MODULES`, compiled when they are first called, or read from the user's cache.

    Raises:
        InputError: numba is not installed.
    """
    return compile_functions(MODULES, cache_folder() / "compiled")


def compile_functions(modules: Sequence[ModuleType], kept_below: Path | None = None) -> SimpleNamespace:
    """Prepare every function of some modules for being compiled; they call each other's compiled forms.

    The functions make no array: numba then counts no references, which would take most of the time. What they give to
    plain code are numbers, for a part of an array would come as the whole of it.

    Args:
        modules: each after those whose functions it calls.
        kept_below: folder in which what is compiled is kept; None: nowhere.

    Returns:
        The functions by name.

    Raises:
        InputError: numba is not installed.
    """
    compiled: dict[Callable[..., Any], Any] = {}
    with _kept_in(kept_below and kept_below / _hash_of(modules)) as njit:
        for module in modules:
            space = dict(vars(module))
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ == module.__name__:
                    copy = FunctionType(function.__code__, space, name, function.__defaults__)
                    compiled[function] = njit(copy)
                if function in compiled:
                    space[name] = compiled[function]
    return SimpleNamespace(**{function.__name__: each for function, each in compiled.items()})


def require_numba() -> Any:
    """Import numba, or refuse to go on in one line."""
    try:
        import numba
    except ImportError as error:
        raise InputError(
            "the vector engine needs numba, which is not installed; install it by: pip install '.[sweep]' in the "
            "checkout, or take the event engine"
        ) from error
    return numba


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[Callable[[Callable[..., Any]], Any]]:
    """What compiles a function, and keeps it in a folder."""
    numba = require_numba()
    with _SETTING:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = "" if folder is None else str(folder)
        try:
            # Records of a hundred numbers are dear to hand over: each function becomes part of those that call it.
            yield numba.njit(_nrt=False, nogil=True, forceinline=True, cache=folder is not None)
        finally:
            numba.config.CACHE_DIR = before


def _hash_of(modules: Sequence[ModuleType]) -> str:
    # How they are compiled stands in this module.
    digest = hashlib.sha256(Path(__file__).read_bytes() + b"\0")
    for module in modules:
        digest.update(Path(inspect.getfile(module)).read_bytes() + b"\0")
    return digest.hexdigest()[:16]
