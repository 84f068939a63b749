"""The drain: how fast AI capex grows, its news, and what is raised outside for it. Higher is scarcer."""

import pandas as pd

from pandas_form.funding import funding_shares, outside_funding
from pandas_form.gate import gate_state
from pandas_form.news import GUIDED, RESULT, capex_news, fading_news
from pandas_form.spending import capex_growth, capex_to_cash_flow, followed_quarters
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig
from signals.standardize import Grouping

NAME = "drain"


def drain_block(data: SignalData, config: SignalConfig) -> Block:
    """The mean of two readings of one drain: of capex, and of the money raised outside for it.

    The reading of capex is the mean of its growth over a year, of news in results and of news in guidance. Where the
    gate is on, the growth is multiplied by the gate's multiplier before it is standardized; off, the share of capex in
    operating cash flow is a further input. News and outside funding can be switched off.

    Raises:
        InputError: see `signals.capex.spending.followed_quarters`, `signals.capex.news.capex_news` and
            `signals.capex.funding.funding_shares`.
    """
    quarters = followed_quarters(data.capex, config)
    spenders = [quarters[company] for company in config.companies]
    growth = capex_growth(spenders, data.sessions, config)
    share = capex_to_cash_flow(spenders, data.sessions, config)
    gate = gate_state(share["value"], config.gate) if config.gate.enabled else None
    if gate is None:
        inputs = [_input("capex_growth", "log growth", growth), _input("capex_to_cash_flow", "ratio", share)]
    else:
        inputs = [_input("capex_growth", "log growth x gate", _gated(growth, share, gate))]
    if config.capex_events:
        news = capex_news(quarters, data.guidance, config)
        for name, kind in (("results_surprise", RESULT), ("guidance_news", GUIDED)):
            inputs.append(_input(name, "log ratio", fading_news(news, kind, data.sessions, config)))
    grouping: Grouping = tuple(each.name for each in inputs)
    if config.outside_funding:
        shares = funding_shares(data.funding, quarters, config)
        funding = _input("outside_funding", "share of a year's capex", outside_funding(shares, data.sessions, config))
        inputs.append(funding)
        grouping = (grouping, funding.name)
    return Block(name=NAME, inputs=tuple(inputs), grouping=grouping, gate=gate)


def _gated(growth: pd.DataFrame, share: pd.DataFrame, gate: pd.DataFrame) -> pd.DataFrame:
    # The value, and not its z-score: steady growth has a z-score of 0 on both sides of the threshold.
    gated = growth.assign(value=growth["value"] * gate["multiplier"])
    for name in ("observed", "known"):
        gated[name] = pd.concat([growth[name], share[name]], axis=1).max(axis=1)
    return gated


def _input(name: str, unit: str, measured: pd.DataFrame) -> BlockInput:
    return BlockInput(
        name=f"{NAME}.{name}",
        unit=unit,
        value=measured["value"],
        scarcer_when=+1,
        observed=measured["observed"],
        known=measured["known"],
    )
