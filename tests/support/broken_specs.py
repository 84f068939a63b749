"""Specs that are broken in one place, anywhere."""

import copy
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from backtests.spec.spec import Spec, load_spec
from malformed import VALUES, out_of_range, takes, unwrapped

VALID = tomllib.loads(load_spec("sample").to_toml())
GONE = object()  # in the place of a key that is taken out
# Required, but a preset of costs, or the default budget of the regime, stands in for what a spec leaves out.
FILLED_IN: tuple[str, ...] = ("costs.crypto", "costs.us_stock", "costs.us_etf")
FILLED_IN += tuple(
    f"policy.budgets.{regime}.{basket}"
    for regime in ("ABUNDANT", "NEUTRAL", "SCARCE")
    for basket in ("speculative", "cash_flow", "reserve")
)


@dataclass(frozen=True)
class Fault:
    """Values to put at dotted keys, and what the refusal must name."""

    changes: Mapping[str, Any]
    named: tuple[str, ...]


def faults_of(model: type[BaseModel], values: Mapping[str, Any], prefix: str = "") -> Iterator[Fault]:
    """Every key of a section broken in every way, and those of the sections inside it."""
    yield Fault({f"{prefix}nosuch": 1}, (f"{prefix}nosuch",))
    for name, field in model.model_fields.items():
        key = prefix + name
        broken = [value for value in VALUES if not takes(field.annotation, value)]
        for value in [*broken, *out_of_range(field.metadata)]:
            # A section that is there but empty may lack a key of its own, or have nothing to complain of.
            yield Fault({key: value}, (key,))
        if field.is_required() and key not in FILLED_IN:
            yield Fault({key: GONE}, (key,))
        for kind in unwrapped(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and name in values:
                yield from faults_of(kind, values[name], f"{key}.")


TOO_MUCH = {"speculative": 0.5, "cash_flow": 0.5, "reserve": 0.1}
# Each key is right by itself: they do not go together.
CROSSED = [
    Fault({"signal.enter": 0.2, "signal.leave": 0.2}, ("signal", "enter", "leave")),
    Fault({"signal.enter": -0.4}, ("signal", "enter", "leave")),
    Fault({"signal.window_sessions": 100}, ("signal", "min_window_sessions", "window_sessions")),
    Fault({"signal.companies": ["MSFT", "MSFT"]}, ("signal.companies", "MSFT")),
    Fault({"signal.change_sessions": [20, 20]}, ("signal.change_sessions", "20")),
    Fault({"signal.source": "a.csv", "signal.blocks": ["b.py:b"]}, ("signal", "source", "blocks")),
    Fault({"signal.source": ""}, ("signal.source",)),
    Fault({"run.strategy": "nowhere"}, ("run.strategy", "nowhere")),
    Fault({"run.start": date(2020, 1, 3), "run.end": date(2020, 1, 2)}, ("run", "start", "end")),
    Fault({"run.name": "x" * 101}, ("run.name",)),
    Fault({"universe.reserve": ["SIM-SAAS-A"]}, ("universe", "SIM-SAAS-A", "speculative", "reserve")),
    *(
        Fault({f"policy.budgets.{regime}": TOO_MUCH}, (f"policy.budgets.{regime}", "1.1"))
        for regime in ("ABUNDANT", "NEUTRAL", "SCARCE")
    ),
]
FAULTS = [*faults_of(Spec, VALID), *CROSSED]


def with_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    values = copy.deepcopy(VALID)
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        inner = values
        for section in sections:
            inner = inner[section]
        if value is GONE:
            del inner[key]
        else:
            inner[key] = value
    return values
