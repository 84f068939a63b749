"""Options that several commands share, and how their texts become values."""

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from pathlib import Path


class _Day(click.DateTime):
    """A day as in 2026-01-31."""

    name = "day"

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What stands for a day in a command's help."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no day of the calendar."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"got {value!r}, wanted a day as in 2026-01-31", param, ctx)


DAY = _Day()


class _UsablePath(click.ParamType["Path"]):
    """The name of a file or folder, there or to come."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        """Refuse what no file system could hold."""
        from data.files.paths import usable_path

        return usable_path(value, param.opts[0] if isinstance(param, click.Option) else "the path")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Let the shell list files and folders."""
        return [CompletionItem(incomplete, type="file")]


PATH = _UsablePath()


def _parsed(_context: click.Context, _parameter: click.Parameter, settings: tuple[str, ...]) -> dict[str, Any]:
    """Values by dotted key, of texts ``section.key=value``; of two of one key the last."""
    values = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        key = ".".join(part.strip() for part in key.split("."))
        if not separator or not all(key.split(".")):
            raise click.BadParameter(f"got {setting!r}, wanted section.key=value", param_hint="--set")
        values[key] = _toml_value(text.strip())
    return values


def _toml_value(text: str) -> Any:
    """A value as TOML has it; what is no TOML value is taken for a text without its quotes."""
    import tomllib

    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # A text of several lines may hold keys of its own.
    return values["value"] if len(values) == 1 else text


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for machines.")
market_option = click.option(
    "--market",
    default="sample",
    show_default=True,
    help="The built-in sample, or the name of a market that was imported or fetched.",
)
spec_market_option = click.option(
    "--market",
    help="The built-in sample, or a market that was imported or fetched.  [default: the spec's, else sample]",
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_parsed,
    help="A value of the spec, as in policy.instrument_cap=0.25; may be given again.",
)
