"""`reverse-qe backtest`: run a spec on a market and write its folder."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    import pandas as pd

    from backtests.prepare.prepared import EngineName, Prepared
    from reverse_qe.results import BacktestResult


@click.command("backtest")
@click.argument("spec", required=False)
@spec_market_option
@click.option("--start", type=DAY, help="First day, in place of the spec's.")
@click.option("--end", type=DAY, help="Last day, in place of the spec's.")
@set_option
@click.option(
    "--engine",
    type=click.Choice(["event", "vector"]),
    default="event",
    show_default=True,
    help="event: Backtrader. vector: compiled, the same numbers; it needs the extra sweep.",
)
@click.option("--label", help="Words of yours by which lists of runs and of trials name it.")
@click.option("--out", type=PATH, help="Folder to make for the run.  [default: below runs/]")
@click.option("--no-tearsheet", is_flag=True, help="Do not render tearsheet.html, which takes most of the time.")
@click.option("--dry-run", is_flag=True, help="Check spec, market and files, and say what would be run; run nothing.")
@click.option("--stress", is_flag=True, help="Run it again with costs multiplied and the signal late: one more table.")
@json_option
def command(
    spec: str | None,
    market: str | None,
    start: datetime | None,
    end: datetime | None,
    settings: dict[str, Any],
    engine: "EngineName",
    label: str | None,
    out: Path | None,
    no_tearsheet: bool,
    dry_run: bool,
    stress: bool,
    as_json: bool,
) -> None:
    """Backtest a spec; write its run folder and tearsheet.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market runs.
    """
    from data.files.atomic import require_free
    from reverse_qe.pages.beside.worker import render_worker

    if out is not None:
        require_free(out, "--out")
    asked: dict[str, Any] = {
        "start": start.date() if start else None,
        "end": end.date() if end else None,
        "set": settings,
        "engine": engine,
    }
    # It begins to import before this process does.
    with render_worker(wanted=not (no_tearsheet or dry_run)) as worker, progress("Backtest") as report:
        from backtests.archive.folder import default_folder
        from backtests.archive.trials.counting import warned_otherwise
        from reverse_qe import api
        from reverse_qe.arguments import short_label

        label = short_label(label)
        if dry_run:
            prepared = api.checked(spec, market, **asked, report=report)
        else:
            with warned_otherwise():
                result = api.backtest(spec, market, **asked, label=label, stress=stress, report=report, worker=worker)
            folder = default_folder(result.run) if out is None else out
            result = api.written(result, folder, not no_tearsheet, report, worker)
    if dry_run:
        _print_check(prepared, as_json)
    else:
        _print_result(result, not no_tearsheet, as_json)


def _print_check(prepared: "Prepared", as_json: bool) -> None:
    """What would be run, and what is to be known before it is."""
    from backtests.measures.warnings import preparation_warnings
    from data.events.findings import counted

    spec, sessions = prepared.spec, prepared.panel.sessions
    # The first is only fed, so that an order can be filled on the day after.
    first, last = sessions[1].date(), sessions[-1].date()
    if as_json:
        told = {"spec": spec.run.name, "market": prepared.snapshot.name, "simulated": prepared.snapshot.simulated}
        days = {"first_session": first, "last_session": last, "sessions": len(sessions) - 1}
        warned = {"symbols": list(spec.universe.symbols), "warnings": preparation_warnings(prepared)}
        print_json({"dry_run": True, **told, **days, **warned})
        return
    label = "SIMULATED market" if prepared.snapshot.simulated else "market"
    show(
        f"Dry run: {spec.run.name} on {label} {prepared.snapshot.name}, {first} to at most {last} "
        f"({counted(len(sessions) - 1, 'session')}), {counted(len(spec.universe.symbols), 'instrument')}. Nothing was "
        "run or written."
    )
    for warning in preparation_warnings(prepared):
        say(f"! {warning}")


def _as_json(result: "BacktestResult") -> dict[str, Any]:
    from backtests.archive.folder import manifest
    from backtests.archive.json_forms import evidence_json, measures_json
    from backtests.measures.holdings import held_weights
    from reverse_qe.words.runs.trials import counted_json

    run = result.run
    coming, kind = run.panel.decides_for[-1], run.signal.kind
    last = held_weights(run.engine.positions, run.panel.close[1:], run.engine.equity["equity"]).iloc[-1]
    return {
        "folder": str(result.folder),
        "manifest": manifest(run),
        "metrics": measures_json(run.measures),
        "evidence": evidence_json(run.evidence),
        "trial": counted_json(result.counted),
        "next_session": {
            "session": str(coming.date()),
            "regime": str(run.signal.regime[coming]),
            "kind": None if kind is None else str(kind[coming]) or None,
            # What a strategy of the user wants shows in its orders alone: the plan's targets are not its own.
            "targets": run.plan.targets.iloc[-1].to_dict() if run.spec.run.strategy is None else None,
            "held": last[last > 0].to_dict(),
            "orders": _records(run.engine.next_orders),
        },
        **_chosen(result),
        **({} if result.stress is None else {"stress": _records(result.stress)}),
    }


def _chosen(result: "BacktestResult") -> dict[str, Any]:
    """What the rule of the universe chose; nothing where there is none."""
    from backtests.measures.members import comings_and_goings
    from reverse_qe.words.runs.members import members_json

    return {} if (table := result.members) is None else {"baskets_by_rule": members_json(comings_and_goings(table))}


def _records(table: "pd.DataFrame") -> list[dict[Any, Any]]:
    """The rows of a table; what has no value is None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _print_result(result: "BacktestResult", with_page: bool, as_json: bool) -> None:
    from reverse_qe.words.own_events import own_events_notes
    from reverse_qe.words.runs.trials import counted_words, loud_line

    for note in own_events_notes(result.run.snapshot):
        say(f"! {note}")
    if (line := loud_line(result.counted)) is not None:
        say(line)
    if as_json:
        print_json(_as_json(result))
    else:
        _print_summary(result)
        page = " (its page is tearsheet.html)" if with_page else ""
        say(f"Run folder: {result.folder}{page}; {counted_words(result.counted)}")


def _print_summary(result: "BacktestResult") -> None:
    from reverse_qe.words.run import STRESS_HEAD, headline, portfolio_rows, stress_rows, stress_sentence
    from reverse_qe.words.runs.figures import PORTFOLIO_HEAD
    from reverse_qe.words.summary import NOT_ON_SCREEN, summary_lines

    run = result.run
    rows = portfolio_rows(run, NOT_ON_SCREEN)
    print_table(headline(run), PORTFOLIO_HEAD, rows, apart=False)
    # Title, head and rule of the table; below all the folder.
    for line in summary_lines(run, result.folder, above=len(rows) + 4):
        show(line)
    if result.stress is not None:
        show("")
        print_table(
            "Stress: the strategy with its costs multiplied and its signal late",
            STRESS_HEAD,
            stress_rows(result.stress),
        )
        show(stress_sentence(run))
