"""The evidence of a registration: what has come since it was made."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from backtests.identity import ROOT, source_hash
from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.spec.spec import read_written_spec
from backtests.studies.evidence.of_registration import read_registration, registration_evidence
from data.market.snapshot import Snapshot
from data.markets import open_market
from reverse_qe.judging.result import EvidenceResult


def judge_registration(path: Path, market: str | Snapshot | None, report: Callable[[str], None]) -> EvidenceResult:
    """Judge what became known after a registration; its spec is the one that it holds.

    Args:
        path: of its file.
        market: one that has gone on; None: the one of the registered name.
        report: is told each stage as it begins.
    """
    told = read_registration(path)
    report("market")
    named = told["market"]["name"] if market is None else market
    snapshot = named if isinstance(named, Snapshot) else open_market(named)
    report("signal")
    spec, _ = read_written_spec(told["spec"]["toml"], f"the spec in {path}")
    same_code = source_hash(ROOT, told["code"]["of"]) == told["code"]["sha256"]
    signal = read_signal(spec, snapshot, session_to_come(snapshot))
    report("tests")
    table = registration_evidence(told, snapshot, signal, same_code)
    return EvidenceResult(
        kind="registration",
        name=f"the registration {path.name}",
        market=snapshot.name,
        simulated=snapshot.simulated,
        first=pd.Timestamp(told["first_decision"]),
        last=pd.Timestamp(snapshot.bars["date"].max()),
        sessions=int(table.row("any_day", "the slope").values["sessions"]),
        table=table,
    )
