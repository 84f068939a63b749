"""The functions of our modules, compiled by numba: do they keep to its subset, and does it give the same?"""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any


def compile_functions(modules: Sequence[ModuleType], left_out: Sequence[Callable[..., Any]] = ()) -> SimpleNamespace:
    """Compile every function that the modules define, on private copies of them, so that they call compiled ones.

    Args:
        modules: each after those that it imports from.
        left_out: functions that stay as they are.

    Returns:
        The compiled functions, by name.
    """
    import numba

    compiled: dict[str, Any] = {}
    for module in modules:
        copy = _copy_of(module)
        for name, function in inspect.getmembers(copy, inspect.isfunction):
            if name in compiled:
                setattr(copy, name, compiled[name])
            elif function.__module__ == copy.__name__ and getattr(module, name) not in left_out:
                compiled[name] = numba.njit(function)
                setattr(copy, name, compiled[name])
        # Records and words are those of the module itself: compiled code takes what plain code makes.
        for name, value in inspect.getmembers(module, inspect.isclass):
            setattr(copy, name, value)
    return SimpleNamespace(**compiled)


def _copy_of(module: ModuleType) -> ModuleType:
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location(f"compiled_{module.__name__.replace('.', '_')}", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = copy
    spec.loader.exec_module(copy)
    return copy
