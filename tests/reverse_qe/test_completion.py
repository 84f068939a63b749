"""Completion in bash, zsh and fish: what is offered, that a real bash takes it, and that pandas is not waited for."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from backtests.archive import named
from reverse_qe import cli
from reverse_qe.terminal.completion import LATEST, OFFERS, _Offering

COMMAND = Path(sys.executable).with_name("reverse-qe")
# What a shell asks for, by its variables, as click's script does it.
ASKS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "fish": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]},
}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Markets, specs and runs that are files and folders and hold nothing."""
    for name in ("history", "live.1", "live.2", ".half"):
        (tmp_path / "home" / "snapshots" / name).mkdir(parents=True)
        (tmp_path / "home" / "snapshots" / name / "manifest.json").touch()
    for name in ("20260101T000000Z-sample-aa", "20260102T000000Z-mine-bb", ".half", "no run"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    for folder in list((tmp_path / "runs").iterdir())[:]:
        if folder.name != "no run":
            (folder / "manifest.json").touch()
    (tmp_path / "mine.toml").touch()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "other.toml").touch()
    return tmp_path


def offered(world: Path, *words: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word, types left out."""
    environment = {**os.environ, "REVERSE_QE_HOME": str(world / "home"), "_REVERSE_QE_COMPLETE": f"{shell}_complete"}
    done = subprocess.run(
        [COMMAND], cwd=world, env={**environment, **ASKS[shell](["reverse-qe", *words])}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return [value for kind, value in zip(lines[::3], lines[1::3], strict=True) if kind == "plain"]
    return [line.partition(",")[2].partition("\t")[0] for line in lines if line.startswith("plain,")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("ba",), ["backtest"]),
        (("backtest", "--market", "l"), ["live", "live.1", "live.2"]),
        (("runs", "show", "r"), ["runs/20260102T000000Z-mine-bb", "runs/20260101T000000Z-sample-aa"]),
    ],
)
def test_every_shell_is_offered_the_same(world: Path, shell: str, words: tuple[str, ...], wanted: list[str]) -> None:
    assert offered(world, *words, shell=shell) == wanted


def test_markets_specs_and_runs(world: Path) -> None:
    assert offered(world, "signal", "--market", "") == [
        "sample", "sample:thesis", "sample:null", "sample:whipsaw", "history", "live", "live.1", "live.2",
    ]  # fmt: skip
    assert offered(world, "data", "show", "sample:n") == ["sample:null"]
    assert offered(world, "data", "remove", "") == ["history", "live", "live.1", "live.2"]
    assert offered(world, "data", "import", "--name", "") == []
    assert sorted(offered(world, "sweep", "")) == ["history", "mine.toml", "sample"]
    assert offered(world, "backtest", "--no-t") == ["--no-tearsheet"]
    assert offered(world, "backtest", "specs/") == ["specs/other.toml"]
    assert offered(world, "runs", "show", "la") == ["latest"] == [LATEST] == [named.LATEST]
    assert offered(world, "evidence", "runs/20260101") == ["runs/20260101T000000Z-sample-aa"]


def test_bash_breaks_an_option_at_its_equals_sign(world: Path) -> None:
    assert offered(world, "backtest", "--market", "=", "hi") == ["history"]
    assert offered(world, "backtest", "--market", "=")[0] == "sample"


def test_tab_writes_no_log(world: Path) -> None:
    assert offered(world, "--log", "talk.log", "data", "--log", "other.log", "sh") == ["show"]
    assert not list(world.glob("*.log"))


def test_what_goes_wrong_offers_nothing(world: Path, tmp_path: Path) -> None:
    shutil.rmtree(world / "home")
    (world / "home").touch()
    assert offered(world, "backtest", "--market", "") == []
    assert offered(world, "backtest", "x" * 300 + "/") == []


def test_every_parameter_of_such_a_name_offers_names() -> None:
    found = set()
    context = click.Context(cli.cli)
    commands = [cli.cli.get_command(context, name) for name in cli.COMMANDS]
    for command in commands:
        for each in [command, *getattr(command, "commands", {}).values()]:
            for parameter in each.params:
                if isinstance(parameter.type, _Offering):
                    found.add(parameter.name)
                elif parameter.name in ("market", "spec", "run", "runs", "old", "new") and not getattr(
                    parameter, "is_flag", False
                ):
                    assert isinstance(parameter.type, click.Choice), (each.name, parameter.name)
    assert found >= {"market", "spec", "run", "old", "new", "name", "against", "of"}
    assert found <= set(OFFERS)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("backtest --market hi", "history\n"),
        # What files may stand for, too: bash lists these where no name is left.
        ("backtest his", "history\n"),
        ("runs show la", "latest\n"),
        ("backtest ./x", "\n"),
    ],
)
def test_a_real_bash_takes_it(world: Path, words: str, wanted: str) -> None:
    code = (
        'source <(_REVERSE_QE_COMPLETE=bash_source reverse-qe); complete -p reverse-qe >/dev/null || exit 9; '
        f'compopt() {{ :; }}; COMP_WORDS=(reverse-qe {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); '
        '_reverse_qe_completion reverse-qe; printf "%s\\n" "${COMPREPLY[@]}"'
    )  # fmt: skip
    environment = {
        **os.environ,
        "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
        "REVERSE_QE_HOME": str(world / "home"),
    }
    done = subprocess.run(["bash", "--norc", "-c", code], cwd=world, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, wanted), done.stderr


@pytest.mark.parametrize(
    ("shell", "sign"), [("zsh", "#compdef reverse-qe"), ("fish", "complete --no-files --command reverse-qe")]
)
def test_the_scripts_of_the_others_are_those_of_click(shell: str, sign: str) -> None:
    environment = {**os.environ, "_REVERSE_QE_COMPLETE": f"{shell}_source"}
    done = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=True)
    assert sign in done.stdout


def test_nobody_waits_for_pandas(world: Path) -> None:
    code = (
        "import atexit, json, os, sys\n"
        "heavy = ('pandas', 'numpy', 'pydantic', 'rich', 'backtests', 'signals', 'reverse_qe.api')\n"
        "atexit.register(lambda: print(json.dumps([n for n in heavy if n in sys.modules]), file=sys.stderr))\n"
        "from reverse_qe.cli import main\nmain()\n"
    )
    for words in (("backtest", "--market", ""), ("backtest", ""), ("runs", "show", ""), ("data", "show", ""), ("",)):
        asked = {"_REVERSE_QE_COMPLETE": "bash_complete", **ASKS["bash"](["reverse-qe", *words])}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=world, env={**os.environ, **asked}, capture_output=True, text=True
        )
        assert json.loads(done.stderr.splitlines()[-1]) == [], words


@pytest.mark.slow
def test_the_page_says_how(world: Path) -> None:
    """Its lines are run, in bash; those of the shells that are not there are compared with click's names of them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "terminal.md").read_text(encoding="utf-8")
    bash, zsh, fish, quiet = re.findall(r"```(?:bash|zsh|fish)\n(.*?)```", page, re.DOTALL)
    assert "=zsh_source reverse-qe" in zsh
    place = {
        "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
        "REVERSE_QE_HOME": str(world / "none"),
        "HOME": str(world),
    }
    code = f"set -e\n{bash}\ncomplete -p reverse-qe\n{fish}\n{quiet}"
    done = subprocess.run(
        ["bash", "--norc", "-c", code], cwd=world, env={**os.environ, **place}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "reverse_qe_completion reverse-qe" in done.stdout
    assert "sample" in done.stdout
    assert "reverse-qe" in (world / ".config" / "fish" / "completions" / "reverse-qe.fish").read_text()
    assert ": -q --log reverse-qe.log data list" in (world / "reverse-qe.log").read_text()
