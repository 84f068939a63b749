"""Markets by name: the built-in sample, or a snapshot that was imported."""

from data.snapshot import Snapshot, is_built_in, load


def open_market(name: str) -> Snapshot:
    """Return the market of this name: ``sample``, ``sample:SCENARIO``, or a kept snapshot, its files checked.

    Raises:
        InputError: there is none of this name, or its files were changed.
    """
    if is_built_in(name):
        from data.sample.market import load_market

        return load_market(name)
    return load(name)
