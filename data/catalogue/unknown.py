"""Names that no catalogue knows: what may be meant, and the entry to write into a spec."""

import json
from collections.abc import Collection
from difflib import get_close_matches
from typing import Literal

from data.errors import InputError

Kind = Literal["instrument", "series", "company"]

_ENTRIES: dict[Kind, tuple[str, str]] = {
    "instrument": (
        "instruments",
        '{ name = "...", currency = "USD", calendar = "XNYS", asset_class = "us_stock", listed = 2000-01-01, '
        "quantum = 1e-6 }",
    ),
    "series": (
        "series",
        '{ unit = "percent", meaning = "...", publication = "next_business_day", stale_after_days = 10, '
        'source = "..." }',
    ),
    "company": (
        "companies",
        '{ name = "...", cik = 1, fiscal_year_end_month = 12, '
        'capex_tags = ["PaymentsToAcquirePropertyPlantAndEquipment"] }',
    ),
}


def unknown_name(kind: Kind, name: str) -> InputError:
    """The refusal of a name without an entry: another one that may be meant, and the entry to add."""
    section, entry = _ENTRIES[kind]
    near = near_miss(kind, name)
    proposes = ", which data fetch does where it is named there" if kind != "series" else ""
    return InputError(
        f"{kind} {name} has no entry in the catalogue; {f'{near}; else ' if near else ''}add to the spec, under "
        f"[catalogue.{section}]{proposes}: {json.dumps(name)} = {entry}"
    )


def near_miss(kind: Kind, name: str) -> str:
    """What of the shipped catalogues a name may stand for, in words; empty where nothing is near."""
    from data.catalogue.catalogue import shipped_catalogue

    shipped = shipped_catalogue()
    own, other = (
        (shipped.series, shipped.instruments)
        if kind == "series"
        else (shipped.companies if kind == "company" else shipped.instruments, shipped.series)
    )
    if name in other:
        return f"{name} is {'an instrument' if kind == 'series' else 'a series'}"
    if found := _nearest(name, own):
        return f"is {found} meant?"
    if found := _nearest(name, other):
        return f"is {found} meant, {'an instrument' if kind == 'series' else 'a series'}?"
    return ""


def _nearest(name: str, known: Collection[str]) -> str | None:
    """The same letters in other capitals or with other marks, a longer name that begins so, or the most like it."""

    def bare(text: str) -> str:
        return "".join(letter for letter in text if letter.isalnum()).casefold()

    wanted = bare(name)
    if len(wanted) < 2:
        return None
    same = [each for each in known if bare(each) == wanted]
    longer = sorted((each for each in known if len(wanted) > 2 and bare(each).startswith(wanted)), key=len)
    like = get_close_matches(name.upper(), known, n=1, cutoff=0.8)
    return next(iter([*same, *longer, *like]), None)
