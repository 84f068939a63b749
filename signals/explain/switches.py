"""Every switch of the regime, and the event or move that did it."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.events.timeline import GUIDED, PACE, RESULT, own_mark
from signals.config import SignalConfig
from signals.explain.titles import RATE_CHANGE, RATES, input_title
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

RUN_UP = 63
"""Sessions before a switch, at most, in which is looked for what did it: a quarter's."""

_ORDER = {Regime.ABUNDANT: -1, Regime.NEUTRAL: 0, Regime.SCARCE: 1}
_EVENTS_NAMED = 2

# The events on which an input rests, by its name; what brings money is every other kind that counts.
_KINDS: Mapping[str, Collection[str]] = {
    "drain.capex_growth": (RESULT,),
    "drain.capex_to_cash_flow": (RESULT,),
    "drain.capex_and_leases_to_cash_flow": (RESULT,),
    "drain.results_surprise": (RESULT,),
    "drain.guidance_news": (GUIDED,),
    "level.announced_pace": (PACE,),
}
_FUNDING = "drain.outside_funding"
_LOWER_IS_SCARCER = ("level.net_liquidity", "level.announced_pace")
# What moved before the score turned still pulls at it, for it is smoothed.
_LAG = 20


class Switch(NamedTuple):
    """One switch.

    Attributes:
        session: first of the new regime.
        was: the regime before.
        regime: the new one.
        since: session on which the move began; of an event, on which the score began to go its way.
        input: of the signal that did it; of a yield or spread one of its horizons; "" where values went missing.
        cause: the event or move that did it, in words.
        moved: by what it moved the score since then, + scarcer.
        alone: whether without it the score would not have passed the threshold on that session.
    """

    session: pd.Timestamp
    was: str
    regime: str
    since: pd.Timestamp
    input: str
    cause: str
    moved: float
    alone: bool


def regime_switches(signal: LiquiditySignal, events: pd.DataFrame, config: SignalConfig) -> list[Switch]:
    """Name for every switch the event or move that did it.

    The score is the sum of what its inputs give. From its turning point in the run-up to the switch the input that has
    moved most in the direction of the switch did it (a yield or spread counts with all of its horizons). Where it
    rests on events, the one at which its value moved most is named; where it faded, that is said.

    Args:
        signal: over all sessions.
        events: as `data.events.timeline.event_timeline` gives them.
        config: of the signal.
    """
    names = signal.regime.to_numpy(dtype=object)
    changes = np.flatnonzero(names[1:] != names[:-1]) + 1
    begins = [0, *changes.tolist()][: len(changes)]
    return [_switch(signal, events, config, begun, int(place)) for begun, place in zip(begins, changes, strict=True)]


def _switch(signal: LiquiditySignal, events: pd.DataFrame, config: SignalConfig, begun: int, place: int) -> Switch:
    sessions = signal.score.index
    was, regime = (Regime(signal.regime.iloc[each]) for each in (place - 1, place))
    named = (sessions[place], str(was), str(regime))
    if signal.is_given:
        return Switch(*named, sessions[place - 1], "", f"the source says {regime}", float("nan"), True)
    if signal.live_blocks.iloc[place] < signal.needed_blocks:
        gone = signal.values.iloc[place - 1].notna() & signal.values.iloc[place].isna()
        lost = ", ".join(input_title(str(name)) for name in gone.index[gone]) or "values"
        cause = f"fewer than {signal.needed_blocks} blocks are live: {lost} missing or too old"
        return Switch(*named, sessions[place - 1], "", cause, float("nan"), True)
    scarcer = 1 if _ORDER[regime] > _ORDER[was] else -1
    score = signal.score.to_numpy()
    first = max(begun, place - RUN_UP)
    since = first + int(np.flatnonzero((way := scarcer * score[first:place]) == way.min())[-1])
    moves = signal.inputs.iloc[place] - signal.inputs.iloc[since]
    grouped = moves.groupby([_group(str(name)) for name in moves.index]).sum() * scarcer
    leader = str(grouped.idxmax())
    moved = float(grouped[leader])
    inputs = [str(name) for name in moves.index if _group(str(name)) == leader]
    name = str((moves[inputs] * scarcer).idxmax())
    past = scarcer * score[place] - scarcer * _threshold(was, regime, config)
    cause, begin = _cause(signal, events, name, since, place, scarcer)
    return Switch(*named, sessions[begin], name, cause, scarcer * moved, moved > past)


def _threshold(was: Regime, regime: Regime, config: SignalConfig) -> float:
    """The score that was passed."""
    if regime is Regime.NEUTRAL:
        return config.leave if was is Regime.SCARCE else -config.leave
    return config.enter if regime is Regime.SCARCE else -config.enter


def _group(name: str) -> str:
    """What an input is about: the horizons of one yield or spread are one thing."""
    rate = RATE_CHANGE.fullmatch(name)
    return RATES[rate[1]][1] if rate else name


def _cause(
    signal: LiquiditySignal, events: pd.DataFrame, name: str, since: int, place: int, scarcer: int
) -> tuple[str, int]:
    """The event or move in words, and the row on which it began."""
    first = max(since - _LAG, 0)
    values = signal.values[name]
    if name in _KINDS or name == _FUNDING:
        if told := _event_of(signal, events, name, first, place, scarcer):
            return f"{told} ({input_title(name)} {_from_to(values, since, place)})", since
        if np.isnan(values.iloc[place]) or np.isnan(values.iloc[since]):
            return f"{input_title(name)} {_from_to(values, since, place)}", since
        return f"{input_title(name)} fades {_from_to(values, since, place)}, with no event", since
    begin, end = _widest_move(values, first, place, scarcer if name not in _LOWER_IS_SCARCER else -scarcer)
    days = f"{values.index[begin].date()} to {values.index[end].date()}"
    return f"{input_title(name)} {_from_to(values, begin, end)} {signal.units[name]}, {days}", begin


def _widest_move(values: pd.Series, first: int, place: int, way: int) -> tuple[int, int]:
    """The rows between which a value moved most in a direction, the later one after the earlier."""
    window = way * values.to_numpy(dtype=float)[first : place + 1]
    lowest = np.fmin.accumulate(window)
    risen = window - lowest
    if np.isnan(risen).all() or np.nanmax(risen) <= 0:
        return first, place
    end = int(np.nanargmax(risen))
    begin = int(np.nanargmin(window[: end + 1]))
    return first + begin, first + end


def _event_of(signal: LiquiditySignal, events: pd.DataFrame, name: str, first: int, place: int, scarcer: int) -> str:
    """The events at whose decision the value of an input moved most in a direction; "" where there were none."""
    values = np.nan_to_num(signal.values[name].to_numpy(dtype=float))
    # A higher value of an announced pace means more water; of everything else that rests on events, less.
    way = -scarcer if name == "level.announced_pace" else scarcer
    found = sorted(
        ((way * (values[row] - values[row - 1]), told) for row, told in _told(signal, events, name, first, place)),
        key=lambda pair: -pair[0],
    )
    if not found or found[0][0] <= 0:
        return ""
    rows = found[0][1].drop_duplicates(["company", "kind", "date"])
    more = f" and {len(rows) - _EVENTS_NAMED} more" if len(rows) > _EVENTS_NAMED else ""
    return ", ".join(_event_text(row) for _, row in rows.head(_EVENTS_NAMED).iterrows()) + more


def _told(
    signal: LiquiditySignal, events: pd.DataFrame, name: str, first: int, place: int
) -> Iterator[tuple[int, pd.DataFrame]]:
    """By row of a session the events of an input that its decision was the first to know."""
    kinds = _KINDS.get(name, ())
    of_input = events["kind"].isin(list(kinds)) if kinds else ~events["kind"].isin([RESULT, GUIDED, PACE])
    decisions = pd.DatetimeIndex(signal.score.index).tz_localize("UTC")
    rows = decisions.searchsorted(pd.DatetimeIndex(events["known_at"]))
    counted = events["counts"] & of_input & (rows > first) & (rows <= place)
    for row in np.unique(rows[counted.to_numpy()]):
        yield int(row), events[(rows == row) & counted.to_numpy()]


def _event_text(row: pd.Series) -> str:
    amount = f" of {row['high_usd_bn']:g} bn USD" if row["high_usd_bn"] == row["high_usd_bn"] else ""
    about = f" {row['about']}" if row["kind"] in (RESULT, GUIDED) else ""
    kind = "" if row["kind"] == RESULT else f" {str(row['kind']).replace('_', ' ')}"
    return f"{row['company']}{kind}{about}{amount} on {row['date'].date()}{own_mark(row['by_user'])}"


def _from_to(values: pd.Series, since: int, place: int) -> str:
    began, ended = ("missing" if np.isnan(each) else f"{each:,.4g}" for each in values.iloc[[since, place]])
    return f"from {began} to {ended}"
