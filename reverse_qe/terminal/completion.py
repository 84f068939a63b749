"""What the shell offers for markets, specs and runs: names of files and folders alone, so that Tab opens nothing.

click writes the scripts of the shells and completes commands and options. Here stands what it cannot know. pandas is
not imported, and what goes wrong offers nothing: a message would stand in the line that is being typed.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from data.errors import ReverseQeError
from data.files.kept import MANIFEST, snapshot_names

Offer = Callable[[str], Iterable[str]]
_PACKAGES = Path(__file__).resolve().parents[2]
SHIPPED = _PACKAGES / "backtests" / "spec" / "shipped"
SCENARIOS = _PACKAGES / "data" / "sample" / "sample.toml"
RUNS = Path("runs")
LATEST = "latest"


def markets(_incomplete: str) -> Iterable[str]:
    """The built-in sample and its scenarios, and what is kept: a market with versions by its name, too."""
    kept = snapshot_names()
    grown = {name.rpartition(".")[0] for name in kept if name.rpartition(".")[2].isdecimal()} - {""}
    return ["sample", *_scenarios(), *sorted({*kept, *grown})]


def kept_markets(_incomplete: str) -> Iterable[str]:
    """The markets that are kept, without what is built in."""
    return [name for name in markets("") if name.split(":")[0] != "sample"]


def specs(incomplete: str) -> Iterable[str]:
    """The shipped specs, and TOML files of the folder that is being typed."""
    folder = Path(incomplete[: incomplete.rfind("/") + 1])
    files = [path for path in folder.glob("*.toml") if path.is_file()]
    return [*(path.stem for path in SHIPPED.glob("*.toml")), *(path.as_posix() for path in files)]


def runs(_incomplete: str) -> list[str]:
    """The folders of runs, the newest first."""
    return [path.parent.as_posix() for path in sorted(RUNS.glob(f"[!.]*/{MANIFEST}"), reverse=True)]


def runs_by_name(incomplete: str) -> Iterable[str]:
    """The same, where the newest can be called so."""
    found = runs(incomplete)
    return [LATEST, *found] if found else []


def runs_and_specs(incomplete: str) -> Iterable[str]:
    """Whatever evidence can be asked of that has a name."""
    return [*runs(incomplete), *specs(incomplete)]


# By the name of the parameter, which is the same in every command.
OFFERS: Mapping[str, Offer] = {
    "market": markets,
    "against": markets,
    "old": markets,
    "new": markets,
    "name": markets,
    "spec": specs,
    "of": runs_and_specs,
    "run": runs_by_name,
    "runs": runs_by_name,
}
# Files can be named in their place: the shell lists them.
OR_FILES = (specs, runs_by_name, runs_and_specs)
# What `name` is there: a new one, or one that is kept.
NAMES: Mapping[str | None, Offer | None] = {"import": None, "fetch": kept_markets, "remove": kept_markets}


def offer_names(command: click.Command) -> None:
    """Let the parameters of a command, and of those below it, offer the names that there are."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            offer_names(below)
    for parameter in command.params:
        offer = OFFERS.get(parameter.name or "")
        if parameter.name == "name":
            offer = NAMES.get(command.name, offer)
        if offer is not None and not isinstance(parameter.type, click.Choice | click.types.BoolParamType):
            parameter.type = _Offering(parameter.type, offer)


@add_completion_class
class _NamesAfterFiles(BashComplete):
    """Bash, in whose script the word that files may follow takes away the names before it."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """The names last: bash lists files where none of them goes on as it was begun."""
        return sorted(super().get_completions(args, incomplete), key=lambda item: item.type == "plain")


class _Offering(click.ParamType[Any]):
    """A type that offers names."""

    def __init__(self, plain: click.ParamType[Any], offer: Offer) -> None:
        self.plain, self.offer, self.name = plain, offer, plain.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As the plain type does it."""
        return self.plain.convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that go on as it was begun."""
        try:
            names = [name for name in self.offer(incomplete) if name.startswith(incomplete)]
        except (OSError, ValueError, ReverseQeError):
            names = []
        files = [CompletionItem(incomplete, type="file")] if self.offer in OR_FILES else []
        return [*map(CompletionItem, dict.fromkeys(names)), *files]


def _scenarios() -> list[str]:
    with SCENARIOS.open("rb") as file:
        return [f"sample:{name}" for name in tomllib.load(file)["scenario"]]
