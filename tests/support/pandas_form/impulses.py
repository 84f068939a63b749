"""From events to a value for every session: each event is an impulse, and impulses fade."""

from itertools import accumulate

import numpy as np
import pandas as pd

from data.clock import decision_times, sessions_between
from pandas_form.observations import sample_at_decisions


def fading_sum(
    impulses: pd.DataFrame, sessions: pd.DatetimeIndex, half_life_sessions: float, stale_after_days: int
) -> pd.DataFrame:
    """Add up what is left of every impulse at each decision.

    An impulse counts in full at the first decision that knows it, and half as much after every
    `half_life_sessions` sessions of the NYSE.

    Args:
        impulses: ``date`` (naive, what the event is about), ``value`` (any unit, never NaN), ``known_at`` (UTC).
        sessions: naive session dates, increasing; the decision is at 00:00 UTC of each.
        half_life_sessions: above 0.
        stale_after_days: calendar days from the newest date to the decision after which the sum is missing: news of
            which there is no more is not the same as no news.

    Returns:
        Indexed by `sessions`: ``value``, in the unit of the impulses (NaN before the first impulse is known, and where
        the newest is too old), ``observed`` (the newest date known) and ``known`` (the newest ``known_at``), NaT where
        none is.
    """
    ordered = impulses.sort_values(["known_at", "date"])
    clock = sessions
    if len(ordered) and len(sessions):
        # Ages are counted from the event on, wherever the sessions asked for begin.
        first = min(ordered["known_at"].iloc[0].tz_localize(None).normalize(), sessions[0])
        clock = sessions_between(first, sessions[-1])
    place = decision_times(clock).searchsorted(ordered["known_at"])
    arrived = np.bincount(place, weights=ordered["value"], minlength=len(clock) + 1)[: len(clock)]
    keep = 0.5 ** (1 / half_life_sessions)
    path = accumulate(arrived.tolist(), lambda left, new: keep * left + new)
    value = pd.Series(path, index=clock, dtype=float).reindex(sessions, method="ffill")

    states = pd.DataFrame({"observed": ordered["date"].cummax(), "known": ordered["known_at"]})
    states = states.set_axis(pd.DatetimeIndex(ordered["known_at"])).groupby(level=0).last()
    known = sample_at_decisions(states, sessions)
    age = (sessions - pd.DatetimeIndex(known["observed"])).days
    return known.assign(value=value.where(age <= stale_after_days))[["value", "observed", "known"]]
