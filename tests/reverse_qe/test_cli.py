"""The command line as a stranger meets it: what it prints, what it refuses, what it leaves behind."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd
import pytest

import reverse_qe
from data.clock import sessions_between
from reverse_qe import cli
from reverse_qe.terminal.examples import EXAMPLES

SHORT = ("--start", "2026-01-02", "--end", "2026-03-31", "--no-tearsheet")


def test_backtest_writes_a_folder_and_says_where(call, tmp_path):
    status, out, err = call("backtest", *SHORT)
    assert status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert str(folder.relative_to(tmp_path)) in err
    assert "SIMULATED" in out
    assert "0 rejected" in out
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["simulated"] is True
    assert manifest["run_id"] in folder.name
    assert (manifest["first_session"], manifest["last_session"]) == ("2026-01-02", "2026-03-31")


def test_backtest_json_is_one_object(call, tmp_path):
    status, out, _ = call("backtest", *SHORT, "--json", "--out", tmp_path / "mine")
    said = json.loads(out)
    assert status == 0
    assert said["folder"] == str(tmp_path / "mine")
    assert {"strategy", "benchmark", "static_mix", "moving_average", "by_regime", "by_year"} <= set(said["metrics"])
    assert said["next_session"]["session"] == "2026-04-01"


def test_a_dry_run_checks_and_leaves_nothing(call, tmp_path):
    status, out, _ = call("backtest", *SHORT, "--dry-run")
    assert status == 0
    assert "2026-01-02 to at most 2026-03-31 (61 sessions), 10 instruments. Nothing was run or written." in out
    said = json.loads(call("backtest", "--dry-run", "--start", "2026-01-02", "--json")[1])
    assert said["warnings"] == []
    (tmp_path / "late.csv").write_text("known_at,SIM-BILL\n2030-01-01T22:00:00+00:00,1\n")
    warned = call("backtest", *SHORT, "--dry-run", "--set", f"policy.weights={tmp_path / 'late.csv'}")
    assert "! late.csv: its first row is known at 2030-01-01 22:00:00+00:00, after every decision" in warned[2]
    (tmp_path / "late.csv").unlink()
    days = sessions_between(pd.Timestamp("2026-01-02"), pd.Timestamp(said["last_session"]))
    assert (said["first_session"], said["last_session"], said["sessions"]) == ("2026-01-02", "2026-10-09", len(days))
    for wrong in (("--set", "policy.function=nosuch.py:f"), ("--market", "nosuch"), ("--start", "1999-06-01")):
        assert call("backtest", "--dry-run", *wrong)[0] == 2
    (tmp_path / "s.py").write_text("raise ValueError('at once')")
    status, out, err = call("backtest", "--dry-run", "--set", "run.strategy=s.py:S")
    assert (status, out, "s.py, line 1: ValueError: at once" in err) == (2, "", True)
    assert not (tmp_path / "runs").exists()


def test_runs_are_listed_and_shown(call):
    assert "No run below runs/" in call("runs", "list")[1]
    call("backtest", *SHORT)
    (run,) = json.loads(call("runs", "list", "--json")[1])["runs"]
    name = Path(run["folder"]).name
    assert "sample (SIMULATED)" in call("runs", "list")[1]
    status, out, _ = call("runs", "show", name)
    assert status == 0
    assert "Sharpe" in out
    assert "By regime" in out
    strategy = run["metrics"]["strategy"]
    assert f"{strategy['cagr']:.1%}" in out
    assert f"{strategy['cagr']:.1%}" in call("runs", "list")[1]
    assert json.loads(call("runs", "show", name, "--json")[1])["manifest"]["run_id"] == run["manifest"]["run_id"]


def test_signal_says_the_regime_and_its_reasons(call):
    status, out, _ = call("signal", "--date", "2025-06-02", "--turn")
    assert status == 0
    for word in (
        "SIMULATED",
        "2025-06-02",
        "since",
        "drain",
        "capex_to_cash_flow",
        "Gate of idle money",
        "known at (UTC)",
        "weight",
    ):
        assert word in out
    said = json.loads(call("signal", "--date", "2025-06-02", "--json")[1])
    parts = [part["contribution"] for block in said["blocks"] for part in block["inputs"]]
    assert sum(parts) == pytest.approx(said["score"], abs=1e-12)


@pytest.mark.slow
def test_signal_on_a_sunday_is_that_of_the_session_before(call):
    assert json.loads(call("signal", "--date", "2025-06-01", "--json")[1])["session"].startswith("2025-05-30")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("backtest", "nosuch"), "no spec nosuch"),
        (("backtest", "--market", "nosuch"), "no market nosuch; there are: sample"),
        (("backtest", "--market", "sample:nosuch"), "nosuch"),
        (("backtest", "--set", "policy.nosuch=1"), "unknown key policy.nosuch"),
        (("backtest", "--set", "policy.instrument_cap=much"), "policy.instrument_cap: got 'much'"),
        (("backtest", "--set", "policy.instrument_cap=0.2\nx=3"), r"policy.instrument_cap: got '0.2\nx=3'"),
        (("backtest", "--set", 'universe.cash_flow=["MU"]'), "unknown symbol MU"),
        (("backtest", "--set", 'universe.reserve=["sim-bil"]'), "does not hold it; is SIM-BILL meant? see what"),
        (("backtest", "--label", "latest"), "got 'latest' for label, which names the run that was written last"),
        (("backtest", "--start", "2025-01-02", "--end", "2024-01-02"), "start 2025-01-02 is after end 2024-01-02"),
        (("backtest", "--start", "1999-06-01"), "mend run.start or run.end"),
        (("backtest", "--end", "2031-06-01"), "mend run.start or run.end"),
        (("backtest", "--start", "3.1.2025"), "'--start': got '3.1.2025', wanted a day as in 2026-01-31"),
        (("backtest", "--nosuch"), "--nosuch"),
        (("backtest", "--out", "file/below"), "is a file"),
        (("backtest", "--out", "there"), "which exists"),
        (("signal", "--date", "1999-06-01"), "got the day 1999-06-01"),
        (("signal", "--set", 'universe.cash_flow=["MU"]'), "universe.cash_flow: unknown symbol MU"),
        (("signal", "--date", "2031-06-02"), "the session to come"),
        (("runs", "show", "nosuch"), "got the run nosuch, but there is none below runs/"),
        (("runs", "compare", "nosuch", "other"), "got the run nosuch"),
        (("runs", "remove", "nosuch"), "got the run nosuch"),
        (("nosuch",), "nosuch"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(call, tmp_path, arguments, wanted):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "there").mkdir()
    status, out, err = call(*arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert wanted in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["file", "there"]


def test_what_was_got_is_told_in_a_line_that_can_be_read(call, tmp_path):
    (tmp_path / "weights.csv").write_text(f"known_at,{','.join(f'S{number}' for number in range(100_000))}\n")
    status, _, err = call("backtest", *SHORT, "--set", f"policy.weights={tmp_path / 'weights.csv'}")
    assert (status, err.count("\n")) == (2, 1)
    assert len(err) < 5_000
    assert err.endswith("and at least one row\n")


def commands_below(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_below(command, *names, name)
        else:
            yield (*names, name)


def test_ten_words_have_room_on_one_screen_and_there_are_36_commands_at_most(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = call("--help")[1].splitlines()
    assert len(cli.COMMANDS) == 10
    assert len(lines) <= 30
    assert "..." not in "".join(lines[-10:])
    assert max(map(len, lines)) <= 80
    several = list(commands_below(cli.cli))
    assert len(several) <= 36, (
        "one more takes the place of another, or docs/decisions/commands.md says why there are more"
    )


def test_a_word_that_is_none_is_told_the_nearest(call):
    for words, near in (
        (("backtset",), "backtest"),
        (("data", "lst"), "list"),
        (("backtest", "histroy"), "is history m"),
    ):
        status, out, err = call(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert near in err


@pytest.mark.parametrize("command", [(), *((name,) for name in cli.COMMANDS), ("data", "import"), ("runs", "list")])
def test_help_is_there(call, command):
    status, out, _ = call(*command, "--help")
    assert status == 0
    assert "Usage: reverse-qe" in out


@pytest.mark.parametrize("group", [(), ("data",), ("paper",), ("runs",)])
def test_a_group_alone_shows_its_help(call, group):
    assert call(*group) == call(*group, "--help")


def test_help_loads_nothing_heavy():
    listing = (
        "import sys; sys.argv = ['reverse-qe', '--help']\n"
        "from reverse_qe.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(set(sys.modules) & {'numpy', 'pandas', 'pydantic', 'rich', 'backtrader', 'quantstats'}))"
    )
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_offers_the_same_words():
    assert callable(reverse_qe.backtest)
    assert callable(reverse_qe.signal)
    with pytest.raises(AttributeError, match="it offers"):
        reverse_qe.nosuch  # noqa: B018


@pytest.mark.parametrize("shadow", ["data.py", "strategies/__init__.py"])
def test_a_file_of_the_users_that_shadows_a_package_is_named(tmp_path, shadow):
    path = tmp_path / shadow
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "import reverse_qe"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode != 0
    assert str(path) in done.stderr.splitlines()[-1]
    assert "is shadowed by" in done.stderr


def test_the_console_command_is_not_shadowed_by_the_folder_it_runs_in(tmp_path):
    (tmp_path / "data.py").write_text("raise SystemExit('the wrong data')")
    command = Path(sys.executable).with_name("reverse-qe")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "backtest" in done.stdout


def test_python_does_not_look_through_all_that_was_imported_at_its_end():
    code = (
        "import atexit, gc, sys; sys.argv = ['reverse-qe', '--help']\n"
        "atexit.register(lambda: print(gc.get_freeze_count(), file=sys.stderr))\n"
        "from reverse_qe.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stderr) > 10_000


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*words, name))


def test_every_help_ends_with_an_example_that_its_command_takes():
    found = dict(leaves(cli.cli))
    assert {" ".join(words) for words in found} == set(EXAMPLES)
    for words, command in found.items():
        example = f"Example: reverse-qe {' '.join(words)} {EXAMPLES[' '.join(words)]}"
        # As below the whole command line: a command keeps the names of its help from whoever asks first.
        with click.Context(command, info_name=words[-1], max_content_width=80, **cli.cli.context_settings) as context:
            assert command.get_help(context).splitlines()[-1].strip() == example  # one line at 80 columns
        given = shlex.split(example.removeprefix("Example: reverse-qe "))[len(words) :]
        command.make_context(words[-1], given)  # every word and value of it is one that the command takes


@pytest.mark.slow
def test_the_next_step_can_be_typed_as_it_stands(call, tmp_path):
    """A path with blanks, and one that a shell would take for something else."""
    for name in ("my own spec.toml", "a$b;c'd.toml"):
        status, _, err = call("spec", "new", name)
        assert status == 0
        (line,) = [line for line in err.splitlines() if line.startswith("Next: reverse-qe ")]
        assert shlex.split(line)[2:4] == ["backtest", name]
        (below,) = [line for line in (tmp_path / name).read_text().splitlines() if line.startswith("# Next: ")]
        assert shlex.split(below)[3:5] == ["backtest", name]
        assert call(*shlex.split(line)[2:])[0] == 0
    err = call("paper", "init", "my own.toml")[2]
    assert shlex.split(err)[-2:] == ["--config", "my own.toml"]
    err = call("data", "export", "sample", "a folder")[2]
    assert "a folder/prices" in shlex.split(err)
