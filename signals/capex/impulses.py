"""From events to a value for every session: each event is an impulse, and impulses fade."""

import numpy as np

from data.clock import sessions_between
from signals.known import NAT, NEVER, Array, Known, days_between, microseconds, moments_of
from signals.windows import fading_total


def fading_sum(
    day: Array, value: Array, known: Array, sessions: Array, half_life_sessions: float, stale_after_days: int | None
) -> Known:
    """Add up what is left of every impulse at each decision.

    An impulse counts in full at the first decision that knows it, and half as much after every
    `half_life_sessions` sessions of the NYSE.

    Args:
        day: what each event is about.
        value: of each, any unit, never NaN.
        known: from when each was known.
        sessions: increasing.
        half_life_sessions: above 0.
        stale_after_days: calendar days from the newest day to the decision after which the sum is missing: news of
            which there is no more is not the same as no news. None where silence means that nothing happened.

    Returns:
        By session: the sum, in the unit of the impulses (0 before the first, where silence is news; else NaN before
        the first is known, and where the newest is too old), the newest day known and the newest moment.
    """
    order = np.lexsort((day, known))
    day, value, known = day[order], value[order], known[order]
    if not len(known) or not len(sessions):
        blank = np.full(len(sessions), NAT)
        return Known(np.full(len(sessions), np.nan if stale_after_days is not None else 0.0), blank, blank)
    # Ages are counted from the event on, wherever the sessions asked for begin.
    first = moments_of(np.minimum(known[:1], sessions[:1]))[0].normalize()
    clock = microseconds(sessions_between(first, moments_of(sessions[-1:])[0]))
    arrived = np.bincount(np.searchsorted(clock, known), weights=value, minlength=len(clock) + 1)[: len(clock)]
    total = fading_total(arrived, half_life_sessions)
    held = np.searchsorted(clock, sessions, side="right") - 1
    place = np.searchsorted(known, sessions, side="right") - 1
    none = place < 0
    newest = np.where(none, NAT, np.maximum.accumulate(day)[place])
    fresh = days_between(newest, sessions) <= (NEVER if stale_after_days is None else stale_after_days)
    return Known(np.where(fresh, total[held], np.nan), newest, np.where(none, NAT, known[place]))
