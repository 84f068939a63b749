"""The command line: one module a command, loaded when it is called for."""

import importlib
import sys

import click

from data.errors import InputError, ReverseQeError
from reverse_qe.output import say

COMMANDS = ("backtest", "data", "events", "paper", "runs", "signal")


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
        return command


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="reverse-qe", prog_name="reverse-qe")
def cli() -> None:
    """Backtest a liquidity-regime rotation, point in time, after costs.

    A regime signal from AI capex, yields and credit spreads moves a portfolio between speculative assets and
    near-term cash flow. Start with: reverse-qe backtest
    """


def main() -> None:
    """Run the command line: exit 0 done, else the exit status of the error, which is told in one line on stderr."""
    try:
        # A command that ends by `ctx.exit(status)` makes this return the status.
        sys.exit(cli(prog_name="reverse-qe", standalone_mode=False))
    except click.Abort:
        say("Aborted.")
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.UsageError as error:
        where = f"{error.ctx.command_path}: " if error.ctx else ""
        _refuse(f"{where}{error.format_message()} (see {error.ctx.command_path if error.ctx else 'reverse-qe'} --help)")
    except click.ClickException as error:
        _refuse(error.format_message())
    except ReverseQeError as error:
        _refuse(str(error), error.exit_status)


def _refuse(message: str, status: int = InputError.exit_status) -> None:
    say(f"Error: {message}")
    sys.exit(status)
