"""`reverse-qe runs`: the runs that were written."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show, terminal_width
from reverse_qe.tables import Column

if TYPE_CHECKING:
    from backtests.archive.stored import StoredRun

SHOWN = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "turnover", "costs", "exposure")
# So many of the newest stand on a terminal; pipes and --all have every one.
NEWEST = 50
LIST_HEAD = (
    Column("run"),
    Column("market", rank=2),
    Column("first", rank=4),
    Column("last", rank=3),
    Column("CAGR", rank=1),
    Column("Sharpe"),
    Column("max. drawdown", rank=1),
)


@click.group("runs")
def command() -> None:
    """List the runs that were written, or show one."""


@command.command("list")
@click.option("--folder", type=PATH, default=Path("runs"), show_default=True, help="Where the runs lie.")
@click.option("--all", "everything", is_flag=True, help=f"On a terminal too, more than the newest {NEWEST}.")
@json_option
def list_runs(folder: Path, everything: bool, as_json: bool) -> None:
    """List the runs below a folder, oldest first; on a terminal the newest of them."""
    from backtests.archive.stored import stored_runs

    runs, faults = stored_runs(folder)
    if as_json:
        print_json({"runs": [_as_json(run) for run in runs], "damaged": faults})
        return
    shown = runs if everything or terminal_width() is None else runs[-NEWEST:]
    if runs:
        count = f"{len(runs):,}" if len(shown) == len(runs) else f"the newest {len(shown)} of {len(runs):,}; --all: all"
        print_table(f"Runs below {folder}/: {count}", LIST_HEAD, [_row(run) for run in shown])
    else:
        show(f"No run below {folder}/; make one with: reverse-qe backtest")
    for fault in faults:
        say(f"! {fault}")


@command.command("show")
@click.argument("run", type=PATH)
@json_option
def show_run(run: Path, as_json: bool) -> None:
    """Show one run: RUN is its folder, or the folder's name below runs/."""
    from backtests.archive.stored import read_run

    stored = read_run(run if run.is_dir() else Path("runs") / run)
    if as_json:
        print_json(_as_json(stored))
        return
    manifest = stored.manifest
    label = "SIMULATED market" if manifest["simulated"] else "market"
    portfolios = [name for name in stored.metrics if not name.startswith("by_")]
    print_table(
        f"{manifest['spec']} on {label} {manifest['market']}, {manifest['first_session']} to "
        f"{manifest['last_session']} (run {manifest['run_id']}), in fractions",
        ("", *(measure.replace("_", " ") for measure in SHOWN)),
        [(name, *(_number(stored.metrics[name].get(measure)) for measure in SHOWN)) for name in portfolios],
    )
    print_table(
        "By regime",
        ("regime", "sessions", "mean return a year", "volatility", "Sharpe"),
        [
            (
                name,
                row.get("sessions", "-"),
                *(_number(row.get(key)) for key in ("mean_return", "volatility", "sharpe")),
            )
            for name, row in stored.metrics.get("by_regime", {}).items()
        ],
    )
    # Runs from before there were notes have them among their warnings.
    for warning in (*manifest.get("warnings", []), *manifest.get("notes", [])):
        show(f"! {warning}")


@command.command("trials")
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
    from reverse_qe.words.trials import TRIALS_HEAD, count_sentence, trial_rows

    with progress("Reading the log of trials"):
        found = read_project(project)
    if as_json:
        print_json(found.as_json())
    else:
        rows = found.rows if everything or terminal_width() is None else found.rows[-NEWEST:]
        newest = "" if len(rows) == len(found.rows) else f" (the newest {len(rows)}; --all: all)"
        if rows:
            print_table(f"Tried in {found.project}: {len(found.rows):,} rows{newest}", TRIALS_HEAD, trial_rows(rows))
        else:
            show(f"Nothing was tried in {found.project} yet; a backtest or a sweep is counted by itself.")
        for simulated, count in found.counts.items():
            show(count_sentence(count, simulated))
        for note in found.verified.notes:
            show(f"{note[0].upper()}{note[1:]}.")
    for fault in found.verified.faults:
        say(f"! {fault}")
    if found.verified.faults:
        say(f"The log of trials in {found.folder} does NOT verify: {len(found.verified.faults)} faults.")
        context.exit(1)
    if not as_json:
        say(f"The log of trials in {found.folder} verifies: {len(found.verified.rows):,} rows, of all projects.")


def _as_json(run: "StoredRun") -> dict[str, Any]:
    return {"folder": str(run.folder), "manifest": run.manifest, "metrics": run.metrics}


def _row(run: "StoredRun") -> tuple[str, ...]:
    strategy = run.metrics["strategy"]
    market = f"{run.manifest['market']} (SIMULATED)" if run.manifest["simulated"] else run.manifest["market"]
    numbers = (_number(strategy.get(key)) for key in ("cagr", "sharpe", "max_drawdown"))
    return (run.folder.name, market, run.manifest["first_session"], run.manifest["last_session"], *numbers)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}"
