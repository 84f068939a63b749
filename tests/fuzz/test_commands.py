"""Whatever is typed: it is done, or refused in one line. No traceback, and nothing on stdout that steers a terminal."""

import contextlib
import io
import json
import os
import re
import shutil
import socket
import sys
import unicodedata
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile
from backtests.archive.trials.log import add_trial
from backtests.archive.trials.verify import verify_log
from data.market.snapshot import save
from hand_made import make_snapshot
from hostile import damaged, exchanged, fuzzed, texts
from reverse_qe import cli

DAY = st.sampled_from(["2026-09-01", "2026-10-01", "2024-02-30", "0001-01-01", "9999-12-31", "2030-01-01", "today"])
MARKETS = st.sampled_from(["sample", "small", "grown", "grown.1", "nosuch", "sample:crash", "sample:null@3", "live.9"])
SETTINGS = st.builds(
    "{}={}".format,
    st.sampled_from(
        ["run.start", "policy.weighting", "signal.enter", "universe.speculative", "costs.preset", "nosuch", "run"]
    ),
    st.sampled_from(["0.1", "2026-09-01", "equal", '["SIM-COIN-A"]', "true", "{}", "[1, 2", "alpaca"]) | texts,
)
# Of options by their name; every other one gets a text.
FITTING: dict[str, st.SearchStrategy[str]] = {
    "--market": MARKETS,
    "--against": MARKETS | st.sampled_from(["reference", "edgar"]),
    "--start": DAY,
    "--end": DAY,
    "--date": DAY,
    "--from": DAY,
    "--to": DAY,
    "--set": SETTINGS,
    "--config": st.sampled_from(["paper.toml", "nosuch.toml", "spec.toml"]),
    "--folder": st.sampled_from(["runs", "many", "nosuch", "spec.toml"]),
    "--company": st.sampled_from(["MSFT", "NOBODY"]),
    "--kind": st.sampled_from(["result", "nosuch"]),
    "--prices": st.sampled_from(["prices", "nosuch", "spec.toml"]),
    "--name": st.sampled_from(["small", "sample", "fresh", "live", "grown.2"]),
    "--keep": st.sampled_from(["1", "0", "99999999999999999999"]),
    "--why": st.sampled_from(["because", " "]),
}
ARGUMENTS = MARKETS | st.sampled_from(["spec.toml", "history", "runs", "good", "bad", "paper.toml", "a.csv"]) | texts


def commands(group: click.Group, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command by its words."""
    context = click.Context(group)
    found: dict[tuple[str, ...], click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            found[(*path, name)] = command
    return found


COMMANDS = commands(cli.cli)
# The first waits for the clock, the second takes away what the others read, the third runs a spec hundreds of times.
WAITS = {("paper", "run"), ("runs", "remove"), ("audit",)}


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Words of a command, then options and arguments that fit it more or less."""
    words = draw(st.sampled_from(sorted(set(COMMANDS) - WAITS)))
    parts: list[list[str]] = []
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Argument):
            if parameter.required or draw(st.booleans()):
                parts.append([draw(ARGUMENTS)])
        elif draw(st.integers(0, 3)) == 0 or (parameter.required and draw(st.integers(0, 9))):
            name = parameter.opts[0]
            value = [] if getattr(parameter, "is_flag", False) else [draw(FITTING.get(name, texts) | texts)]
            parts.append([name, *value])
    if draw(st.integers(0, 9)) == 0:
        parts.append([draw(texts | st.sampled_from(["--nosuch", "--help", "-h", "--", "--version"]))])
    line = [*words, *(word for part in draw(st.permutations(parts)) for word in part)]
    # What a process can be given: no zero character, and bytes that may be no UTF-8.
    return [word.replace("\0", "") for word in line]


def no_network(*_: Any, **__: Any) -> None:
    raise OSError("no network in tests")


def steering(printed: str) -> set[str]:
    return {each for each in printed if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n"}


def ran(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Run a command line in a folder: exit status, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["reverse-qe", *words]),
        mock.patch.object(socket, "getaddrinfo", no_network),
        mock.patch.object(socket.socket, "connect", no_network),
        mock.patch.dict(os.environ, {"REVERSE_QE_HOME": str(folder / "home")}),
        pytest.raises(SystemExit) as stop,
    ):
        cli.main()
    return int(stop.value.code or 0), out.getvalue(), err.getvalue()


def assert_in_order(words: list[str], folder: Path) -> None:
    status, out, err = ran(words, folder)
    assert status in (0, 1, 2), (words, err)
    assert not steering(out), words
    assert not steering(err), words
    assert "Traceback" not in err
    if status == 2:
        # With -v, the stages that were begun stand above it.
        err = re.sub(r"(?m)^\[ *\d+\.\d\d s\] .*\n", "", err)
        assert err.startswith("Error: "), (words, err)
        assert (err.count("\n"), out) == (1, ""), (words, err)
    if "--json" in words and status == 0 and out.startswith("{"):
        json.loads(out, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def world(tmp_path_factory, sample):
    """A folder with a bit of everything: markets, a spec, prices, an account, runs good and bad."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("world")
    (folder / "a.csv").write_text("known_at,regime\n2024-01-01T00:00:00+00:00,SCARCE\n")
    (folder / "prices").mkdir()
    days = [(f"2026-09-{day:02}", 10.0 + day, 10.5 + day) for day in (1, 2, 3, 4, 8, 9, 10, 11)]
    rows = "".join(f"{day},{opened},{closed + 1},{opened - 1},{closed},{closed},1000\n" for day, opened, closed in days)
    (folder / "prices" / "MU.csv").write_text("date,open,high,low,close,adj_close,volume\n" + rows)
    with mock.patch.dict(os.environ, {"REVERSE_QE_HOME": str(folder / "home")}):
        save(make_snapshot({"MU": days}, name="small"))
        for version in (1, 2):
            save(make_snapshot({"MU": days[: version + 3]}, name=f"grown.{version}"))
    assert ran(["backtest", "--start", "2026-09-01", "--no-tearsheet", "--out", "runs/good"], folder)[0] == 0
    assert ran(["paper", "init"], folder)[0] == 0
    shutil.copy(folder / "runs" / "good" / "spec.toml", folder / "spec.toml")
    shutil.copytree(folder / "runs", folder / "many")
    replace(sample, name="small")
    return folder


@fuzzed("command lines", 0.11, 60)
@given(line=command_lines())
def test_command_lines(world, sample, line):
    hostile.COUNTS["command lines"] += 1
    with tidy(world):
        assert_in_order(line, world)


@contextlib.contextmanager
def tidy(folder: Path) -> Any:
    """Take away what a command has made."""
    before = {path for path in folder.rglob("*") if "home" not in path.parts}
    try:
        yield
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path not in before and "home" not in path.relative_to(folder).parts:
                path.unlink() if path.is_file() else path.rmdir()


@fuzzed("names and texts of every option", 0.05, 30)
@given(words=st.sampled_from(sorted(set(COMMANDS) - WAITS - {("backtest",)})), text=texts, data=st.data())
def test_every_option_takes_every_text(world, words, text, data):
    named = [each for each in COMMANDS[words].params if not getattr(each, "is_flag", False)]
    line = [*words]
    for parameter in named:
        value = text if data.draw(st.booleans()) else data.draw(FITTING.get(parameter.opts[0], ARGUMENTS))
        if isinstance(parameter, click.Argument):
            line.append(value)
        elif parameter.required or data.draw(st.booleans()):
            line += [parameter.opts[0], value]
    hostile.COUNTS["names and texts of every option"] += 1
    with tidy(world):
        assert_in_order([word.replace("\0", "") for word in line], world)


@fuzzed("folders of runs", 0.06, 40)
@given(data=st.data(), name=st.sampled_from(["manifest.json", "metrics.json"]), shown=st.booleans())
def test_folders_of_runs(world, data, name, shown):
    whole = (world / "runs" / "good" / name).read_bytes()
    changed = data.draw(damaged(whole) | exchanged(json.loads(whole), most=3).map(hostile.as_json))
    bad = world / "many" / "bad"
    shutil.copytree(world / "runs" / "good", bad, dirs_exist_ok=True)
    (bad / name).write_bytes(changed)
    hostile.COUNTS["folders of runs"] += 1
    as_json = ["--json"] if data.draw(st.booleans()) else []
    line = ["runs", "show", str(bad), *as_json] if shown else ["runs", "list", "--folder", "many", *as_json]
    assert_in_order(line, world)
    if not shown:
        status, out, _ = ran(line, world)
        assert (status, "good" in out) == (0, True)
    shutil.rmtree(bad)


@fuzzed("files of runs that are compared", 0.05, 30)
@given(
    data=st.data(),
    name=st.sampled_from(["returns.csv", "rotations.csv", "regime.csv", "trades.csv", "attribution.csv", "spec.toml"]),
)
def test_files_of_runs_that_are_compared(world, data, name):
    bad = world / "many" / "bad"
    shutil.copytree(world / "runs" / "good", bad, dirs_exist_ok=True)
    (bad / name).write_bytes(data.draw(damaged((world / "runs" / "good" / name).read_bytes())))
    hostile.COUNTS["files of runs that are compared"] += 1
    as_json = ["--json"] if data.draw(st.booleans()) else []
    with tidy(world):
        assert_in_order(["runs", "compare", "good", str(bad), "--page", "compared.html", *as_json], world)
    shutil.rmtree(bad)


@fuzzed("logs of trials", 0.05, 30)
@given(data=st.data(), name=st.sampled_from(["log.jsonl", "head.json"]), exchanges=st.booleans())
def test_logs_of_trials(world, data, name, exchanges):
    """Whatever became of it, it is read and told in order, and the next trial is added, or is said not to be."""
    log = world / "home" / "trials"
    kept = {each: (log / each).read_bytes() for each in ("log.jsonl", "head.json")}
    try:
        whole = kept[name]
        changes = damaged(whole)
        if exchanges and whole.count(b"\n") == 1:
            changes = exchanged(json.loads(whole), most=3).map(hostile.as_json).map(lambda each: each + b"\n")
        (log / name).write_bytes(data.draw(changes))
        hostile.COUNTS["logs of trials"] += 1
        assert_in_order(["runs", "trials", *(["--json"] if data.draw(st.booleans()) else [])], world)
        row = {"project": str(world), "simulated": True, "key": "0" * 64, "trials": 1, "kind": "backtest"}
        added = add_trial(log, row, {"strategy": np.zeros(3)}).row
        assert any(each == added for each in verify_log(log).rows)
    finally:
        for each, content in kept.items():
            (log / each).write_bytes(content)
