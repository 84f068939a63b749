"""The words of the command line as functions: what they take is named as in Python, what they give shows itself."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.folder import write_run
from backtests.archive.trials.counting import NOT_ASKED, count_backtest, warn_if_not_counted
from backtests.prepare.decision import decide_from_cash
from backtests.prepare.prepared import EngineName, Prepared, prepare
from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.prepare.stages import Stages, tell_nobody
from backtests.run import require_engine, run_backtest
from backtests.spec.spec import Spec, fitting_spec, load_spec
from backtests.studies.event_study.abnormal import StudyConfig
from backtests.studies.event_study.events import KINDS as EVENT_KINDS
from backtests.studies.event_study.study import EventStudy
from backtests.studies.event_study.study import event_study as study_of
from backtests.studies.exposures import Exposures, study_exposures
from backtests.studies.judged.judge import judge_spec
from backtests.studies.registration import registration
from backtests.studies.stress import stress_table
from data.clock import next_session, previous_session
from data.errors import InputError
from data.events.timeline import event_timeline, select_events
from data.files.atomic import require_free
from data.files.paths import usable_path
from data.market.snapshot import BUILT_IN, Snapshot
from data.markets import open_market
from data.prices.panel import require_opens
from reverse_qe.arguments import as_day, several_names, short_label
from reverse_qe.making import ImportedFiles, fetch, import_files
from reverse_qe.pages.beside.worker import HERE, RenderWorker
from reverse_qe.pages.run import report_input, run_page
from reverse_qe.results import BacktestResult, SignalReading
from signals.explain.explanation import explain
from signals.explain.sentence import signal_sentence

AnySpec = str | Path | Mapping[str, Any] | Spec
Report = Callable[[str], None]


def backtest(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    start: date | str | None = None,
    end: date | str | None = None,
    set: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    tearsheet: bool = True,
    stress: bool = False,
    engine: EngineName = "event",
    label: str | None = None,
    count: bool = True,
    report: Report = tell_nobody,
    worker: RenderWorker = HERE,
) -> BacktestResult:
    """Run a backtest; it is counted as a trial, and nothing else is written unless `out` is given.

    Args:
        spec: path of a TOML file, name of a shipped spec, a mapping of its values or a `Spec`; None: the shipped one
            that fits the market.
        market: ``sample``, ``sample:SCENARIO``, the name of a market that is kept, or a `Snapshot`; None: the one that
            the spec names, else ``sample``.
        start: first day, in place of the spec's.
        end: last day, in place of the spec's.
        set: values by dotted key, in place of the spec's: ``{"policy.instrument_cap": 0.25}``.
        out: folder to make for the files of the run.
        tearsheet: whether the tearsheet, which takes most of the time, is among the files.
        stress: whether to run it again with costs multiplied and the signal late.
        engine: ``event``: Backtrader, which is the truth; ``vector``: compiled, the same numbers (needs numba).
        label: words of yours, by which the log of trials and the run's folder name it.
        count: whether it is a trial; what is no attempt to find a better strategy is none. The result tells.
        report: is told each stage as it begins.
        worker: draws a part of the tearsheet while the run is measured; without one all is drawn at the end, here.

    Warns:
        NotCountedWarning: the log of trials could not be written.

    Raises:
        InputError: spec, market, days or folder are wrong.
        LookAheadError: code of the user looks ahead.
    """
    folder = None if out is None else usable_path(out, "out")
    if folder is not None:
        require_free(folder, "out")
    label = short_label(label)
    chosen = _asked_for(spec, market, start, end, set)
    report("market")
    run = run_backtest(*_on_market(chosen, market), report, engine, lambda played: worker.ask(report_input(played)))
    # Before anything is shown: what was seen was counted.
    counted = count_backtest(run, label) if count else NOT_ASKED
    warn_if_not_counted(counted)
    result = BacktestResult(run, counted=counted, label=label, stress=stress_table(run, report) if stress else None)
    return result if folder is None else written(result, folder, tearsheet, report, worker)


def checked(
    spec: AnySpec | None,
    market: str | Snapshot | None = None,
    *,
    start: date | str | None = None,
    end: date | str | None = None,
    set: Mapping[str, Any] | None = None,
    engine: EngineName = "event",
    report: Report = tell_nobody,
) -> Prepared:
    """Work out everything that a backtest begins with, and run nothing; arguments and errors as for `backtest`.

    Spec, market and files of the user are read, blocks and policy of the user are run, and a strategy is loaded.
    """
    chosen = _asked_for(spec, market, start, end, set)
    require_engine(engine, chosen)
    report("market")
    prepared = prepare(*_on_market(chosen, market), stages=Stages(report))
    require_opens(prepared.market)
    if prepared.extensions.strategy is not None:
        prepared.extensions.strategy.load()
    return prepared


def written(
    result: BacktestResult, folder: Path, tearsheet: bool, report: Report = tell_nobody, worker: RenderWorker = HERE
) -> BacktestResult:
    """Write the files of a result into a new folder, and return the result that knows it."""
    report("files and tearsheet" if tearsheet else "files")
    pages = {"tearsheet.html": partial(run_page, stress=result.stress, quantstats=worker)} if tearsheet else {}
    write_run(result.run, folder, result.stress, pages, result.label)
    return replace(result, folder=folder)


def signal(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    day: date | str | None = None,
    set: Mapping[str, Any] | None = None,
    judge: bool = False,
) -> SignalReading:
    """Explain the regime on a day; its `history` has every session before.

    Args:
        spec: as for `backtest`.
        market: as for `backtest`.
        day: the session decided for, or the one before it where it is none; None: the session to come.
        set: as for `backtest`.
        judge: whether to judge it by what prices did after it, from the start of the spec's run to the day.

    Raises:
        InputError: spec or market are wrong, or the day lies outside the market.
    """
    chosen, snapshot = _on_market(load_spec(_chosen(spec, market), set), market)
    session = _session(snapshot, as_day(day, "day"))
    reading = read_signal(chosen, snapshot, session)
    return SignalReading(
        spec=chosen,
        snapshot=snapshot,
        signal=reading,
        sentence=signal_sentence(reading, session, chosen.signal),
        explanation=explain(reading, session),
        decision=decide_from_cash(chosen, snapshot, reading, session),
        judged=judge_spec(chosen, snapshot, reading, previous_session(session)) if judge else None,
    )


def exposures(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    day: date | str | None = None,
    set: Mapping[str, Any] | None = None,
) -> Exposures:
    """Estimate what the instruments of a spec answered to; see `backtests.studies.exposures.study_exposures`.

    Args:
        spec: as for `backtest`.
        market: as for `backtest`.
        day: as for `signal`.
        set: as for `backtest`.

    Raises:
        InputError: spec or market are wrong, the day lies outside the market, or it has too few weeks.
    """
    chosen, snapshot = _on_market(load_spec(_chosen(spec, market), set), market)
    return study_exposures(chosen, snapshot, _session(snapshot, as_day(day, "day")))


def register(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    set: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Freeze spec, form, code and market by hash with one endpoint and its test, before it is known.

    Args:
        spec: as for `backtest`.
        market: as for `backtest`; its newest moment of knowledge dates the registration.
        set: as for `backtest`.

    Returns:
        As `backtests.studies.registration.registration` gives it: what ``evidence --register`` writes.

    Raises:
        InputError: spec or market are wrong, or the market lacks what the endpoint is made from.
    """
    chosen, snapshot = _on_market(load_spec(_chosen(spec, market), set), market)
    return registration(chosen, snapshot, read_signal(chosen, snapshot, session_to_come(snapshot)))


def events(
    market: str | Snapshot | None = None,
    *,
    companies: Collection[str] = (),
    kinds: Collection[str] = (),
    first: date | str | None = None,
    last: date | str | None = None,
) -> pd.DataFrame:
    """What became known of capex, guidance, funding and policy, in order of time.

    Args:
        market: as for `backtest`; None: ``sample``.
        companies: only these; none: all.
        kinds: only these (``result``, ``guidance``, ``bond_issue``, ...); none: all.
        first: only what became known on or after this day (UTC).
        last: only what became known on or before this day (UTC).

    Returns:
        As `data.events.timeline.event_timeline` gives it.
    """
    timeline = event_timeline(_opened(BUILT_IN if market is None else market))
    return select_events(
        timeline,
        several_names(companies, "companies"),
        several_names(kinds, "kinds"),
        as_day(first, "first"),
        as_day(last, "last"),
    )


def event_study(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    set: Mapping[str, Any] | None = None,
    kinds: Collection[str] = (),
    windows: Collection[tuple[int, int]] = (),
    estimation: tuple[int, int] | None = None,
    index: str | None = None,
    symbols: Collection[str] = (),
) -> EventStudy:
    """Study what instruments did around events, beyond the market, and what the news explains of it.

    Args:
        spec: as for `backtest`.
        market: as for `backtest`.
        set: as for `backtest`.
        kinds: of events: results, guidance, funding, commitments, policy; none: all.
        windows: first and last session over which returns are added up, 0 being the session in which an event could
            first be answered; none: (-1, 1) and (0, 5).
        estimation: first and last session of the fit; None: (-250, -30).
        index: symbol of what the fit takes out; None: the benchmark of the spec.
        symbols: of further instruments of the market.

    Raises:
        InputError: spec, market, an instrument, a kind or a window is wrong, or the extra `evidence` is not installed.
    """
    return studied_events(
        spec, market, set=set, kinds=kinds, windows=windows, estimation=estimation, index=index, symbols=symbols
    )[0]


def studied_events(
    spec: AnySpec | None,
    market: str | Snapshot | None,
    *,
    set: Mapping[str, Any] | None,
    kinds: Collection[str],
    windows: Collection[tuple[int, int]],
    estimation: tuple[int, int] | None,
    index: str | None,
    symbols: Collection[str],
) -> tuple[EventStudy, Spec]:
    """As `event_study`, with the spec that was read."""
    chosen, snapshot = _on_market(load_spec(_chosen(spec, market), set), market)
    usual = StudyConfig()
    config = StudyConfig(
        windows=tuple(dict.fromkeys(windows)) or usual.windows, estimation=estimation or usual.estimation
    )
    wanted = several_names(kinds, "kinds") or EVENT_KINDS
    return study_of(chosen, snapshot, config, wanted, index, several_names(symbols, "symbols")), chosen


def _asked_for(
    spec: AnySpec | None,
    market: str | Snapshot | None,
    start: date | str | None,
    end: date | str | None,
    set: Mapping[str, Any] | None,
) -> Spec:
    days = {key: day for key, day in {"run.start": start, "run.end": end}.items() if day is not None}
    return load_spec(_chosen(spec, market), days if set is None else _with(set, days))


def _chosen(spec: AnySpec | None, market: str | Snapshot | None) -> AnySpec:
    if spec is not None:
        return spec
    if market is None:
        market = BUILT_IN
    return fitting_spec(market.name if isinstance(market, Snapshot) else str(market))


def _with(set: Mapping[str, Any], days: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is set with the days beside it; what is no mapping is left to be refused."""
    return {**set, **days} if isinstance(set, Mapping) else set


def _on_market(spec: Spec, market: str | Snapshot | None) -> tuple[Spec, Snapshot]:
    """Open the market that is meant: what is asked for wins over what the spec names.

    A spec that names one is then told to name the version that was read, so that what is written of it runs on that.
    """
    snapshot = _opened(market if market is not None else spec.run.market or BUILT_IN)
    return (spec if spec.run.market is None else spec.on(snapshot.name)), snapshot


def _opened(market: str | Snapshot) -> Snapshot:
    if isinstance(market, Snapshot):
        return market
    return open_market(market)


def _session(snapshot: Snapshot, day: pd.Timestamp | None) -> pd.Timestamp:
    newest = session_to_come(snapshot)
    if day is None:
        return newest
    first = snapshot.bars["date"].min()
    session = previous_session(next_session(day))
    if not first < session <= newest:
        raise InputError(
            f"got the day {day.date()}, wanted one after {first.date()} and up to {newest.date()}, the session to come "
            f"in market {snapshot.name}"
        )
    return session


__all__ = [
    "BacktestResult",
    "ImportedFiles",
    "SignalReading",
    "Spec",
    "backtest",
    "checked",
    "events",
    "fetch",
    "fitting_spec",
    "import_files",
    "load_spec",
    "open_market",
    "register",
    "signal",
    "written",
]
