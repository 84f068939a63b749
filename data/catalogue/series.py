"""The catalogue of series: unit, meaning, publication rule and staleness limit of every macro series."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.catalogue.publication import PublicationRule
from data.catalogue.unknown import unknown_name
from data.errors import InputError

Entry = TypeVar("Entry", bound=BaseModel)

CATALOGUE_DIR = Path(__file__).parent
SERIES_FILE = CATALOGUE_DIR / "series.toml"


class SeriesEntry(BaseModel):
    """What one series means and when its values become public.

    Attributes:
        unit: unit of the values, as published (``percent``, ``usd_millions``, ``usd_billions``, ``index``).
        meaning: one line for people.
        publication: name of the rule in `data.catalogue.publication` that turns an observation date into ``known_at``.
        stale_after_days: calendar days from the observation date to the decision after which a value is too old to use.
        source: who publishes it.
        revised: whether values once published are changed as a matter of course: only what was published at the time,
            a vintage, is then what was known.
        at_fred: whether FRED has it, and a fetch can ask for it there.
        range: smallest and largest plausible value, where that is narrower than the unit's (`data.catalogue.ranges`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    meaning: str
    publication: PublicationRule
    stale_after_days: int = Field(gt=0)
    source: str
    revised: bool = False
    at_fred: bool = True
    range: tuple[float, float] | None = None


@cache
def series_catalogue() -> Mapping[str, SeriesEntry]:
    """Return the shipped catalogue, by series name."""
    return read_catalogue(SERIES_FILE, SeriesEntry)


def series_entry(name: str, catalogue: Mapping[str, SeriesEntry] | None = None) -> SeriesEntry:
    """Return the entry of one series, by default a shipped one; `InputError` with what to add where there is none."""
    entries = series_catalogue() if catalogue is None else catalogue
    if name not in entries:
        raise unknown_name("series", name)
    return entries[name]


def read_catalogue(path: Path, model: type[Entry]) -> Mapping[str, Entry]:
    """Read a TOML file of one table an entry, each checked by `model`; `InputError` names the entry at fault."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}; correct the line") from error
    entries: dict[str, Entry] = {}
    for name, fields in tables.items():
        try:
            entries[name] = model.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join([name, *(str(part) for part in first["loc"])])
            raise InputError(f"{path}: {where}: {first['msg']}; correct the entry") from error
    return entries
