"""What an engine must know, besides plan and orders, to fill a session."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backtests.spec.costs import Costs, trade_terms
from data.catalogue.instruments import Instrument
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig
from strategies.trade_terms import TradeTerms


@dataclass(frozen=True)
class FillRules:
    """Of n sessions and m instruments, in the order of the panel.

    Attributes:
        panel: opens, closes, volumes, and what happens to held units.
        terms: costs and limits.
        coins: (m,) whether an instrument trades at the UTC open, before the others.
        moments: of a session at which something trades, in order: whether it is that of the coins.
        stale: (n, m) whether bars have been missing for so long that a holding is closed out at the next session.
        stale_haircut: see `OrderRulesConfig`; a delisted instrument whose payout is not known loses it too.
        settlement_sessions: see `backtests.spec.costs.Costs`.
        interest: (n,) what a US dollar of cash brings when the session ends.
        changes_units: (n,) whether a split, a payout or a close-out can change units when the session begins.
        pays: (n,) whether a dividend or interest is paid when the session ends.
    """

    panel: Panel
    terms: TradeTerms
    coins: np.ndarray
    moments: tuple[bool, ...]
    stale: np.ndarray
    stale_haircut: float
    settlement_sessions: int
    interest: np.ndarray
    changes_units: np.ndarray
    pays: np.ndarray

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
    rates = np.zeros(len(panel.sessions)) if interest is None else interest
    stale = panel.missing >= rules.stale_sessions
    coins = np.array([instruments[symbol].is_crypto for symbol in panel.symbols], dtype=bool)
    begins_stale = np.vstack([np.zeros((1, len(panel.symbols)), dtype=bool), stale[:-1]])
    return FillRules(
        panel=panel,
        terms=trade_terms(panel.symbols, instruments, costs),
        coins=coins,
        moments=tuple(moment for moment in (True, False) if (coins == moment).any()),
        stale=stale,
        stale_haircut=rules.stale_haircut,
        settlement_sessions=costs.settlement_sessions,
        interest=rates,
        changes_units=(begins_stale | panel.ended | (panel.split != 1.0)).any(axis=1),
        pays=(panel.dividend > 0.0).any(axis=1) | (rates > 0.0),
    )
