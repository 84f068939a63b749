"""A paper account, replayed on a made-up market, in which causes of a difference from its backtest can be planted."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import tomli_w

from backtests.execution.book import Book, Movement, Notes
from data.clock import sessions_between
from data.market.snapshot import Snapshot, save
from data.market.tables import ACTIONS
from hand_made import make_instrument, make_snapshot
from paper.brokers.simulated import broker as simulated
from paper.brokers.simulated.late import Key, Owed, Played
from paper.brokers.simulated.revisions import Revisions
from paper.config import PaperConfig
from paper.explain.causes import Cause
from paper.step.account import halt, resume, run_step
from strategies.fills import OrderStatus

STOCKS = ("MU", "STX")
COIN = "BTC-USD"
DIVIDEND_ON, SPLIT_ON = 6, 9
# A ratio that no guard takes for a split's, so that an account which is told late is not halted.
DIVIDEND, SPLIT = 1.5, 1.07
# Places of sessions at which something is planted.
MISSED, HALTED, PAID, MOVED, CUT = (5, 6), (10, 11), 4, 4, (1, 16)


@dataclass
class Plants:
    """Causes that are planted into the steps of an account, whatever its market.

    Attributes:
        causes: that are planted; those of the market and of the spec are the caller's.
    """

    causes: Collection[Cause]

    def steps(self, config: PaperConfig, days: Sequence[date]) -> Iterator[int]:
        """Take the steps of sessions, with what is planted; yield the place of each that was taken."""
        with self.applied():
            for place, day in enumerate(days):
                if Cause.HALTS in self.causes and place == HALTED[0]:
                    halt(config, "a test")
                if Cause.HALTS in self.causes and place == HALTED[-1] + 1:
                    resume(config, "a test")
                if Cause.STEPS in self.causes and place in MISSED:
                    continue
                told = run_step(config, day)
                assert bool(told.halt) == (Cause.HALTS in self.causes and place in HALTED), told.halt
                assert not told.fault
                yield place

    @contextmanager
    def applied(self) -> Iterator[None]:
        world = self

        class PlantedBook(Book):
            def play(self, row: int, orders: Any, sessions: Any, notes: Notes | None = None) -> list[int]:
                assert notes is not None
                brought = world._bring(self, row)
                found = super().play(row, orders, sessions, notes)
                notes.movements += brought
                world._plant(self, notes, row)
                return found

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(simulated, "Book", PlantedBook))
            # What came from outside is no action that the broker could take back.
            played = Revisions._played
            known = lambda its, row: [replace(each, booked=_of_actions(each)) for each in played(its, row)]  # noqa: E731
            stack.enter_context(mock.patch.object(Revisions, "_played", known))
            if Cause.FILL_TIMES in self.causes:
                first = simulated._first_open
                later = lambda order: first(order) + pd.Timedelta(days=1)  # noqa: E731
                stack.enter_context(mock.patch.object(simulated, "_first_open", later))
            yield

    def _bring(self, book: Book, row: int) -> list[Movement]:
        """Cash and units that come from outside before a session."""
        found = []
        if Cause.DEPOSITS in self.causes and row == PAID:
            book.cash += 5_000.0
            found.append(Movement(-1, "transfer", 5_000.0, 0.0))
        if Cause.MANUAL in self.causes and row == MOVED:
            book.units = book.units + np.eye(len(book.units))[0] * 7.0
            found.append(Movement(0, "transfer", 0.0, 7.0))
        return found

    def _plant(self, book: Book, notes: Notes, row: int) -> None:
        """Change what a session did to a book, and what is told of it."""
        units = book.units.copy()
        for at, trade in enumerate(notes.trades):
            sign = 1.0 if trade.side == "buy" else -1.0
            changed = trade
            if Cause.CUTS in self.causes and row in CUT and trade.size > 0:
                changed = changed._replace(size=trade.size / 2, commission=trade.commission / 2)
                changed = changed._replace(status=OrderStatus.REDUCED, reason="cut to the broker's largest order")
            spent = changed.size * changed.price + changed.commission if trade.size > 0 else 0.0
            if Cause.FILL_PRICES in self.causes and trade.size > 0:
                changed = changed._replace(price=trade.price * (1.0 - sign * 0.002))
            if Cause.FEES in self.causes and trade.size > 0:
                changed = changed._replace(commission=changed.commission / 2)
            if trade.size > 0:
                # A buy is for a sum of money: what is cheaper buys more.
                rate = changed.commission / (changed.size * trade.price)
                size = spent / (changed.price * (1.0 + rate)) if sign > 0 else changed.size
                changed = changed._replace(size=size, commission=rate * size * changed.price)
            if trade.size > 0:
                book.cash += _paid(trade, sign) - _paid(changed, sign)
                units[trade.place] += sign * (changed.size - trade.size)
            notes.trades[at] = changed
        if Cause.DIVIDENDS in self.causes:
            for movement in [each for each in notes.movements if each.kind in simulated.PAYMENTS]:
                book.cash -= movement.amount
                notes.movements.remove(movement)
        book.units = units


@dataclass
class PlantedWorld:
    """An account over so many sessions.

    Attributes:
        folder: of spec, regimes and ledger; `REVERSE_QE_HOME` must be another one of the test.
        causes: that are planted.
        sessions: that are stepped, of the 16 or more of the market.
        seed: of the prices.
    """

    folder: Path
    causes: Collection[Cause]
    sessions: int = 16
    seed: int = 1
    days: list[date] = field(init=False)

    def __post_init__(self) -> None:
        """Write the spec and the first version of the market."""
        self.folder.mkdir(parents=True, exist_ok=True)
        begin, end = pd.Timestamp("2024-03-04"), pd.Timestamp("2024-12-31")
        self.days = [day.date() for day in sessions_between(begin, end)][: max(self.sessions, 16)]
        spec = {
            "run": {"name": "planted", "start": self.days[0], "prices": "raw", "initial_cash": 100_000.0},
            "universe": {"speculative": [COIN], "cash_flow": list(STOCKS), "benchmark": "MU"},
            "signal": {"source": "regimes.csv"},
            "policy": {"rebalance": "weekly", "instrument_cap": 0.6},
            "order_rules": {"band": 0.0},
        }
        (self.folder / "spec.toml").write_text(tomli_w.dumps(spec), encoding="utf-8")
        self._tell(["2020-01-02T00:00:00+00:00,SCARCE", f"{self.days[7]}T00:00:00+00:00,ABUNDANT"])
        save(self._market("planted.1", told=Cause.LATE_ACTIONS not in self.causes))

    @property
    def config(self) -> PaperConfig:
        """Of the account: no limit halts it."""
        limits = {"largest_order": 10, "largest_position": 10, "largest_turnover_a_day": 10, "price_move_halt": 1000}
        return PaperConfig.model_validate(
            {
                "market": "planted",
                "spec": str(self.folder / "spec.toml"),
                "state": {"path": self.folder / "state"},
                "limits": limits | {"drawdown_halt": 1.0, "stale_sessions_halt": 1000},
            }
        )

    def run(self) -> "PlantedWorld":
        """Take the steps of all sessions, with what is planted."""
        for place in Plants(self.causes).steps(self.config, self.days[: self.sessions]):
            if place == SPLIT_ON + 1:
                self._revise()
        if Cause.CODE in self.causes:
            self._tell(["2020-01-02T00:00:00+00:00,SCARCE", f"{self.days[2]}T00:00:00+00:00,ABUNDANT"])
        return self

    def _revise(self) -> None:
        if {Cause.LATE_ACTIONS, Cause.DATA} & set(self.causes):
            save(self._market("planted.2", told=True, revised=Cause.DATA in self.causes))

    def _tell(self, lines: list[str]) -> None:
        (self.folder / "regimes.csv").write_text("\n".join(["known_at,regime", *lines, ""]), encoding="utf-8")

    def _market(self, name: str, told: bool, revised: bool = False) -> Snapshot:
        chance = np.random.default_rng(self.seed)
        begin, end = pd.Timestamp(self.days[0]) - pd.Timedelta(days=12), pd.Timestamp(self.days[-1])
        bars: dict[str, list[tuple[str, float | None, float]]] = {}
        for symbol in (*STOCKS, COIN):
            days = pd.date_range(begin, end) if symbol == COIN else sessions_between(begin, end)
            closes = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.02, len(days))))
            opens = closes * np.exp(chance.normal(0.0, 0.01, len(days)))
            lines = []
            for day, opened, closed in zip(days, opens.tolist(), closes.tolist(), strict=True):
                factor = 1.0 / SPLIT if symbol == "MU" and day.date() >= self.days[SPLIT_ON] else 1.0
                if revised and symbol == "STX" and day.date() in self.days[3:5]:
                    factor = 1.01
                lines.append((f"{day:%Y-%m-%d}", opened * factor, closed * factor))
            bars[symbol] = lines
        snapshot = make_snapshot(bars, {COIN: make_instrument("crypto")}, name=name, as_traded=True)
        rows = [("STX", self.days[DIVIDEND_ON], "dividend", DIVIDEND), ("MU", self.days[SPLIT_ON], "split", SPLIT)]
        known = [
            (symbol, pd.Timestamp(on), kind, value, pd.Timestamp("2020-01-02", tz="UTC"), "test")
            for symbol, on, kind, value in rows
            if told or kind == "dividend"
        ]
        table = snapshot.bars.copy()
        paid = table[(table["symbol"] == "STX") & (table["date"] < pd.Timestamp(self.days[DIVIDEND_ON]))]
        table.loc[paid.index, "adj_close"] *= 1.0 - DIVIDEND / float(paid["close"].iloc[-1])
        is_split = (table["symbol"] == "MU") & (table["date"] < pd.Timestamp(self.days[SPLIT_ON]))
        table.loc[is_split, "adj_close"] /= SPLIT if told else 1.0
        snapshot = replace(snapshot, bars=table)
        return replace(snapshot, actions=ACTIONS.conform(pd.DataFrame(known, columns=list(ACTIONS.columns))))


def _of_actions(played: Played) -> dict[Key, Owed]:
    return {key: owed for key, owed in played.booked.items() if key.kind != "transfer"}


def _paid(trade: Any, sign: float) -> float:
    return float(sign * trade.size * trade.price + trade.commission)
