"""The prices of the next market: what is held and what a source answered, through the gate, adjusted anew."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.errors import InputError
from data.fetch.merge import extend_actions, extend_bars
from data.fetch.plan import Span, volumes_are_unknown
from data.market.gate import blank_zeros, kept_and_aside, refuse_faults
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, ACTIONS_ASIDE, BARS, BARS_ASIDE
from data.market.units import refuse_bar_units, refuse_changed_unit
from data.prices.adjustment import adjusted_close
from data.prices.told_actions import added_up, with_spin_offs
from data.sources.answers import PriceAnswer


@dataclass(frozen=True)
class Prices:
    """What one instrument's prices come to.

    Attributes:
        bars: `data.market.tables.BARS`, rows of days without a session among them.
        actions: `data.market.tables.ACTIONS`.
        aside: `data.market.tables.ACTIONS_ASIDE`.
        notes: what a person should know, one line each.
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    aside: pd.DataFrame
    notes: tuple[str, ...]


def extended_prices(market: Snapshot, span: Span, answer: PriceAnswer, entry: Instrument) -> Prices:
    """Add what a source answered to the bars and actions that are held of an instrument.

    Args:
        market: what is held.
        span: days that were asked for.
        answer: what came.
        entry: of the instrument.

    Raises:
        InputError: a bar that no market can have quoted, prices or volumes in another unit, or actions that cannot be
            used.
    """
    symbol = answer.symbol
    answered, notes = blank_zeros(answer.bars)
    try:
        refuse_faults(answered.assign(symbol=symbol))
    except InputError as error:
        raise InputError(f"{error}; nothing of {symbol} was taken: ask again later, or import it from files") from error
    refuse_bar_units(answered.assign(symbol=symbol), entry)
    told = with_spin_offs(symbol, added_up(answer.actions.assign(symbol=symbol, source="Yahoo")))
    actions = ACTIONS.conform(extend_actions(market.actions_of(symbol), told, span.first, span.last))
    aside = _aside(market, span, answer)
    # What was kept aside is held too: the calendar of today judges it anew.
    was_aside = market.bars_aside[market.bars_aside["symbol"] == symbol]
    held = pd.concat([market.bars_of(symbol), was_aside[list(BARS.columns)]])
    if volumes_are_unknown(market, symbol, entry):
        held = held.assign(volume=np.nan)
    for cell in ("close", "volume"):
        before, now = (bars.set_index("date")[cell] for bars in (held, answered))
        refuse_changed_unit(f"{symbol}: {cell}", before, now)
    bars = extend_bars(held, answered).assign(symbol=symbol)
    return Prices(_alone(bars, actions, entry), actions, aside, (*notes, *_denied(answer.aside)))


def _aside(market: Snapshot, span: Span, answer: PriceAnswer) -> pd.DataFrame:
    """Actions of one instrument that are set aside: those of the days that were asked for as they now are."""
    held = market.actions_aside[market.actions_aside["symbol"] == answer.symbol]
    others = held[~held["date"].between(span.first, span.last)]
    return ACTIONS_ASIDE.conform(pd.concat([others, answer.aside.assign(symbol=answer.symbol, source="Yahoo")]))


def _denied(aside: pd.DataFrame) -> Iterator[str]:
    for action in aside.to_dict("records"):
        kind = str(action["kind"]).replace("_", " ")
        yield f"{kind} of {action['value']:g} on {action['date'].date()} set aside: {action['reason']}"


def through_the_gate(
    bars: pd.DataFrame, actions: pd.DataFrame, instruments: Mapping[str, Instrument]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the bars of a whole market, and adjust those of which days now are, or are no longer, kept aside.

    Args:
        bars: `data.market.tables.BARS`; a day whose adjusted close is yet to be derived has none.
        actions: `data.market.tables.ACTIONS`.
        instruments: entries of the symbols.

    Returns:
        `data.market.tables.BARS` and `data.market.tables.BARS_ASIDE`.
    """
    kept, aside = kept_and_aside(bars, BARS_ASIDE.empty(), instruments)
    for symbol in kept.loc[kept["adj_close"].isna(), "symbol"].unique():
        there = kept["symbol"] == symbol
        kept.loc[there, "adj_close"] = adjusted_close(kept[there], actions[actions["symbol"] == symbol])
    return kept, aside.assign(adj_close=np.nan)


def _alone(bars: pd.DataFrame, actions: pd.DataFrame, entry: Instrument) -> pd.DataFrame:
    """Bars of one instrument, adjusted; those that its calendar has no session for are without an adjusted close.

    Raises:
        InputError: they cannot be adjusted, or are those of another calendar.
    """
    symbol = bars["symbol"].iloc[0]
    kept, aside = kept_and_aside(bars.assign(adj_close=np.nan), BARS_ASIDE.empty(), {symbol: entry})
    adjusted = kept.assign(adj_close=adjusted_close(kept, actions))
    return adjusted if aside.empty else pd.concat([adjusted, aside[list(BARS.columns)]])
