"""TOML files that people write, checked by a model: one line for the first fault."""

import json
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from data.errors import InputError
from data.files.plain_text import printable

Model = TypeVar("Model", bound=BaseModel)

TOLD = 3  # faults in full
LISTED = 10  # further ones by their keys
LONGEST_PART = 80  # letters of a key that are told
# The time to read a dotted key grows with the square of its parts; none of ours has more than a few.
_DEEPEST = 100
# In the words of people, by what stands in the messages of tomllib, Python and pydantic.
_IN_WORDS = {
    "set_int_max_str_digits": "it has a number of more than 4,300 digits",
    "recursion depth exceeded": "its brackets are nested too deep",
    "^[A-Za-z0-9_-]+$": "letters, digits, dashes and underscores alone",
    "^[A-Za-z0-9_][A-Za-z0-9._:@-]*$": "the name of a market",
}
_DEEP_KEY = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{_DEEPEST}}}""")


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
        if path.is_dir():
            raise InputError(f"{what} is a folder; wanted a TOML file")
        if not path.is_file():
            raise InputError(f"{what} is no regular file; wanted a TOML file" if path.exists() else missing)
        # Editors of Windows begin a file with a mark of its encoding.
        text = path.read_text(encoding="utf-8-sig")
        if _DEEP_KEY.search(text):
            raise InputError(
                f"{what} has a key of more than {_DEEPEST} parts, nested too deep; wanted the keys that it knows"
            )
        return tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error}; wanted a TOML file") from error
    # Of text that is not UTF-8, of no TOML and of numbers too long to read; of brackets nested too deep.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is no TOML: {_in_words(str(error))}; wanted a TOML file in UTF-8") from error


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
        raise refusal(error, model, what, root, never) from error
    except RecursionError as error:
        raise InputError(f"{what}: got sections that are nested too deep to be read; take them out") from error


def refusal(
    error: ValidationError, model: type[BaseModel], what: str, root: str, never: Mapping[str, str] | None = None
) -> InputError:
    """What is said of values that a model refuses; arguments as of `validated`."""
    return InputError(f"{what}: {_explain(error, model, root, never or {})}")


def _require_64_bits(value: Any, *keys: object) -> None:
    """Refuse a whole number, at any depth, that TOML does not have and that no array could hold."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        key = ".".join(map(str, keys))
        raise InputError(f"{key}: got {reprlib.repr(value)}, wanted a whole number of at most 64 bits")
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        _require_64_bits(part, *keys, name)


def _explain(error: ValidationError, model: type[BaseModel], root: str, never: Mapping[str, str]) -> str:
    """The faults in one line: dotted key, what was got and wanted; from the fourth on, their keys alone."""
    faults = error.errors(include_url=False)
    told = [_fault(each, model, root, never) for each in faults[:TOLD]]
    if rest := [_dotted(each["loc"], root) for each in faults[TOLD:]]:
        told.append(f"and {len(rest)} more, in {', '.join(rest[:LISTED])}{', ...' if len(rest) > LISTED else ''}")
    return "; ".join(told)


def _fault(fault: ErrorDetails, model: type[BaseModel], root: str, never: Mapping[str, str]) -> str:
    place, key = fault["loc"], _dotted(fault["loc"], root)
    if fault["type"] == "extra_forbidden" and place[-1] in never:
        return f"got the key {key}: {never[str(place[-1])]}, take it out"
    if fault["type"] == "extra_forbidden":
        near = _nearest(place, model)
        return f"unknown key {key}, {f'the nearest is {near}' if near else 'take it out or mend its spelling'}"
    if fault["type"] == "missing":
        return f"the key {key} is missing, add it"
    if fault["type"] == "model_type":
        return f"{key}: got {reprlib.repr(fault['input'])}, wanted a section"
    return f"{key}: {_got_and_wanted(fault['msg'], fault['input'])}"


def _dotted(place: Sequence[int | str], root: str) -> str:
    # Keys that people choose may be anything; "[key]" says that one of them is itself at fault.
    return ".".join(_seen(printable(str(part))[:LONGEST_PART]) for part in place if part != "[key]") or root


def _seen(part: str) -> str:
    """A part of a key, in quotes where it could not be seen else."""
    return part if part.strip() == part != "" else json.dumps(part)


def _in_words(message: str) -> str:
    return next((words for sign, words in _IN_WORDS.items() if sign in message), message)


def _nearest(place: Sequence[int | str], model: type[BaseModel]) -> str | None:
    """The key of a model that an unknown one is most like: in its section, else anywhere; None where none is."""
    keys = list(_keys(model))
    above, kind = _dotted(place[:-1], ""), _dotted(place[:-2], "")
    own = [key for key in keys if key.rpartition(".")[0] == above]
    # Of an entry that a user has named the model knows the keys under what kind of entry it is.
    entry = [] if own else [key for key in keys if kind and key.rpartition(".")[0] == kind]
    # In another section only under its own name, or one very much like it.
    for among, cutoff in ((own or entry, 0.7), (keys, 0.85)):
        by_name = {key.rpartition(".")[2]: key for key in reversed(among)}
        if found := get_close_matches(str(place[-1]), by_name, n=1, cutoff=cutoff):
            return f"{above}.{found[0]}" if among is entry else by_name[found[0]]
    return None


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of a model, dotted, sections before what they hold."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys(kind, f"{prefix}{name}.")


def _got_and_wanted(message: str, given: Any) -> str:
    """Pydantic's message in this project's words; those of our own validators stay as they are."""
    own = message.removeprefix("Value error, ")
    if own.startswith("got ") or (own != message and isinstance(given, dict)):
        return own
    got = "a section" if isinstance(given, dict) else reprlib.repr(given)
    if "should match pattern" in own:
        own = f"wanted {_in_words(own)}"
    wanted = re.sub(r"^\w+ should (be|have|match)", "wanted", own)
    return f"got {got}, {wanted[0].lower()}{wanted[1:]}"
