"""The catalogue of series: unit, meaning, publication rule and staleness limit of every macro series."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.errors import InputError
from data.publication import PublicationRule

Entry = TypeVar("Entry", bound=BaseModel)

CATALOGUE_DIR = Path(__file__).parent / "catalogue"


class SeriesEntry(BaseModel):
    """What one series means and when its values become public.

    Attributes:
        unit: unit of the values, as published (``percent``, ``usd_millions``, ``usd_billions``, ``index``).
        meaning: one line for people.
        publication: name of the rule in `data.publication` that turns an observation date into ``known_at``.
        stale_after_days: calendar days from the observation date to the decision after which a value is too old to use.
        source: who publishes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    meaning: str
    publication: PublicationRule
    stale_after_days: int = Field(gt=0)
    source: str


@cache
def series_catalogue() -> Mapping[str, SeriesEntry]:
    """Return the shipped catalogue, by series name."""
    return read_catalogue(CATALOGUE_DIR / "series.toml", SeriesEntry)


def series_entry(name: str) -> SeriesEntry:
    """Return the entry of one series; `InputError` with the lines to add where there is none."""
    try:
        return series_catalogue()[name]
    except KeyError:
        raise InputError(
            f'series {name} has no entry in data/catalogue/series.toml; add: [{name}] unit = "percent" '
            f'meaning = "..." publication = "next_business_day" stale_after_days = 10 source = "..."'
        ) from None


def read_catalogue(path: Path, model: type[Entry]) -> Mapping[str, Entry]:
    """Read a TOML file of one table an entry, each checked by `model`; `InputError` names the entry at fault."""
    entries: dict[str, Entry] = {}
    for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            entries[name] = model.model_validate(fields)
        except ValidationError as error:
            raise InputError(f"{path.name}: [{name}]: {error.errors()[0]['msg']}") from error
    return entries
