"""The drain: how fast AI capex grows, its news, and what is raised outside for it. Higher is scarcer."""

from signals.capex.funding import outside_funding
from signals.capex.gate import Gate, gate_state
from signals.capex.news import GUIDED, RESULT, fading_news
from signals.capex.spenders import Spenders, read_spenders
from signals.capex.spending import capex_growth, capex_to_cash_flow
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import Known, latest
from signals.reading import RawBlock, RawInput
from signals.standardize import Grouping

NAME = "drain"


def drain_block(facts: Facts, config: SignalConfig) -> RawBlock:
    """The mean of two readings of one drain: of capex, and of the money raised outside for it.

    The reading of capex is the mean of its growth over a year, of news in results and of news in guidance. Where the
    gate is on, the growth is multiplied by the gate's multiplier before it is standardized; off, the share of capex in
    operating cash flow is a further input. News and outside funding can be switched off.

    Raises:
        InputError: see `signals.capex.spenders.read_spenders`.
    """
    return drain_of(facts, read_spenders(facts, config), config)


def drain_of(facts: Facts, spenders: Spenders, config: SignalConfig) -> RawBlock:
    """The same from what is read of the spenders already."""
    sessions = facts.sessions
    quarters = [spenders.quarters[company] for company in config.companies]
    growth = capex_growth(quarters, sessions, config)
    share = capex_to_cash_flow(quarters, sessions, config)
    gate = gate_state(share.value, config.gate) if config.gate.enabled else None
    if gate is None:
        inputs = [_input("capex_growth", "log growth", growth), _input("capex_to_cash_flow", "ratio", share)]
    else:
        inputs = [_input("capex_growth", "log growth x gate", _gated(growth, share, gate))]
    if (news := spenders.news) is not None:
        for name, kind in (("results_surprise", RESULT), ("guidance_news", GUIDED)):
            inputs.append(_input(name, "log ratio", fading_news(news, kind, sessions, config)))
    grouping: Grouping = tuple(each.name for each in inputs)
    if spenders.shares is not None:
        raised = outside_funding(spenders.shares, sessions, config)
        funding = _input("outside_funding", "share of a year's capex", raised)
        inputs.append(funding)
        grouping = (grouping, funding.name)
    return RawBlock(NAME, tuple(inputs), grouping, gate)


def _gated(growth: Known, share: Known, gate: Gate) -> Known:
    # The value, and not its z-score: steady growth has a z-score of 0 on both sides of the threshold.
    return Known(
        growth.value * gate.multiplier,
        latest([growth.observed, share.observed]),
        latest([growth.known, share.known]),
    )


def _input(name: str, unit: str, measured: Known) -> RawInput:
    return RawInput(f"{NAME}.{name}", unit, measured.value, +1, measured.observed, measured.known)
