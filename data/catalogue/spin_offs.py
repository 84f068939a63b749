"""The catalogue of spin-offs: what a held unit gave, which no source of prices tells."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from data.catalogue.series import CATALOGUE_DIR, read_catalogue

SPIN_OFFS_FILE = CATALOGUE_DIR / "spin_offs.toml"
# A source may write 1.323 for 1323:1000, and rounds it otherwise at times.
FACTOR_TOLERANCE = 0.005


class SpinOff(BaseModel):
    """One spin-off.

    Attributes:
        symbol: that was held.
        date: the first day on which it traded without what was given.
        into: the symbol that was given.
        units: of that, for `for_units` of what was held.
        for_units: held.
        factor: by which prices of before are divided to be compared with those of after.
        source: where it stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    date: date
    into: str
    units: int = Field(gt=0)
    for_units: int = Field(gt=0)
    factor: float = Field(gt=1)
    source: str

    @property
    def ratio(self) -> float:
        """Units given for each unit held."""
        return self.units / self.for_units


@cache
def spin_off_catalogue() -> Mapping[str, SpinOff]:
    """Return the shipped catalogue, by a name of each."""
    return read_catalogue(SPIN_OFFS_FILE, SpinOff)


def known_spin_off(symbol: str, day: date) -> SpinOff | None:
    """Return the spin-off of an instrument on a day, where one is known."""
    found = (each for each in spin_off_catalogue().values() if (each.symbol, each.date) == (symbol, day))
    return next(found, None)
