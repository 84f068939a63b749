"""`reverse-qe data fetch`, `diff`, `remove` and `export`: markets as they grow, go and are handed on."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.catalogue.own import Proposal
    from data.fetch.fetch import FetchOutcome
    from data.market.differences import Difference


def _names(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Split lists of names at commas."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


@click.command("fetch")
@click.option(
    "--name", help="Name of the market; its newest version is extended.  [default: the spec's run.market, else live]"
)
@click.option(
    "--spec",
    help="A spec (file or shipped name): what it names is wanted, and entries that nobody knows are written into it.",
)
@click.option("--symbols", multiple=True, callback=_names, metavar="A,B", help="Instruments that are wanted.")
@click.option("--series", multiple=True, callback=_names, metavar="A,B", help="Macro series that are wanted.")
@click.option("--companies", multiple=True, callback=_names, metavar="A,B", help="Companies whose results are wanted.")
@click.option(
    "--filings",
    is_flag=True,
    help="Also what filings tell of its US stocks: shares, book equity, years; kept up to date.",
)
@click.option("--start", type=DAY, help="First day that is wanted.  [default: 2005-01-03]")
@click.option(
    "--source",
    "only",
    multiple=True,
    type=click.Choice(["yahoo", "fred", "edgar"]),
    help="Ask this source alone; may be given again.  [default: all three]",
)
@json_option
@click.pass_context
def fetch_market(
    context: click.Context,
    name: str | None,
    spec: str | None,
    symbols: tuple[str, ...],
    series: tuple[str, ...],
    companies: tuple[str, ...],
    filings: bool,
    start: datetime | None,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fetch what a market lacks from Yahoo, FRED and SEC EDGAR, as a new version of it.

    A new market wants what the spec reads (--spec, else the shipped one for real history), or what is named instead;
    one that is there keeps what it has been asked for, and adds to it. Versions before stay as they are. Exit status 1
    says that something did not come; run again, the command asks for what is still missing.
    """
    from data.fetch.plan import SOURCES
    from reverse_qe import api

    with progress(f"Fetch {name or spec or 'live'}") as report:
        outcome = api.fetch(
            name,
            spec=spec,
            symbols=symbols,
            series=series,
            companies=companies,
            filings=filings,
            start=start,
            sources=[source for source in SOURCES if not only or source in only],
            report=report,
        )
    if as_json:
        print_json(_outcome_as_json(outcome))
        context.exit(1 if outcome.failures else 0)
    say_proposed(outcome.proposed, spec)
    if outcome.no_network:
        first = next(failure for failure in outcome.failures if failure.how == "no_network")
        say(f"Error: no source can be reached, and nothing was changed: {first.reason}")
    else:
        _print_outcome(outcome, spec)
    context.exit(1 if outcome.failures else 0)


@click.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
def compare_markets(old: str, new: str, as_json: bool) -> None:
    """Say how the market NEW differs from OLD: by instrument, series or company, since when, and by how much."""
    from data.market.differences import differences, summary
    from data.markets import open_market

    with progress(f"Compare {old} with {new}"):
        before, after = open_market(old), open_market(new)
        found = differences(before, after)
    if as_json:
        print_json({"old": before.name, "new": after.name, "differences": [each.as_json() for each in found]})
        return
    if not found:
        show(f"{before.name} and {after.name} hold the same.")
        return
    for line in summary(found):
        show(line)
    print_table(f"From {before.name} to {after.name}", *_difference_table(found))


@click.command("remove")
@click.argument("name")
@click.option("--keep", type=click.IntRange(min=1), help="How many of the newest versions stay.  [default: none]")
@click.option("--force", is_flag=True, help="Also where an account on paper trades on it.")
@click.option("--dry-run", is_flag=True, help="Delete nothing, only list.")
@json_option
def remove_market(name: str, keep: int | None, force: bool, dry_run: bool, as_json: bool) -> None:
    """Delete the market NAME, or one version of it, and list what went; the name can be used again.

    With --keep only the oldest versions go. A market on which an account trades, or one of the folder is to trade,
    stays, unless --force says otherwise.
    """
    from data.market.versions import market_of, remove, versions_of

    to_go = remove(name, keep or 0, dry_run=True)
    if not force and not set(versions_of(market_of(name))) - set(to_go):
        _require_no_account(to_go, market_of(name))
    deleted = remove(name, keep or 0, dry_run)
    kept = [version for version in versions_of(market_of(name)) if version not in deleted]
    if as_json:
        print_json({"market": name, "dry_run": dry_run, "deleted": deleted, "kept": kept})
        return
    verb = "Would delete" if dry_run else "Deleted"
    show(f"{verb}: {', '.join(deleted) or 'none'}. Kept: {', '.join(kept) or 'none'}.")


def _require_no_account(markets: "Sequence[str]", market: str) -> None:
    from data.errors import InputError
    from paper.ledger.accounts import accounts_on, configured_on

    if accounts := accounts_on(markets):
        raise InputError(
            f"got {', '.join(markets)} to remove, on which the account {accounts[0].name} trades (its ledger is in "
            f"{accounts[0]}); wanted a market that no account uses, or --force"
        )
    if configured := configured_on(market, Path()):
        raise InputError(
            f"got {', '.join(markets)} to remove, on which the account of {configured[0]} is to trade; wanted a market "
            "that no account uses, or --force"
        )


@click.command("export")
@click.argument("name")
@click.argument("folder", type=PATH)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="CSV files as data import reads them, or every table with all its moments.",
)
@json_option
def export_files(name: str, folder: Path, file_format: str, as_json: bool) -> None:
    """Write the market NAME as files into FOLDER, which is made."""
    from data.catalogue.instruments import instrument_catalogue
    from data.importing.export import export_market
    from data.markets import open_market

    with progress(f"Export {name}"):
        market = open_market(name)
        written = export_market(market, folder, "parquet" if file_format == "parquet" else "csv")
    if as_json:
        print_json({"market": name, "folder": folder, "files": [str(path) for path in written]})
        return
    show(f"Wrote {len(written)} files into {folder}")
    if file_format == "parquet":
        say(f"Read back by: reverse-qe data import --parquet {shlex.quote(str(folder))} --name NEW")
    else:
        parts = [
            f"--{part} {shlex.quote(str(folder / part))}"
            for part in ("prices", "macro", "events")
            if (folder / part).is_dir()
        ]
        parts += [f"--actions {shlex.quote(str(folder / 'actions.csv'))}"] if (folder / "actions.csv").is_file() else []
        say(f"Read back by: reverse-qe data import {' '.join(parts)} --name NEW")
        if own := sorted(set(market.instruments) - set(instrument_catalogue())):
            named = ", ".join(own[:3]) + (f" and {len(own) - 3} more" if len(own) > 3 else "")
            say(f"! CSV files hold no entries of instruments: with --spec of one that has those of {named}.")


def _outcome_as_json(outcome: "FetchOutcome") -> dict[str, Any]:
    return {
        "market": outcome.market,
        "before": outcome.before,
        "version": outcome.version,
        "answered": outcome.answered,
        "current": outcome.current,
        "failed": [{"source": each.source, "name": each.name, "reason": each.reason} for each in outcome.failures],
        "lacking": outcome.lacking,
        "no_network": outcome.no_network,
        "differences": [each.as_json() for each in outcome.differences],
        "notes": outcome.notes,
        "proposed": proposed_as_json(outcome.proposed),
    }


def proposed_as_json(proposed: "Sequence[Proposal]") -> dict[str, Any]:
    """Entries that were proposed, by kind and name."""
    told: dict[str, Any] = {"instruments": {}, "companies": {}}
    for each in proposed:
        told[each.kind][each.name] = each.entry.model_dump(mode="json", exclude_defaults=True)
    return told


def say_proposed(proposed: "Sequence[Proposal]", spec: str | None) -> None:
    """Say which entries were written into a spec, and what else their names may stand for."""
    from data.catalogue.unknown import near_miss

    for each in proposed:
        told = each.entry.model_dump(mode="json")
        if each.kind == "instruments":
            words = f"{told['asset_class']} in {told['currency']} on {told['calendar']} since {told['listed']}"
        else:
            tags = ", ".join(told["capex_tags"])
            words = f"CIK {told['cik']}, fiscal year to month {told['fiscal_year_end_month']}, capex under {tags}"
        near = near_miss("instrument" if each.kind == "instruments" else "company", each.name)
        doubt = f"Read it before you believe it{f'; {near}' if near else '.'}"
        say(f"Written into {spec}: {each.name}, {told['name']}, {words}. {doubt}")


def _print_outcome(outcome: "FetchOutcome", spec: str | None) -> None:
    follows = f"follows {outcome.before}" if outcome.before else "the first version"
    if outcome.version:
        show(f"{outcome.version}: {follows}")
    else:
        show(f"Nothing new{f': {outcome.before} stays the newest' if outcome.before else ''}.")
    if added := [each for each in outcome.differences if each.what == "added" and each.first is not None]:
        rows = [(each.name or "-", each.table, each.count, each.first, each.last) for each in added]
        print_table("New", ("", "table", "rows", "first", "last"), rows)
    if outcome.before and (history := [each for each in outcome.differences if each.is_history]):
        print_table(f"Changed history against {outcome.before}", *_difference_table(history))
    for note in outcome.notes:
        show(f"  {note}")
    for failure in outcome.failures:
        show(f"! {failure.source} did not give {failure.name}: {failure.reason}")
    if outcome.lacking:
        show(f"! {outcome.version or outcome.before or outcome.market} lacks {', '.join(outcome.lacking)}")
    if outcome.failures:
        again = f" --spec {spec}" if spec else ""
        say(f"What failed is asked for again by: reverse-qe data fetch --name {outcome.market}{again}")
    elif outcome.version:
        say(f"Next: reverse-qe backtest {f'{spec} ' if spec else ''}--market {outcome.market}")


def _difference_table(found: "list[Difference]") -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    columns = ("", "table", "what", "rows", "first", "last", "largest change")
    rows: list[tuple[object, ...]] = [
        (
            each.name or "-",
            each.table,
            f"{each.column} changed" if each.what == "changed" else each.what,
            each.count,
            each.first or "-",
            each.last or "-",
            each.largest_text,
        )
        for each in found
    ]
    return columns, rows
