"""What is said of a user's own rows of events: that a market was made before they changed."""

from data.errors import InputError
from data.events.own_rows import outdated
from data.market.snapshot import Snapshot


def own_events_notes(snapshot: Snapshot) -> list[str]:
    """Say that a market keeps other rows of the user than hold now, and how to take these; nothing where it does not.

    Where these cannot be read, it says so: what was computed on the market does not rest on them.
    """
    try:
        if not outdated(snapshot):
            return []
    except InputError as error:
        return [f"Your own events: {error}"]
    market, dot, number = snapshot.name.rpartition(".")
    way = f"data fetch --name {market}" if dot and number.isdecimal() else "data import, under another name"
    return [
        f"Your own events have changed since market {snapshot.name} was made, which keeps those that it has; to take "
        f"them: reverse-qe {way}"
    ]
