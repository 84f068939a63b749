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
    """Draw each chart once, collect no garbage, count drawdowns and measure texts once, take products by numpy.

    Args:
        stats: `quantstats.stats`.
    """
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure
    from matplotlib.textpath import TextToPath

    with ExitStack() as stack:
        if gc.isenabled():
            stack.callback(gc.enable)
            gc.disable()
        # `pyplot.savefig` draws again what it has written, for a window that is not there.
        _replace(stack, FigureCanvasBase, "draw_idle", lambda *_arguments, **_options: None)
        # Before it writes, it draws for a layout engine, also for that of `tight_layout`, which has done its work.
        _replace(stack, Figure, "get_layout_engine", _that_lays_out(Figure.get_layout_engine))
        _replace(stack, TextToPath, "get_text_width_height_descent", _measuring_once(TextToPath))
        _replace(stack, stats, "comp", _compounding(stats.comp))
        _replace(stack, stats, "remove_outliers", _below_quantile)
        _replace(stack, stats, "drawdown_details", _remembering(stats.drawdown_details))
        yield


def _replace(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    stack.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _that_lays_out(engine_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    def engine(figure: Any) -> Any:
        found = engine_of(figure)
        return None if isinstance(found, PlaceHolderLayoutEngine) else found

    return engine


def _measuring_once(text_to_path: Any) -> Callable[[Any, str, Any, Any], tuple[float, float, float]]:
    """Width, height and descent of a text, which every canvas would ask of the font anew."""
    measure = text_to_path.get_text_width_height_descent
    known: dict[tuple[str, int, Any], tuple[float, float, float]] = {}

    def measured(self: Any, text: str, font: Any, is_math: Any) -> tuple[float, float, float]:
        key = (text, hash(font), is_math)
        if key not in known:
            known[key] = measure(self, text, font, is_math)
        return known[key]

    return measured


def _compounding(compound: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The return of some days, by the product that pandas takes in the end, too."""

    def compounded(returns: Any) -> Any:
        values = returns.to_numpy()
        if values.dtype != "float64" or np.isnan(values).any():
            return compound(returns)
        total = (values + 1).prod(axis=0) - 1
        return total if values.ndim == 1 else pd.Series(total, returns.columns)

    return compounded


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
