"""What a step requires of its account and of its day."""

from datetime import date, datetime, timedelta
from functools import lru_cache

import pandas as pd

from backtests.spec.spec import Spec, read_written_spec
from data.clock import decision_times, next_session, sessions_between
from data.errors import InputError
from data.market.snapshot import is_built_in
from paper.broker_registry import BROKERS
from paper.config import PaperConfig
from paper.ledger.reader import LedgerReader
from paper.ledger.records import AccountRecord, DecisionRecord

# A clock that is kept right is moved by less; by so much nothing is decided otherwise.
CLOCK_MOVES = timedelta(minutes=5)


def spec_of(config: PaperConfig, account: AccountRecord | None) -> Spec:
    """Read the spec of a configuration; what it leaves out means what it meant when the account was opened.

    Args:
        config: of the account.
        account: None before it is opened.

    Raises:
        InputError: there is no such spec, it is wrong, or that in the ledger is of a later version.
    """
    return config.load_spec() if account is None else config.load_spec(opened_with(account)[1])


def require_same_account(config: PaperConfig, spec: Spec, ledger: LedgerReader, now: datetime, is_replay: bool) -> None:
    """Refuse a step with another broker or spec than the account was opened with; a replay of what is decided, too.

    Args:
        config: of the step.
        spec: that it names.
        ledger: of the account.
        now: UTC.
        is_replay: whether the step is one; else it trades from day to day, at prices as quoted.
    """
    account, last, name = ledger.account(), ledger.last_decision(), config.account.name
    if account is None:
        return
    if account.broker != config.broker.kind:
        raise InputError(
            f"the account {name} was opened at the broker {account.broker}, got {config.broker.kind}; "
            "choose another account.name"
        )
    if keys := opened_with(account)[0].differences(spec):
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        raise InputError(
            f"the spec {config.spec} is not the one that the account {name} was opened with: it differs in "
            f"{', '.join(keys[:3])}{more}; put it back, or choose another account.name"
        )
    if not is_replay and account.prices != "raw":
        raise InputError(
            f"the account {name} was replayed on adjusted prices, at which nothing can be dealt from day to day; "
            "choose another account.name"
        )
    if is_replay and last is not None and pd.Timestamp(last.session, tz="UTC") > pd.Timestamp(now):
        raise InputError(
            f"the account {name} has decided for {last.session} already, after {now:%Y-%m-%d}; choose a later "
            "day or another account.name"
        )


def clock_fault(ledger: LedgerReader, now: datetime) -> str:
    """Why the clock cannot be right, or was not when the account stepped last; empty where nothing says so.

    Whoever resumes an account has looked at its clock: what was written before that is not compared.

    Args:
        ledger: of the account.
        now: UTC, of a step that is no replay.
    """
    written, last = last_stamp(ledger), ledger.last_decision()
    if written is None or written <= now + CLOCK_MOVES:
        return ""
    decided = f", for {last.session}" if last is not None and last.decided_at == written else ""
    return (
        f"the clock says {now:%Y-%m-%d %H:%M} UTC, and the last step was at {written:%Y-%m-%d %H:%M} by it"
        f"{decided}: it was set forward then, or is set back now; set it right, then resume"
    )


def last_stamp(ledger: LedgerReader) -> datetime | None:
    """When the account stepped or decided last, by the clock of then; None where nobody has since it was resumed."""
    newest, last = next(iter(ledger.events(("step", "resume"), newest=1)), None), ledger.last_decision()
    resumed = next(iter(ledger.events(("resume",), newest=1)), None)
    written = [newest.at] if newest is not None and newest.kind == "step" else []
    if last is not None and (resumed is None or resumed.session != last.session):
        written.append(last.decided_at)
    return max(written, default=None)


def require_replayable(config: PaperConfig, session: date, last: DecisionRecord | None) -> None:
    """Refuse to replay with a real broker, a day without a session, or an account that trades from day to day."""
    if not config.broker.entry.replays:
        able = " and ".join(f"the {entry.name} broker" for entry in BROKERS.values() if entry.replays)
        raise InputError(f"got --date {session} with the broker {config.broker.kind}, wanted none: only {able} replays")
    if sessions_between(pd.Timestamp(session), pd.Timestamp(session)).empty:
        coming = next_session(pd.Timestamp(session)).date()
        raise InputError(f"got --date {session}, wanted an NYSE session; the next one is {coming}")
    if last is not None and not was_replayed(last):
        raise InputError(
            f"got --date {session} for the account {config.account.name}, which trades from day to day since "
            f"{last.decided_at:%Y-%m-%d}; choose another account.name for a replay"
        )


def require_growing_market(config: PaperConfig) -> None:
    """Refuse to trade from day to day on a built-in market, which has no bar of today."""
    if is_built_in(config.market):
        raise InputError(
            f"the market {config.market} is built in and has no prices of today; replay its sessions with --date, or "
            "name a market that grows (reverse-qe data fetch)"
        )


def was_replayed(decision: DecisionRecord) -> bool:
    """Whether a decision was taken by the clock of a replay: at its moment to the microsecond."""
    return decision.decided_at == decision_time(decision.session)


def decision_time(session: date) -> datetime:
    """Return the moment, UTC, at which the decision for a session is taken."""
    moment: datetime = decision_times(pd.DatetimeIndex([session]))[0].to_pydatetime()
    return moment


def opened_with(account: AccountRecord) -> tuple[Spec, int]:
    """The spec that an account was opened with, and the version of specs that it was written as."""
    return _written_spec(account.spec, account.name)


@lru_cache(maxsize=4)
def _written_spec(text: str, account: str) -> tuple[Spec, int]:
    """The spec of an account and the version that wrote it; a process that stays up reads it once."""
    return read_written_spec(text, f"the spec in the ledger of the account {account}")
