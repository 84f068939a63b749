"""What people and schedules do with an account: take a step, reconcile, halt, resume. One process at a time."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime
from sqlite3 import IntegrityError

from data.errors import InputError
from data.files.locks import BusyError
from paper.config import PaperConfig
from paper.errors import DamagedLedger
from paper.ledger.invariants import broken_invariants
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.step.account_files import copied, held
from paper.step.guards import kill_file_reason
from paper.step.requirements import was_replayed
from paper.step.step import Report, Step
from paper.step.step_report import StepReport

__all__ = ["StepReport", "halt", "reconcile", "resume", "run_step"]


def run_step(
    config: PaperConfig,
    session: date | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    report: Report = lambda _stage: None,
    check: Callable[[datetime], None] = lambda _now: None,
) -> StepReport:
    """Take one step.

    Args:
        config: of the account.
        session: to replay, with the simulated broker alone: the clock stands at its decision, then at its end; None:
            that of today.
        dry_run: write and send nothing, only say what would be decided.
        now: UTC; None: the time now. A replay has its own.
        report: is told each stage as it begins.
        check: is called, with the time, before an account is opened to trade from day to day; it raises where it
            cannot be.

    Raises:
        InputError: configuration, spec, market or ledger are wrong; what was written before stays.
        BusyError: another process is at the account.
    """
    with held(config), ExitStack() as stack:
        folder = stack.enter_context(copied(config.state_folder)) if dry_run else config.state_folder
        ledger = stack.enter_context(Ledger(folder / LEDGER_FILE))
        try:
            _require_as_written(ledger)
            return Step(config, folder, ledger, session, _clock(now), dry_run, report, check).run()
        except DamagedLedger as error:
            return _halted(config, ledger, StepReport(config.account.name, session, _clock(now)(), dry_run), error)
        except IntegrityError as error:
            raise BusyError(
                f"another process is at the account {config.account.name} while this one is, where the lock of "
                f"{config.state_folder} does not hold ({error}): this one ends; let one alone step it"
            ) from error


def reconcile(config: PaperConfig, now: datetime | None = None) -> list[str]:
    """Say what the ledger does not agree on, with the broker or with itself, a sentence each; it changes nothing.

    Raises:
        InputError: as for `run_step`, or the account has not been opened by a step yet.
        BusyError: another process is at the account.
        BrokerUnavailable: the broker does not answer.
        BrokerRefused: the broker says no.
    """
    with held(config), ExitStack() as stack:
        folder = stack.enter_context(copied(config.state_folder))
        ledger = stack.enter_context(Ledger(folder / LEDGER_FILE))
        broken = broken_invariants(ledger)
        try:
            last = ledger.last_decision()
            if last is None and broken:
                return broken
            if last is None:
                raise InputError(f"the account {config.account.name} is not open yet: take a step first")
            replayed = last.session if was_replayed(last) else None
            step = Step(config, folder, ledger, replayed, _clock(now), True, lambda _stage: None)
            return [*broken, *step.reconcile()]
        except DamagedLedger as error:
            return [*broken, *([] if str(error) in broken else [str(error)])]


def halt(config: PaperConfig, why: str) -> None:
    """Halt the trader: it sends nothing until it is resumed."""
    _write_event(config, "halt", why)


def resume(config: PaperConfig, why: str) -> None:
    """Let a halted trader go on; its drawdown is counted from here.

    Raises:
        InputError: it is not halted, or the kill file is still there.
    """
    if reason := kill_file_reason(config.kill_file):
        raise InputError(reason)
    _write_event(config, "resume", why)


def _require_as_written(ledger: Ledger) -> None:
    """Refuse to go on with a ledger whose newest rows are not those that were written.

    Raises:
        DamagedLedger: they are not; it names them.
    """
    if faults := ledger.faults_of_newest_rows():
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise DamagedLedger(
            f"the ledger is not as it was written: {faults[0]}{more}; see: reverse-qe paper reconcile; put back a copy "
            "of the account's folder, or choose another account.name"
        )


def _halted(config: PaperConfig, ledger: Ledger, told: StepReport, error: DamagedLedger) -> StepReport:
    """Halt an account whose ledger cannot be gone on with; what it says besides is left alone."""
    try:
        is_halted = ledger.halt() is not None
    except DamagedLedger:
        is_halted = False
    if not is_halted:
        ledger.write_event("halt", str(error), told.at, told.session)
    told.halt = str(error)
    return told


def _clock(now: datetime | None) -> Callable[[], datetime]:
    """Tells the time of one step: what the machine's clock says, but never less than before.

    Clocks are set back while a step is under way, by a moment or by an hour; what is done later is not stamped earlier.
    """
    last = now or datetime.now(UTC)

    def tell() -> datetime:
        nonlocal last
        last = now or max(last, datetime.now(UTC))
        return last

    return tell


def _write_event(config: PaperConfig, kind: str, why: str) -> None:
    if not (config.state_folder / LEDGER_FILE).is_file():
        raise InputError(f"the account {config.account.name} is not open yet: take a step first")
    with held(config), Ledger(config.state_folder / LEDGER_FILE) as ledger:
        if (ledger.halt() is None) == (kind == "resume"):
            stands = "is not halted" if kind == "resume" else "is halted already"
            raise InputError(f"the account {config.account.name} {stands}; see: reverse-qe paper status")
        last = ledger.last_decision()
        ledger.write_event(kind, why, datetime.now(UTC), last.session if last else None)
