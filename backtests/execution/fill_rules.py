"""What an engine must know, besides plan and orders, to fill a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from backtests.spec.costs import Costs, trade_terms
from data.catalogue.instruments import Instrument
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig
from strategies.trade_terms import TradeTerms, at_places


@dataclass(frozen=True)
class FillRules:
    """Of n sessions and m instruments, in the order of the panel.

    Attributes:
        panel: opens, closes, volumes, and what happens to held units.
        terms: costs and limits.
        coins: (m,) whether an instrument trades at the UTC open, before the others.
        stale: (n, m) whether bars have been missing for so long that a holding is closed out at the next session.
        stale_haircut: see `OrderRulesConfig`; a delisted instrument whose payout is not known loses it too.
        settlement_sessions: see `backtests.spec.costs.Costs`.
        interest: (n,) what a US dollar of cash brings when the session ends.
        moments: of a session at which something trades, in order: whether it is that of the coins.
        changes_units: (n,) whether a split, a payout or a close-out can change units when the session begins.
        pays: (n,) whether a dividend or interest is paid when the session ends.
    """

    panel: Panel
    terms: TradeTerms
    coins: np.ndarray
    stale: np.ndarray
    stale_haircut: float
    settlement_sessions: int
    interest: np.ndarray
    moments: tuple[bool, ...] = field(init=False)
    changes_units: np.ndarray = field(init=False)
    pays: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Note what all rows and instruments come to, so that a session without an event costs nothing."""
        panel, coins = self.panel, self.coins
        begins_stale = np.vstack([np.zeros((1, len(panel.symbols)), dtype=bool), self.stale[:-1]])
        told = {
            "moments": tuple(moment for moment in (True, False) if (coins == moment).any()),
            "changes_units": (begins_stale | panel.ended | (panel.split != 1.0)).any(axis=1),
            "pays": (panel.dividend > 0.0).any(axis=1) | (self.interest > 0.0),
        }
        for name, value in told.items():
            object.__setattr__(self, name, value)

    def select(self, symbols: tuple[str, ...]) -> "FillRules":
        """Return the rules of some of the instruments, in this order."""
        if symbols == self.panel.symbols:
            return self
        places = np.array([self.panel.symbols.index(symbol) for symbol in symbols], dtype=int)
        return replace(
            self,
            panel=self.panel.select(symbols),
            terms=at_places(self.terms, places),
            coins=self.coins[places],
            stale=self.stale[:, places],
        )

    def upto(self, session: pd.Timestamp) -> "FillRules":
        """Return the rules up to the row of the decision for a session."""
        panel = self.panel.upto(session)
        rows = len(panel.sessions)
        return replace(self, panel=panel, stale=self.stale[:rows], interest=self.interest[:rows])

    def changed_units(self, row: int, place: int, units: float) -> tuple[str, float, float]:
        """What becomes of held units when a session begins.

        Args:
            row: of the session, from 1.
            place: of the instrument.
            units: held, above 0.

        Returns:
            What happens (``delisting``, ``close_out``, ``split``, or nothing: empty), the units that are left and the
            US dollars paid: for the whole holding, or for the part of a unit that a split leaves over.
        """
        panel, split = self.panel, float(self.panel.split[row, place])
        if panel.ended[row, place] or self.stale[row - 1, place]:
            payout = float(panel.payout[row, place])
            unknown = float(panel.close[row - 1, place]) * (1.0 - self.stale_haircut)
            kind = "delisting" if panel.ended[row, place] else "close_out"
            return kind, 0.0, units * (unknown if np.isnan(payout) else payout)
        if split == 1.0:
            return "", units, 0.0
        quantum = float(self.terms.quantum[place])
        left = float(np.floor(units * split / quantum + 1e-6) * quantum)
        return "split", left, (units * split - left) * float(panel.close[row - 1, place]) / split


def fill_rules(
    panel: Panel,
    instruments: Mapping[str, Instrument],
    costs: Costs,
    rules: OrderRulesConfig,
    interest: np.ndarray | None = None,
) -> FillRules:
    """Lay the rules out.

    Args:
        panel: that is run.
        instruments: entries of the panel's symbols.
        costs: by asset class.
        rules: stale holdings.
        interest: as `backtests.spec.cash.interest_rates` gives it; None: cash brings nothing.
    """
    return FillRules(
        panel=panel,
        terms=trade_terms(panel.symbols, instruments, costs),
        coins=np.array([instruments[symbol].is_crypto for symbol in panel.symbols], dtype=bool),
        stale=panel.missing >= rules.stale_sessions,
        stale_haircut=rules.stale_haircut,
        settlement_sessions=costs.settlement_sessions,
        interest=np.zeros(len(panel.sessions)) if interest is None else interest,
    )
