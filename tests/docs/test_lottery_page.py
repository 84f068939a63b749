"""The page on the universe lottery: its commands are ones that there are, and its figures those that come out."""

import re
import shlex
from pathlib import Path

import click
import pytest

from reverse_qe.cli import cli

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lottery.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (reverse-qe .+)$", PAGE, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_one_that_there_is(line):
    words, command, context = shlex.split(line)[1:], cli, click.Context(cli)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
    assert command is not None
    assert command.make_context("it", words).params


def test_the_page_names_every_option_of_the_lottery():
    assert len(COMMANDS) == 7
    for option in ("--universe", "--draws", "--seed", "--sector", "--labels", "--json", "--page"):
        assert f"{option}" in PAGE


@pytest.mark.slow
@pytest.mark.real_history
def test_the_figures_of_the_run_s_own_market_are_those_that_come_out(history):
    from backtests.prepare.prepared import prepare
    from backtests.run import until_default_end
    from backtests.spec.spec import load_spec
    from backtests.studies.lottery.lottery import universe_lottery
    from backtests.studies.lottery.pools import Asked

    found = universe_lottery(until_default_end(prepare(load_spec("history"), history)), Asked()).endings[0]
    table = PAGE.partition("drawn from the market of the run")[2].partition("\n\n")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    cagr, sharpe = found.cagr, found.sharpe
    drawn = f"{cagr.drawn:.1%} [{cagr.drawn_low:.1%}, {cagr.drawn_high:.1%}]"
    assert lines[:4] == [
        ["the run", f"{cagr.result:.1%}", "", f"{sharpe.result:.2f}", ""],
        [
            "drawn names, its moments",
            drawn,
            "",
            f"{sharpe.drawn:.2f} [{sharpe.drawn_low:.2f}, {sharpe.drawn_high:.2f}]",
            "",
        ],
        ["its names, moved moments", f"{cagr.neither + cagr.names_alone:.1%}", "", lines[2][3], ""],
        ["drawn names, moved moments", f"{cagr.neither:.1%}", "", f"{sharpe.neither:.2f}", ""],
    ]
    for line, share in zip(lines[4:], (cagr.names, cagr.timing, cagr.own_timing), strict=True):
        assert line[1] == f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"
        assert line[2].rstrip("%") in (f"{share.percentile:.1%}".rstrip("%"), f"{share.percentile:.0%}".rstrip("%"))
