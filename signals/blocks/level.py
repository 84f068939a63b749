"""The water in the tank: the change of net liquidity. Falling is scarcer."""

import numpy as np

from data.catalogue.series import series_entry
from signals.blocks.rates import change_over
from signals.capex.gate import idle_money_gate
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import Known, Observations, known_values, on_weeks, together
from signals.reading import RawBlock, RawInput

NAME = "level"
CENTRAL_BANK_ASSETS, TREASURY_ACCOUNT, REVERSE_REPO = SERIES = ("WALCL", "WTREGEN", "RRPONTSYD")
TREASURY_WEDNESDAY = "WDTGAL"
MILLIONS_PER_BILLION = 1000


def level_block(facts: Facts, config: SignalConfig) -> RawBlock:
    """The change of central-bank assets less Treasury account less reverse repo.

    As in version 0.1.0 the Treasury's account is the mean of the week, and a Wednesday that one of the three lacks
    gives no level. With `config.net_liquidity` of one Wednesday the account is that of the Wednesday where the market
    has it, which is said, and the reverse repo that of the last business day up to it. The level is known when the last
    of the three is, and too old by the longest of their limits, as the weekly figures set its pace. The input is the
    change, in USD millions, between the level known at the decision and that known at the decision
    `config.level_change_sessions` before.

    With `config.gate.level` a fall counts by the state of the gate: its g times the change; missing where g is.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    of_wednesday = config.net_liquidity == "one_wednesday" and facts.has(TREASURY_WEDNESDAY)
    known = net_liquidity(facts, config, TREASURY_WEDNESDAY if of_wednesday else TREASURY_ACCOUNT)
    change = change_over(known.value, config.level_change_sessions)
    gate = idle_money_gate(facts, config) if config.gate.level else None
    if gate is not None:
        change = np.where(change < 0, change * gate.g, change)
    name = f"{NAME}.net_liquidity"
    inputs = (RawInput(name, "USD millions", change, -1, known.observed, known.known),)
    notes = (f"the level takes the Treasury's account of Wednesday ({TREASURY_WEDNESDAY})",) if of_wednesday else ()
    return RawBlock(NAME, inputs, name, gate, notes)


def net_liquidity(facts: Facts, config: SignalConfig, account: str) -> Known:
    """Central-bank assets less a Treasury account less reverse repo, USD millions, as known at each decision."""
    names = (CENTRAL_BANK_ASSETS, account, REVERSE_REPO)
    assets, treasury, repo = (facts.series(name) for name in names)
    if config.net_liquidity == "one_wednesday":
        repo = on_weeks(repo, np.unique(assets.day))
    day, known, values = together([assets, treasury, repo])
    level = values[:, 0] - values[:, 1] - MILLIONS_PER_BILLION * values[:, 2]
    stale_after_days = max(series_entry(name).stale_after_days for name in names)
    return known_values(Observations(day, level, known), facts.sessions, stale_after_days)
