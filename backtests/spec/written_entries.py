"""Entries written into a spec's file: what a user wrote stays to the letter, and it reads as it should, or nothing is
written."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from stat import S_IMODE
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, SingleKey

from backtests.identity import PACKAGES, ROOT
from data.catalogue.own import Proposal
from data.errors import InputError
from data.files.atomic import write_whole


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


def write_entries(path: Path, proposed: Sequence[Proposal]) -> None:
    """Add entries to a spec's file; nothing is written where there are none.

    Args:
        path: of the spec. A link is followed.
        proposed: one that the file has by now stays as it is there.

    Raises:
        InputError: the file cannot be read, changed or written.
    """
    if not proposed:
        return
    require_writable(path)
    target = path.resolve()
    try:
        before = target.read_bytes().decode("utf-8-sig")
        # Another process may have asked for the same at the same time.
        there = tomllib.loads(before).get("catalogue", {})
        proposed = [each for each in proposed if each.name not in there.get(each.kind, {})]
        if not proposed:
            return
        mode = S_IMODE(target.stat().st_mode)
        write_whole(target, _with_entries(before, proposed), replace=True)
        target.chmod(mode)
    except (OSError, ValueError) as error:
        by_hand = "; ".join(f"[{_section(each)}] {_inline(each).as_string()}" for each in proposed)
        raise InputError(f"entries cannot be written into {path}: {error}; add by hand: {by_hand}") from error


def _with_entries(before: str, proposed: Sequence[Proposal]) -> str:
    """The text of a spec with the entries in it: tables at its end, or in the inline table that the user has made.

    Raises:
        ValueError: it would not read as it should.
    """
    wanted = tomllib.loads(before)
    for each in proposed:
        wanted.setdefault("catalogue", {}).setdefault(each.kind, {})[each.name] = _values(each)
    for make in (_appended, _inlined):
        try:
            after = make(before, proposed)
            if tomllib.loads(after) == wanted:
                return after
        except (ValueError, TypeError, KeyError, TOMLKitError):
            continue
    raise ValueError("its layout takes no further entries")


def _appended(before: str, proposed: Sequence[Proposal]) -> str:
    blocks = []
    for each in proposed:
        table = tomlkit.table()
        table.add(tomlkit.comment(each.source))
        for key, value in _values(each).items():
            table.add(key, value)
        blocks.append(f"[{_section(each)}]\n{table.as_string().rstrip()}\n")
    gap = "\n" if before.endswith("\n") else "\n\n"
    added = gap + "\n".join(blocks)
    return before + (added.replace("\n", "\r\n") if "\r\n" in before else added)


def _inlined(before: str, proposed: Sequence[Proposal]) -> str:
    """An inline table has no room for comments."""
    document = tomlkit.parse(before)
    for each in proposed:
        section: Any = document
        for key in ("catalogue", each.kind):
            section = section.setdefault(key, tomlkit.inline_table())
        section[each.name] = _inline(each)
    return tomlkit.dumps(document)


def _section(proposed: Proposal) -> str:
    """The name of its table: a key with other letters than those of bare ones stands in quotes."""
    return f"catalogue.{proposed.kind}.{SingleKey(proposed.name).as_string()}"


def _inline(proposed: Proposal) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(_values(proposed))
    return table


def _values(proposed: Proposal) -> dict[str, Any]:
    """What a file says of an entry, in the order in which people read it."""
    values = proposed.entry.model_dump(exclude_defaults=True)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
