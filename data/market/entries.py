"""A market and the entries of its instruments, series and companies: those it was made with, judged by today's."""

from copy import copy

from data.catalogue.catalogue import catalogue_of
from data.catalogue.own import OwnCatalogue
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.market.snapshot import Snapshot


def read_by(own: OwnCatalogue, snapshot: Snapshot) -> Snapshot:
    """Return the same market, judged by the entries of a spec.

    Raises:
        InputError: they contradict those that it was made with, or what is shipped.
    """
    if not own:
        return snapshot
    read = copy(snapshot)
    object.__setattr__(read, "catalogue", catalogue_of(snapshot.kept_entries, own))
    return read


def held_series_entry(snapshot: Snapshot, name: str) -> SeriesEntry:
    """Return the entry of a series that a market holds.

    Raises:
        InputError: neither it nor the catalogue of today has one, as of a market from before entries were kept.
    """
    if name not in snapshot.catalogue.series:
        raise InputError(
            f"market {snapshot.name} holds the series {name}, of which neither it nor the catalogue has an entry: "
            "import or fetch it again, with a spec that has one"
        )
    return snapshot.catalogue.series[name]
