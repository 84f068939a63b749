"""The drain: the level of the gate itself, with news and funding around it. Higher is scarcer, below 0 a stimulus."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from signals.blocks.drain import NAME
from signals.capex.funding import Shares, raised_over_cash_flow
from signals.capex.gate import Gate, gate_state
from signals.capex.impulses import fading_sum
from signals.capex.news import GUIDED, RESULT, News
from signals.capex.spenders import Spenders, read_spenders
from signals.capex.spending import Quarters, capex_to_cash_flow, trailing_capex
from signals.config import SignalConfig
from signals.facts import Facts, Span
from signals.form_2.members import added_members, require_new
from signals.form_2.scales import event_over_usual
from signals.known import NAT, Array, Known
from signals.reading import RawInput, Reading
from signals.standardize import Grouping, Weighed, clipped, weigh

NEWS_WEIGHT = 0.5
"""What news and funding, at one usual size, move the drain by when idle money is gone."""


class DrainInputs(NamedTuple):
    """What the drain is read from.

    Attributes:
        gates: inputs of both readings of the gate.
        levels: what the level of the gate gives by each.
        gate: of both.
        members: results, guidance and funding.
        grouping: how they are averaged.
    """

    gates: list[RawInput]
    levels: list[Array]
    gate: Gate
    members: list[RawInput]
    grouping: tuple[Grouping, ...]


def drain_reading(facts: Facts, config: SignalConfig) -> Reading:
    """2g - 1, from -1 while idle money abounds to +1 when it is gone, and half of g times what is news.

    g is the mean of two readings of the gate, by cash capex and by capex with finance leases where it is told. News are
    the mean of those of results and of guidance, averaged with outside funding and with inputs that the spec adds; what
    is missing drops out, and without any the gate counts alone. Missing where g is.

    Raises:
        InputError: see `signals.capex.spenders.read_spenders`.
    """
    taken = _taken(facts, config)
    news = facts.once("news of the drain", config, lambda keys: _news(facts, _taken(facts, keys), keys))
    return _reading(taken, news, config)


def drain_of(facts: Facts, spenders: Spenders, config: SignalConfig) -> Reading:
    """The same from what is read of the spenders already."""
    taken = drain_inputs(facts, spenders, config)
    return _reading(taken, _news(facts, taken, config), config)


def drain_inputs(facts: Facts, spenders: Spenders, config: SignalConfig) -> DrainInputs:
    """Take what the drain is read from; no window is in it."""
    quarters = [spenders.quarters[company] for company in config.companies]
    cash = capex_to_cash_flow(quarters, facts.sessions, config)
    leased = capex_to_cash_flow(quarters, facts.sessions, config, headline=True)
    states = [gate_state(each.value, config.gate) for each in (cash, leased)]
    g = (states[0].g + states[1].g) / 2
    inputs = [_input("capex_to_cash_flow", "ratio", cash), _input("capex_and_leases_to_cash_flow", "ratio", leased)]
    levels = [(2 * state.g - 1) / 2 for state in states]
    members, grouping = news_members(facts, spenders, config)
    return DrainInputs(inputs, levels, Gate(cash.value, g, 2 * g - 1), members, grouping)


def _taken(facts: Facts, config: SignalConfig) -> DrainInputs:
    return facts.once("inputs of the drain", config, lambda keys: drain_inputs(facts, read_spenders(facts, keys), keys))


class _News(NamedTuple):
    """What stands around the level of the gate: inputs, and how they read; None where there is no input."""

    members: list[RawInput]
    weighed: Weighed | None


def _news(facts: Facts, taken: DrainInputs, config: SignalConfig) -> _News:
    readings = [event_over_usual(each.value, config, facts.windows) for each in taken.members]
    added, added_readings = added_members(facts, NAME, config)
    require_new(added, [*taken.gates, *taken.members])
    members = [*taken.members, *added]
    if not members:
        return _News(members, None)
    names = tuple(each.name for each in members)
    grouping = (*taken.grouping, *(each.name for each in added))
    return _News(members, weigh(np.column_stack([*readings, *added_readings]), grouping, names))


def _reading(taken: DrainInputs, news: _News, config: SignalConfig) -> Reading:
    g, parts = taken.gate.g, list(taken.levels)
    if news.weighed is not None:
        parts += list((NEWS_WEIGHT * g[:, None] * clipped(news.weighed.readings, config) * news.weighed.weights).T)
    whole = np.column_stack(parts)
    whole[np.isnan(g)] = np.nan
    return Reading(NAME, (*taken.gates, *news.members), whole, taken.gate)


def news_members(facts: Facts, spenders: Spenders, config: SignalConfig) -> tuple[list[RawInput], tuple[Grouping, ...]]:
    """Results, guidance and funding as inputs, and how they are averaged."""
    inputs, grouping = list[RawInput](), list[Grouping]()
    if spenders.news is not None:
        told = (
            ("results_surprise", lasting_results(facts, spenders.news, spenders.quarters, config)),
            ("guidance_news", lasting_guidance(facts, spenders.news, config)),
        )
        inputs += [_input(name, "log ratio", known) for name, known in told]
        grouping.append(tuple(each.name for each in inputs))
    if spenders.shares is not None:
        funding = lasting_funding(facts, spenders.shares, spenders.quarters, config)
        inputs.append(_input("outside_funding", "share of a year's operating cash flow", funding))
        grouping.append(inputs[-1].name)
    return inputs, tuple(grouping)


def lasting_results(facts: Facts, news: News, quarters: Mapping[str, Quarters], config: SignalConfig) -> Known:
    """What is left of the news in results; 0 where there was none, missing while trailing capex is not all known."""
    faded = _faded(news, RESULT, facts.sessions, config, {})
    spent = sum(trailing_capex(quarters[company], facts.sessions, config) for company in config.companies)
    return faded._replace(value=np.where(np.isnan(spent), np.nan, faded.value))


def lasting_guidance(facts: Facts, news: News, config: SignalConfig) -> Known:
    """What is left of the news in guidance, of each company from when its table is complete; missing where none is."""
    companies = (*config.companies, *config.further_event_companies)
    spans = {company: span for company in companies if (span := facts.span("guidance", company)) is not None}
    faded = _faded(news, GUIDED, facts.sessions, config, spans)
    live = np.zeros(len(facts.sessions), dtype=bool)
    for span in spans.values():
        live |= span.holds(facts.sessions, config.capex_stale_days)
    return faded._replace(value=np.where(live, faded.value, np.nan))


def lasting_funding(facts: Facts, shares: Shares, quarters: Mapping[str, Quarters], config: SignalConfig) -> Known:
    """What is left of the money raised outside over a year's operating cash flow of the spenders.

    Missing before all of their tables are complete, after one of them has ended, and before such a cash flow is known.
    """
    spans = [facts.span("funding", company) for company in config.companies]
    complete = [span for span in spans if span is not None]
    if len(complete) < len(spans):
        return Known(np.full(len(facts.sessions), np.nan), *(np.full(len(facts.sessions), NAT) for _ in range(2)))
    raised, earned = raised_over_cash_flow(shares, quarters, facts.sessions, config)
    inside = raised.day >= max(span.begin for span in complete)
    counted = inside & ~np.isnan(raised.value)
    faded = fading_sum(
        raised.day[counted],
        raised.value[counted],
        raised.known[counted],
        facts.sessions,
        config.funding_half_life_sessions,
        None,
    )
    live = ~np.isnan(earned)
    for span in complete:
        live &= span.holds(facts.sessions, config.capex_stale_days)
    return faded._replace(value=np.where(live, faded.value, np.nan))


def _faded(news: News, kind: str, sessions: Array, config: SignalConfig, spans: Mapping[str, Span]) -> Known:
    value = news.value
    rows = [
        (row.day, value[place], row.known)
        for place, row in enumerate(news.rows)
        if row.kind == kind
        and not np.isnan(value[place])
        and (kind == RESULT or (row.company in spans and row.known >= spans[row.company].begin))
    ]
    day, told, known = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0),) * 3
    return fading_sum(
        day.astype(np.int64), told, known.astype(np.int64), sessions, config.event_half_life_sessions, None
    )


def _input(name: str, unit: str, measured: Known) -> RawInput:
    return RawInput(f"{NAME}.{name}", unit, measured.value, +1, measured.observed, measured.known)
