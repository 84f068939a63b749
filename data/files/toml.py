"""TOML files that people write, checked by a model: one line for the first fault."""

import json
import re
import reprlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from data.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, what: str, missing: str) -> dict[str, Any]:
    """Return the values of a TOML file.

    Args:
        path: of the file.
        what: it is, for messages, such as ``spec sample.toml``.
        missing: is said where there is no such file.

    Raises:
        InputError: it is not there, cannot be read, or is no TOML.
    """
    try:
        if not path.is_file():
            raise InputError(missing)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error}; wanted a TOML file") from error
    # Of text that is not UTF-8, of no TOML and of numbers too long to read; of brackets nested too deep.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is no TOML: {error}; wanted a TOML file in UTF-8") from error


def validated(
    model: type[Model], values: Mapping[str, Any], what: str, root: str, never: Mapping[str, str] | None = None
) -> Model:
    """Return the model of the values of a TOML file.

    Args:
        model: of them.
        values: as `read_toml` gives them.
        what: they are, for messages.
        root: what the whole is called where a fault is in no key.
        never: why there is no such key, by keys that people may look for.

    Raises:
        InputError: an unknown key, one that is missing, or a wrong value: its dotted key, what was got and wanted.
    """
    try:
        _require_64_bits(values)
        # Strictly, so that neither a number in quotes nor `true` passes for a number; as JSON, because lists and dates
        # of TOML are then still taken for tuples and dates.
        return model.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise InputError(f"{what}: {_explain(error, root, never or {})}") from error
    except RecursionError as error:
        raise InputError(f"{what}: got sections that are nested too deep to be read; take them out") from error


def _require_64_bits(value: Any, *keys: object) -> None:
    """Refuse a whole number, at any depth, that TOML does not have and that no array could hold."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        key = ".".join(map(str, keys))
        raise InputError(f"{key}: got {reprlib.repr(value)}, wanted a whole number of at most 64 bits")
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        _require_64_bits(part, *keys, name)


def _explain(error: ValidationError, root: str, never: Mapping[str, str]) -> str:
    """The first fault in one line: its dotted key, what was got, what was wanted."""
    first, *others = error.errors(include_url=False)
    key = ".".join(str(part) for part in first["loc"]) or root
    if first["type"] == "extra_forbidden" and first["loc"][-1] in never:
        message = f"got the key {key}: {never[str(first['loc'][-1])]}; take it out"
    elif first["type"] == "extra_forbidden":
        message = f"unknown key {key}; take it out or mend its spelling"
    elif first["type"] == "missing":
        message = f"the key {key} is missing; add it"
    elif first["type"] == "model_type":
        message = f"{key}: got {reprlib.repr(first['input'])}, wanted a section"
    else:
        message = f"{key}: {_got_and_wanted(first['msg'], first['input'])}"
    return message + (f" (and {len(others)} more)" if others else "")


def _got_and_wanted(message: str, given: Any) -> str:
    """Pydantic's message in this project's words; those of our own validators stay as they are."""
    own = message.removeprefix("Value error, ")
    if own.startswith("got ") or (own != message and isinstance(given, dict)):
        return own
    got = "a section" if isinstance(given, dict) else reprlib.repr(given)
    wanted = re.sub(r"^\w+ should (be|have|match)", "wanted", own)
    return f"got {got}, {wanted[0].lower()}{wanted[1:]}"
