"""Versions of a market that grows: ``live.1``, ``live.2``, ...; ``live`` alone means the newest.

Each version is a snapshot of its own and never changes; `data fetch` adds one, `data remove` takes some away.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from data.errors import InputError
from data.files.atomic import is_aside, remove_whole
from data.files.kept import snapshot_names, snapshots_dir
from data.files.locks import only_one
from data.market.snapshot import is_built_in

_VERSION = re.compile(r"(?P<market>.+)\.(?P<number>[1-9][0-9]*)")


def versions_of(market: str) -> list[str]:
    """Names of the versions that are kept of a market, oldest first."""
    numbers = sorted(number for name in snapshot_names() for number in _number_of(name, market))
    return [f"{market}.{number}" for number in numbers]


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names of snapshots, versions of one market by their number."""

    def place(name: str) -> tuple[str, int]:
        match = _VERSION.fullmatch(name)
        return (match["market"], int(match["number"])) if match else (name, 0)

    return sorted(names, key=place)


def resolve(name: str) -> str:
    """Name of the snapshot that is meant: the newest version where `name` is a market's, else `name` itself."""
    if name in snapshot_names():
        return name
    versions = versions_of(name)
    return versions[-1] if versions else name


def market_of(name: str) -> str:
    """The market of which a name is a version; any other name is that of a market itself."""
    match = _VERSION.fullmatch(name)
    return match["market"] if match else name


def next_version(market: str) -> str:
    """Name of the version that follows the newest."""
    versions = versions_of(market)
    number = int(versions[-1].rpartition(".")[2]) + 1 if versions else 1
    return f"{market}.{number}"


def require_market_name(market: str) -> None:
    """Refuse a name under which no versions can be kept.

    Raises:
        InputError: it is built in, that of one version, or that of an imported snapshot.
    """
    if is_built_in(market):
        raise InputError(f"got the name {market}, which is built in; choose another name")
    if match := _VERSION.fullmatch(market):
        raise InputError(f"got {market}, the name of one version; wanted that of the market: {match['market']}")
    if market in snapshot_names():
        raise InputError(f"{market} is a snapshot without versions, which is never changed; choose another name")


def require_no_version(name: str) -> None:
    """Refuse, for an import, a name that belongs to versions.

    Raises:
        InputError: it is that of one version, or versions of it are kept.
    """
    if match := _VERSION.fullmatch(name):
        raise InputError(
            f"got the name {name}, which stands for a version of {match['market']} that data fetch makes; "
            "choose another name, one that does not end in a dot and a number"
        )
    if versions := versions_of(name):
        raise InputError(f"{name} is a market of which {versions[-1]} is kept; choose another name")


def locked(market: str) -> AbstractContextManager[None]:
    """Hold the right to add and remove versions of a market; else `data.files.locks.BusyError`."""
    return only_one(snapshots_dir() / f".{market}.lock", f"a change of the market {market}")


def remove(name: str, keep: int = 0, dry_run: bool = False) -> list[str]:
    """Delete a market, its oldest versions, one version or a snapshot; the name is free again then.

    Args:
        name: of any of them.
        keep: how many of the newest versions stay; above 0 only of a market with versions.
        dry_run: delete nothing, only name what would be.

    Returns:
        Names of what is, or would be, deleted; of versions the oldest first.

    Raises:
        InputError: nothing of this name is kept, it is built in, or `keep` is of what has no versions.
        BusyError: a fetch or another removal is under way.
    """
    if is_built_in(name):
        raise InputError(f"{name} is built in: there is nothing to remove")
    versions = versions_of(name)
    if keep and not versions:
        raise InputError(
            f"got versions to keep of {name}, which has none; remove it whole, or name a market with versions"
        )
    if not versions and name not in snapshot_names():
        raise InputError(f"no market {name} is kept; see: reverse-qe data list")
    if dry_run:
        return _to_go(name, keep)
    with locked(market_of(name)):
        sweep(name)
        gone = _to_go(name, keep)
        for each in gone:
            # It is there wholly or not at all.
            remove_whole(snapshots_dir() / each)
    return gone


def _to_go(name: str, keep: int) -> list[str]:
    versions = versions_of(name)
    if not versions:
        return [name] if name in snapshot_names() else []
    return versions[: len(versions) - keep] if keep < len(versions) else []


def sweep(market: str) -> None:
    """Remove what a killed fetch or removal left aside; only for the holder of the lock."""
    for path in list(snapshots_dir().glob(".*.tmp")):
        if is_aside(path, rf"{re.escape(market)}\.[0-9]+"):
            shutil.rmtree(path)


def _number_of(name: str, market: str) -> Iterator[int]:
    match = _VERSION.fullmatch(name)
    if match and match["market"] == market:
        yield int(match["number"])
