"""What the market tells late of sessions that were played: what an account would hold, had it been told in time.

Trades stay as they were. Everything else of the played sessions (splits, dividends, delistings, close-outs) is worked
out anew from the market as it is now, on the units that were held then and on those that are missing since; where that
differs from what was booked, the difference is owed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from backtests.execution.records import Sessions, UnitChange
from backtests.execution.session import change_units

# Units and US dollars that adding up leaves over, as a share of what they are taken of.
ROUNDING = 1e-9
INTEREST = "interest"


class Key(NamedTuple):
    """What a difference is about: a played session, the place of an instrument (-1: none), and a kind of movement."""

    row: int
    place: int
    kind: str


class Owed(NamedTuple):
    """Units and US dollars; below 0 where they are to be given back."""

    units: float
    amount: float


@dataclass
class Played:
    """A session as it was played.

    Attributes:
        held: (m,) units when it began.
        left: (m,) units when it had ended.
        booked: what was booked for it then, by key.
        late: what was booked after it, before the next one, for sessions up to it.
    """

    held: np.ndarray
    left: np.ndarray
    booked: Mapping[Key, Owed] = field(default_factory=dict)
    late: Mapping[Key, Owed] = field(default_factory=dict)


class Reckoning(NamedTuple):
    """What is owed by now.

    Attributes:
        owed: by key, what is more than rounding, in the order of the sessions.
        impossible: the difference that takes away units which were sold since: nobody can say what else would have been
            done. None where there is no such.
    """

    owed: Mapping[Key, Owed]
    impossible: Key | None = None


def owed_by_now(played: Sequence[Played], sessions: Sessions) -> Reckoning:
    """What is owed for the played sessions, and not booked yet.

    Args:
        played: n sessions; the first stands for row 1.
        sessions: of the market as it is now; they reach the last session that was played.
    """
    count = len(sessions.coins)
    missing, cash = np.zeros(count), 0.0
    differences: dict[Key, Owed] = {}
    booked_late: dict[Key, Owed] = {}
    gathered, moved_by = 0.0, dict[int, Key]()
    for row, each in enumerate(played, start=1):
        interest = cash * float(sessions.interest[row])
        found = _differences(each, missing, row, sessions)
        for key, owed in found.items():
            differences[key] = owed
            missing[key.place] += owed.units
            cash += owed.amount
            moved_by[key.place] = key
        for place, key in moved_by.items():
            if each.left[place] + missing[place] < -ROUNDING * max(1.0, each.held[place]):
                return Reckoning({}, key)
        gathered += interest
        cash += interest
        for key, owed in each.late.items():
            before = booked_late.get(key, Owed(0.0, 0.0))
            booked_late[key] = Owed(before.units + owed.units, before.amount + owed.amount)
            if key.place >= 0:
                missing[key.place] -= owed.units
            cash -= owed.amount
    if played and gathered:
        differences[Key(len(played), -1, INTEREST)] = Owed(0.0, gathered)
    return Reckoning(_left_over(differences, booked_late))


def _differences(played: Played, missing: np.ndarray, row: int, sessions: Sessions) -> dict[Key, Owed]:
    """Where what was booked for a session differs from what the market says of it now."""
    should: dict[Key, Owed] = {}
    held = played.held + missing
    change, left, paid = change_units(held, row, sessions)
    for place in np.flatnonzero(change).tolist():
        kind = UnitChange(change[place]).name.lower()
        should[Key(row, place, kind)] = Owed(float(left[place] - held[place]), float(paid[place]))
    units = left if len(change) else held
    if sessions.pays_dividends[row]:
        dividends = units * sessions.dividend[row]
        for place in np.flatnonzero(dividends).tolist():
            should[Key(row, place, "dividend")] = Owed(0.0, float(dividends[place]))
    found = {}
    for key in dict.fromkeys([*should, *played.booked]):
        wanted, was = should.get(key, Owed(0.0, 0.0)), played.booked.get(key, Owed(0.0, 0.0))
        owed = Owed(wanted.units - was.units, wanted.amount - was.amount)
        if _matters(owed, held[key.place], was):
            found[key] = owed
    return found


def _matters(owed: Owed, held: float, was: Owed) -> bool:
    return abs(owed.units) > ROUNDING * max(1.0, abs(held)) or abs(owed.amount) > ROUNDING * max(1.0, abs(was.amount))


def _left_over(differences: Mapping[Key, Owed], booked: Mapping[Key, Owed]) -> dict[Key, Owed]:
    """What is owed and not booked; interest is gathered, whatever the session that it was booked after."""
    interest = Owed(0.0, sum(owed.amount for key, owed in booked.items() if key.kind == INTEREST))
    of_actions = {key: owed for key, owed in booked.items() if key.kind != INTEREST}
    found = {}
    for key in dict.fromkeys([*differences, *of_actions]):
        due = differences.get(key, Owed(0.0, 0.0))
        had = interest if key.kind == INTEREST else of_actions.get(key, Owed(0.0, 0.0))
        owed = Owed(due.units - had.units, due.amount - had.amount)
        if _matters(owed, had.units, had):
            found[key] = owed
    return found
