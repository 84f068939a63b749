"""Grids of a sweep as the command line has them: ``section.key=value,value`` or ``section.key=low..high``."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from backtests.studies.sweeps.grid import Span
from data.errors import InputError

_SPAN = re.compile(r"(?P<low>[-+\d.eE]*?\d\.?)\.\.(?P<high>[-+\d.eE]+)")


def read_grid(texts: Sequence[str]) -> dict[str, list[Any] | Span]:
    """Values by key, of texts as above; a value is read as TOML, and what is none is a text.

    Raises:
        InputError: a text of another form, or a key that stands twice.
    """
    grid: dict[str, list[Any] | Span] = {}
    for text in texts:
        key, separator, values = (part.strip() for part in text.partition("="))
        if not separator or not all(part.strip() for part in key.split(".")):
            raise InputError(f"--grid: got {text!r}, wanted section.key=value,value")
        if key in grid:
            raise InputError(f"--grid: got {key} twice, wanted each key once with all of its values")
        grid[key] = _values(key, values)
    return grid


def _values(key: str, text: str) -> list[Any] | Span:
    span = _SPAN.fullmatch(text)
    if span is not None:
        low, high = (_toml(part) for part in span.groups())
        if not all(isinstance(end, int | float) for end in (low, high)):
            raise InputError(f"--grid: got {key}={text}, wanted numbers on both sides of ..")
        return Span(low, high)
    parts = [part.strip() for part in _split(text)] if text else []
    if not all(parts):
        raise InputError(f"--grid: got {key}={text!r}, wanted a value between commas")
    return [_toml(part) for part in parts]


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no brackets and no quotes."""
    depth, quote, begin = 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and not depth:
            yield text[begin:at]
            begin = at + 1
    yield text[begin:]


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
