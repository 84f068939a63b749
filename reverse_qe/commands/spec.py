"""`reverse-qe spec`: what to do, in a file of one's own."""

import shlex
from pathlib import Path

import click

from reverse_qe.options import PATH
from reverse_qe.output import say, show
from reverse_qe.terminal.noun import Noun


@click.group("spec", cls=Noun)
def command() -> None:
    """Begin a spec: a TOML file that says what to do, on any market."""


@command.command("new")
@click.argument("path", metavar="FILE", type=PATH)
@click.option(
    "--template",
    type=click.Choice(["rotation", "policy", "strategy", "weights"]),
    default="rotation",
    show_default=True,
    help="All built in; weights by a function of yours; a Backtrader strategy of yours; or weights from a CSV file.",
)
@click.option("--market", default="sample", show_default=True, help="Market whose instruments it begins with.")
def new(path: Path, template: str, market: str) -> None:
    """Write a commented spec to FILE, and the file of yours that it names beside it; nothing is overwritten.

    Its first line names a JSON schema: editors that know schemas of TOML complete its keys and check its values.
    """
    from typing import cast

    from backtests.spec.new import Kind, write_new_spec
    from backtests.spec.spec import fitting_spec

    for written in write_new_spec(path, cast("Kind", template), market, fitting_spec(market)):
        show(f"Wrote {written}")
    say(f"Next: reverse-qe backtest {shlex.quote(str(path))} --market {market} --dry-run")
