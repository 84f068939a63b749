"""What Python gives to a word, taken or refused by the argument's name: each raises `InputError` for another kind."""

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from backtests.archive.named import LATEST
from backtests.archive.stored import LONGEST_LABEL
from data.errors import InputError
from data.files.cells import MOMENT, day_in
from data.files.paths import usable_path


def market_name(given: str) -> str:
    """The name of a market, as it was given."""
    if not isinstance(given, str):
        raise InputError(f"got {given!r} for name, wanted the name of a market")
    return given


def short_label(given: str | None) -> str | None:
    """Words of a user that name a run: one line that a list has room for."""
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip() or len(given) > LONGEST_LABEL or not given.isprintable():
        raise InputError(f"got {given!r:.120} for label, wanted words in one line, at most {LONGEST_LABEL} letters")
    if given.strip() == LATEST:
        raise InputError(f"got {given!r} for label, which names the run that was written last; wanted other words")
    return given.strip()


def several_names(given: Collection[str], what: str) -> tuple[str, ...]:
    """Several names; one text in their place would be taken for its letters."""
    if isinstance(given, str) or not isinstance(given, Collection) or not all(isinstance(each, str) for each in given):
        raise InputError(f"got {given!r} for {what}, wanted a list of names")
    return tuple(given)


def folders(given: str | Path | Sequence[str | Path], what: str) -> list[Path]:
    """One folder or several, as a list of one at least."""
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if not several:
        raise InputError(f"got no folder for {what}, wanted one at least")
    return [usable_path(folder, what) for folder in several]


def as_moment(text: str, name: str) -> pd.Timestamp:
    """A moment (UTC) that was given as text: with its offset, or a day for 00:00 UTC of it."""
    given = text.strip()
    day = day_in(given)
    if day is not None:
        return pd.Timestamp(day, tz="UTC")
    if MOMENT.fullmatch(given):
        try:
            moment = pd.Timestamp(given).tz_convert("UTC")
            if moment.year in range(1, 10_000):
                return moment
        except (ValueError, OverflowError):
            pass
    raise InputError(f"got {text!r} for {name}, wanted a day, or a moment with its offset as in 2026-07-29T22:00Z")


def as_day(day: date | str | None, name: str) -> pd.Timestamp | None:
    """A day that was given as such or as text; None where none was."""
    if day is None:
        return None
    try:
        if isinstance(day, str | date):
            return pd.Timestamp(date.fromisoformat(day) if isinstance(day, str) else day).normalize()
    except (ValueError, OverflowError):
        pass
    raise InputError(f"got {day!r} for {name}, wanted a date, or a text as in 2026-01-31")
