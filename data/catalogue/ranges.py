"""Plausible values by unit of a series and by asset class: what lies outside is in another unit, or wrong."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from data.catalogue.instruments import AssetClass, Instrument
from data.catalogue.series import CATALOGUE_DIR, SeriesEntry
from data.files.toml import read_toml, validated

RANGES_FILE = CATALOGUE_DIR / "ranges.toml"

Range = tuple[float, float]


class _Ranges(BaseModel):
    """Smallest and largest plausible value, by what the keys name.

    Attributes:
        series: by unit of a series.
        price: by asset class, in the instrument's currency.
        turnover: of a day, by asset class, in the instrument's currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: dict[str, Range]
    price: dict[AssetClass, Range]
    turnover: dict[AssetClass, Range]


def series_range(entry: SeriesEntry) -> Range | None:
    """Plausible values of a series: those of its entry, else of its unit; None for a unit that has none."""
    return entry.range or _ranges().series.get(entry.unit)


def price_range(entry: Instrument) -> Range:
    """Plausible prices of an instrument, in its currency."""
    return _ranges().price[entry.asset_class]


def turnover_range(entry: Instrument) -> Range:
    """Plausible turnover of an instrument's usual day, in its currency."""
    return entry.turnover or _ranges().turnover[entry.asset_class]


def range_text(plausible: Range) -> str:
    """A range for people."""
    return f"{plausible[0]:,.10g} to {plausible[1]:,.10g}"


@cache
def _ranges() -> _Ranges:
    what = str(RANGES_FILE)
    return validated(_Ranges, read_toml(RANGES_FILE, what, f"{what} is missing"), what, "ranges")
