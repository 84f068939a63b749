"""What an engine must know, besides plan and orders, to fill a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from backtests.execution.records import NO_CONVERSIONS, Conversions, Sessions
from backtests.spec.costs import Costs, trade_terms
from data.catalogue.instruments import Instrument
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig
from strategies.trade_terms import TradeTerms, as_lists, at_places


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
        sessions: all of it in arrays alone, as `backtests.execution.session` takes it.
    """

    panel: Panel
    terms: TradeTerms
    coins: np.ndarray
    stale: np.ndarray
    stale_haircut: float
    settlement_sessions: int
    interest: np.ndarray
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        """Lay the sessions out, and note which of them change units or pay dividends: the others cost nothing."""
        panel = self.panel
        begins_stale = np.vstack([np.zeros((1, len(panel.symbols)), dtype=bool), self.stale[:-1]])
        sessions = Sessions(
            open=panel.open,
            close=panel.close,
            volume=panel.volume,
            decision_price=panel.decision_price,
            split=panel.split,
            dividend=panel.dividend,
            ended=panel.ended,
            payout=panel.payout,
            stale=self.stale,
            coins=self.coins,
            terms=as_lists(self.terms),
            interest=self.interest,
            changes_units=np.any(begins_stale | panel.ended | (panel.split != 1.0), axis=1)
            | panel.sessions.isin([each.session for each in panel.conversions]),
            pays_dividends=np.any(panel.dividend > 0.0, axis=1),
            stale_haircut=self.stale_haircut,
            settlement_sessions=self.settlement_sessions,
            conversions=_conversions(panel),
        )
        object.__setattr__(self, "sessions", sessions)

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


def _conversions(panel: Panel) -> Conversions:
    """Spin-offs and changes of symbol by places of the panel."""
    if not panel.conversions:
        return NO_CONVERSIONS
    rows = [int(panel.sessions.searchsorted(each.session)) for each in panel.conversions]
    places = [panel.symbols.index(each.symbol) for each in panel.conversions]
    into = [panel.symbols.index(each.into) for each in panel.conversions]
    return Conversions(
        row=np.array(rows),
        place=np.array(places),
        into=np.array(into),
        units=np.array([each.units for each in panel.conversions]),
        price=np.array([each.price for each in panel.conversions]),
        keeps=np.array([each.keeps for each in panel.conversions]),
    )


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
