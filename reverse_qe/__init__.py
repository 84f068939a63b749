"""Reverse QE: event-driven backtests of a liquidity-regime rotation, without look-ahead.

The command line and this package offer the same words: ``reverse_qe.backtest``, ``reverse_qe.signal`` and so on.
They are loaded when they are first used, so that the import costs nothing.
"""

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
        spec = find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found != root / name / "__init__.py":
            raise ImportError(
                f"the package {name!r} of reverse-qe is shadowed by {found or 'nothing that can be imported'}: "
                "rename it, start from another folder, or set PYTHONSAFEPATH=1",
                name=__name__,
            )


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
