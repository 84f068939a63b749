"""`reverse-qe runs remove` and `runs trials`: what goes, and what never does."""

import sys
from pathlib import Path

import click

from reverse_qe.options import PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show, terminal_width

# So many of the newest rows stand on a terminal; pipes and --all have every one.
NEWEST = 50


@click.command("remove")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove_runs(runs: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete the folders of runs; each is named as for show.

    A run that is part of a sweep, or that a spec or an account here names, stays. The log of trials forgets nothing.
    """
    from backtests.archive.named import find_runs
    from backtests.archive.removing import remove_run, require_unused
    from backtests.archive.trials.project import project_folder
    from data.errors import InputError

    found = {run.folder.resolve(): run for run in find_runs(runs)}
    around = [Path.cwd(), project_folder()]
    for run in found.values():
        require_unused(run, around)
    names = [str(run.folder) for run in found.values()]
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"got no yes to remove {', '.join(names)}, wanted one; say --yes")
        click.confirm(f"Remove {', '.join(names)}?", abort=True, err=True)
    for run in found.values():
        remove_run(run)
    if as_json:
        print_json({"removed": names})
    else:
        show(f"Removed: {', '.join(names)}. The log of trials keeps what was tried.")


@click.command("trials")
@click.option("--project", type=PATH, help="Folder of another project.  [default: the one that holds this folder]")
@click.option("--all", "everything", is_flag=True, help=f"On a terminal too, more than the newest {NEWEST}.")
@json_option
@click.pass_context
def list_trials(context: click.Context, project: Path | None, everything: bool, as_json: bool) -> None:
    """List what was tried in a project, and verify the log of all trials: exit 1 where a row is missing or changed.

    The project is the nearest folder above this one that holds a .git, else this one. Every backtest is a trial, and so
    is every variant of a sweep; the same again adds none.
    """
    from backtests.archive.trials.reading import read_project
    from data.events.findings import counted
    from reverse_qe.words.runs.trials import TRIALS_HEAD, count_sentence, trial_rows, unlogged_sentence

    with progress("Reading the log of trials"):
        found = read_project(project)
    if as_json:
        print_json(found.as_json())
    else:
        rows = found.rows if everything or terminal_width() is None else found.rows[-NEWEST:]
        newest = "" if len(rows) == len(found.rows) else f" (the newest {len(rows)}; --all: all)"
        if rows:
            print_table(
                f"Tried in {found.project}: {counted(len(found.rows), 'row')}{newest}", TRIALS_HEAD, trial_rows(rows)
            )
        else:
            show(f"Nothing was tried in {found.project} yet; a backtest or a sweep is counted by itself.")
        for simulated, count in found.counts.items():
            show(count_sentence(count, simulated))
        for note in found.verified.notes:
            show(f"{note[0].upper()}{note[1:]}.")
        if sentence := unlogged_sentence(found.unlogged):
            show(sentence)
    for fault in found.verified.faults:
        say(f"! {fault}")
    if found.verified.faults:
        say(f"The log of trials in {found.folder} does NOT verify: {counted(len(found.verified.faults), 'fault')}.")
        context.exit(1)
    if not as_json:
        known = counted(len(found.verified.rows), "row")
        say(f"The log of trials in {found.folder} verifies: {known}, of all projects.")
