"""One instrument's rows of a panel, of a plan and of a score, as a feed of Backtrader."""

import math
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules
from strategies.policy import Plan


class _WholeLine(bt.linebuffer.LineBuffer):
    """A column that is there from the first bar on; where its zero lies, its feed says for all of its lines at once."""

    def __init__(self, feed: "SessionFeed", values: np.ndarray) -> None:
        self._feed = feed
        super().__init__()
        self.array.frombytes(np.ascontiguousarray(values, dtype=float).tobytes())

    def __getitem__(self, ago: int) -> float:
        value: float = self.array[self._feed.row + ago]
        return value

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

    ``close`` is the value of a unit, carried over sessions without a bar; ``open`` is NaN where nothing fills. Where
    bars are preloaded, one number moves all lines on, for Backtrader would move each by itself, at every bar.
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


def feed_columns(fills: FillRules, plan: Plan, place: int, score: pd.Series | None) -> dict[str, np.ndarray]:
    """Lay out the bar of each session and, beside it, what the decision for the next one knows.

    Args:
        fills: prices, and which of them are stale.
        plan: by session decided for.
        place: of the instrument among the panel's symbols.
        score: of the signal by session decided for; None: no such line.

    Returns:
        Arrays of the panel's length, by the name of the line; the time is not among them.
    """
    panel, symbol = fills.panel, fills.panel.symbols[place]
    close = panel.close[:, place]
    scores = {} if score is None else {"score": score.to_numpy()}
    return {
        "open": panel.open[:, place],
        "high": close,
        "low": close,
        "close": close,
        "volume": panel.volume[:, place],
        "openinterest": np.zeros(len(close)),
        # What is about to be closed out is left alone by the order rules.
        "target": np.where(fills.stale[:, place], np.nan, plan.targets[symbol].to_numpy()),
        "decision_price": panel.decision_price[:, place],
        "rebalance": plan.rebalance.to_numpy().astype(float),
        **scores,
    }
