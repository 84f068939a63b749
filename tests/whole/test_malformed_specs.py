"""Specs that are broken in one place, anywhere: one line that names the key, exit 2, and nothing left behind."""

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.spec.spec import load_spec
from broken_specs import FAULTS, GONE, VALID, Fault, with_changes
from data.errors import InputError
from reverse_qe import cli

# What only the market shows to be wrong.
UNFIT = [
    *(
        Fault({f"universe.{basket}": ["NOWHERE"]}, (f"universe.{basket}", "unknown symbol NOWHERE"))
        for basket in ("speculative", "cash_flow", "reserve")
    ),
    Fault({"universe.benchmark": "NOWHERE"}, ("universe.benchmark", "unknown symbol NOWHERE")),
    Fault({"universe.benchmark": ""}, ("universe.benchmark",)),
    Fault({"run.start": date(1, 1, 1)}, ("run.start", "0001-01-01")),
    Fault({"run.start": date(9999, 12, 31)}, ("run.start", "9999-12-31")),
    Fault({"run.end": date(9999, 12, 31)}, ("run.end", "9999-12-31")),
    Fault({"run.start": date(2024, 1, 6), "run.end": date(2024, 1, 7)}, ("run.start", "run.end", "no NYSE session")),
    Fault({"run.strategy": "nowhere.py:Strategy"}, ("run.strategy", "nowhere.py")),
    Fault({"policy.function": "nowhere.py:weights"}, ("policy.function", "nowhere.py")),
    Fault({"signal.blocks": ["nowhere.py:block"]}, ("signal.blocks", "nowhere.py")),
    Fault({"signal.source": "nowhere.csv"}, ("signal.source", "nowhere.csv")),
]
BROKEN_LINES = ("= 5", "key", "[unclosed", 'x = "open', "x = [1, 2", "x = 1 2", "[run]", "x = 2024-13-45", "x = \x00")


def in_line(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {in_line(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_line, value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, str | bool) else repr(value)


def by_file(fault: Fault) -> tuple[bytes, list[str], tuple[str, ...]]:
    return tomli_w.dumps(with_changes(fault.changes)).encode(), [], fault.named


def by_setting(fault: Fault) -> tuple[bytes, list[str], tuple[str, ...]]:
    pairs = [f"{key}={in_line(value)}" for key, value in fault.changes.items()]
    return tomli_w.dumps(VALID).encode(), [part for pair in pairs for part in ("--set", pair)], fault.named


def with_a_broken_line(line: int, text: str) -> tuple[bytes, list[str], tuple[str, ...]]:
    lines = tomli_w.dumps(VALID).splitlines()
    lines.insert(line % len(lines), text)
    return "\n".join(lines).encode(), [], ("is no TOML", "line")


def with_a_broken_byte(place: int, byte: int) -> tuple[bytes, list[str], tuple[str, ...]]:
    whole = tomli_w.dumps(VALID).encode()
    place %= len(whole)
    return whole[:place] + bytes([byte]) + whole[place:], [], ("is no TOML", f"0x{byte:x}", "UTF-8")


malformed = st.one_of(
    st.sampled_from(FAULTS).map(by_file),
    st.sampled_from([fault for fault in FAULTS if GONE not in fault.changes.values()]).map(by_setting),
    st.builds(with_a_broken_line, st.integers(0, 200), st.sampled_from(BROKEN_LINES)),
    st.builds(with_a_broken_byte, st.integers(0, 2000), st.integers(0xF8, 0xFF)),
)


def call(content: bytes, options: list[str], folder: Path) -> tuple[int, str, str]:
    """Run the command line in a folder on a spec of this content: exit status, stdout, stderr."""
    (folder / "broken.toml").write_bytes(content)
    arguments = ["reverse-qe", "backtest", "broken.toml", "--market", "sample", "--no-tearsheet", *options]
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", arguments),
        pytest.raises(SystemExit) as stop,
    ):
        cli.main()
    return int(stop.value.code or 0), out.getvalue(), err.getvalue()


def assert_refused(content: bytes, options: list[str], named: tuple[str, ...], folder: Path) -> None:
    status, out, err = call(content, options, folder)
    assert status == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert len(err) < 500
    for name in named:
        assert name in err
    assert sorted(path.name for path in folder.iterdir()) == ["broken.toml"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("malformed")


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(broken=malformed)
def test_a_malformed_spec_is_refused_in_one_line_that_names_the_key(folder, broken):
    assert_refused(*broken, folder)


@pytest.mark.parametrize("way", [by_file, by_setting])
@pytest.mark.parametrize("fault", UNFIT, ids=lambda fault: ",".join(fault.changes))
def test_a_spec_that_does_not_fit_the_market_is_refused_in_one_line(sample, folder, fault, way):
    with mock.patch("reverse_qe.api.open_market", return_value=sample):
        assert_refused(*way(fault), folder)


def test_every_key_is_broken_in_every_way():
    """All the faults that hypothesis chooses from, without the command line."""
    assert len(FAULTS) > 300
    for fault in FAULTS:
        refusal = refusal_of(with_changes(fault.changes))
        assert refusal is not None, f"taken as it is: {fault}"
        assert all(name in refusal for name in fault.named), f"{fault}: {refusal}"


def refusal_of(values: Mapping[str, Any]) -> str | None:
    try:
        load_spec(values)
    except InputError as error:
        return str(error)
    return None


def test_the_spec_that_is_broken_was_whole():
    assert load_spec(VALID) == load_spec("sample")


@pytest.mark.parametrize("setting", ["", "=5", ".=5", "run.=5", ".name=5", "run", "run.name.more=5", "run..name=5"])
def test_a_malformed_setting_is_refused_in_one_line(folder, setting):
    assert_refused(tomli_w.dumps(VALID).encode(), ["--set", setting], (setting.partition("=")[0],), folder)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"x = " + b"[" * 20_000, "is no TOML: its brackets are nested too deep"),
        (b".".join([b"x"] * 5_000) + b" = 1", "nested too deep"),
        (b"x = " + b"9" * 5_000, "is no TOML: it has a number of more than 4,300 digits"),
        (b"", "run"),
        (b"\x00", "is no TOML"),
        ('"\N{SNOWMAN}\\n" = 1\n'.encode() + tomli_w.dumps(VALID).encode(), "\N{SNOWMAN}"),
        (tomli_w.dumps(VALID | {"policy": {"weighting": "x" * 5_000}}).encode(), "policy.weighting"),
        (tomli_w.dumps(VALID | {"policy": {"weighting ": "equal"}}).encode(), 'unknown key policy."weighting ", the'),
        (tomli_w.dumps(VALID | {"policy": {"": "equal"}}).encode(), 'unknown key policy."", '),
        (tomli_w.dumps(VALID | {"costs": {"bond": {"commission_bp": 1.0}}}).encode(), "costs.bond"),
    ],
    ids=[
        "deep array",
        "deep section",
        "long number",
        "empty",
        "zero byte",
        "odd key",
        "long value",
        "blank in a key",
        "key of nothing",
        "asset class",
    ],
)
def test_odd_files_are_refused_in_one_line(folder, content, named):
    assert_refused(content, [], (named,), folder)
