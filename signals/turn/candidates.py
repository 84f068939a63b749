"""Everything that may move at a decision, each over the range of what was ever seen until then."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from data.catalogue.ranges import series_range
from signals.blocks import drain, level, pipes, price_of_capital
from signals.capex.spenders import read_spenders
from signals.capex.spending import QUARTERS_A_YEAR, Quarters, fiscal_period
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.level import CENTRAL_BANK, announced_pace
from signals.form_2.pipes import RESERVES_RATE
from signals.known import DAY, Observations, microseconds, moments_of
from signals.turn.held import AT_ONCE, HORIZON
from signals.turn.levers import FUNDED, GUIDED, PACE, RESULT, SERIES_MOVE, Lever, Span, Told
from signals.turn.world import SupposedFacts, World

TOLD_AT = pd.Timedelta("21h30min")
"""UTC time of day at which an event is supposed to be told, on the session before the next decision."""

LEAST_NEWS = 0.25
"""Log of news, on either side of what could be expected, that is tried at the least."""

_STEPS = {"percent": 0.01, "usd_millions": 1.0, "usd_billions": 0.001, "index": 0.01}
_RESULT_STEP, _GUIDANCE_STEP, _FUNDING_STEP, _PACE_STEP = 0.001, 0.5, 0.1, 0.5
_NOTES, _BILLIONS = "bond_issue", "USD billions"
_RESULT_INPUTS = ("capex_growth", "capex_to_cash_flow", "capex_and_leases_to_cash_flow", "results_surprise")


def held_series(facts: Facts, config: SignalConfig) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The series that the signal reads of a market, each with the blocks and the inputs that it moves."""
    account = level.TREASURY_ACCOUNT
    if facts.has(level.TREASURY_WEDNESDAY) and (config.form == 2 or config.net_liquidity == "one_wednesday"):
        account = level.TREASURY_WEDNESDAY
    rates: list[str] = [config.policy_rate]
    if config.form == 2:
        rates = [RESERVES_RATE, "DFF"] if facts.has(RESERVES_RATE) else ["DFF"]
    moved: dict[str, list[tuple[str, str]]] = {}
    for name in price_of_capital.price_of_capital_series(config):
        inputs = [f"{price_of_capital.NAME}.{name}_{horizon}" for horizon in config.change_sessions]
        moved[name] = [(price_of_capital.NAME, each) for each in inputs]
    for name in (level.CENTRAL_BANK_ASSETS, account, level.REVERSE_REPO):
        moved[name] = [(level.NAME, f"{level.NAME}.net_liquidity")]
    moved[pipes.REPO_RATE] = [(pipes.NAME, f"{pipes.NAME}.{pipes.REPO_RATE}_{rate}") for rate in rates]
    for rate in rates:
        moved.setdefault(rate, []).append((pipes.NAME, f"{pipes.NAME}.{pipes.REPO_RATE}_{rate}"))
    own = (drain.NAME, price_of_capital.NAME, level.NAME, pipes.NAME)
    for each in config.inputs:
        if each.block in own:
            moved.setdefault(each.series, []).append((each.block, f"{each.block}.{each.name}"))
    return {
        name: (tuple(dict.fromkeys(block for block, _ in pairs)), tuple(code for _, code in pairs))
        for name, pairs in moved.items()
        if facts.has(name)
    }


def levers(world: World) -> list[Lever]:
    """List what may move; a series that is too old may not."""
    found = [*_series(world), *_results(world)]
    if world.spenders.news is not None:
        found += _guidance(world)
    if world.spenders.shares is not None:
        found += _funding(world)
    return [*found, *_paces(world)]


def _series(world: World) -> Iterator[Lever]:
    (decision,) = microseconds(pd.DatetimeIndex([world.session]))
    for name, (blocks, inputs) in held_series(world.whole, world.config).items():
        day, value, known = world.whole.series(name)
        to_come = known > decision
        # What should have been there comes as it was held; the next that is due takes another value.
        due = known > decision + AT_ONCE // pd.Timedelta(microseconds=1)
        if not due.any():
            continue
        entry = world.data.catalogue.series_entry(name)
        held = float(value[to_come][-1])
        past = ~to_come & (day >= world.whole.sessions[0])
        most = _largest_move(Observations(day[past], value[past], known[past]))
        low, high = series_range(entry) or (-math.inf, math.inf)
        span = Span(held, max(held - most, low), min(held + most, high), _STEPS.get(entry.unit, 0.01))
        if most > 0:
            first = moments_of(day[due].min(keepdims=True))[0]
            yield Lever(name, SERIES_MOVE, "", entry.unit.replace("_", " "), span, blocks, inputs, first=first)


def _largest_move(observations: Observations) -> float:
    """The largest change over as long as the sessions to come, of the newest vintage of each day."""
    days, value, _ = observations
    order = np.lexsort((observations.known, days))
    days, value = days[order], value[order]
    newest = np.append(days[1:] != days[:-1], True)[: len(days)]
    days, value = days[newest], value[newest]
    pace = float(np.diff(days[-61:]).mean()) / DAY if len(days) > 1 else math.inf
    lag = max(round(HORIZON * 7 / 5 / pace), 1)
    return float(np.abs(value[lag:] - value[:-lag]).max(initial=0.0))


def _results(world: World) -> Iterator[Lever]:
    inputs = _drain_inputs(world, _RESULT_INPUTS)
    blocks = (drain.NAME, level.NAME) if world.config.gate.level else (drain.NAME,)
    for name, line in world.spenders.quarters.items():
        about = fiscal_period(line.first + len(line.capex))
        if not len(line.capex) or math.isnan(line.capex[-1]):
            continue
        newest = float(line.capex[-1])
        cash_flow = float(line.ocf[-QUARTERS_A_YEAR]) if len(line.ocf) >= QUARTERS_A_YEAR else math.nan
        row = {
            "company": name,
            "fiscal_period": about,
            "period_end": moments_of(line.end[-1:])[0] + pd.offsets.MonthEnd(3),
            "announced_at": world.session,
            "session": "amc",
            "ocf_usd_bn": cash_flow,
            "capex_known_at": _told_at(world),
            "ocf_known_at": pd.NaT if math.isnan(cash_flow) else _told_at(world),
        }
        figures = {"capex_usd_bn": 0.0, "headline_capex_usd_bn": float(line.headline[-1] - line.capex[-1])}
        span = Span(newest, newest, newest, _RESULT_STEP)
        lever = Lever(name, RESULT, about, _BILLIONS, span, blocks, inputs, row, figures)
        yield _read(lever, world, newest)


def _guidance(world: World) -> Iterator[Lever]:
    inputs = _drain_inputs(world, ("guidance_news",))
    told = world.data.guidance[world.data.guidance["comparable"]]
    for name, line in world.spenders.quarters.items():
        own = told[told["company"] == name]
        newest = own[own["announced_at"] == own["announced_at"].max()]
        done = set[tuple[pd.Timestamp, str]]()
        for statement in newest.to_dict("records"):
            years = _years_over(statement["period_end"], line)
            later = pd.DateOffset(years=years)
            end = statement["period_end"] + later
            if (end, statement["basis"]) in done:
                continue
            done.add((end, statement["basis"]))
            middle = (statement["low_usd_bn"] + statement["high_usd_bn"]) / 2
            row = {
                "company": name,
                "announced_at": world.session,
                "session": "amc",
                "fiscal_year": statement["fiscal_year"] + years,
                "event": "supposed",
                "basis": statement["basis"],
                "period_start": statement["period_start"] + later,
                "period_end": end,
                "comparable": True,
                "known_at": _told_at(world),
            }
            figures = {"low_usd_bn": 0.0, "high_usd_bn": 0.0}
            span = Span(middle, middle, middle, _GUIDANCE_STEP)
            about = f"year to {end:%Y-%m}"
            lever = Lever(name, GUIDED, about, _BILLIONS, span, (drain.NAME,), inputs, row, figures)
            yield _read(lever, world, middle)


def _years_over(end: pd.Timestamp, line: Quarters) -> int:
    """How many years after a guided one the first lies whose results are not all known."""
    known = moments_of(line.end[-1:])
    return next((years for years in range(50) if (end + pd.DateOffset(years=years) > known).all()), 0)


def _funding(world: World) -> Iterator[Lever]:
    companies = world.config.companies
    acts = world.data.funding
    own = acts[acts["counts"] & acts["company"].isin(companies)]
    if own.empty:
        return
    row = {
        "date": world.session,
        "kind": _NOTES,
        "company": companies[0],
        "date_basis": "supposed",
        "counts": True,
        "known_at": _told_at(world),
    }
    span = Span(0.0, 0.0, float(own["amount_usd_bn"].max()), _FUNDING_STEP)
    name = " or ".join(companies)
    inputs = _drain_inputs(world, ("outside_funding",))
    lever = Lever(name, FUNDED, "notes", _BILLIONS, span, (drain.NAME,), inputs, row, {"amount_usd_bn": 0.0})
    spenders = read_spenders(SupposedFacts(world.whole, lever.inserted(world.data, span.high)), world.config)
    yield replace(lever, told=Told(spenders, span.high))


def _paces(world: World) -> Iterator[Lever]:
    name = f"{level.NAME}.announced_pace"
    if world.config.form == 1 or name not in {each.name for each in world.inputs(level.NAME)}:
        return
    pace = announced_pace(world.facts[level.NAME], world.config)
    if pace is None or math.isnan(pace.value[-HORIZON - 1]):
        return
    row = {
        "company": CENTRAL_BANK,
        "announced_at": world.session,
        "effective_from": world.session,
        "known_at": _told_at(world),
    }
    most = float(world.data.paces["pace_usd_bn_month"].abs().max())
    held = float(pace.value[-HORIZON - 1])
    span = Span(held, min(-most, held), max(most, held), _PACE_STEP)
    figures = {"pace_usd_bn_month": 0.0}
    lever = Lever(CENTRAL_BANK, PACE, "at once", "USD billions a month", span, (level.NAME,), (name,), row, figures)
    yield replace(lever, drawn=lever.inserted(world.data, held).paces)


def _read(lever: Lever, world: World, value: float) -> Lever:
    """An event as the blocks read it, its span around what could be expected, as wide as news ever were."""
    data = lever.inserted(world.data, value)
    spenders = read_spenders(SupposedFacts(world.whole, data), world.config)
    news = spenders.news
    if news is None:
        return replace(lever, span=_around(value, LEAST_NEWS, lever.span.step), told=Told(spenders, value))
    (moment,) = microseconds(pd.DatetimeIndex([_told_at(world)]))
    place = next(
        place
        for place, row in enumerate(news.rows)
        if (row.known, row.company, row.kind) == (moment, lever.name, lever.kind)
    )
    row = news.rows[place]
    more = 0.0 if math.isnan(row.usd_bn) else row.usd_bn - value
    held = row.expected - more
    if lever.kind == RESULT and math.isnan(held):
        held = value
    told = Told(spenders, value, place, more)
    if math.isnan(held):
        return replace(lever, span=Span(held, held, held, lever.span.step), told=told)
    return replace(lever, span=_around(held, _largest_news(world, lever), lever.span.step), told=told)


def _around(held: float, news: float, step: float) -> Span:
    return Span(held, held * math.exp(-news), held * math.exp(news), step)


def _largest_news(world: World, lever: Lever) -> float:
    """The largest of this kind and company, on either side of what could be expected."""
    news = world.spenders.news
    told = zip(news.news.tolist(), news.rows, strict=True) if news is not None else ()
    own = [abs(each) for each, row in told if (row.company, row.kind) == (lever.name, lever.kind) and each == each]
    return float(max([LEAST_NEWS, *own]))


def _drain_inputs(world: World, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some inputs that the drain has."""
    held = {each.name for each in world.inputs(drain.NAME)}
    return tuple(name for name in (f"{drain.NAME}.{each}" for each in names) if name in held)


def _told_at(world: World) -> pd.Timestamp:
    return world.session.tz_localize("UTC") + TOLD_AT
