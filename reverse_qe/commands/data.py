"""`reverse-qe data`: markets that are kept on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.commands.data_asof import show_as_known
from reverse_qe.commands.data_versions import (
    compare_markets,
    export_files,
    fetch_market,
    proposed_as_json,
    remove_market,
    say_proposed,
)
from reverse_qe.commands.studies.data_exposures import show_exposures
from reverse_qe.options import PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show
from reverse_qe.terminal.noun import Noun

if TYPE_CHECKING:
    from data.market.manifest import Contents, Manifest
    from data.market.snapshot import Snapshot
    from data.quality.findings import Scope
    from data.quality.report import QualityReport


# Of what is odd in hundreds of names.
MOST_LINES = 12


@click.group("data", cls=Noun)
def command() -> None:
    """Import, fetch, list, show and verify markets: named, immutable sets of prices, macro series and events."""


for subcommand in (fetch_market, compare_markets, export_files, remove_market, show_as_known, show_exposures):
    command.add_command(subcommand)


@command.command("import")
@click.option(
    "--prices",
    type=PATH,
    multiple=True,
    help="Folder of <SYMBOL>.csv with daily prices; may be given again: of an instrument in both the later one counts.",
)
@click.option(
    "--macro",
    type=PATH,
    multiple=True,
    help="Folder of <SERIES>.csv with dates and values; may be given again: of a series in both the later one counts.  "
    "[default: no series]",
)
@click.option(
    "--events",
    type=PATH,
    help="Folder of capex_actuals.csv, capex_guidance.csv, funding_events.csv.  [default: the shipped ones]",
)
@click.option("--actions", type=PATH, help="CSV file of dividends, splits and delistings.  [default: none]")
@click.option("--universe", type=PATH, help="Folder of an index, in the place of all others: closes, members by date.")
@click.option(
    "--parquet", type=PATH, help="Folder that data export --format parquet wrote, in the place of all others."
)
@click.option("--beside", help="Market that has the rates, coins and events, to which --universe is joined.")
@click.option("--name", help="Name under which the snapshot is kept.  [default: the spec's run.market]")
@click.option(
    "--spec",
    help="A spec (file or shipped name): what it names is taken; entries that it lacks are written into it.",
)
@json_option
def import_csv(
    prices: tuple[Path, ...],
    macro: tuple[Path, ...],
    events: Path | None,
    actions: Path | None,
    universe: Path | None,
    parquet: Path | None,
    beside: str | None,
    name: str | None,
    spec: str | None,
    as_json: bool,
) -> None:
    """Import files as a new snapshot: folders of CSV, those of an index, or what was exported.

    Files with a fault refuse the whole import, by file, line and reason. What is merely odd is kept as it is and
    reported.
    """
    from data.market.snapshot import contents
    from data.quality.ranking import ranked_json
    from reverse_qe.making import import_exported, import_files, import_universe

    whole = universe or parquet
    if name is None and (spec is None or whole is not None):
        raise click.UsageError("Missing option '--name', or a spec that names its market: --spec")
    if whole is not None and (prices or macro or events or actions or spec or (universe and parquet)):
        option = "--parquet" if universe is None else "--universe"
        raise click.UsageError(f"got {option} beside other folders, wanted it with --name alone")
    if beside is not None and universe is None:
        raise click.UsageError(f"got --beside {beside} without --universe, wanted the folder of an index to join to it")
    if not prices and whole is None:
        raise click.UsageError("Missing option '--prices', '--universe' or '--parquet'")
    with progress("Import"):
        if universe is not None and name is not None:
            imported = import_universe(name, universe, beside)
        elif parquet is not None and name is not None:
            imported = import_exported(name, parquet)
        else:
            imported = import_files(name, prices, macro=macro or None, events=events, actions=actions, spec=spec)
    name = imported.snapshot.name
    snapshot, quality, held = imported.snapshot, imported.quality, contents(imported.snapshot)
    if as_json:
        print_json(
            {
                "name": name,
                "folder": imported.folder,
                "content_hash": snapshot.content_hash,
                "contents": held.model_dump(mode="json"),
                "quality": ranked_json(quality),
                "proposed": proposed_as_json(imported.proposed),
            }
        )
        return
    say_proposed(imported.proposed, spec)
    show(f"Imported {name}: {_holdings(held)}, content {snapshot.content_hash[:12]}")
    _print_quality(quality, most=None if universe is None else MOST_LINES)
    ran = (
        f"evidence RUN --universe {name}"
        if universe and beside is None
        else f"backtest {f'{spec} ' if spec else ''}--market {name}"
    )
    say(f"Kept in {imported.folder}. Next: reverse-qe {ran}")


@command.command("list")
@json_option
def list_snapshots(as_json: bool) -> None:
    """List the built-in sample, the snapshots that are kept, and the versions of those that are fetched."""
    from data.errors import InputError
    from data.files.kept import snapshot_names
    from data.market.snapshot import BUILT_IN, read_manifest
    from data.market.versions import in_order

    manifests, damaged = [], []
    for name in in_order(snapshot_names()):
        try:
            manifests.append(read_manifest(name))
        except InputError as error:
            damaged.append(str(error))
    if as_json:
        snapshots = [_manifest_as_json(manifest) for manifest in manifests]
        print_json({"built_in": [BUILT_IN], "snapshots": snapshots, "damaged": damaged})
        return
    columns = ("name", "simulated", "first bar", "last bar", "symbols", "series", "events", "made (UTC)", "content")
    built_in = (BUILT_IN, "yes", *["-"] * 6, "built in")
    print_table("Markets", columns, [built_in, *(_manifest_row(manifest) for manifest in manifests)])
    for manifest in manifests:
        if manifest.fetched and manifest.fetched.lacking:
            say(f"! {manifest.name} lacks {', '.join(manifest.fetched.lacking)}")
    for message in damaged:
        say(f"! {message}")


@command.command("show")
@click.argument("name")
@json_option
def show_snapshot(name: str, as_json: bool) -> None:
    """Show what the market NAME holds and what is odd in it."""
    from data.markets import open_market
    from data.quality.inventory import event_rows, series_rows, symbol_rows
    from data.quality.ranking import ranked_json
    from data.quality.report import quality_report

    with progress(f"Read {name}"):
        snapshot = open_market(name)
        quality = quality_report(snapshot)
        tables = {
            "symbols": symbol_rows(snapshot),
            "series": series_rows(snapshot),
            "events": event_rows(snapshot),
        }
    if as_json:
        print_json({**_identity(snapshot), "origin": snapshot.origin, **tables, "quality": ranked_json(quality)})
        return
    show(f"{snapshot.name}{' (SIMULATED)' if snapshot.simulated else ''}: {snapshot.origin}")
    show(f"content {snapshot.content_hash}")
    for title, rows in tables.items():
        _print_rows(title.capitalize(), rows)
    _print_quality(quality)


@command.command("verify")
@click.argument("name")
@click.option("--spec", help="Mark what this spec uses, and rank by it: a TOML file, or the name of a shipped one.")
@click.option("--page", type=PATH, help="Write the quality report as a web page.")
@json_option
def verify_snapshot(name: str, spec: str | None, page: Path | None, as_json: bool) -> None:
    """Check that the snapshot NAME is as it was imported or fetched, and say what is odd in it.

    The hash of each file and the hash of the content are made anew and compared. The quality report looks for gaps,
    stale series, moves that look like splits, adjusted prices that their dividends do not explain, bars that had not
    ended, and differences between two sources. What can do most to a result stands first: the share of the money, or of
    the signal, that stands on it, times what of it may be wrong; without --spec everything stands on each.
    """
    from data.errors import InputError
    from data.market.snapshot import is_built_in, load
    from data.market.versions import resolve
    from data.quality.ranking import ranked_json
    from data.quality.report import quality_report
    from reverse_qe.pages.page_files import require_page_path, write_page

    if is_built_in(name):
        raise InputError(f"{name} is built in and made anew each time: it has no files to verify; name a snapshot")
    if page is not None:
        require_page_path(page)
    with progress(f"Verify {name}"):
        snapshot = load(resolve(name))
        reading = () if spec is None else _reading(spec, snapshot)
        quality = quality_report(snapshot)
        if page is not None:
            from reverse_qe.pages.quality import quality_page

            write_page(page, quality_page(snapshot, quality, *reading))
    if as_json:
        print_json({**_identity(snapshot), "quality": ranked_json(quality, *reading), "page": page})
        return
    show(f"{snapshot.name}: files and content are unchanged, content {snapshot.content_hash}")
    _print_quality(quality, *reading)
    if page is not None:
        say(f"Page: {page}")


def _identity(snapshot: "Snapshot") -> dict[str, Any]:
    return {"name": snapshot.name, "simulated": snapshot.simulated, "content_hash": snapshot.content_hash}


def _manifest_as_json(manifest: "Manifest") -> dict[str, Any]:
    fields = {"name", "simulated", "origin", "content_hash", "contents", "made_at", "fetched"}
    return manifest.model_dump(mode="json", include=fields)


def _manifest_row(manifest: "Manifest") -> tuple[object, ...]:
    held = manifest.contents
    counts = (held.symbols, held.series, held.events)
    simulated = "yes" if manifest.simulated else "no"
    made = f"{manifest.made_at:%Y-%m-%d %H:%M}" if manifest.made_at else "-"
    return (manifest.name, simulated, held.first, held.last, *counts, made, manifest.content_hash[:12])


def _holdings(held: "Contents") -> str:
    span = f"bars from {held.first} to {held.last}"
    return f"{held.symbols} symbols, {held.series} series, {held.events} events, {span}"


def _print_rows(title: str, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        show(f"{title}: none")
        return
    columns = [name.replace("_", " ") for name in rows[0]]
    print_table(title, columns, [list(row.values()) for row in rows])


def _reading(spec: str, snapshot: "Snapshot") -> "tuple[Mapping[str, float], Scope]":
    """What a spec reads of a market, and how much of its result stands on each part."""
    from backtests.prepare.stakes import reading_of
    from backtests.spec.spec import load_spec

    return reading_of(load_spec(spec), snapshot)


def _print_quality(
    quality: "QualityReport",
    stakes: "Mapping[str, float] | None" = None,
    scope: "Scope | None" = None,
    most: int | None = None,
) -> None:
    from data.quality.ranking import ranked_lines

    lines = ranked_lines(quality, stakes, scope)
    marked = "" if stakes is None else ", * used by the spec"
    show(f"Kept as it came, and odd, by what it can move of a result{marked}:" if lines else "Nothing odd was found.")
    for line in lines[:most]:
        mark = "" if stakes is None else "* " if line.is_used else "  "
        show(f"  {f'{line.effect:.1%}' if line.effect else '-':>6}  {mark}{line.text}")
    if most is not None and len(lines) > most:
        show(f"  and {len(lines) - most:,} lines more: reverse-qe data show")
    for note in quality.notes:
        show(f"  {note}")
