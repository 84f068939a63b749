"""`reverse-qe runs`: the runs that were written."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import json_option
from reverse_qe.output import print_json, print_table, show

if TYPE_CHECKING:
    from backtests.archive.folder import StoredRun

SHOWN = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "turnover", "costs", "exposure")

folder_option = click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where the runs lie."
)


@click.group("runs")
def command() -> None:
    """List the runs that were written, or show one."""


@command.command("list")
@folder_option
@json_option
def list_runs(folder: Path, as_json: bool) -> None:
    """List the runs below a folder, oldest first."""
    from backtests.archive.folder import stored_runs

    runs = stored_runs(folder)
    if as_json:
        print_json({"runs": [_as_json(run) for run in runs]})
        return
    if not runs:
        show(f"No run below {folder}/; make one with: reverse-qe backtest")
        return
    print_table(
        f"Runs below {folder}/",
        ("run", "market", "first", "last", "CAGR", "Sharpe", "max. drawdown"),
        [_row(run) for run in runs],
    )


@command.command("show")
@click.argument("run", type=click.Path(path_type=Path))
@json_option
def show_run(run: Path, as_json: bool) -> None:
    """Show one run: RUN is its folder, or the folder's name below runs/."""
    from backtests.archive.folder import read_run

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
    regimes = stored.metrics["by_regime"]
    print_table(
        "By regime",
        ("regime", "sessions", "mean return a year", "volatility", "Sharpe"),
        [
            (name, row["sessions"], *(_number(row[key]) for key in ("mean_return", "volatility", "sharpe")))
            for name, row in regimes.items()
        ],
    )
    for warning in manifest["warnings"]:
        show(f"! {warning}")


def _as_json(run: "StoredRun") -> dict[str, Any]:
    return {"folder": str(run.folder), "manifest": run.manifest, "metrics": run.metrics}


def _row(run: "StoredRun") -> tuple[str, ...]:
    strategy = run.metrics["strategy"]
    market = f"{run.manifest['market']} (SIMULATED)" if run.manifest["simulated"] else run.manifest["market"]
    numbers = (_number(strategy[key]) for key in ("cagr", "sharpe", "max_drawdown"))
    return (run.folder.name, market, run.manifest["first_session"], run.manifest["last_session"], *numbers)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}"
