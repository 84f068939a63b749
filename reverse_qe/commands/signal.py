"""`reverse-qe signal`: the regime, and why."""

from datetime import datetime
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show
from reverse_qe.tables import ranked

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from backtests.studies.gauge import Gauge
    from backtests.studies.judged.judge import Judgement
    from reverse_qe.results import SignalReading
    from signals.turn.turn import Turn


@click.command("signal")
@click.argument("spec", required=False)
@spec_market_option
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Session decided for.  [default: the session to come]"
)
@click.option("--history", type=PATH, help="CSV file to make: the signal of every session, and what turned it.")
@click.option("--page", type=PATH, help="Web page to make: the signal on the date, and over time from run.start on.")
@click.option("--turn", is_flag=True, help="Show all that would turn the regime, with the trades, and every reason.")
@click.option("--judge", is_flag=True, help="Judge it, too, by what crypto, baskets and spreads did after it.")
@click.option("--cells", type=PATH, help="CSV file to make, with --judge: every cell, and the regime by year.")
@click.option("--gauge", "old", is_flag=True, hidden=True)
@set_option
@json_option
def command(
    spec: str | None,
    market: str | None,
    day: datetime | None,
    history: Path | None,
    page: Path | None,
    turn: bool,
    judge: bool,
    cells: Path | None,
    old: bool,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Say which regime holds on a date, since when, and why.

    Nine lines: regime and score with the score at which it ends, why, against, what changed since the decision before,
    the nearest moves that would turn it, announcements due, what is missing, what it wants.

    A move is one figure or event more, everything else as it is, no larger than any that was seen. --turn shows all of
    them, the trades that would follow, and every block and input with what it gives to the score.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is read.
    """
    from backtests.studies.judged.table import judged_table
    from data.files.atomic import require_free, write_new_file
    from data.files.plain_text import spreadsheet_frame
    from reverse_qe import api
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.words.answer import NEAREST
    from reverse_qe.words.own_events import own_events_notes
    from signals.explain.history import signal_history

    _require_options(old, judge, {"--history": history, "--page": page, "--cells": cells})
    if history is not None:
        require_free(history, "--history")
    if cells is not None:
        require_free(cells, "--cells")
    if page is not None:
        require_page_path(page)
    with progress("Signal") as report:
        reading = api.signal(spec, market, day=day, set=settings, judge=judge)
        complete = turn or as_json or page is not None
        turning = reading.turning(None if complete else NEAREST, report)
        if history is not None:
            table = spreadsheet_frame(signal_history(reading.signal, reading.switches))
            write_new_file(history, table.to_csv(date_format="%Y-%m-%d"), "--history")
        if cells is not None and reading.judged is not None:
            write_new_file(cells, spreadsheet_frame(judged_table(reading.judged)).to_csv(index=False), "--cells")
        if page is not None:
            write_page(page, reading.page())
    for note in own_events_notes(reading.snapshot):
        say(f"! {note}")
    if as_json:
        print_json(_as_json(reading, turning))
    else:
        for line in reading.answer(turning):
            show(line)
        if turn:
            _print_all(reading, turning)
        if reading.judged is not None:
            _print_gauge(reading.judged.gauge)
            _print_judged(reading.judged)
    for title, path in (("History", history), ("Cells", cells), ("Page", page)):
        if path is not None:
            say(f"{title}: {path}")


def _as_json(reading: "SignalReading", turn: "Turn | None") -> dict[str, Any]:
    from dataclasses import asdict

    from signals.turn.turn import score_ends

    money = reading.decision.buy_money
    regime = reading.explanation.regime
    return {
        "market": reading.snapshot.name,
        "simulated": reading.snapshot.simulated,
        "sentence": reading.sentence,
        **asdict(reading.explanation),
        "turned_by": _without_nan(reading.switches[-1]._asdict()) if reading.switches else None,
        "ends_at": None if turn is None else list(score_ends(regime, reading.spec.signal)),
        "changed": None if reading.change is None else asdict(reading.change),
        "turn": None if turn is None else _turn_as_json(turn),
        "trades": {name: change.to_dict() for name, change in reading.trades_of(turn).items()},
        "due": [each._asdict() for each in reading.due],
        "notes": list(reading.signal.notes),
        "targets": reading.decision.targets.to_dict(),
        "orders_from_cash_usd": money[money > 0].to_dict(),
        **({} if reading.judged is None else {"judged": _judged_as_json(reading.judged)}),
    }


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """What has no value, such as the move of a source that says a regime alone, is None."""
    return {key: None if isinstance(value, float) and isnan(value) else value for key, value in values.items()}


def _turn_as_json(turn: "Turn") -> dict[str, Any]:
    keys = ("name", "kind", "about", "unit", "inputs", "held", "low", "high", "step")
    return {
        "dwells_until": turn.dwells_until,
        "if_nothing_moves": dict(zip(turn.coming.strftime("%Y-%m-%d"), turn.base, strict=True)),
        "moves": [
            {
                **{key: _finite(getattr(move, key)) for key in keys},
                "share": _finite(move.share),
                "next": None if move.next is None else move.next._asdict(),
                "within": None if move.within is None else move.within._asdict(),
            }
            for move in turn.moves
        ],
    }


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not isfinite(value) else value


def _judged_as_json(judged: "Judgement") -> dict[str, Any]:
    gauge = judged.gauge
    return {
        "hindsight": gauge.hindsight,
        "first": gauge.first.date(),
        "last": gauge.last.date(),
        "responses": _records(gauge.responses),
        "partings": _records(gauge.partings),
        "tested": judged.tested,
        "without_zero": judged.without_zero,
        "told": len(judged.told),
        "cells": _records(judged.cells),
        "regime": _records(judged.hits),
    }


def _records(table: "pd.DataFrame") -> list[dict[Any, Any]]:
    values = table.astype(object)
    return values.where(values.notna(), None).to_dict("records")


def _require_options(old: bool, judge: bool, files: "Mapping[str, Path | None]") -> None:
    if old:
        raise click.UsageError("got --gauge, which is now --judge; its tables are the first rows of that")
    if files["--cells"] is not None and not judge:
        raise click.UsageError("got --cells without --judge, which makes them; add --judge")
    named = [(option, path) for option, path in files.items() if path is not None]
    for place, (option, path) in enumerate(named):
        for earlier, other in named[:place]:
            if path == other:
                raise click.UsageError(
                    f"got {path} for {earlier} and {option}, wanted two files; choose another name for one"
                )


def _print_all(reading: "SignalReading", turn: "Turn | None") -> None:
    from reverse_qe.words.run import REASON_HEAD, reason_rows, state_sentences
    from reverse_qe.words.turn import TRADE_HEAD, TURN_HEAD, trade_rows, turn_rows

    reasons = reading.explanation
    show(f"{reading.sentence}.")
    if reading.switches:
        show(f"Turned {reading.switches[-1].regime} by: {reading.switches[-1].cause}.")
    for state in state_sentences(reasons):
        show(state)
    for note in reading.signal.notes:
        show(f"! {note}")
    if turn is not None:
        title = "What would turn it: one figure or event more, everything else as it is; the nearest first"
        print_table(title, TURN_HEAD, turn_rows(turn, reading.due))
        for regime, change in reading.trades_of(turn).items():
            print_table(f"Trades that {regime} would bring, shares of the equity", TRADE_HEAD, trade_rows(change))
    # A value says nothing without its unit: moments go first.
    columns = ranked(REASON_HEAD, ranks=(0, 0, 0, 1, 3, 2), prose=(0, 3))
    print_table("Why: what each block and input gives to the score", columns, reason_rows(reasons))
    money = reading.decision.buy_money
    targets = reading.decision.targets
    print_table(
        f"Targets for {reasons.session.date()}, and orders of an account all in cash",
        ("", "weight", "buy, USD"),
        [
            (symbol, f"{targets[symbol]:.1%}", "-" if isnan(money[symbol]) else f"{money[symbol]:,.2f}")
            for symbol in targets[targets > 0].index
        ],
    )


def _print_gauge(gauge: "Gauge") -> None:
    from reverse_qe.words.run import PARTING_HEAD, RESPONSE_HEAD, parting_rows, response_rows

    span = f"weeks from the open of {gauge.first.date()} to that of five sessions after {gauge.last.date()}"
    print_table(
        f"Gauge: return of the week that follows, per standard deviation of the signal; {span}",
        RESPONSE_HEAD,
        response_rows(gauge),
    )
    # The two that part: what lies between them goes first.
    partings = ranked(PARTING_HEAD, ranks=(0, 1, 2, 1))
    print_table("Gauge: mean return a year of the weeks that begin in each regime", partings, parting_rows(gauge))
    show(
        "In brackets: intervals of 95%, by Newey and West; too narrow where returns drift slowly by themselves, as "
        "those of the reserve do, which the slopes below allow for. The gauge is never an input of the signal."
    )


def _print_judged(judged: "Judgement") -> None:
    from reverse_qe.words.signal import judged as words

    print_table(
        f"Score: slope by sessions of the return (rows) and after the decision; {words.MARKS}",
        words.SCORE_COLUMNS,
        words.score_rows(judged),
    )
    pairs = "Of each predictor and leg the surest cell, the surest first"
    print_table(pairs, words.CELL_COLUMNS, words.cell_rows(words.surest(judged)))
    hit = "Regime: balanced accuracy by sessions after the decision"
    print_table(hit, words.HIT_COLUMNS, words.hit_rows(judged))
    by_year = (
        f"Regime: share of its calls that were right by year, over {words.YEAR_HORIZON} sessions; score: its rank "
        "correlation with the last"
    )
    print_table(by_year, words.year_columns(judged), words.year_rows(judged))
    for sentence in (*words.verdicts(judged), words.EXPLAINED, words.HITS_EXPLAINED):
        show(sentence)
    if judged.gauge.hindsight:
        show(f"! HINDSIGHT: {judged.gauge.hindsight}")
