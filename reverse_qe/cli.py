"""The command line: one module a command, loaded when it is called for."""

import atexit
import gc
import importlib
import io
import os
import signal
import sys
import threading
from typing import NoReturn

import click

from data.errors import InputError, ReverseQeError
from reverse_qe.output import NobodyReadsError, OutputError, say, write
from reverse_qe.terminal.completion import offer_names
from reverse_qe.terminal.examples import give_examples
from reverse_qe.terminal.talk import kept_talk
from reverse_qe.terminal.talk_options import take_talk_options, talk_options

# Letters of a message: what was got may be a file of many megabytes, and the remedy stands at the end.
_LONGEST = 4_000

# Each with a line that has room at 80 columns: no command is imported to say what there is.
COMMANDS = {
    "audit": "Look for rows that change with the future; exit 1 if one does.",
    "backtest": "Backtest a spec; write its run folder and tearsheet.",
    "data": "Import, fetch, show, compare, export and remove markets.",
    "events": "List and validate what became known; add rows of your own.",
    "evidence": "Test a result: is it luck, timing, its markets, its names?",
    "paper": "Trade a spec on paper: simulated, or at a paper account.",
    "runs": "List, show, compare and remove runs; list what was tried.",
    "signal": "Say which regime holds on a date, since when, and why.",
    "spec": "Begin a spec: a TOML file that says what to do.",
    "sweep": "Run many variants of a spec; say which is best, if any is.",
}


class CommandFolder(click.Group):
    """A group whose commands live in ``reverse_qe.commands``, one module each, named as the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, sorted."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return its ``command``; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"reverse_qe.commands.{cmd_name}").command
        if cmd_name not in self.commands:
            offer_names(command)
            take_talk_options(command)
            give_examples(command, cmd_name)
            self.add_command(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with its line."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name; where there is none, the nearest is told, as in other groups."""
        from difflib import get_close_matches

        if args[0] not in COMMANDS and not ctx.resilient_parsing and (near := get_close_matches(args[0], COMMANDS, 1)):
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="reverse-qe", prog_name="reverse-qe")
def cli() -> None:
    """Backtest a liquidity-regime rotation, point in time, after costs.

    A regime signal from AI capex, yields and credit spreads moves a portfolio between speculative assets and
    near-term cash flow. Start with: reverse-qe backtest

    -q, -v and --log can stand behind every command, too.
    """


cli.params = [*talk_options(hidden=False), *cli.params]


def main() -> None:
    """Run the command line: exit 0 done, else the exit status of the error, which is told in one line on stderr."""
    told = _end_in_order()
    # Imports and tables make many objects and hardly a cycle: looking for these every 700 costs a tenth of the time.
    gc.set_threshold(100_000, 20, 20)
    # At its end Python would look for them in all that was imported, once more: a tenth of a second.
    atexit.register(gc.freeze)
    with kept_talk() as ended:
        try:
            status = _run()
        except Exception:
            if not told:
                raise
            status = told[0]
        # An import that is told to end may make another error of it.
        status = told[0] if told and status else status
        ended(status)
    _drop_what_cannot_be_written()
    sys.exit(status)


def _run() -> int:
    """The exit status of what the command line asks for."""
    if sys.stdout is None:
        return _refuse("standard output is closed; name a file or /dev/null for it", ReverseQeError.exit_status)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the encoding of the output does not know is written out, and ends nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _asked_for()
    except click.Abort:
        return _refuse("aborted", 130)
    except click.UsageError as error:
        where = f"{error.ctx.command_path}: " if error.ctx else ""
        path = error.ctx.command_path if error.ctx else "reverse-qe"
        return _refuse(f"{where}{error.format_message()} (see {path} --help)")
    except click.ClickException as error:
        return _refuse(error.format_message())
    except NobodyReadsError as error:
        return error.exit_status
    except ReverseQeError as error:
        return _refuse(str(error), error.exit_status)
    except OSError as error:
        # A last resort: whatever reads and writes files says itself what was wrong.
        return _refuse(f"{error.filename or 'standard output'}: {error.strerror or error}", OutputError.exit_status)


def _asked_for() -> int:
    try:
        # A command that ends by `ctx.exit(status)` makes this return the status.
        return int(cli(prog_name="reverse-qe", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        write(error.format_message())
        return 0


def _refuse(message: str, status: int = InputError.exit_status) -> int:
    line = " ".join(message.split())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
    say(f"Error: {line}")
    return status


def _end_in_order() -> list[int]:
    """Let a command that is told to end take away what it has half written.

    Returns:
        The exit status, once it is told.
    """
    told: list[int] = []

    def end(number: int, _frame: object) -> NoReturn:
        told.append(128 + number)
        sys.exit(told[0])

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored, as by nohup, stays so.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, end)
    return told


def _drop_what_cannot_be_written() -> None:
    """Send nowhere what is still to be written and cannot be: Python would try again, and complain, at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
