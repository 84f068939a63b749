"""`reverse-qe sweep`: many variants of a spec through the vector engine."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    from reverse_qe.sweeping import SweepResult


def _groups(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise click.BadParameter(f"got {text!r}, wanted two whole numbers, as in 6,2", param_hint="--cpcv")
    return int(parts[0]), int(parts[1])


@click.command("sweep")
@click.argument("spec")
@click.option(
    "--grid",
    "texts",
    multiple=True,
    metavar="KEY=A,B,...",
    help="Values of a key; with --random also a range, as in signal.clip=2.0..4.0.",
)
@spec_market_option
@click.option("--start", type=DAY, help="First day, in place of the spec's.")
@click.option("--end", type=DAY, help="Last day, in place of the spec's.")
@set_option
@click.option("--random", type=int, metavar="N", help="Draw so many variants, in place of every combination.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Threads.")
@click.option("--cluster", metavar="ADDRESS", help="Run on the workers of the dask scheduler at, say, 127.0.0.1:8786.")
@click.option("--out", type=PATH, help="Folder of the sweep; one that was killed goes on.  [default: below sweeps/]")
@click.option("--by", default="sharpe", show_default=True, help="Measure to rank by.")
@click.option("--returns", is_flag=True, help="Keep the daily returns of every variant.")
@click.option("--confirm", "confirm_best", type=int, default=0, metavar="K", help="Run the best K in Backtrader too.")
@click.option("--train", metavar="LENGTH", help="Walk-forward: the past to choose on, such as 5y.")
@click.option("--test", metavar="LENGTH", help="Walk-forward: what to choose for, such as 6m.")
@click.option(
    "--cpcv", metavar="N,K", callback=_groups, help="Cross-validation: N groups of sessions, K of them tested."
)
@click.option(
    "--purge", type=int, default=0, metavar="N", help="Sessions left out before a test (--cpcv: after it, too)."
)
@click.option(
    "--embargo", type=int, default=0, metavar="N", help="Sessions after a test that no later choice looks at."
)
@click.option("--no-tearsheet", is_flag=True, help="Do not render the tearsheet of the chained tests.")
@click.option("--page", type=PATH, help="Write the sweep as a page with heat maps, complete in itself.")
@click.option("--yes", is_flag=True, help="More than a hundred thousand variants are wanted.")
@json_option
def command(
    spec: str,
    texts: tuple[str, ...],
    market: str | None,
    start: datetime | None,
    end: datetime | None,
    settings: dict[str, Any],
    random: int | None,
    seed: int,
    jobs: int,
    cluster: str | None,
    out: Path | None,
    by: str,
    returns: bool,
    confirm_best: int,
    train: str | None,
    test: str | None,
    cpcv: tuple[int, int] | None,
    purge: int,
    embargo: int,
    no_tearsheet: bool,
    page: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Run many variants of a spec; say which is best, and how far to trust it.

    SPEC is a TOML file or the name of a shipped spec. Every key of it can vary. It needs the extra sweep (numba).
    """
    from backtests.archive.trials.counting import warned_otherwise
    from reverse_qe.grids import read_grid
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.sweeping import sweep
    from reverse_qe.words.runs.trials import counted_words, loud_line
    from reverse_qe.words.sweep import set_options

    if page is not None:
        require_page_path(page)
    with progress("Sweep") as report, warned_otherwise():

        def tell(done: int, size: int, rate: float) -> None:
            left = f", {(size - done) / rate:,.0f} s left" if rate else ""
            report(f"{done:,} of {size:,} variants, {rate:,.0f} a second{left}")

        result = sweep(
            spec,
            read_grid(texts),
            market,
            start=start.date() if start else None,
            end=end.date() if end else None,
            set=settings,
            random=random,
            seed=seed,
            jobs=jobs,
            cluster=cluster,
            out=out,
            by=by,
            returns=returns,
            confirm_best=confirm_best,
            train=train,
            test=test,
            purge=purge,
            embargo=embargo,
            cpcv=cpcv,
            tearsheet=not no_tearsheet,
            yes=yes,
            report=report,
            done=tell,
        )
    if page is not None:
        write_page(page, result.page())
        say(f"Page: {page}")
    if (line := loud_line(result.counted)) is not None:
        say(line)
    if as_json:
        print_json(_as_json(result))
    else:
        _print(result)
        if result.report.best:
            best = set_options(result.settings(result.report.best[0]))
            say(
                "A variant is no run, but a row of a table. The best as one: "
                f"reverse-qe backtest {shlex.quote(f'{result.folder}/spec.toml')} {best}"
            )
        say(f"Sweep folder: {result.folder}; {counted_words(result.counted)}")


def _as_json(result: "SweepResult") -> dict[str, Any]:
    from dataclasses import asdict

    from reverse_qe.words.runs.trials import counted_json

    ranked = {**asdict(result.report), "best": _best(result)}
    told = {
        "folder": str(result.folder),
        **ranked,
        "confirmed": [asdict(each) for each in result.confirmed],
        "trial": counted_json(result.counted),
    }
    if result.judged:
        told["evidence"] = [row.as_json() for row in result.judged]
    if result.cross is not None:
        told["cpcv"] = result.cross.as_json(result.sweep.asked.grid)
    if result.walk is None or result.chain is None:
        return told
    walk, chain = result.walk, result.chain
    choices = walk.table(result.sweep.asked.grid).astype(object)
    return told | {
        "walk_forward": {
            "folder": str(chain.folder),
            "metrics": chain.metrics,
            "changes": walk.changes,
            "choices": choices.where(choices.notna(), None).to_dict("records"),
            "best_fixed": walk.best_fixed,
            "best_fixed_sharpe": walk.best_fixed_sharpe,
            "median_sharpe": walk.median_sharpe,
        }
    }


def _best(result: "SweepResult") -> list[dict[Any, Any]]:
    table = result.variants
    rows = table.iloc[list(result.report.best)].drop(columns=["returns", "is_valid"], errors="ignore")
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


def _print(result: "SweepResult") -> None:
    from backtests.measures.warnings import CLOSES_ALONE
    from reverse_qe.words.evidence_table import sweep_sentences
    from reverse_qe.words.sweep import (
        best_head,
        best_row,
        confirmed_text,
        cross_sentences,
        sentences,
        walk_sentences,
    )

    report, simulated = result.report, result.sweep.asked.snapshot.simulated
    table = result.variants
    rows = [best_row(each, dict(table.iloc[each]), result.settings(each), report.by) for each in report.best]
    label = "SIMULATED market" if simulated else "market"
    title = (
        f"{report.variants:,} variants of {result.sweep.spec.run.name} on {label} {result.sweep.asked.snapshot.name}"
    )
    print_table(f"{title}: the best by {report.by.replace('_', ' ')}", best_head(report.by), rows, apart=False)
    steadiest = None if report.steadiest is None else result.settings(report.steadiest.variant)
    if result.sweep.base.market.fills_at_close:
        show(CLOSES_ALONE.format(name=result.sweep.asked.snapshot.name))
    for line in sentences(report, steadiest):
        show(line)
    for each in result.confirmed:
        show(confirmed_text(each))
    for line in cross_sentences(result.cross) if result.cross is not None else ():
        show(line)
    for line in sweep_sentences(result.judged):
        show(line)
    if result.walk is not None and result.chain is not None:
        for line in walk_sentences(result.walk, result.chain.run, result.settings(result.walk.best_fixed)):
            show(line)
        say(f"Run of the chained tests: {result.chain.folder}")
