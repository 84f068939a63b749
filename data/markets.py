"""Markets by name: the built-in sample, or a snapshot that was imported or fetched."""

import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot, is_built_in, load
from data.market.tables import CAPEX
from data.market.versions import resolve


def open_market(name: str) -> Snapshot:
    """Return the market of this name, its files checked.

    Args:
        name: ``sample``, ``sample:SCENARIO``, a kept snapshot, or a market with versions, of which it is the newest.

    Raises:
        InputError: there is none of this name, or its files were changed.
    """
    if not isinstance(name, str):
        raise InputError(f"got {name!r} as the market, wanted its name or a Snapshot")
    if is_built_in(name):
        from data.sample.market import load_market

        return load_market(name)
    return load(resolve(name))


def open_events(name: str) -> Snapshot:
    """Return a market for its events: of the sample, whose prices and series would have to be made, without them.

    A market that is kept is read whole, for all of it is checked.

    Raises:
        InputError: as `open_market`.
    """
    if isinstance(name, str) and is_built_in(name):
        from data.sample.market import load_events

        return load_events(name)
    return open_market(name)


def results_of(name: str) -> pd.DataFrame:
    """Return `data.market.tables.CAPEX` of a market by its name, or of the shipped events for `REFERENCE`."""
    from data.events.comparison import REFERENCE
    from data.events.editions import reference_events

    return reference_events()[CAPEX.name] if name == REFERENCE else open_events(name).capex_actuals
