"""What a run was made of: its universe, and what of its spec differs from the defaults."""

from typing import Any

from backtests.measures.members import comings_and_goings, members_chosen
from backtests.run import Backtest
from backtests.spec.spec import RunSection, Spec
from reverse_qe.pages.kit import Html, Part, bullets, joined, table, tag
from reverse_qe.words.runs.members import TITLE, member_rows
from strategies.universe import BASKETS


def settings(run: Backtest) -> Part:
    """Universe, settings, files of the user."""
    spec = run.spec
    members = [(basket.replace("_", " "), ", ".join(spec.universe.members(basket)) or "none") for basket in BASKETS]
    universe = table(
        ("", "instruments"), [*members, ("benchmark", spec.universe.benchmark)], caption="Universe", texts=(1,)
    )
    pieces = [
        universe,
        _chosen(run),
        _differing(spec),
        _own_entries(spec),
        _files(run),
        tag("p", "spec.toml in the run's folder has every setting."),
    ]
    return Part("Universe and settings", joined(pieces, "\n"))


def _chosen(run: Backtest) -> Html:
    """What the rule of the universe chose each June."""
    if run.spec.universe.rule is None:
        return Html()
    found = comings_and_goings(members_chosen(run.spec.universe, run.panel.decides_for[-1]))
    head = ("chosen at", "basket", "ranked of listed", "names", "came", "went")
    return table(head, member_rows(found), caption=f"{TITLE}; members.csv has all", texts=(1, 4, 5))


def _differing(spec: Spec) -> Html:
    """The keys that differ from those of a spec that names its universe, its start and nothing else."""
    plain = Spec(run=RunSection(name=spec.run.name, start=spec.run.start), universe=spec.universe)
    # A name with dots in it is no dotted key: entries of one's own have a table of their own.
    keys = [key for key in spec.differences(plain) if not key.startswith("catalogue.")]
    if not keys:
        return tag("p", "Every setting is the default.")
    ours, theirs = spec.model_dump(mode="json"), plain.model_dump(mode="json")
    rows = [(key, _text(_value(ours, key)), _text(_value(theirs, key))) for key in keys]
    return table(("setting", "here", "default"), rows, caption="Settings that differ from the default", texts=(1, 2))


def _own_entries(spec: Spec) -> Html:
    """What the spec itself says of instruments, series and companies."""
    rows = [
        (kind, name, "; ".join(f"{key} {_text(value)}" for key, value in entry.items()))
        for kind, entries in spec.model_dump(mode="json")["catalogue"].items()
        for name, entry in entries.items()
    ]
    return (
        table(("kind", "name", "entry"), rows, caption="Entries of the spec itself", texts=(1, 2)) if rows else Html()
    )


def _files(run: Backtest) -> Html:
    if not run.user_files:
        return Html()
    files = bullets([f"{file.path.name}, kept in the run's folder" for file in run.user_files])
    return joined([tag("h3", "Files of the user"), files])


def _value(values: dict[str, Any], key: str) -> Any:
    found: Any = values
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
