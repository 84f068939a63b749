"""Savings while QuantStats renders its report, which change no byte of it.

What is set is set back. tests/reverse_qe/test_quantstats_part.py renders the report with and without them.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd


@contextmanager
def quickened(stats: ModuleType) -> Iterator[None]:
    """Draw no chart a second time, collect no garbage, count drawdowns once, and take quantiles by numpy.

    Args:
        stats: `quantstats.stats`.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    with ExitStack() as stack:
        if gc.isenabled():
            stack.callback(gc.enable)
            gc.disable()
        # `pyplot.savefig` draws again what it has written, for a window that is not there.
        _replace(stack, FigureCanvasBase, "draw_idle", lambda *_arguments, **_options: None)
        _replace(stack, stats, "remove_outliers", _below_quantile)
        _replace(stack, stats, "drawdown_details", _remembering(stats.drawdown_details))
        yield


def _replace(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    stack.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _below_quantile(returns: pd.Series, quantile: float = 0.95) -> pd.Series:
    kept: pd.Series = returns[returns < np.quantile(returns.to_numpy(), quantile)]
    return kept


def _remembering(count: Callable[[Any], pd.DataFrame]) -> Callable[[Any], pd.DataFrame]:
    """Count the drawdowns of one and the same series once."""
    known: dict[tuple[bytes, bytes], pd.DataFrame] = {}

    def counted(drawdown: Any) -> pd.DataFrame:
        if not isinstance(drawdown, pd.Series):
            return count(drawdown)
        key = (drawdown.index.to_numpy().tobytes(), drawdown.to_numpy().tobytes())
        if key not in known:
            known[key] = count(drawdown)
        return known[key].copy()

    return counted
