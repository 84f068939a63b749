"""Write docs/commands.md from the commands' own help: `make docs` runs it, a test compares."""

from pathlib import Path

import click

from reverse_qe.cli import cli

HEAD = """# Commands

What `--help` says of every command. `make docs` writes this page; a test fails when it is out of step.
"""


def command_reference() -> str:
    """The help of every command as Markdown."""
    return "\n".join([HEAD, *_sections(cli, "reverse-qe", None)])


def _sections(command: click.Command, path: str, parent: click.Context | None) -> list[str]:
    context = click.Context(command, info_name=path.split()[-1], parent=parent, **command.context_settings)
    sections = [f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            sections += _sections(child, f"{path} {name}", context)
    return sections


if __name__ == "__main__":
    Path(__file__).with_name("commands.md").write_text(command_reference(), encoding="utf-8")
