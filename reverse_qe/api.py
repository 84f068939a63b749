"""The words of the command line as functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.folder import default_folder, write_run
from backtests.prepare.decision import Decision, decide_from_cash
from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from backtests.studies.gauge import Gauge, gauge_spec
from backtests.studies.stress import stress_table
from data.clock import next_session, previous_session
from data.errors import InputError
from data.files.atomic import require_free, write_new_file
from data.files.plain_text import spreadsheet_frame
from data.market.snapshot import BUILT_IN, Snapshot, is_built_in
from data.markets import open_market
from reverse_qe.pages.run import run_page
from reverse_qe.pages.signal import signal_page
from signals.explain.explanation import Explanation, explain
from signals.explain.history import signal_history
from signals.explain.sentence import signal_sentence


@dataclass(frozen=True)
class StoredBacktest:
    """A run and the folder that holds its files.

    Attributes:
        run: finished.
        folder: holds its files.
        stress: as `backtests.studies.stress.stress_table` gives it; None where it was not asked for.
    """

    run: Backtest
    folder: Path
    stress: pd.DataFrame | None = None


@dataclass(frozen=True)
class SignalReading:
    """The regime on one session, why, and the weights that the policy wants for it.

    Attributes:
        market: name of the snapshot.
        simulated: whether its prices and series are made by a model.
        sentence: the regime and its reasons for people.
        explanation: regime, score and reasons.
        decision: target weights for the session, and the orders that an account all in cash would send.
        notes: on the regime model, a sentence each.
        gauge: how prices answered the signal; None where it was not asked for.
    """

    market: str
    simulated: bool
    sentence: str
    explanation: Explanation
    decision: Decision
    notes: tuple[str, ...] = ()
    gauge: Gauge | None = None


def fitting_spec(market: str) -> str:
    """Name of the shipped spec for a market: roles for the sample, tickers for real history."""
    return "sample" if is_built_in(market) else "history"


def backtest(
    spec: str | None = None,
    market: str = BUILT_IN,
    *,
    start: date | None = None,
    end: date | None = None,
    set: Mapping[str, Any] | None = None,
    out: Path | None = None,
    tearsheet: bool = True,
    stress: bool = False,
    report: Callable[[str], None] = lambda _stage: None,
) -> StoredBacktest:
    """Run a backtest and write its folder.

    Args:
        spec: path of a TOML file or name of a shipped spec; None: the shipped one that fits the market.
        market: ``sample``, ``sample:SCENARIO`` or the name of a snapshot.
        start: first day, in place of the spec's.
        end: last day, in place of the spec's.
        set: values by dotted key, in place of the spec's.
        out: folder to make; None: below ``runs``.
        tearsheet: whether to render it.
        stress: whether to run it again with costs multiplied and the signal late.
        report: is told each stage as it begins.

    Raises:
        InputError: spec, market, days or folder are wrong.
    """
    if out is not None:
        require_free(out)
    days = {key: day for key, day in {"run.start": start, "run.end": end}.items() if day is not None}
    chosen = load_spec(spec or fitting_spec(market), {**(set or {}), **days})
    report("market")
    run = run_backtest(chosen, open_market(market), report)
    stressed = stress_table(run, report) if stress else None
    report("files and tearsheet" if tearsheet else "files")
    return StoredBacktest(
        run, write_run(run, out or default_folder(run), run_page if tearsheet else None, stressed), stressed
    )


def signal(
    spec: str | None = None,
    market: str = BUILT_IN,
    *,
    day: date | None = None,
    set: Mapping[str, Any] | None = None,
    history: Path | None = None,
    plot: Path | None = None,
    gauge: bool = False,
) -> SignalReading:
    """Explain the regime on a day.

    Args:
        spec: as for `backtest`.
        market: as for `backtest`.
        day: the session decided for, or the one before it where it is none; None: the session to come.
        set: as for `backtest`.
        history: CSV file to make, of the signal on every session up to the day.
        plot: HTML page to make, of the signal from the start of the spec's run to the day.
        gauge: whether to measure how prices answered the signal, from the start of the spec's run to the day.

    Raises:
        InputError: spec, market or a path are wrong, or the day lies outside the market.
    """
    files = {"--history": history, "--plot": plot}
    for option, path in files.items():
        if path is not None:
            require_free(path, option)
    if history is not None and history == plot:
        raise InputError(f"got {plot} for --history and --plot, wanted two files; choose another name for one")
    chosen = load_spec(spec or fitting_spec(market), set)
    snapshot = open_market(market)
    session = _session(snapshot, day)
    reading = read_signal(chosen, snapshot, session)
    answer = SignalReading(
        market=market,
        simulated=snapshot.simulated,
        sentence=signal_sentence(reading, session, chosen.signal),
        explanation=explain(reading, session),
        decision=decide_from_cash(chosen, snapshot, reading, session),
        notes=reading.notes,
        gauge=gauge_spec(chosen, snapshot, reading, previous_session(session)) if gauge else None,
    )
    if history is not None:
        table = spreadsheet_frame(signal_history(reading))
        write_new_file(history, table.to_csv(date_format="%Y-%m-%d"), "--history")
    if plot is not None:
        write_new_file(plot, signal_page(chosen, snapshot, reading, session), "--plot")
    return answer


def _session(snapshot: Snapshot, day: date | None) -> pd.Timestamp:
    newest = session_to_come(snapshot)
    if day is None:
        return newest
    first = snapshot.bars["date"].min()
    session = previous_session(next_session(pd.Timestamp(day)))
    if not first < session <= newest:
        raise InputError(
            f"got the day {day}, wanted one after {first.date()} and up to {newest.date()}, the session to come in "
            f"market {snapshot.name}"
        )
    return session


__all__ = ["SignalReading", "Spec", "StoredBacktest", "backtest", "fitting_spec", "signal"]
