"""One instrument's rows of a panel, of a plan and of a score, as a feed of Backtrader."""

import math
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules
from data.prices.panel import Panel
from strategies.policy import Plan


class _WholeLine(bt.linebuffer.LineBuffer):
    """A column that is there from the first bar on; where its zero lies, its feed says for all of its lines at once."""

    def __init__(self, feed: "SessionFeed", values: np.ndarray) -> None:
        self._feed = feed
        super().__init__()
        self.array.frombytes(np.ascontiguousarray(values, dtype=float).tobytes())

    @property
    def idx(self) -> int:
        """The place of zero."""
        return self._feed.row

    @idx.setter
    def idx(self, _place: int) -> None:
        """Leave it to the feed."""

    @property
    def lencount(self) -> int:
        """How many bars there are up to zero."""
        return self._feed.row + 1

    @lencount.setter
    def lencount(self, _count: int) -> None:
        """Leave it to the feed."""


class SessionFeed(bt.feed.DataBase):
    """One instrument's rows of a `Panel` and a `Plan`: the bar of a session and, beside it, the decision for the next.

    ``close`` is the value of a unit, carried over sessions without a bar; the rest of a bar is NaN where there is none.
    Where bars are preloaded, one number moves all lines on, for Backtrader would move each by itself, at every bar.
    """

    lines: Any = ("target", "decision_price", "rebalance", "score")
    params = (("columns", None),)
    row = -1
    is_whole = False

    def preload(self) -> None:
        """Hand Backtrader whole columns at once, not row by row and cell by cell."""
        columns = self.p.columns
        self.lines.lines = [_WholeLine(self, columns.get(name, ())) for name in self.getlinealiases()]
        self.times, self.is_whole = columns["datetime"].tolist(), True

    def start(self) -> None:
        """Begin before the first row."""
        super().start()
        self.row = -1

    def home(self) -> None:
        """Go back before the first row."""
        self.row = -1
        super().home()

    def __len__(self) -> int:
        return self.row + 1 if self.is_whole else len(self.lines)

    def advance_peek(self) -> float:
        """The time of the next bar; infinite after the last."""
        coming = self.row + 1
        return self.times[coming] if coming < len(self.times) else math.inf

    def advance(self, size: int = 1, datamaster: bt.feed.DataBase | None = None, ticks: bool = True) -> None:
        """Move on, without the ticks that Backtrader keeps for bars under way: these are whole."""
        del datamaster, ticks
        self.row += size

    def _load(self) -> bool:
        """Append one row, for a run that is not to hold later ones."""
        self.row += 1
        if self.row >= len(self.p.columns["datetime"]):
            return False
        for name, values in self.p.columns.items():
            getattr(self.lines, name)[0] = values[self.row]
        return True


def feed_columns(
    fills: FillRules, plan: Plan, place: int, score: pd.Series | None = None, warmup: Panel | None = None
) -> dict[str, np.ndarray]:
    """Lay out the bar of each session and, beside it, what the decision for the next one knows.

    Args:
        fills: prices, and which of them are stale.
        plan: by session decided for.
        place: of the instrument among the panel's symbols.
        score: of the signal by session decided for, from the warm-up on; None: no such line.
        warmup: sessions before the panel's, with bars but without a plan; None: no such session.

    Returns:
        Arrays by the name of the line, the warm-up's rows first; the time is not among them.
    """
    panel = fills.panel
    columns = {
        **_bars(panel, place),
        # What is about to be closed out is left alone by the order rules.
        "target": np.where(fills.stale[:, place], np.nan, plan.targets[panel.symbols[place]].to_numpy()),
        "rebalance": plan.rebalance.to_numpy().astype(float),
    }
    if warmup is not None:
        before = {**_bars(warmup, place), "target": np.full(len(warmup.sessions), np.nan)}
        before["rebalance"] = np.zeros(len(warmup.sessions))
        columns = {name: np.concatenate([before[name], values]) for name, values in columns.items()}
    return columns if score is None else columns | {"score": score.to_numpy()}


def _bars(panel: Panel, place: int) -> dict[str, np.ndarray]:
    names = ("open", "high", "low", "close", "volume", "decision_price")
    bars = {name: getattr(panel, name)[:, place].copy() for name in names}
    return bars | {"openinterest": np.zeros(len(panel.sessions))}
