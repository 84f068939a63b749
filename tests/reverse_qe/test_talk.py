"""How much is said: -q, -v and --log, before the command's name or after, in every command alike."""

import re
from pathlib import Path

import click
import pytest

from reverse_qe import cli
from reverse_qe.output import progress, say
from reverse_qe.terminal.talk import TALK

LIMIT = 36
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


@pytest.fixture(autouse=True)
def _another_talk():
    yield
    TALK.begin()


def leaves(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    below = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [leaf for name, each in below if each is not None for leaf in leaves(each, f"{path} {name}")]


def test_there_are_few_commands() -> None:
    names = [name for name, _ in leaves(cli.cli, "reverse-qe")]
    assert len(names) > 25
    assert len(names) <= LIMIT, (
        f"{len(names)} commands, wanted at most {LIMIT}: take one away, or write a page in docs/decisions that says "
        f"why people need one more, and raise the limit: {', '.join(names)}"
    )


def test_every_command_takes_the_options_and_only_the_first_help_shows_them() -> None:
    for name, command in leaves(cli.cli, "reverse-qe"):
        taken = [option for each in command.params for option in each.opts]
        for option in ("-q", "--quiet", "-v", "--verbose", "--log"):
            assert taken.count(option) == 1, (name, option)
        # click keeps the help option that it makes first.
        shown = command.get_help(click.Context(command, info_name=name, **cli.cli.context_settings))
        assert not re.search(r"^ +(-q|-v|--log)\b", shown, re.MULTILINE), name
    whole = cli.cli.get_help(click.Context(cli.cli, **cli.cli.context_settings))
    assert all(option in whole for option in ("-q, --quiet", "-v, --verbose", "--log"))


@pytest.mark.parametrize("words", [("-q", "data", "list"), ("data", "-q", "list"), ("data", "list", "--quiet")])
def test_quiet_leaves_the_result_alone(call, words) -> None:
    status, out, err = call(*words)
    assert (status, err) == (0, "")
    assert "sample" in out


def test_quiet_does_not_silence_what_must_be_heard(call, capsys) -> None:
    assert call("-q", "data", "show", "none")[2].startswith("Error: no market none")
    TALK.quiet = True
    for line in ("! the coin has no price", "Run folder: x", "Error: it is full"):
        say(line)
    with progress("Backtest") as report:
        report("market")
    assert capsys.readouterr().err == "! the coin has no price\nError: it is full\n"


def test_verbose_shows_each_stage_and_when_it_began(call) -> None:
    status, out, err = call("backtest", "--start", "2026-09-01", "--no-tearsheet", "-v", "--json")
    assert status == 0
    assert out.startswith("{")
    stages = [line for line in err.splitlines() if line.startswith("[")]
    assert all(re.fullmatch(r"\[ *\d+\.\d\d s\] Backtest.*", line) for line in stages)
    told = [line.partition("] Backtest: ")[2] for line in stages]
    assert told[1:4] == ["market", "prices", "signal"]
    assert {"engine", "baselines", "files"} <= set(told)
    assert [float(line[1:].partition(" s]")[0]) for line in stages] == sorted(
        float(line[1:].partition(" s]")[0]) for line in stages
    )


def test_a_count_is_told_now_and_then(capsys, monkeypatch) -> None:
    TALK.verbose = True
    with progress("Sweep") as report:
        for done in range(100):
            report(f"{done:,} of 10,000 variants, {done / 7:.1f} a second")
        report("the best again")
    told = capsys.readouterr().err.splitlines()
    assert [line.partition("] ")[2] for line in told] == [
        "Sweep", "Sweep: 0 of 10,000 variants, 0.0 a second", "Sweep: the best again"
    ]  # fmt: skip


def test_both_are_refused(call) -> None:
    status, out, err = call("-q", "data", "list", "-v")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "got --quiet and --verbose, wanted one of them" in err


def test_a_log_keeps_what_was_asked_said_and_answered(call, tmp_path: Path) -> None:
    assert call("-q", "data", "list", "--log", "talk.log")[0] == 0
    assert call("--log", "talk.log", "data", "show", "none")[0] == 2
    lines = (tmp_path / "talk.log").read_text(encoding="utf-8").splitlines()
    assert all(re.match(STAMP, line) for line in lines)
    told = [re.sub(rf"^{STAMP}", "", line) for line in lines]
    assert re.fullmatch(r"reverse-qe \S+: -q data list --log talk.log", told[0])
    ends = [place for place, line in enumerate(told) if re.fullmatch(r"exit \d after \d+\.\d\d s", line)]
    assert [told[place][:6] for place in ends] == ["exit 0", "exit 2"]
    assert re.fullmatch(r"reverse-qe \S+: --log talk.log data show none", told[ends[0] + 1])
    assert told[-2].startswith("Error: no market none")


def test_a_log_tells_of_an_end_that_nobody_foresaw(call, tmp_path: Path, monkeypatch) -> None:
    from data.market import versions

    for end in (ZeroDivisionError("a defect\x1b[31m"), SystemExit(143)):

        def fail(*_arguments: object, end: BaseException = end) -> None:
            raise end

        monkeypatch.setattr(versions, "in_order", fail)
        status = None
        try:
            status = call("data", "list", "--log", "talk.log")[0]
        except ZeroDivisionError:
            assert end.args[0] != 143
        assert status == (143 if end.args[0] == 143 else None)
    told = [re.sub(rf"^{STAMP}", "", line) for line in (tmp_path / "talk.log").read_text(encoding="utf-8").splitlines()]
    assert told[1] == "ZeroDivisionError: a defect\\x1b[31m"
    assert [line[:8] for line in told if line.startswith("exit")] == ["exit 1 a", "exit 143"]


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("spec.toml", "[run]\n", "which is something else; wanted a new name or an older log"),
        ("folder", None, "which is something else"),
        ("none/talk.log", "", "which cannot be written: No such file or directory"),
        (" ", "", "wanted the name of a file or folder"),
    ],
)
def test_a_log_is_never_written_into_something_else(call, tmp_path: Path, name, content, wanted) -> None:
    if content is None:
        (tmp_path / name).mkdir()
    elif content:
        (tmp_path / name).write_text(content)
    status, out, err = call("data", "list", "--log", name)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert wanted in err
    if content:
        assert (tmp_path / name).read_text() == content


def test_a_log_that_is_full_is_told_once(capsys, tmp_path: Path) -> None:
    class Full:
        name = "talk.log"

        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    TALK._log = Full()  # type: ignore[assignment]
    say("one")
    say("two")
    assert capsys.readouterr().err == (
        "! the log talk.log can no longer be written: No space left on device\none\ntwo\n"
    )


def test_a_talk_is_that_of_one_command(call) -> None:
    assert call("-q", "data", "list")[2] == ""
    assert not TALK.quiet
    status, _, err = call("runs", "list", "-v")
    assert (status, err.startswith("[")) in ((0, True), (0, False))
    assert not TALK.verbose
    assert TALK._log is None


def test_version(call) -> None:
    assert call("-V") == call("--version")
    assert re.fullmatch(r"reverse-qe, version \d+\.\d+\.\d+\n", call("-V")[1])
