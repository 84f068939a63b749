"""The JSON schemas refuse what the models refuse, key by key, and take what they take."""

import copy
import json
import math
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from backtests.spec.schema import SPEC_SCHEMA, spec_schema
from backtests.spec.spec import SHIPPED, Spec, load_spec
from broken_specs import FAULTS, VALID, with_changes
from data.files.schema import schema_text
from paper.config import PaperConfig
from paper.schema import PAPER_SCHEMA, paper_schema
from strategies.given_weights import read_weights

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {"spec": (SPEC_SCHEMA, spec_schema), "paper": (PAPER_SCHEMA, paper_schema)}
# Faults of two keys together, and of lists that name one thing twice: a schema looks at one key at a time.
CROSSED = {
    "signal.enter",
    "signal.window_sessions",
    "signal.companies",
    "signal.change_sessions",
    "signal.source",
    "run.start",
    "universe.reserve",
    "policy.budgets.ABUNDANT",
    "policy.budgets.NEUTRAL",
    "policy.budgets.SCARCE",
}


def faults(schema: dict[str, Any], values: Any) -> list[str]:
    """What a schema complains of."""
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))
    # Days of TOML reach a schema as texts.
    return [each.json_path for each in validator.iter_errors(json.loads(json.dumps(values, default=str)))]


def odd_number(value: Any) -> bool:
    """What JSON has no number for, or arrays no room: the program refuses it, a schema has no word for it."""
    return (isinstance(value, float) and not math.isfinite(value)) or value == 10**30


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shipped_schema_is_that_of_the_model(name):
    file, make = SCHEMAS[name]
    assert file.read_text(encoding="utf-8") == schema_text(make()), "run: make docs"
    jsonschema.Draft7Validator.check_schema(make())


def test_the_schema_refuses_what_the_model_refuses():
    schema = spec_schema()
    tried = 0
    for fault in FAULTS:
        if set(fault.changes) & CROSSED and len(fault.named) > 1:
            continue
        if any(odd_number(value) for value in fault.changes.values()):
            continue
        tried += 1
        assert faults(schema, with_changes(fault.changes)), f"taken as it is: {fault}"
    assert tried > 300


def test_the_schema_takes_what_the_model_takes():
    schema = spec_schema()
    assert faults(schema, VALID) == []
    # A registration holds a spec as text, among other things.
    files = [
        *SHIPPED.glob("*.toml"),
        *(each for each in (ROOT / "docs").rglob("*.toml") if "registrations" not in each.parts),
    ]
    assert len(files) >= 7
    for file in files:
        assert faults(schema, tomllib.loads(file.read_text(encoding="utf-8"))) == [], file
    part = copy.deepcopy(VALID) | {"policy": {"budgets": {"SCARCE": {"reserve": 0.1}}}, "costs": {"preset": "alpaca"}}
    assert faults(schema, part) == []


def test_every_key_is_described():
    for schema in (spec_schema(), paper_schema()):
        for part in (schema, *schema["$defs"].values()):
            assert part.get("description") or "enum" in part


def test_the_schema_of_accounts_refuses_what_the_model_refuses(tmp_path):
    from paper.template import write_config

    schema = paper_schema()
    write_config(tmp_path / "paper.toml", "sample", "sample", "simulated")
    text = (tmp_path / "paper.toml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"#:schema {PAPER_SCHEMA.resolve().as_uri()}"
    whole = tomllib.loads(text)
    assert faults(schema, whole) == []
    PaperConfig.model_validate(whole)
    for changes in (
        {"market": ""},
        {"nosuch": 1},
        {"refresh": "yes"},
        {"broker": {"kind": "ibkr"}},
        {"broker": {"endpoint": "https://api.alpaca.markets"}},
        {"broker": {"endpoint": "https://paper-api.alpaca.markets.example.com"}},
        {"broker": {"key_env": "PKABCDEF"}},
        {"broker": {"secret_key": "x"}},
        {"account": {"name": "two words"}},
        {"account": {"initial_cash": 0}},
        {"schedule": {"repeat": 0}},
        {"schedule": {"repeat": 1.5}},
        {"orders": {"us_stock": {"time_in_force": "gtc"}}},
        {"limits": {"drawdown_halt": 1.1}},
        {"alerts": {"urls_env": ["https://example.org"]}},
        {"alerts": {"on": ["everything"]}},
    ):
        with pytest.raises(ValueError, match=r"validation error"):
            PaperConfig.model_validate_json(json.dumps(whole | changes), strict=True)
        assert faults(schema, whole | changes), changes
    for changes in ({"broker": {"endpoint": "http://127.0.0.1:8080/"}}, {"broker": {"kind": "alpaca"}}, {"alerts": {}}):
        assert faults(schema, whole | changes) == []


@pytest.mark.slow
def test_a_new_spec_of_every_kind_runs(call, tmp_path):
    theirs = {"run": {"strategy"}, "policy": {"function", "weights"}}
    for kind in ("rotation", "policy", "strategy", "weights"):
        folder = tmp_path / kind
        status, out, err = call("spec", "new", folder / "my spec.toml", "--template", kind)
        assert status == 0
        assert "--market sample --dry-run" in err
        assert out.count("Wrote ") == len(list(folder.iterdir())) == (1 if kind == "rotation" else 2)
        text = (folder / "my spec.toml").read_text(encoding="utf-8")
        assert text.splitlines()[0] == f"#:schema {SPEC_SCHEMA.resolve().as_uri()}"
        assert faults(spec_schema(), tomllib.loads(text)) == []
        spec = load_spec(folder / "my spec.toml")
        assert spec.run.name == "my-spec"
        plain = load_spec("sample", {"run.name": "my-spec"}).model_dump(exclude=theirs)
        assert spec.model_dump(exclude=theirs) == plain
        status, out, err = call("backtest", folder / "my spec.toml", "--dry-run")
        assert (status, out.count("\n")) == (0, 1), err
        days = ("--start", "2026-06-01", "--no-tearsheet", "--out", tmp_path / f"run-{kind}")
        assert call("backtest", folder / "my spec.toml", *days)[0] == 0


def test_a_new_spec_says_the_defaults_and_overwrites_nothing(call, tmp_path):
    assert call("spec", "new", "my.toml", "--market", "live")[0] == 0
    text = (tmp_path / "my.toml").read_text(encoding="utf-8")
    assert 'hindsight = "These instruments' in text
    said = [
        line.removeprefix("# ").partition("#")[0]
        for line in text.splitlines()
        if line.startswith("# ") and " = " in line
    ]
    assert len(said) > 10
    section, checked = "", 0
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1 : line.index("]")]
        elif line.startswith("# ") and " = " in line:
            key, _, rest = line.removeprefix("# ").partition(" = ")
            if key in {"end", "source", "preset"}:  # they have no default
                continue
            value = tomllib.loads(f"x = {rest}")["x"]
            found: Any = getattr(load_spec("history"), section)
            for part in key.split("."):
                found = getattr(found, part)
            assert (found.model_dump() if hasattr(found, "model_dump") else found) == value, key
            checked += 1
    assert checked >= 9
    for words in (("my.toml",), ("other.txt",), ("no/such/dir.toml", "--template", "nosuch")):
        status, out, err = call("spec", "new", *words)
        assert (status, out, err.count("\n")) == (2, "", 1)
    (tmp_path / "my_policy.py").write_text("mine")
    assert call("spec", "new", "another.toml", "--template", "policy")[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["my.toml", "my_policy.py"]


@pytest.mark.parametrize("name", ["my_policy.py", "my_strategy.py"])
def test_the_templates_are_the_examples_of_the_docs(name):
    template = SPEC_SCHEMA.parent / "templates" / f"{name}.tmpl"
    assert template.read_bytes() == (ROOT / "docs" / "examples" / name).read_bytes()


def test_the_first_weights_are_of_instruments_of_the_market_and_from_the_start_on(call, tmp_path):
    """They are of what the spec trades, known before its start: on real history too, where some are listed later."""
    for market, first in (("sample", "SIM-COIN-A,SIM-MEMORY-A,SIM-BILL"), ("live", "BTC-USD,MU,BIL")):
        path = tmp_path / market / "mine.toml"
        assert call("spec", "new", path, "--template", "weights", "--market", market)[0] == 0
        rows = read_weights(path, (path.parent / "my_weights.csv").read_bytes())
        start = pd.Timestamp(load_spec(path).run.start, tz="UTC")
        assert ",".join(rows.columns) == first
        assert start - pd.Timedelta(days=4) < rows.index[0] <= start < rows.index[1]
        assert rows.sum(axis=1).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_the_models_are_those_of_the_schemas():
    assert set(spec_schema()["properties"]) == {*Spec.model_fields, "version"}
    assert set(paper_schema()["properties"]) == set(PaperConfig.model_fields)
