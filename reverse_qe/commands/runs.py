"""`reverse-qe runs`: the runs that were written."""

from pathlib import Path

import click

from reverse_qe.commands.runs_compared import compare_runs
from reverse_qe.commands.runs_kept import list_trials, remove_runs
from reverse_qe.options import PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show, terminal_width
from reverse_qe.terminal.noun import Noun

# So many of the newest stand on a terminal; pipes and --all have every one.
NEWEST = 50


@click.group("runs", cls=Noun)
def command() -> None:
    """List, show, compare and remove the runs that were written; list what was tried.

    A run is named by its folder, by the name of one below runs/, by its id, by the beginning of either that fits it
    alone, by its label, or as latest.
    """


for subcommand in (compare_runs, list_trials, remove_runs):
    command.add_command(subcommand)


@command.command("list")
@click.option("--folder", type=PATH, default=Path("runs"), show_default=True, help="Where the runs lie.")
@click.option("--all", "everything", is_flag=True, help=f"On a terminal too, more than the newest {NEWEST}.")
@json_option
def list_runs(folder: Path, everything: bool, as_json: bool) -> None:
    """List the runs below a folder, oldest first; on a terminal the newest of them.

    Of each run stands there what its spec changes of the shipped one.
    """
    from backtests.archive.stored import stored_runs
    from reverse_qe.words.runs.stored import list_head, list_rows, stored_json

    newest = None if everything or as_json or terminal_width() is None else NEWEST
    with progress("Reading the runs"):
        runs, faults, count = stored_runs(folder, newest)
        if as_json:
            told = {"runs": [stored_json(run) for run in runs], "damaged": faults}
        else:
            rows = list_rows(runs)
    if as_json:
        print_json(told)
        return
    if rows:
        whole = newest is None or count <= newest
        title = f"{len(runs):,}" if whole else f"the newest {newest} of {count:,}; --all: all"
        print_table(f"Runs below {folder}/: {title}", list_head(rows), rows)
    else:
        show(f"No run below {folder}/; make one with: reverse-qe backtest")
    for fault in faults:
        say(f"! {fault}")


@command.command("show")
@click.argument("run")
@click.option("--open", "opens", is_flag=True, help="Show its page in the browser, in place of the tables.")
@json_option
def show_run(run: str, opens: bool, as_json: bool) -> None:
    """Show one run: its folder, its id, the beginning of either, or latest."""
    from backtests.archive.named import find_run
    from backtests.archive.stored import read_run
    from reverse_qe.pages.page_files import open_page
    from reverse_qe.words.runs.figures import PORTFOLIO_HEAD, REGIME_HEAD
    from reverse_qe.words.runs.members import HEAD, TITLE, member_rows, members_json, stored_members
    from reverse_qe.words.runs.stored import (
        stored_headline,
        stored_json,
        stored_portfolios,
        stored_regimes,
        what_was_run,
    )

    stored = read_run(find_run(run))
    if opens:
        say(open_page(stored.folder / "tearsheet.html"))
        return
    chosen = stored_members(stored)
    if as_json:
        print_json(stored_json(stored) | ({} if chosen is None else {"baskets_by_rule": members_json(chosen)}))
        return
    print_table(stored_headline(stored), PORTFOLIO_HEAD, stored_portfolios(stored))
    print_table("By regime", REGIME_HEAD, stored_regimes(stored))
    if chosen is not None:
        print_table(TITLE, HEAD, member_rows(chosen))
    show(f"{what_was_run(stored)}. Folder: {stored.folder}")
    # Runs from before there were notes have them among their warnings.
    for warning in (*stored.manifest.get("warnings", []), *stored.manifest.get("notes", [])):
        show(f"! {warning}")
