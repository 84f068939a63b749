"""The evidence of returns that no run of ours has made: a file of them, and a paper account."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from backtests.evidence.any_day import mixture
from backtests.evidence.table import EvidenceTable
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.studies.evidence.between import returns_between
from backtests.studies.evidence.markets import market_factors
from backtests.studies.evidence.of_registration import lead_row
from backtests.studies.evidence.of_returns import require_sessions, returns_evidence
from backtests.studies.evidence.reruns import MIX, baseline_returns
from backtests.studies.evidence.returns_file import BILL, chosen_columns, read_returns_file
from backtests.studies.registration import YEARS
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.markets import open_market
from paper.config import read_config
from paper.ledger.reader import LedgerReader
from paper.overview.status import account_market, ledger_of
from reverse_qe.judging.result import EvidenceResult, stated_trials

Report = Callable[[str], None]
# Of an account, beside the static mix.
BASELINES = (MIX, "benchmark")


def judge_file(
    path: Path,
    strategy: str | None,
    rival: str | None,
    market: str | Snapshot | None,
    trials: int | None,
    idea_known: date | None,
    report: Report,
) -> EvidenceResult:
    """Make the tests that a file of daily returns allows; arguments as of `reverse_qe.judging.judge.evidence`."""
    report("returns")
    table = read_returns_file(path)
    require_sessions(len(table))
    if (last := table.index[-1]) > (today := pd.Timestamp.now("UTC").tz_convert(None).normalize()):
        raise InputError(f"{path}: got a return of {last.date()}, wanted none of days after today, {today.date()}")
    returns, main, others = chosen_columns(table, strategy, rival)
    sessions = pd.DatetimeIndex(table.index)
    bill = table[BILL] if BILL in table else pd.Series(0.0, sessions)
    factors, snapshot = None, None
    if market is not None:
        report("market")
        snapshot = market if isinstance(market, Snapshot) else open_market(market)
        factors = market_factors(snapshot, sessions, bill)
    report("tests")
    found = returns_evidence(returns, bill, main, others, stated_trials(trials), idea_known, factors)
    own = next(str(name) for name in table if name not in (BILL, main, *others))
    return EvidenceResult(
        kind="file",
        name=f"{own} of {path.name} against {main}",
        market="" if snapshot is None else snapshot.name,
        simulated=snapshot is not None and snapshot.simulated,
        first=sessions[0],
        last=sessions[-1],
        sessions=len(sessions),
        table=found,
    )


def judge_account(path: Path, trials: int | None, idea_known: date | None, report: Report) -> EvidenceResult:
    """Make the tests that the closes of a paper account allow, against the baselines of its spec on its market."""
    config = read_config(path)
    report("account")
    with LedgerReader(ledger_of(config)) as ledger:
        equity, cash = ledger.equity()["equity"], ledger.deposited()
        require_sessions(len(equity))
        market = account_market(config, ledger)
    sessions = pd.DatetimeIndex(equity.index)
    prepared = market.prepared
    daily = baseline_returns(prepared, BASELINES)
    if len(missing := sessions.difference(pd.DatetimeIndex(daily.index))):
        raise InputError(
            f"got a market without the session {missing[0].date()} of the account {config.account.name}, wanted the "
            "one that it trades on"
        )
    bills = prepared.risk_free.loc[daily.index].to_frame(BILL)
    between = returns_between(daily.join(bills), sessions)
    own = equity / equity.shift(fill_value=cash) - 1.0
    returns = pd.concat([own.rename("strategy"), between[list(BASELINES)]], axis=1)
    report("tests")
    factors = market_factors(prepared.snapshot, sessions, between[BILL], prepared.spec.universe.benchmark)
    known = idea_known or prepared.spec.run.idea_known
    found = returns_evidence(returns, between[BILL], MIX, BASELINES[1:], stated_trials(trials), known, factors)
    found = EvidenceTable(
        (*found.rows, lead_row(returns["strategy"], returns[MIX], MIX, mixture(YEARS, SESSIONS_PER_YEAR)))
    )
    return EvidenceResult(
        kind="account",
        name=f"the account {config.account.name}",
        market=prepared.snapshot.name,
        simulated=prepared.snapshot.simulated,
        first=sessions[0],
        last=sessions[-1],
        sessions=len(sessions),
        table=found,
    )
