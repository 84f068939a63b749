"""A spec to begin with: commented, complete in itself, and with the file that it names beside it, if it names one."""

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Literal

from backtests.spec.schema import SPEC_SCHEMA
from backtests.spec.spec import SHIPPED
from backtests.spec.versions import VERSION
from data.errors import InputError
from data.files.atomic import require_free, write_new_file
from data.market.snapshot import is_built_in

Kind = Literal["rotation", "policy", "strategy", "weights"]
TEMPLATES = Path(__file__).parent / "templates"
# By kind: the section and the key that name a file of the user, and what they name.
NAMED: Mapping[str, tuple[str, str, str]] = {
    "policy": ("policy", "function", "my_policy.py:weights"),
    "strategy": ("run", "strategy", "my_strategy.py:MyStrategy"),
    "weights": ("policy", "weights", "my_weights.csv"),
}
# A file of code says of itself what it holds; a file of weights cannot.
WEIGHTS_SAID = """\
# The file: known_at, then a column an instrument. known_at is the time at which a row was decided, with its offset from
# UTC, ascending, each once; the row holds from the first decision (00:00 UTC of a session) at or after it, is filled at
# that session's opens. Weights are fractions of equity, 0 for none, at most 1 in a row; the rest stays in cash.
# The book is brought to a row once, and back to it as rebalance says; rebalance = "regime" adds nothing.
"""
LONGEST_NAME = 100


def write_new_spec(path: Path, kind: Kind, market: str, shipped: str) -> list[Path]:
    """Write a spec, and beside it the file of the user that it names, if it names one.

    Args:
        path: of the spec, a TOML file; it gives the spec its name.
        kind: ``rotation``: all built in; ``policy``: weights by a function; ``strategy``: a `backtrader.Strategy`;
            ``weights``: a CSV file of weights that were made elsewhere.
        market: that it names.
        shipped: name of the shipped spec whose instruments and start it takes over.

    Returns:
        The files that were written, the spec first.

    Raises:
        InputError: the path names no TOML file, or a file is there already or cannot be written.
    """
    if path.suffix != ".toml":
        raise InputError(f"got {path}, wanted a TOML file to make, as in my_spec.toml")
    values = tomllib.loads((SHIPPED / f"{shipped}.toml").read_text(encoding="utf-8"))
    texts = {path: _spec_text(path, kind, market, values)}
    if kind in NAMED:
        file = NAMED[kind][2].partition(":")[0]
        text = (TEMPLATES / f"{file}.tmpl").read_text(encoding="utf-8")
        texts[path.with_name(file)] = _first_weights(text, values) if kind == "weights" else text
    for each in texts:
        require_free(each)
    for each, text in texts.items():
        write_new_file(each, text)
    return list(texts)


def _first_weights(text: str, values: Mapping[str, Any]) -> str:
    """Weights to begin with: of the first instrument of each basket, from the evening before the start on."""
    first = {name: values["universe"][name][0] for name in ("speculative", "cash_flow", "reserve")}
    return Template(text).substitute(first, year=values["run"]["start"].year)


def _spec_text(path: Path, kind: str, market: str, values: Mapping[str, Any]) -> str:
    universe = values["universe"]
    named: dict[str, Any] = {key: universe[key] for key in ("speculative", "cash_flow", "reserve", "benchmark")}
    name = re.sub(r"[^A-Za-z0-9_-]", "-", path.stem)[:LONGEST_NAME]
    lines = {"run": "", "policy": ""}
    if kind in NAMED:
        section, key, reference = NAMED[kind]
        lines[section] = f"{WEIGHTS_SAID if kind == 'weights' else ''}{key} = {json.dumps(reference)}\n"
    hindsight = f"hindsight = {json.dumps(universe['hindsight'])}\n" if "hindsight" in universe else ""
    return Template((TEMPLATES / "rotation.toml.tmpl").read_text(encoding="utf-8")).substitute(
        # A value of JSON is one of TOML.
        {key: json.dumps(value, ensure_ascii=False) for key, value in named.items()},
        schema=SPEC_SCHEMA.resolve().as_uri(),
        file=shlex.quote(path.name),
        market=market,
        market_named=_market_line(market),
        version=VERSION,
        name=json.dumps(name),
        start=values["run"]["start"],
        hindsight=hindsight,
        **lines,
    )


def _market_line(market: str) -> str:
    """The built-in sample is run where a spec names no market."""
    if is_built_in(market):
        return '# market = "live"              # that is run where --market names none; without it the built-in sample'
    return f"market = {json.dumps(market)}    # that is run where --market names none"
