"""Entries written into a spec's file: what a user wrote stays to the letter, and it reads as it should, or nothing is
written."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from backtests.identity import PACKAGES, ROOT
from data.catalogue.own import OwnInstrument
from data.errors import InputError
from data.files.atomic import write_whole

SECTION = ("catalogue", "instruments")


def require_writable(path: Path) -> None:
    """Refuse, before anything is asked, a file into which no entry can be written.

    Raises:
        InputError: it lies in an installed package, or cannot be written.
    """
    target = path.resolve()
    if any(target.is_relative_to(ROOT / package) for package in PACKAGES):
        raise InputError(
            f"got {path}, a file of the installed package, to write entries into, wanted a spec of your own; copy it, "
            "or begin one with: reverse-qe spec new my.toml"
        )
    try:
        with target.open("r+b"):
            pass
    except OSError as error:
        raise InputError(f"entries cannot be written into {path}: {error}; make it writable") from error


def write_instruments(path: Path, entries: Mapping[str, OwnInstrument], sources: Mapping[str, str]) -> None:
    """Add entries of instruments to a spec's file; nothing is written where there are none.

    Args:
        path: of the spec. A link is followed.
        entries: by symbol; one that the file has by now stays as it is there.
        sources: by symbol, where the entry comes from: a comment in it.

    Raises:
        InputError: the file cannot be read, changed or written.
    """
    if not entries:
        return
    require_writable(path)
    target = path.resolve()
    try:
        before = target.read_bytes().decode("utf-8")
        # Another process may have asked for the same at the same time.
        there = tomllib.loads(before).get("catalogue", {}).get("instruments", {})
        entries = {symbol: entry for symbol, entry in entries.items() if symbol not in there}
        if not entries:
            return
        mode = S_IMODE(target.stat().st_mode)
        write_whole(target, _with_entries(before, entries, sources), replace=True)
        target.chmod(mode)
    except (OSError, ValueError) as error:
        by_hand = "; ".join(f'"{symbol}" = {_inline(entry).as_string()}' for symbol, entry in entries.items())
        raise InputError(
            f"entries cannot be written into {path}: {error}; add by hand, under [catalogue.instruments]: {by_hand}"
        ) from error


def _with_entries(before: str, entries: Mapping[str, OwnInstrument], sources: Mapping[str, str]) -> str:
    """The text of a spec with the entries in it: tables at its end, or in the inline table that the user has made.

    Raises:
        ValueError: it would not read as it should.
    """
    wanted = tomllib.loads(before)
    section = wanted
    for key in SECTION:
        section = section.setdefault(key, {})
    section.update({symbol: _values(entry) for symbol, entry in entries.items()})
    for make in (_appended, _inlined):
        try:
            after = make(before, entries, sources)
            if tomllib.loads(after) == wanted:
                return after
        except (ValueError, TypeError, KeyError, TOMLKitError):
            continue
    raise ValueError("its layout takes no further entries")


def _appended(before: str, entries: Mapping[str, OwnInstrument], sources: Mapping[str, str]) -> str:
    document = tomlkit.document()
    section: Any = document
    for key in SECTION:
        section[key] = tomlkit.table(is_super_table=True)
        section = section[key]
    for symbol, entry in entries.items():
        table = tomlkit.table()
        table.add(tomlkit.comment(sources[symbol]))
        for key, value in _values(entry).items():
            table.add(key, value)
        table.add(tomlkit.nl())
        section.add(symbol, table)
    gap = "\n" if before.endswith("\n") else "\n\n"
    added = gap + tomlkit.dumps(document).rstrip("\n") + "\n"
    return before + (added.replace("\n", "\r\n") if "\r\n" in before else added)


def _inlined(before: str, entries: Mapping[str, OwnInstrument], sources: Mapping[str, str]) -> str:
    """An inline table has no room for comments."""
    document = tomlkit.parse(before)
    section: Any = document
    for key in SECTION:
        section = section.setdefault(key, tomlkit.inline_table())
    for symbol, entry in entries.items():
        section[symbol] = _inline(entry)
    return tomlkit.dumps(document)


def _inline(entry: OwnInstrument) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(_values(entry))
    return table


def _values(entry: OwnInstrument) -> dict[str, Any]:
    """What a file says of an entry, in the order in which people read it."""
    values = entry.model_dump(exclude_defaults=True)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
