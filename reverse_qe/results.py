"""What the words of the command line give to Python: results that show themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.folder import run_tables
from backtests.archive.json_forms import measures_json
from backtests.archive.trials.counting import NOT_ASKED, Counted
from backtests.prepare.decision import Decision
from backtests.prepare.stages import tell_nobody
from backtests.prepare.turn import is_told, read_turn, trades_by_regime
from backtests.run import Backtest
from backtests.spec.spec import Spec
from backtests.studies.audits.report import AuditReport, Leak
from backtests.studies.judged.judge import Judgement
from data.events.due import Due, due_announcements
from data.events.timeline import event_timeline
from data.files.plain_text import printable
from data.market.snapshot import Snapshot
from reverse_qe.moments import signal_at
from reverse_qe.pages.notebook import backtest_html, signal_html
from reverse_qe.pages.signal import signal_page
from reverse_qe.pages.studies.audit import audit_page
from reverse_qe.pages.studies.judged import judged_part
from reverse_qe.words.answer import Change, answer_lines, change_since_before
from reverse_qe.words.audit import leak_text, title, verdict
from reverse_qe.words.run import headline, portfolio_rows, regime_sentences
from reverse_qe.words.runs.trials import counted_words
from signals.block import SignalData
from signals.explain.explanation import Explanation
from signals.explain.history import signal_history
from signals.explain.sentence import signal_sides
from signals.explain.switches import Switch, regime_switches
from signals.liquidity import LiquiditySignal
from signals.turn.turn import Turn


@dataclass(frozen=True, repr=False, eq=False)
class BacktestResult:
    """A finished backtest. Its tables bear the names of the files of a run, and hold what those hold.

    Attributes:
        run: all of it: spec, snapshot, prices, plan, baselines.
        folder: that holds its files; None where none were written.
        stress: as `backtests.studies.stress.stress_table` gives it; None where it was not asked for.
        counted: whether it was counted as a trial.
        label: words of the user that name it.
    """

    run: Backtest
    folder: Path | None = None
    stress: pd.DataFrame | None = None
    counted: Counted = NOT_ASKED
    label: str | None = None

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return run_tables(self.run)

    @property
    def equity(self) -> pd.DataFrame:
        """By session: equity and cash, US dollars."""
        return self._tables["equity"]

    @property
    def returns(self) -> pd.DataFrame:
        """By session: the return of the strategy and of every baseline, fractions."""
        return self._tables["returns"]

    @property
    def positions(self) -> pd.DataFrame:
        """By session: units held at the close, one column an instrument."""
        return self._tables["positions"]

    @property
    def targets(self) -> pd.DataFrame:
        """By session: target weights decided for it; the last row may be the session to come."""
        return self._tables["targets"]

    @property
    def orders(self) -> pd.DataFrame:
        """One row an order: what was wanted, what was filled, at which price, and why not all of it."""
        return self._tables["orders"]

    @property
    def cash(self) -> pd.DataFrame:
        """One row a payment that is no order's: deposit, interest, dividends, close-outs."""
        return self._tables["cash"]

    @property
    def regime(self) -> pd.DataFrame:
        """By session: when it was decided, regime, score, and what each block and input gave."""
        return self._tables["regime"]

    @property
    def rotations(self) -> pd.DataFrame:
        """One row a stay in a regime: its days, its reason, and the returns of baskets, strategy and static mix."""
        return self._tables["rotations"]

    @property
    def trades(self) -> pd.DataFrame:
        """One row a round trip of an instrument: when, how often it was traded, what went in and what came out."""
        return self._tables["trades"]

    @property
    def attribution(self) -> pd.DataFrame:
        """Profit and costs by regime, basket and instrument; they add up to the gain of the equity."""
        return self._tables["attribution"]

    @property
    def members(self) -> pd.DataFrame | None:
        """What the rule of the universe ranked each June, by what, and chose; None where there is no rule."""
        return self._tables.get("members")

    @property
    def metrics(self) -> dict[str, Any]:
        """Measures of the strategy and every baseline, by regime and by year."""
        return measures_json(self.run.measures)

    def __repr__(self) -> str:
        rows = {row[0]: row for row in portfolio_rows(self.run)}
        told = [
            f"{name}: {usd} USD, CAGR {cagr}, volatility {volatility}, Sharpe {sharpe}, maximum drawdown {drawdown}"
            for name, usd, cagr, volatility, sharpe, drawdown, *_ in list(rows.values())[:2]
        ]
        files = f"files in {self.folder}" if self.folder else "nothing written"
        where = f"{files}; {counted_words(self.counted)}"
        return _lines(
            [headline(self.run), *told, regime_sentences(self.run)[0], f"tables: {', '.join(self._tables)}; {where}"]
        )

    def _repr_html_(self) -> str:
        return backtest_html(self.run)


@dataclass(frozen=True, repr=False, eq=False)
class SignalReading:
    """The regime on one session, why, and the weights that the policy wants for it.

    Attributes:
        spec: whose signal it is.
        snapshot: that it read.
        signal: over all sessions up to that one.
        sentence: the regime and its reasons for people.
        explanation: regime, score and reasons.
        decision: target weights for the session, and the orders that an account all in cash would send.
        judged: what prices did after the signal; None where it was not asked for.
    """

    spec: Spec
    snapshot: Snapshot
    signal: LiquiditySignal
    sentence: str
    explanation: Explanation
    decision: Decision
    judged: Judgement | None = None

    @cached_property
    def turn(self) -> Turn | None:
        """What would turn the regime, by everything that may move; None where that cannot be told."""
        return self.turning()

    @cached_property
    def due(self) -> list[Due]:
        """Results and guidance of the signal's companies that are expected next, as known at the decision."""
        data = SignalData.of(self.snapshot, pd.DatetimeIndex(self.signal.score.index), self.spec.signal)
        companies = (*self.spec.signal.companies, *self.spec.signal.further_event_companies)
        moment = self.explanation.session.tz_localize("UTC")
        return due_announcements(data.capex, data.guidance, companies, moment)

    @cached_property
    def switches(self) -> list[Switch]:
        """Every switch of the regime up to the session, and the event or move that did it."""
        return regime_switches(self.signal, event_timeline(self.snapshot), self.spec.signal)

    @cached_property
    def change(self) -> Change | None:
        """What changed since the decision before; None on the first."""
        return change_since_before(self.signal, self.explanation.session, event_timeline(self.snapshot))

    def turning(self, nearest: int | None = None, report: Callable[[str], None] = tell_nobody) -> Turn | None:
        """What would turn the regime: everything that may move, or the nearest moves alone; None as for `turn`."""
        if not is_told(self.spec):
            return None
        if nearest is None and "turn" in self.__dict__:
            return self.turn
        found = read_turn(self.spec, self.snapshot, self.signal, self.explanation.session, nearest, report)
        if nearest is None:
            self.__dict__["turn"] = found  # where `turn` finds it
        return found

    def trades_of(self, turn: Turn | None) -> Mapping[str, pd.Series]:
        """By each regime to which something turns it: weights wanted then, less those wanted now."""
        found = [] if turn is None else [each for move in turn.moves for each in (move.next, move.within)]
        regimes = dict.fromkeys(each.regime for each in found if each is not None and each.regime != self.regime)
        return trades_by_regime(self.spec, self.snapshot, self.signal, self.explanation.session, list(regimes))

    def answer(self, turn: Turn | None) -> list[str]:
        """The regime in at most nine lines, with what would turn it."""
        reasons = self.explanation
        market = f"{'SIMULATED market' if self.snapshot.simulated else 'Market'} {self.snapshot.name}"
        sides = signal_sides(self.signal, reasons.session, self.spec.signal)
        return answer_lines(
            market, reasons, self.spec.signal, sides, self.change, turn, self.due, self.targets, self.signal.notes
        )

    @property
    def regime(self) -> str:
        """SCARCE, NEUTRAL or ABUNDANT."""
        return str(self.explanation.regime)

    @property
    def score(self) -> float:
        """The score of the session; + means scarcer."""
        return self.explanation.score

    @property
    def targets(self) -> pd.Series:
        """Target weights for the session, by symbol."""
        return self.decision.targets

    @cached_property
    def history(self) -> pd.DataFrame:
        """The signal of every session, by the moment (UTC) at which it was decided.

        Columns: the session that it was decided for, regime, score, live blocks, and what each block and input gave.
        """
        frame = signal_history(self.signal, self.switches).reset_index()
        return frame.set_index(pd.DatetimeIndex(pd.to_datetime(frame.pop("decided_at"), utc=True), name="decided_at"))

    def at(self, moments: Iterable[Any]) -> pd.DataFrame:
        """The signal in force at moments of one's own: of the newest decision that was taken by then.

        For another engine: ask for the moment at which it sends the order that a bar decides, not for the bar's day.

        Args:
            moments: times with an offset from UTC, in any order.

        Returns:
            By moment (UTC), in the order given: ``decided_at`` (UTC), the ``session`` decided for, ``regime`` (text),
            ``score`` (standard deviations; + means scarcer). NaN or NaT before the first decision, nowhere else.

        Raises:
            InputError: a time has no offset from UTC, or is that of a decision which this market does not reach.
        """
        return signal_at(self.history, moments)

    def page(self) -> str:
        """The signal from the start of the spec's run to the session, as a page that is complete in itself."""
        session, trades = self.explanation.session, self.trades_of(self.turn)
        judged = None if self.judged is None else judged_part(self.judged)
        return signal_page(self.spec, self.snapshot, self.signal, session, self.turn, self.due, trades, judged)

    def __repr__(self) -> str:
        market = f"{'SIMULATED market' if self.snapshot.simulated else 'market'} {self.snapshot.name}"
        reasons = self.explanation
        blocks = ", ".join(f"{block.name} {block.contribution:+.2f}" for block in reasons.blocks)
        wanted = self.targets[self.targets > 0].sort_values(ascending=False, kind="stable")
        return _lines(
            [
                f"{self.spec.run.name} on {market}, decided for {reasons.session.date()}",
                f"{self.sentence}.",
                f"score {reasons.score:+.2f} (+ means scarcer): {blocks}",
                f"targets: {', '.join(f'{symbol} {weight:.1%}' for symbol, weight in wanted.items()) or 'cash'}",
                f"history: {len(self.signal.score)} sessions",
            ]
        )

    def _repr_html_(self) -> str:
        return signal_html(self.snapshot, self.sentence, self.explanation)


@dataclass(frozen=True, repr=False, eq=False)
class AuditResult:
    """A finished audit.

    Attributes:
        report: all of it.
    """

    report: AuditReport

    @property
    def holds(self) -> bool:
        """Whether no row that was decided changed with the future, and the run says the same when it is run again."""
        return self.report.holds

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """Every leak by name: column, session, the input that explains it."""
        return self.report.leaks

    @property
    def checks(self) -> pd.DataFrame:
        """By question: what was tried, in how many runs, the verdict, what came of it."""
        rows = [(each.key, each.tried, each.count, each.verdict, each.text) for each in self.report.checks]
        return pd.DataFrame(rows, columns=["check", "tried", "runs", "verdict", "text"]).set_index("check")

    def page(self) -> str:
        """The audit as a page that is complete in itself."""
        return audit_page(self.report)

    def __repr__(self) -> str:
        said = [f"{check.verdict:<14} {check.tried}: {check.text}" for check in self.report.checks]
        return _lines([title(self.report), *said, *map(leak_text, self.leaks), verdict(self.report)])


def _lines(lines: Sequence[str]) -> str:
    """Lines of a `repr`, in which names of others steer no terminal."""
    return "\n".join(printable(line) for line in lines)
