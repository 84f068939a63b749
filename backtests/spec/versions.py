"""Versions of the spec: a key that a file lacks has the value that it had for the version that wrote the file.

A spec that was written out says ``version = 2`` at its top. A spec by hand may say so too, and keeps the meaning of
that version in every later one; without it, missing keys have today's defaults.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from data.errors import InputError

VERSION = 2
"""What `Spec.to_toml` writes. It rises with each key that is added, and each default that is changed, where leaving the
key out would then mean something else than before."""

BEFORE: Mapping[int, Mapping[str, Any]] = {2: {"run.warmup_sessions": 0, "signal.form": 1}}
"""By version: what the keys that it added or changed meant before it, by dotted key; None: no value."""

# Version 1, of reverse-qe 0.1.0, did not write its number, but every key that has a value: these among them.
_ALL_WRITTEN_BY_1 = (
    "run.initial_cash",
    "run.prices",
    "universe.hindsight",
    "signal.window_sessions",
    "signal.gate.width",
    "signal.model.jump_starts",
    "policy.budgets.NEUTRAL.reserve",
    "policy.asset_class_caps.us_etf",
    "order_rules.stale_haircut",
    "costs.settlement_sessions",
    "costs.us_etf.units",
    "cash.spread_bp",
)


def take_version(values: dict[str, Any], what: str, by_hand: int = VERSION) -> int:
    """Take the version out of the values of a spec.

    Args:
        values: of the file and of the command line; the key ``version`` is taken out of it.
        what: it is, for messages.
        by_hand: the version of a spec by hand that does not say.

    Returns:
        The version that wrote the spec.

    Raises:
        InputError: no version that this program knows.
    """
    version = values.pop("version", None)
    if version is None:
        return 1 if all(has_key(values, key) for key in _ALL_WRITTEN_BY_1) else by_hand
    if type(version) is not int or not 1 <= version <= VERSION:
        newer = "; use the newer program" if type(version) is int and version > VERSION else ""
        raise InputError(f"{what}: version: got {version!r}, wanted a whole number of 1 to {VERSION}{newer}")
    return version


def fill_missing(values: dict[str, Any], version: int, before: Mapping[int, Mapping[str, Any]] = BEFORE) -> None:
    """Give the keys that a spec lacks the values that they had for its version.

    Args:
        values: of a spec; what it says is left as it is.
        version: that wrote it.
        before: `BEFORE`.
    """
    # The oldest change that the spec has not seen says what it meant.
    for later in sorted(each for each in before if each > version):
        for key, value in before[later].items():
            if not has_key(values, key):
                _put_if_sections(values, key, value)


def has_key(values: Mapping[str, Any], dotted: str) -> bool:
    """Whether values hold a dotted key."""
    found: Any = values
    for part in dotted.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return False
        found = found[part]
    return True


def put(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a dotted key; its sections are made.

    Raises:
        InputError: one of them is a value.
    """
    *sections, key = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"got the key {dotted}, but {section} is a value, not a section; wanted section.key=value")
    values[key] = value


def _put_if_sections(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a dotted key, unless one of its sections is a value: that is for whoever checks the values to tell."""
    with suppress(InputError):
        put(values, dotted, value)


def differing_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Dotted keys in which two specs differ, sorted.

    Args:
        one: the values of a spec, by section.
        other: those of another.
    """
    ours, theirs = by_dotted_key(one), by_dotted_key(other)
    missing = object()
    return sorted(key for key in {*ours, *theirs} if ours.get(key, missing) != theirs.get(key, missing))


def by_dotted_key(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a spec by dotted key."""
    return dict(_leaves(values))


def _leaves(values: Mapping[str, Any], *above: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, *above, name)
        else:
            yield ".".join((*above, name)), value
