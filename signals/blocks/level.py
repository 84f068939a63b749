"""The water in the tank: the change of net liquidity. Falling is scarcer."""

import numpy as np

from data.catalogue.series import series_entry
from signals.blocks.rates import change_over
from signals.capex.gate import idle_money_gate
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import Known, Observations, known_values, together
from signals.reading import RawBlock, RawInput

NAME = "level"
CENTRAL_BANK_ASSETS, TREASURY_ACCOUNT, REVERSE_REPO = SERIES = ("WALCL", "WTREGEN", "RRPONTSYD")
MILLIONS_PER_BILLION = 1000


def level_block(facts: Facts, config: SignalConfig) -> RawBlock:
    """The change of central-bank assets less Treasury account less reverse repo, all at the same Wednesday.

    A Wednesday that one of the three lacks gives no level. The level is known when the last of the three is, and too
    old by the longest of their limits, as the weekly figures set its pace. The input is the change, in USD millions,
    between the level known at the decision and that known at the decision `config.level_change_sessions` before.

    With `config.gate.level` a fall counts by the state of the gate: its g times the change; missing where g is.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    known = net_liquidity(facts)
    change = change_over(known.value, config.level_change_sessions)
    gate = idle_money_gate(facts, config) if config.gate.level else None
    if gate is not None:
        change = np.where(change < 0, change * gate.g, change)
    name = f"{NAME}.net_liquidity"
    inputs = (RawInput(name, "USD millions", change, -1, known.observed, known.known),)
    return RawBlock(NAME, inputs, name, gate)


def net_liquidity(facts: Facts) -> Known:
    """Central-bank assets less Treasury account less reverse repo, USD millions, as known at each decision."""
    day, known, values = together([facts.series(name) for name in SERIES])
    level = values[:, 0] - values[:, 1] - MILLIONS_PER_BILLION * values[:, 2]
    stale_after_days = max(series_entry(name).stale_after_days for name in SERIES)
    return known_values(Observations(day, level, known), facts.sessions, stale_after_days)
