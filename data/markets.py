"""Markets by name: the built-in sample, or a snapshot that was imported or fetched."""

from data.snapshot import Snapshot, is_built_in, load
from data.versions import resolve


def open_market(name: str) -> Snapshot:
    """Return the market of this name, its files checked.

    Args:
        name: ``sample``, ``sample:SCENARIO``, a kept snapshot, or a market with versions, of which it is the newest.

    Raises:
        InputError: there is none of this name, or its files were changed.
    """
    if is_built_in(name):
        from data.sample.market import load_market

        return load_market(name)
    return load(resolve(name))
