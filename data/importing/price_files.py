"""Folders of daily prices: one file an instrument, in the units of the catalogue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.catalogue.instruments import Instrument, instrument_entry
from data.importing.csv_files import read_prices
from data.importing.listing import blamed, csv_files, left_out
from data.market.gate import refuse_faults
from data.market.tables import BARS
from data.market.units import refuse_bar_units, volume_in_units


@dataclass(frozen=True)
class PriceFiles:
    """What folders of prices hold.

    Attributes:
        instruments: entries of the catalogue by symbol.
        bars: `data.market.tables.BARS`.
        in_units: symbols whose volumes are known to be in units.
        notes: what is to be said of the files.
        left_out: symbols that have a file and are not wanted.
    """

    instruments: dict[str, Instrument]
    bars: pd.DataFrame
    in_units: frozenset[str]
    notes: list[str]
    left_out: frozenset[str] = frozenset()


def read_price_folders(
    folders: Sequence[Path],
    catalogue: Mapping[str, Instrument] | None = None,
    only: Collection[str] | None = None,
) -> PriceFiles:
    """Read the prices of instruments.

    Args:
        folders: each holds <SYMBOL>.csv, see `data.importing.csv_files.read_prices`; of an instrument that stands in
            several of them the file of the last counts.
        catalogue: entries by symbol; default the shipped ones.
        only: symbols that are wanted; None: all that have a file.

    Raises:
        InputError: a folder or file is missing or has a fault, or a symbol has no entry.
    """
    files, notes = price_files(folders)
    if only is not None:
        notes += left_out("prices", files, only)
    unwanted = frozenset(files) - frozenset(files if only is None else only)
    files = {symbol: path for symbol, path in files.items() if symbol not in unwanted}
    entries = {}
    for symbol, path in sorted(files.items()):
        with blamed(path):
            entries[symbol] = instrument_entry(symbol, catalogue)
    bars, in_units = [], set()
    for symbol, path in sorted(files.items()):
        told = read_prices(path).assign(symbol=symbol)
        with blamed(path):
            refuse_faults(told)
            volume, known = volume_in_units(told, entries[symbol])
            refuse_bar_units(told.assign(volume=volume), entries[symbol])
        bars.append(told.assign(volume=volume))
        in_units |= {symbol} if known else set()
    table = BARS.conform(pd.concat(bars)) if bars else BARS.empty()
    return PriceFiles(entries, table, frozenset(in_units), notes, unwanted)


def price_files(folders: Sequence[Path]) -> tuple[dict[str, Path], list[str]]:
    """The file of each symbol, and notes; arguments and errors as for `read_price_folders`."""
    files: dict[str, Path] = {}
    notes: list[str] = []
    for folder in folders:
        found, not_read = csv_files(folder, "prices")
        notes += not_read
        replaced = sorted({path.stem for path in found} & set(files))
        if replaced:
            notes.append(f"of {', '.join(replaced)} the files in {folder} count, not those of the folders before it")
        files |= {path.stem: path for path in found}
    return files, notes
