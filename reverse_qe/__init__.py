"""Reverse QE: event-driven backtests of a liquidity-regime rotation, without look-ahead.

The command line and this package offer the same words: ``reverse_qe.backtest``, ``reverse_qe.signal`` and so on.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["backtest", "signal"]

_OURS = ("paper", "backtests", "strategies", "signals", "data")


def _refuse_shadowed_packages() -> None:
    """Our packages bear common names: say which file stands in the way of one, rather than fail later in a riddle."""
    root = Path(__file__).resolve().parent.parent
    for name in _OURS:
        spec = find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found != root / name / "__init__.py":
            raise ImportError(
                f"the package {name!r} of reverse-qe is shadowed by {found or 'nothing that can be imported'}: "
                "rename that file, or start from another folder",
                name=__name__,
            )


_refuse_shadowed_packages()


def __getattr__(name: str) -> Any:
    """The words of the command line, loaded when they are first used."""
    if name in __all__:
        return getattr(import_module("reverse_qe.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
