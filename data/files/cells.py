"""What stands in one cell of text: a number, a day, a moment, a flag; the same in files and in what a user types."""

import math
import re
from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType

ISO_DAY = re.compile(r"(?!0000)\d{4}-\d{2}-\d{2}", re.ASCII)
MOMENT = re.compile(rf"{ISO_DAY.pattern}T\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?(Z|[+-]\d{{2}}:\d{{2}})", re.ASCII)
FLAGS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})


def number_in(cell: str, blanks: Collection[str] = ("",)) -> float:
    """The number in a cell: NaN where it is blank, infinite where it is not a finite number."""
    if cell in blanks:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return math.inf
    return value if math.isfinite(value) and cell.isascii() and "_" not in cell else math.inf


def day_in(cell: str) -> date | None:
    """The day in a cell; None where it is none."""
    try:
        return date.fromisoformat(cell) if ISO_DAY.fullmatch(cell) else None
    except ValueError:
        return None
