"""A spec to begin with: commented, complete in itself, and with a file of code beside it where one is wanted."""

import json
import re
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

Kind = Literal["rotation", "policy", "strategy"]
TEMPLATES = Path(__file__).parent / "templates"
# By kind: the section and the key that name the code, and its file.
CODE: Mapping[str, tuple[str, str, str]] = {
    "policy": ("policy", "function", "my_policy.py:weights"),
    "strategy": ("run", "strategy", "my_strategy.py:MyStrategy"),
}
LONGEST_NAME = 100


def write_new_spec(path: Path, kind: Kind, market: str, shipped: str) -> list[Path]:
    """Write a spec, and beside it the file of code that it names, if it names one.

    Args:
        path: of the spec, a TOML file; it gives the spec its name.
        kind: ``rotation``: all built in; ``policy``: weights by a function; ``strategy``: a `backtrader.Strategy`.
        market: that it names.
        shipped: name of the shipped spec whose instruments and start it takes over.

    Returns:
        The files that were written, the spec first.

    Raises:
        InputError: the path names no TOML file, or a file is there already or cannot be written.
    """
    if path.suffix != ".toml":
        raise InputError(f"got {path}, wanted a TOML file to make, as in my_spec.toml")
    texts = {path: _spec_text(path, kind, market, shipped)}
    if kind in CODE:
        code = CODE[kind][2].partition(":")[0]
        texts[path.with_name(code)] = (TEMPLATES / f"{code}.tmpl").read_text(encoding="utf-8")
    for each in texts:
        require_free(each)
    for each, text in texts.items():
        write_new_file(each, text)
    return list(texts)


def _spec_text(path: Path, kind: str, market: str, shipped: str) -> str:
    values = tomllib.loads((SHIPPED / f"{shipped}.toml").read_text(encoding="utf-8"))
    universe = values["universe"]
    named: dict[str, Any] = {key: universe[key] for key in ("speculative", "cash_flow", "reserve", "benchmark")}
    name = re.sub(r"[^A-Za-z0-9_-]", "-", path.stem)[:LONGEST_NAME]
    lines = {"run": "", "policy": ""}
    if kind in CODE:
        section, key, reference = CODE[kind]
        lines[section] = f"{key} = {json.dumps(reference)}\n"
    hindsight = f"hindsight = {json.dumps(universe['hindsight'])}\n" if "hindsight" in universe else ""
    return Template((TEMPLATES / "rotation.toml.tmpl").read_text(encoding="utf-8")).substitute(
        # A value of JSON is one of TOML.
        {key: json.dumps(value, ensure_ascii=False) for key, value in named.items()},
        schema=SPEC_SCHEMA.resolve().as_uri(),
        file=path.name,
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
