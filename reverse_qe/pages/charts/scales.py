"""From values and days to places in a chart, and the ticks that name them."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

# Whole units of a plot's own grid; it is stretched to the width and height that the page has.
ACROSS, DOWN = 20_000, 4_000
Unit = Literal["percent", "times", "number"]


@dataclass(frozen=True)
class ValueScale:
    """What lies at the bottom and at the top of a plot.

    Attributes:
        low: value at the bottom.
        high: value at the top; above `low`.
        log: whether equal steps are equal ratios; then both are positive.
        unit: how a value is written.
    """

    low: float
    high: float
    log: bool = False
    unit: Unit = "number"

    def down(self, values: np.ndarray) -> np.ndarray:
        """Places of values, from 0 at the top to `DOWN` at the bottom; NaN stays NaN."""
        low, high = self._bent(np.array([self.low, self.high]))
        places: np.ndarray = (high - self._bent(np.asarray(values, dtype=float))) / (high - low) * DOWN
        return places

    def ticks(self) -> list[float]:
        """Round values between both ends, about five."""
        return log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high)

    def text(self, value: float) -> str:
        """A tick in words: as many digits as the ticks need."""
        if self.unit == "times":
            return f"{value:,.10g}×"  # noqa: RUF001
        digits = max(0, -math.floor(math.log10(max(abs(self.high - self.low), 1e-12) / 4)))
        if self.unit == "percent":
            return f"{100 * value:.{max(0, digits - 2)}f}%"
        return f"{value:,.{digits}f}"

    def _bent(self, values: np.ndarray) -> np.ndarray:
        if not self.log:
            return values
        with np.errstate(invalid="ignore", divide="ignore"):
            logs: np.ndarray = np.log(values)
        return logs


_STILL = 1e-9


def scale_of(values: np.ndarray, unit: Unit, log: bool = False, include: float | None = None) -> ValueScale:
    """The scale that holds all values that are finite, a little wider; from 0 to 1 where there is none.

    Args:
        values: of any shape; for a log scale only the positive ones count.
        unit: of the values.
        log: see `ValueScale`.
        include: a value that is to be on the scale too.
    """
    values = np.append(values, [] if include is None else [include])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not values.size:
        return ValueScale(0.5 if log else 0.0, 1.0, log, unit)
    low, high = float(values.min()), float(values.max())
    if log:
        margin = max(math.log(high / low) * 0.03, 0.01)
        return ValueScale(low * math.exp(-margin), high * math.exp(margin), log, unit)
    # What rounding alone has moved stands still: no tick could name it.
    if high - low <= _STILL * (1.0 if unit == "percent" else max(abs(low), abs(high))):
        margin = abs(high) * 0.1 if abs(high) > _STILL else 0.1
        return ValueScale(low - margin, high + margin, log, unit)
    margin = (high - low) * 0.04
    return ValueScale(low - margin * (low != include), high + margin * (high != include), log, unit)


def linear_ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within the ends."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    # Products, not sums: 0.3 is then 0.3 wherever it can be.
    return [_round(number * step) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Of 1, 2 and 5 times powers of ten those within the ends; linear ticks where there are fewer than three."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 5), ((1,), 20), ((1,), 100)):
        found = [factor * 10.0**power for power in range(first, last + 1) if power % every == 0 for factor in factors]
        inside = [_round(value) for value in found if low <= value <= high]
        if len(inside) <= wanted + 2:
            break
    return inside if len(inside) >= 3 else [tick for tick in linear_ticks(low, high) if tick > 0]


def _round(value: float) -> float:
    """A tick without what multiplying by powers of ten leaves at its end."""
    return float(f"{value:.12g}")


@dataclass(frozen=True)
class TimeScale:
    """The days at the left and the right edge of a plot; a single day stands in the middle of two."""

    first: pd.Timestamp
    last: pd.Timestamp

    @classmethod
    def of(cls, days: pd.DatetimeIndex) -> "TimeScale":
        """From the first to the last of days in order, at least one."""
        return cls(days[0], days[-1]) if days[-1] > days[0] else cls(days[0] - _DAY, days[0] + _DAY)

    def across(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Places of days, from 0 at the left to `ACROSS` at the right; hours count."""
        places: np.ndarray = ((days - self.first) / (self.last - self.first)).to_numpy(dtype=float) * ACROSS
        return places

    def ticks(self) -> list[tuple[pd.Timestamp, str]]:
        """Days that begin a year, a month or a day, about twelve at most, and what they are called."""
        span = (self.last - self.first).days
        frequency, style = next((frequency, style) for longest, frequency, style in _TIME_STEPS if span <= longest)
        days = pd.date_range(self.first.normalize(), self.last, freq=frequency)
        if frequency.endswith("YS"):
            # Every so many years, counted from year 0: the ticks of two charts agree.
            every = int(frequency.removesuffix("YS") or 1)
            days = pd.date_range(self.first.normalize(), self.last, freq="YS")
            days = days[days.year % every == 0]
        return [(day, f"{day:{style}}") for day in days]


_DAY = pd.Timedelta(days=1)
_TIME_STEPS = (
    (12, "D", "%d %b"),
    (80, "W-MON", "%d %b"),
    (400, "MS", "%b %Y"),
    (1200, "QS", "%b %Y"),
    (4700, "YS", "%Y"),
    (9400, "2YS", "%Y"),
    (100_000, "5YS", "%Y"),
)
