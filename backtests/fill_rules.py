"""What a broker must know of each instrument to fill its orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.instruments import Instrument
from data.panel import Panel
from strategies.order_rules import OrderRulesConfig


@dataclass(frozen=True)
class FillRules:
    """What the broker must know of each instrument, by symbol.

    Attributes:
        cost_rates: costs of a trade as a fraction of its value.
        quanta: smallest tradable units.
        missing: by row of the panel, sessions in a row without a bar.
        stale_sessions: see `OrderRulesConfig`.
        stale_haircut: see `OrderRulesConfig`.
    """

    cost_rates: Mapping[str, float]
    quanta: Mapping[str, float]
    missing: Mapping[str, np.ndarray]
    stale_sessions: int
    stale_haircut: float


def fill_rules(
    panel: Panel, instruments: Mapping[str, Instrument], rates: Sequence[float], rules: OrderRulesConfig
) -> FillRules:
    """Lay the rules out by symbol.

    Args:
        panel: its symbols and missing bars.
        instruments: entries of the panel's symbols.
        rates: costs by place of the symbol, as `backtests.costs.cost_rates` gives them.
        rules: stale holdings.
    """
    return FillRules(
        cost_rates=dict(zip(panel.symbols, rates, strict=True)),
        quanta={symbol: instruments[symbol].quantum for symbol in panel.symbols},
        missing={symbol: panel.missing[:, place] for place, symbol in enumerate(panel.symbols)},
        stale_sessions=rules.stale_sessions,
        stale_haircut=rules.stale_haircut,
    )
