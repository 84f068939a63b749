"""The evidence of a sweep: is the best of its variants more than the luckiest of so many."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.equal_volatility import WINDOW, at_equal_volatility
from backtests.evidence.overfitting import BLOCKS, MINIMUM_SESSIONS, overfitting
from backtests.evidence.superior import superior
from backtests.evidence.table import SUPERIOR, EvidenceTable, Question, Row, Verdict, measured
from backtests.evidence.trials import MOST, TrialCount, Tried, count_trials
from backtests.measures.performance import ROUNDING, SESSIONS_PER_YEAR
from backtests.prepare.prepared import prepare
from backtests.prepare.stages import tell_nobody
from backtests.spec.spec import load_spec
from backtests.studies.evidence.of_returns import tried_rows
from backtests.studies.evidence.reruns import MIX, baseline_returns
from backtests.studies.sweeps.folder import TABLE, read_about
from backtests.studies.sweeps.spans import read_returns
from data.errors import InputError
from data.market.snapshot import Snapshot

CROSS, WRITTEN = "cpcv.json", "evidence.json"
FEWEST = 10
LEVEL = 0.05
AS_THEY_ARE, EQUAL_VOLATILITY = "as they are", "at equal volatility"
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class SweptReturns:
    """The daily returns of a sweep.

    Attributes:
        name: of the spec that varies.
        sessions: n of them.
        excess: (k, n) returns of the variants that could be run, over the bill.
        numbers: (k,) of these variants.
        asked: how many variants there are.
        mix: (n,) returns of the static mix of the spec itself.
        bill: (n,) of the 3-month bill.
    """

    name: str
    sessions: pd.DatetimeIndex
    excess: np.ndarray
    numbers: np.ndarray
    asked: int
    mix: np.ndarray
    bill: np.ndarray


def read_swept(folder: Path, snapshot: Snapshot) -> SweptReturns:
    """Read the returns of a sweep and make those of its static mix.

    Args:
        folder: of the sweep.
        snapshot: the market that it was run on.

    Raises:
        InputError: it kept no returns, was run on another market, or has fewer than ten variants that could be run.
    """
    about = read_about(folder)
    if not about["returns"]:
        raise InputError(f"got {folder}, which kept no daily returns; sweep again with --returns, into another folder")
    if snapshot.content_hash != about["snapshot_hash"]:
        raise InputError(
            f"got market {snapshot.name} with the content {snapshot.content_hash[:12]}, wanted that of the sweep, "
            f"{str(about['snapshot_hash'])[:12]}; name its market by --market, or sweep again"
        )
    prepared = prepare(load_spec(folder / "spec.toml", {"run.end": about["last_session"]}), snapshot)
    mix, bill = baseline_returns(prepared)[MIX], prepared.risk_free
    sessions = pd.DatetimeIndex(mix.index)
    if str(sessions[0].date()) != about["first_session"]:
        raise InputError(f"got a sweep from {about['first_session']} on whose spec now begins on {sessions[0].date()}")
    parts, runs = [], []
    for part in _batches(folder / TABLE, len(sessions)):
        runs.append(np.isfinite(part).all(axis=1))
        parts.append(part if runs[-1].all() else part[runs[-1]])
    is_run = np.concatenate(runs)
    if is_run.sum() < FEWEST:
        raise InputError(f"got {is_run.sum()} variants that could be run, wanted {FEWEST} or more")
    risk_free = bill.loc[sessions].to_numpy(dtype="float64")
    returns = np.vstack(parts)
    del parts
    np.subtract(returns, risk_free, out=returns)
    return SweptReturns(
        name=prepared.spec.run.name,
        sessions=sessions,
        excess=returns,
        numbers=np.flatnonzero(is_run),
        asked=len(is_run),
        mix=mix.to_numpy(dtype="float64"),
        bill=risk_free,
    )


def sweep_evidence(
    swept: SweptReturns, folder: Path, counted: TrialCount, report: Report = tell_nobody
) -> EvidenceTable:
    """Make every test of a sweep.

    Args:
        swept: its returns.
        folder: of it; what cross-validation has left there is read.
        counted: trials by the log, or as stated; the variants are counted where they are more.
        report: is told how far it is.
    """
    report("trials")
    rows = [*_best_rows(swept, counted)]
    rows += sweep_rows(swept, folder, report)
    return EvidenceTable(tuple(rows))


def sweep_rows(swept: SweptReturns, folder: Path, report: Report = tell_nobody) -> list[Row]:
    """The tests that nothing but the sweep itself decides."""
    rows: list[Row] = []
    for of, make in superior_tests(swept, report).items():
        rows += measured(Question.SWEEP, SUPERIOR, make, of)
    rows += measured(Question.SWEEP, "overfitting", partial(_overfitting, swept, report))
    rows += measured(Question.SWEEP, "cross_validation", partial(_cross, folder))
    return rows


def superior_tests(swept: SweptReturns, report: Report = tell_nobody) -> dict[str, Callable[[], Sequence[Row]]]:
    """What makes the row of superior ability, by how the variants are compared."""
    return {AS_THEY_ARE: partial(_raw, swept, report), EQUAL_VOLATILITY: partial(_scaled, swept, report)}


def rows_json(rows: Sequence[Row]) -> str:
    """Rows as text, as `read_rows` takes them."""
    return json.dumps([each.as_json() for each in rows], indent=2, allow_nan=False) + "\n"


def read_rows(folder: Path) -> list[Row]:
    """The rows that were written into a sweep's folder; none where none were, or they cannot be read."""
    try:
        told = json.loads((folder / WRITTEN).read_bytes())
        return [Row.of_json(each) for each in told]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return []


def _best_rows(swept: SweptReturns, counted: TrialCount) -> Iterator[Row]:
    deviation = swept.excess.std(axis=1, ddof=1)
    ratios = np.divide(
        swept.excess.mean(axis=1), deviation, out=np.full(len(deviation), -np.inf), where=deviation > ROUNDING
    )
    best = int(np.argmax(ratios))
    returns = pd.DataFrame({"strategy": swept.excess[best] + swept.bill, MIX: swept.mix}, swept.sessions)
    own = _variants_as_trials(swept)
    for row in tried_rows(returns, MIX, counted if counted.trials > own.trials else own):
        best_sharpe = float(ratios[best]) * SESSIONS_PER_YEAR**0.5
        yield Row(
            row.question,
            row.test,
            row.verdict,
            row.of,
            {**row.values, "variant": int(swept.numbers[best]), "sharpe_of_the_variant": best_sharpe},
            row.reason,
        )


def _variants_as_trials(swept: SweptReturns) -> TrialCount:
    """The variants that could be run, which the log counts; of many, some that are evenly spaced stand for all."""
    count = len(swept.excess)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(int))
    series = (pd.Series(swept.excess[at] + swept.bill - swept.mix, swept.sessions) for at in chosen)
    return count_trials([Tried(each, count / len(chosen)) for each in series])


def _superior(swept: SweptReturns, relative: np.ndarray, of: str, report: Report) -> Sequence[Row]:
    if relative.shape[1] < MINIMUM_SESSIONS:
        raise InputError(
            f"got {relative.shape[1]} sessions, wanted at least {MINIMUM_SESSIONS}; sweep over a longer run"
        )

    def tell(done: int) -> None:
        report(f"superior {of}, {done:,} of {len(relative):,} variants")

    tell(0)
    found = superior(relative, tell)
    values = {
        "p_value": found.consistent,
        "lower": found.lower,
        "upper": found.upper,
        "variant": int(swept.numbers[found.best]),
        "lead": found.lead * SESSIONS_PER_YEAR,
        "variants": len(relative),
        "not_run": swept.asked - len(relative),
        "sessions": relative.shape[1],
        "block_sessions": found.block_sessions,
    }
    verdict = Verdict.FOR if found.consistent <= LEVEL else Verdict.OPEN
    return [Row(Question.SWEEP, SUPERIOR, verdict if found.lead > 0 else Verdict.AGAINST, of, values)]


def _raw(swept: SweptReturns, report: Report) -> Sequence[Row]:
    return _superior(swept, swept.excess + (swept.bill - swept.mix), AS_THEY_ARE, report)


def _scaled(swept: SweptReturns, report: Report) -> Sequence[Row]:
    if len(swept.sessions) <= WINDOW:
        raise InputError(f"got {len(swept.sessions)} sessions, of which the first {WINDOW} are to set the scale")
    mix = swept.mix - swept.bill
    relative = at_equal_volatility(swept.excess, mix)
    relative -= mix[WINDOW:]
    return _superior(swept, relative, EQUAL_VOLATILITY, report)


def _overfitting(swept: SweptReturns, report: Report) -> Sequence[Row]:
    if len(swept.sessions) < MINIMUM_SESSIONS:
        raise InputError(
            f"got {len(swept.sessions)} sessions, wanted at least {MINIMUM_SESSIONS}; sweep over a longer run"
        )

    def tell(done: int) -> None:
        report(f"overfitting, {done:,} ways to halve the sessions")

    found = overfitting(swept.excess, BLOCKS, tell)
    values = {"probability": found.probability, "rank": found.rank, "ways": found.ways, "blocks": found.blocks}
    verdict = Verdict.OPEN
    if found.probability <= LEVEL:
        verdict = Verdict.FOR
    elif found.probability >= 0.5:
        verdict = Verdict.AGAINST
    return [Row(Question.SWEEP, "overfitting", verdict, "", values)]


def _cross(folder: Path) -> Sequence[Row]:
    path = folder / CROSS
    if not path.is_file():
        raise InputError("the sweep was not cross-validated; sweep again with --cpcv 6,2 into the same folder")
    try:
        told: Mapping[str, Any] = json.loads(path.read_bytes())
        values = {key: told[key] for key in ("median_sharpe", "p5_sharpe", "p95_sharpe", "static_mix_sharpe")}
        values |= {"share_below_static_mix": told["share_below_static_mix"]}
        values |= {"paths": len(told["paths"]), "splits": len(told["splits"]), "chosen": len(told["chosen_variants"])}
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}; sweep again with --cpcv") from error
    below = values["share_below_static_mix"]
    verdict = Verdict.OPEN
    if below is not None:
        verdict = Verdict.FOR if below <= LEVEL else Verdict.AGAINST if below > 0.5 else Verdict.OPEN
    return [Row(Question.SWEEP, "cross_validation", verdict, MIX, values)]


def _batches(table: Path, sessions: int) -> Iterator[np.ndarray]:
    try:
        yield from read_returns(table, sessions)
    except InputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{table} cannot be read: {error}; remove it, and the sweep makes it again") from error
