"""One instrument's rows of a panel, of a plan and of a score, as a feed of Backtrader."""

from array import array

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules
from strategies.policy import Plan


class SessionFeed(bt.feed.DataBase):
    """One instrument's rows of a `Panel` and a `Plan`: the bar of a session and, beside it, the decision for the next.

    ``close`` is the value of a unit, carried over sessions without a bar; ``open`` is NaN where nothing fills.
    """

    lines = ("target", "decision_price", "rebalance", "score")
    params = (("columns", None),)

    def preload(self) -> None:
        """Hand Backtrader whole columns at once, not row by row and cell by cell."""
        for name, values in self.p.columns.items():
            getattr(self.lines, name).array = array("d", values)
        self.home()

    def start(self) -> None:
        """Begin at the first row."""
        super().start()
        self._row = -1

    def _load(self) -> bool:
        """Append one row, for a run that is not to hold later ones."""
        self._row += 1
        if self._row >= len(self.p.columns["datetime"]):
            return False
        for name, values in self.p.columns.items():
            getattr(self.lines, name)[0] = values[self._row]
        return True

    def advance(self, size: int = 1, datamaster: bt.feed.DataBase | None = None, ticks: bool = True) -> None:
        """Move on without the ticks that Backtrader keeps for bars under way: these are whole."""
        del ticks
        super().advance(size, datamaster, ticks=False)


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
