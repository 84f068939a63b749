"""One step of an account: settle, reconcile, decide, guard, write, send, record. What is done is not done again."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from backtests.spec.spec import Spec
from data.clock import decision_times, next_session
from data.errors import InputError
from data.files.user_code import LookAheadError
from paper.brokers.opener import open_broker
from paper.config import PaperConfig
from paper.errors import BrokerRefused, BrokerUnavailable
from paper.ledger.ledger import Ledger
from paper.ledger.records import AccountRecord, DecisionRecord, SeenBar
from paper.market import MarketVersions, newest_snapshot, read_market
from paper.step.account_files import tell_lost_head
from paper.step.against_market import differences_from_market
from paper.step.decision import Decision, decide
from paper.step.guards import kill_file_reason, reasons_to_halt
from paper.step.late_signals import late_signals
from paper.step.odd_data import odd_data
from paper.step.order_desk import Desk
from paper.step.refresh import refresh
from paper.step.requirements import (
    CLOCK_MOVES,
    clock_fault,
    decision_time,
    last_stamp,
    require_growing_market,
    require_replayable,
    require_same_account,
    spec_of,
)
from paper.step.shadow_book import unbooked_changes
from paper.step.step_report import StepReport, summary

if TYPE_CHECKING:
    from backtests.engines.strategy_replay import Answer

DAY = timedelta(days=1)
# Decisions that are compared with the signal as it is now. What is told late of an older day shows in these too.
SIGNALS_COMPARED = 5

Report = Callable[[str], None]


class Step:
    """One step under way."""

    def __init__(
        self,
        config: PaperConfig,
        folder: Path,
        ledger: Ledger,
        replayed: date | None,
        clock: Callable[[], datetime],
        dry_run: bool,
        report: Report,
        check: Callable[[datetime], None] = lambda _now: None,
    ) -> None:
        """Find out which session the step is for, and refuse one that does not fit the account.

        Args:
            config: of the account.
            folder: of its files, or of a copy of them.
            ledger: of the account.
            replayed: session to replay; None: that of today.
            clock: tells the time, UTC; a replay has its own.
            dry_run: whether nothing is sent and no source is asked.
            report: is told each stage as it begins.
            check: raises `InputError` where an account cannot be opened at a moment, UTC; it is called before one is.
        """
        self._check = check
        self.config, self.folder, self.ledger, self.report = config, folder, ledger, report
        self.is_replay, self.spec = replayed is not None, spec_of(config, ledger.account())
        self._clock = clock
        written = None if replayed is not None else last_stamp(ledger)
        # By so little a clock may be set back between two steps: it stands still until it has come up again.
        self._not_before = written if written is not None and written <= clock() + CLOCK_MOVES else None
        self._replay_time = None if replayed is None else decision_time(replayed)
        self.told = StepReport(config.account.name, replayed, self.now, dry_run)
        if replayed is None:
            self.told.session = self._session_of_today()
        else:
            require_replayable(config, replayed, ledger.last_decision())
        require_same_account(config, self.spec, ledger, self.now, self.is_replay)
        if not self.is_replay:
            require_growing_market(config)

    @property
    def now(self) -> datetime:
        """The time, UTC."""
        if self._replay_time is not None:
            return self._replay_time
        told = self._clock()
        return told if self._not_before is None else max(told, self._not_before)

    def run(self) -> StepReport:
        """Take the step, and write down how it ended."""
        account, session = self.ledger.account(), self.told.session
        if account is None and session is None:
            if not self.config.refresh:
                newest_snapshot(self.config.market)  # that there is none is told before a decision is due
            return self.told
        self.told.notes += tell_lost_head(self.ledger, self.now)
        if not self.is_replay and (fault := clock_fault(self.ledger, self.now)):
            self._halt(fault)
        if self.config.refresh and not self.is_replay and not self.told.dry_run:
            self.told.notes += refresh(self.config.market, self.spec, self.now, self.report)
        try:
            if account is None and not self.is_replay:
                self.report("checks")
                self._check(self.now)
            self._work()
        except BrokerUnavailable as error:
            self.told.fault = f"the broker is not available: {error}; the next step goes on from here"
        except BrokerRefused as error:
            self._halt(f"the broker refuses: {error}")
        halted = self.ledger.halt()
        self.told.halt = "" if halted is None else halted.text
        self.ledger.write_event("step", summary(self.told), self.now, session)
        return self.told

    def reconcile(self) -> list[str]:
        """What ledger and broker do not agree on, after what the broker can tell is written."""
        with self._desk() as desk:
            self._end_replayed_session()
            desk.settle()
            versions = MarketVersions(self.config.market, desk.market)
            return [
                *desk.differences(),
                *unbooked_changes(desk.market, self.ledger, self.config.broker),
                *differences_from_market(versions, self.ledger),
                *self._strategy_differences(desk),
            ]

    def _strategy_differences(self, desk: Desk) -> list[str]:
        """Whether a strategy of the user, asked again, decides as it did at every decision but the last."""
        if desk.market.strategy is None:
            return []
        from paper.step.own_strategy import asked_again, difference_words

        try:
            answer = asked_again(desk.market, self.ledger)
        except (InputError, LookAheadError) as error:
            return [f"the strategy fails: {error}"]
        return [difference_words(answer, self.ledger, desk.market.strategy)] if answer.differs else []

    def _work(self) -> None:
        with self._desk() as desk:
            self._open_account(desk)
            self._settle_before(desk)
            self._decide(desk)
            if self.told.dry_run:
                return
            if self.ledger.halt() is None:
                self.report("orders")
                self.told.sent += desk.send()
            self._end_replayed_session()
            self._settle(desk)

    def _end_replayed_session(self) -> None:
        """Move the clock of a replay on to the end of its session's UTC day."""
        if self._replay_time is not None:
            self._replay_time += DAY

    def _settle_before(self, desk: Desk) -> None:
        """Bring the ledger up to the moment of the decision."""
        if reason := kill_file_reason(self.config.kill_file):
            self._halt(reason)
        if self.ledger.halt() is not None:
            desk.end_unsent()
        elif desk.broker.fills_by_stamp:
            # It must have an order before it plays its session, however late a step that was broken off goes on.
            self.told.sent += desk.send()
        if not (desk.broker.fills_by_stamp or self.told.dry_run):
            desk.end_outdated()
        desk.end_vanished()
        self._settle(desk)
        self._tell_late_signals(desk)

    def _tell_late_signals(self, desk: Desk) -> None:
        """Tell of decisions that, by what the market says of their days now, would have been others; they stay."""
        for text in late_signals(desk.market, self.ledger.decisions(SIGNALS_COMPARED)):
            if self.ledger.write_notice(text, self.now):
                self.told.notes.append(text)

    def _settle(self, desk: Desk) -> None:
        self.report("settling")
        self.told.fills += desk.settle()
        if found := desk.differences():
            self._halt(f"ledger and broker do not agree: {'; '.join(found)}")
        if found := unbooked_changes(desk.market, self.ledger, self.config.broker):
            self._halt("; ".join(found))

    def _decide(self, desk: Desk) -> None:
        session, last = self.told.session, self.ledger.last_decision()
        if session is None or self.ledger.halt() is not None or (last is not None and last.session >= session):
            return
        played = self.ledger.last_close()
        if played is not None and played >= session:  # In a replay: it ended while the trader was halted.
            self.told.notes.append(
                f"nothing to decide: {session} is over; the next session to replay comes after {played}"
            )
            return
        self.report("decision")
        answer, bars = self._ask_strategy(desk, session, None if last is None else last.session)
        if self.ledger.halt() is not None:
            return
        decision = decide(
            desk.market,
            self.config.account.name,
            session,
            self.now,
            self.ledger.holdings(),
            [*self.ledger.unsent_intents(), *self.ledger.sent_intents()],
            None if last is None else last.session,
            self._seen_upto(last),
            self.ledger.short_symbols() if answer is None else (),
            answer,
        )
        self.told.decision = decision
        if reasons := reasons_to_halt(
            decision, self.ledger.peak_equity(), self.config.limits, self._looked_at(session)
        ):
            self._halt("; ".join(reasons))
        else:
            self.ledger.write_decision(_record(decision), decision.intents, bars)
        if not self.is_replay:  # Whose market holds what came after.
            self._tell_odd_data(desk, pd.Timestamp(session), last)

    def _tell_odd_data(self, desk: Desk, session: pd.Timestamp, last: DecisionRecord | None) -> None:
        self.report("data")
        named = f"{self.config.market} --spec {self.config.spec}"
        self.told.odd_data = odd_data(desk.market, session, last, named)
        if self.told.odd_data:
            self.ledger.write_notice(self.told.odd_data, self.now, session.date())

    def _ask_strategy(
        self, desk: Desk, session: date, decided_before: date | None
    ) -> tuple["Answer | None", list[SeenBar]]:
        """What a strategy of the user decides, and the bars that it sees first for it; halt where it cannot go on."""
        if desk.market.strategy is None:
            return None, []
        from paper.step.own_strategy import ask, difference_words

        try:
            answer, bars = ask(desk.market, self.ledger, session, decided_before)
        except (InputError, LookAheadError) as error:
            self._halt(f"the strategy fails: {error}")
            return None, []
        if answer.differs:
            self._halt(difference_words(answer, self.ledger, desk.market.strategy))
        self.told.notes += [
            f"{symbol}: an order of the strategy is not sent, for one is open, or no price is known"
            for symbol in answer.left_alone
        ]
        return answer, bars

    def _seen_upto(self, last: DecisionRecord | None) -> date | None:
        """The session up to which moves of prices have been looked at, by the trader or by whoever resumed it."""
        resumed = next(iter(self.ledger.events(("resume",), newest=1)), None)
        days = [last.session] if last is not None else []
        return max([*days, *([resumed.at.date()] if resumed is not None else [])], default=None)

    def _looked_at(self, session: date) -> str:
        """Why the trader was halted at a session, where that was the last halt and it was resumed; else empty."""
        events = self.ledger.events(("halt", "resume"), newest=2)
        kinds = [each.kind for each in events]
        return events[1].text if kinds == ["resume", "halt"] and events[1].session == session else ""

    def _halt(self, why: str) -> None:
        if self.ledger.halt() is None:
            self.ledger.write_event("halt", why, self.now, self.told.session)

    def _open_account(self, desk: Desk) -> None:
        session = self.told.session
        if self.ledger.account() is not None or session is None:
            return
        if desk.market.strategy is not None:
            from paper.step.own_strategy import require_paper_strategy

            self.report("strategy")
            require_paper_strategy(desk.market, session)
        told = desk.broker.account()
        if told.positions:
            raise InputError(
                f"the account at {desk.broker.name} holds {', '.join(sorted(told.positions))}; wanted one that holds "
                "nothing but cash: sell them or take another account"
            )
        prices, name = desk.market.spec.run.prices, self.config.account.name
        record = AccountRecord(name, self.config.broker.kind, session, prices, self.spec.to_toml(), self.now)
        self.ledger.open_account(record, told.cash)

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        account, last = self.ledger.account(), self.ledger.last_decision()
        days = [self.told.session, last.session if last else None, account.first_session if account else None]
        reached = max(day for day in days if day is not None)
        self.report("market")
        snapshot = newest_snapshot(self.config.market)
        first = account.first_session if account else reached
        market = read_market(self._spec_on_its_basis(), snapshot, first, reached)
        cash = self.config.account.initial_cash or self.spec.run.initial_cash
        # A broker with a clock of its own compares it with what ours says.
        clock = self._clock if self._replay_time is None else lambda: self.now
        broker = open_broker(self.config, self.folder, market, cash, clock)
        with closing(broker):
            yield Desk(self.ledger, broker, market, lambda: self.now, self.told.notes, self.told.not_taken)

    def _spec_on_its_basis(self) -> Spec:
        """The spec on the account's prices: as quoted where it trades from day to day, for only those can be dealt at.

        Adjusted prices of the past change with every dividend, and units bought at them with it.
        """
        account = self.ledger.account()
        prices = account.prices if account else self.spec.run.prices if self.is_replay else "raw"
        return self.spec.model_copy(update={"run": self.spec.run.model_copy(update={"prices": prices})})

    def _session_of_today(self) -> date | None:
        """The session to decide for; None where there is none today, or not yet."""
        today = pd.Timestamp(self.now.astimezone(UTC).date())
        coming = next_session(today - DAY)
        due = decision_times(pd.DatetimeIndex([coming]))[0] + timedelta(minutes=self.config.schedule.decide_after)
        if self.now >= due:
            return coming.date()
        self.told.notes.append(
            f"nothing to decide now: the decision for {coming.date()} is due at {due:%Y-%m-%d %H:%M} UTC"
        )
        return None


def _record(decision: Decision) -> DecisionRecord:
    return DecisionRecord(**{each.name: getattr(decision, each.name) for each in fields(DecisionRecord)})
