"""The options of talk, which every command takes, before its name or after."""

from pathlib import Path
from typing import Any

import click

from reverse_qe.options import PATH
from reverse_qe.terminal.talk import TALK


def talk_options(*, hidden: bool) -> list[click.Parameter]:
    """The options; one help shows them, that of the command line itself."""
    common: dict[str, Any] = {"expose_value": False, "is_eager": True, "hidden": hidden}
    flag: dict[str, Any] = {"is_flag": True, **common}
    return [
        click.Option(["-q", "--quiet"], callback=_quiet, help="Show the result, warnings and errors alone.", **flag),
        click.Option(["-v", "--verbose"], callback=_verbose, help="Show each stage, and when it began.", **flag),
        click.Option(["--log"], type=PATH, callback=_log, help="Add what is said to the end of a file.", **common),
    ]


def take_talk_options(command: click.Command) -> None:
    """Let a command, and those below it, take the options."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            take_talk_options(below)
    command.params = [*command.params, *talk_options(hidden=True)]


def _quiet(_context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    TALK.quiet = TALK.quiet or given
    _require_one()


def _verbose(_context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    TALK.verbose = TALK.verbose or given
    _require_one()


def _log(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None and not context.resilient_parsing:  # which Tab does: it writes nothing
        TALK.keep_in(path)


def _require_one() -> None:
    if TALK.quiet and TALK.verbose:
        raise click.UsageError("got --quiet and --verbose, wanted one of them")
