"""Reverse QE: event-driven backtests of a liquidity-regime rotation, without look-ahead.

The command line and this package offer the same words: ``reverse_qe.backtest``, ``reverse_qe.signal`` and so on.
They are loaded when they are first used, so that the import costs nothing.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

__all__ = [
    "ReverseQeError",
    "Spec",
    "audit",
    "backtest",
    "event_study",
    "events",
    "evidence",
    "exposures",
    "fetch",
    "import_files",
    "load_spec",
    "lottery",
    "open_market",
    "register",
    "signal",
    "sweep",
]

_OURS = ("paper", "backtests", "strategies", "signals", "data")
_HOMES = {
    "ReverseQeError": "data.errors",
    "Spec": "backtests.spec.spec",
    "load_spec": "backtests.spec.spec",
    "open_market": "data.markets",
    "audit": "reverse_qe.auditing",
    "evidence": "reverse_qe.judging.judge",
    "lottery": "reverse_qe.lotteries",
    "sweep": "reverse_qe.sweeping",
}


def _refuse_shadowed_packages() -> None:
    """Our packages bear common names: say which file stands in the way of one, rather than fail later in a riddle."""
    root = Path(__file__).resolve().parent.parent
    for name in _OURS:
        loaded = sys.modules.get(name)
        spec = find_spec(name) if loaded is None else loaded.__spec__
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found != root / name / "__init__.py":
            raise ImportError(
                f"the package {name!r} of reverse-qe is shadowed by {found or 'a module that is no file'}: "
                f"{_way_out(found)}{'' if loaded is None else ', and start Python anew'}",
                name=__name__,
            )


def _way_out(found: Path | None) -> str:
    """What helps against a file in the way: the current folder can be left, what PYTHONPATH names cannot."""
    folder = None if found is None else found.parent.parent if found.name == "__init__.py" else found.parent
    if any(folder == Path(each).resolve() for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each):
        return f"rename it, or take {folder} out of PYTHONPATH"
    return "rename it, start from another folder, or set PYTHONSAFEPATH=1"


_refuse_shadowed_packages()

if TYPE_CHECKING:
    from backtests.spec.spec import Spec, load_spec
    from data.errors import ReverseQeError
    from data.markets import open_market
    from reverse_qe.api import backtest, event_study, events, fetch, import_files, register, signal
    from reverse_qe.auditing import audit
    from reverse_qe.judging.judge import evidence
    from reverse_qe.lotteries import lottery
    from reverse_qe.sweeping import sweep

    __version__: str
else:

    def __getattr__(name: str) -> object:
        """A word, or the version, loaded when it is first used."""
        if name in __all__:
            value = getattr(import_module(_HOMES.get(name, "reverse_qe.api")), name)
        elif name == "__version__":
            from importlib.metadata import version

            value = version("reverse-qe")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """What completion offers: the words and the version."""
        return sorted({*__all__, "__version__"})
