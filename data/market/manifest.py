"""The manifest that stands beside a kept snapshot's tables: what it is, what it holds, what its files were."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from data.catalogue.companies import Company
from data.catalogue.instruments import Instrument
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.files.kept import MANIFEST

# 1: until version 0.1. 2: rows kept aside, units of bars, entries of series and companies, kinds of actions that name
# another instrument.
FORMATS = (1, 2)
FORMAT = FORMATS[-1]
FIRST_DAY = date(2005, 1, 3)


class Contents(BaseModel):
    """How much a snapshot holds.

    Attributes:
        symbols: number of instruments with bars.
        series: number of macro series.
        events: rows of the event tables.
        first: date of the earliest bar; None without bars.
        last: date of the latest bar.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: int
    series: int
    events: int
    first: date | None
    last: date | None


class BarUnits(BaseModel):
    """In what the bars of one instrument are told; None where that is not known.

    Attributes:
        prices: ``as_traded``, as they were quoted on the day, or ``adjusted`` for what came later.
        volume: ``units``: shares or coins of the day, as their prices are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prices: Literal["as_traded", "adjusted"] | None = None
    volume: Literal["units"] | None = None


class FetchRecord(BaseModel):
    """What `data fetch` is asked to keep up to date in a market, and when its series last answered.

    Attributes:
        symbols: instruments whose prices are wanted, sorted.
        series: macro series that are wanted, sorted.
        companies: companies whose results are wanted, sorted.
        filings: instruments whose companies' years are wanted (`data.catalogue.filed`), sorted.
        start: the first day that is wanted of all of them; None for `FIRST_DAY`.
        lacking: names among them of which the version holds nothing, for their sources failed.
        answered: by series, when it last answered (UTC). A value that was not there then, though its publication rule
            has it public by then, was published late.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    filings: tuple[str, ...] = ()
    start: date | None = None
    lacking: tuple[str, ...] = ()
    answered: dict[str, datetime] = {}

    @property
    def first_day(self) -> date:
        """The first day that is wanted."""
        return self.start or FIRST_DAY


class Manifest(BaseModel):
    """What stands beside a kept snapshot's tables.

    Attributes:
        format: version of the folder's layout, one of `FORMATS`.
        name: of the snapshot.
        content_hash: `data.market.snapshot.Snapshot.content_hash`.
        simulated: `data.market.snapshot.Snapshot.simulated`.
        origin: `data.market.snapshot.Snapshot.origin`.
        contents: how much it holds.
        files: SHA-256 of each file of the folder, by name.
        instruments: `data.market.snapshot.Snapshot.instruments`.
        made_at: `data.market.snapshot.Snapshot.made_at`; None where it was made before this was kept.
        fetched: None for a snapshot that `data fetch` did not make.
        bar_units: `data.market.snapshot.Snapshot.bar_units`.
        series: `data.market.snapshot.Snapshot.series_entries`.
        companies: `data.market.snapshot.Snapshot.companies`.
        own_events: `data.market.snapshot.Snapshot.own_events`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2]
    name: str
    content_hash: str
    simulated: bool
    origin: str
    contents: Contents
    files: dict[str, str]
    instruments: dict[str, Instrument]
    made_at: datetime | None = None
    fetched: FetchRecord | None = None
    bar_units: dict[str, BarUnits] = {}
    series: dict[str, SeriesEntry] = {}
    companies: dict[str, Company] = {}
    own_events: str = ""


def manifest_in(folder: Path) -> Manifest:
    """Read the manifest in the folder of a snapshot.

    Raises:
        InputError: it cannot be read, or a newer version wrote it.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
        _require_format(folder.name, json.loads(text))
        return Manifest.model_validate_json(text)
    except (OSError, ValueError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path} is no manifest: {where} {first['msg']}; import the snapshot anew") from error


def _require_format(name: str, values: object) -> None:
    made = values.get("format") if isinstance(values, dict) else None
    if isinstance(made, int) and made not in FORMATS:
        raise InputError(
            f"snapshot {name} has format {made}, wanted {' or '.join(map(str, FORMATS))}: a newer version of "
            "reverse-qe made it; update reverse-qe, or import it again with this one"
        )
