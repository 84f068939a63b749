"""A paper account whose market tells actions late: one stock in the basket, all of the money in it, no costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import tomli_w

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS
from hand_made import make_snapshot
from paper.config import PaperConfig
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.ledger.records import Holdings
from paper.step import step as stepping
from paper.step.account import resume, run_step
from paper.step.step_report import StepReport


@dataclass(frozen=True)
class Action:
    """What happens to a unit of MU, and the first session whose step can know of it.

    Attributes:
        kind: ``dividend``, ``split`` or ``delisting``.
        value: of the table of actions.
        on: the session on which it takes effect.
        told: the session by whose step the market has it; `on` or earlier: in time.
    """

    kind: str
    value: float
    on: date
    told: date


@dataclass
class LateWorld:
    """An account on a market in which MU costs `price` as long as nothing happens.

    Attributes:
        folder: of spec and ledger.
        actions: of MU.
        first: of the account's sessions.
        last: of its sessions.
        price: of MU, US dollars, before any action.
        settings: of the spec, by section.
        closes: closes of MU that differ from what actions make of the price, by session.
        halts: the sessions whose step halted; it was resumed at once.
    """

    folder: Path
    actions: Sequence[Action]
    first: date
    last: date
    price: float = 100.0
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    closes: Mapping[date, float] = field(default_factory=dict)
    halts: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Write the spec."""
        self.folder.mkdir(parents=True, exist_ok=True)
        free = {"commission_bp": 0}
        spec: dict[str, Any] = {
            "run": {"name": "late", "start": self.first, "prices": "raw"},
            "universe": {"speculative": ["CRM"], "cash_flow": ["MU"], "benchmark": "CRM"},
            "signal": {"source": "regimes.csv"},
            "policy": {
                "instrument_cap": 1.0,
                "budgets": {"SCARCE": {"speculative": 0.0, "cash_flow": 1.0, "reserve": 0.0}},
            },
            "costs": {"us_stock": free},
        }
        for section, values in self.settings.items():
            spec[section] = {**spec.get(section, {}), **values}
        (self.folder / "spec.toml").write_text(tomli_w.dumps(spec), encoding="utf-8")
        (self.folder / "regimes.csv").write_text(
            "known_at,regime\n2020-01-02T00:00:00+00:00,SCARCE\n", encoding="utf-8"
        )

    @property
    def config(self) -> PaperConfig:
        """Of the account: no limit but those of splits."""
        limits = {
            "largest_order": 10.0,
            "largest_position": 10.0,
            "largest_turnover_a_day": 10.0,
            "price_move_halt": 1000.0,
            "drawdown_halt": 1.0,
            "stale_sessions_halt": 1000,
        }
        return PaperConfig.model_validate(
            {
                "market": "late",
                "spec": str(self.folder / "spec.toml"),
                "state": {"path": self.folder / "state"},
                "limits": limits,
            }
        )

    @property
    def sessions(self) -> list[date]:
        """Those of the account."""
        return [day.date() for day in sessions_between(pd.Timestamp(self.first), pd.Timestamp(self.last))]

    def market(self, session: date, everything: bool = False) -> Snapshot:
        """The market at the step for a session: bars of the days before, actions as far as they are told.

        Args:
            session: of the step.
            everything: whether all actions are told, and all bars are there.
        """
        told = [each for each in self.actions if everything or each.told <= session]
        begin = pd.Timestamp(self.first) - pd.Timedelta(days=10)
        end = pd.Timestamp(self.last) if everything else pd.Timestamp(session) - pd.Timedelta(days=1)
        days = sessions_between(begin, end)
        prices = [(f"{day:%Y-%m-%d}", self._price(day.date()), self._price(day.date())) for day in days]
        prices = [each for each, day in zip(prices, days, strict=True) if not self._is_gone(day.date())]
        snapshot = make_snapshot(
            {"MU": prices, "CRM": [(f"{day:%Y-%m-%d}", 10.0, 10.0) for day in days]},
            name=f"late.{session:%m%d}",
            as_traded=True,
        )
        bars = snapshot.bars.copy()
        of_mu = bars["symbol"] == "MU"
        bars.loc[of_mu, "adj_close"] = bars.loc[of_mu, "close"] * [
            self._adjustment(day.date(), told) for day in bars.loc[of_mu, "date"]
        ]
        rows = [
            ("MU", pd.Timestamp(each.on), each.kind, each.value, pd.Timestamp("2020-01-02", tz="UTC"), "test")
            for each in told
        ]
        actions = pd.DataFrame(rows, columns=list(ACTIONS.columns)) if rows else ACTIONS.empty()
        return replace(snapshot, bars=bars, actions=actions)

    def step(self, session: date, **given: Any) -> StepReport:
        """The step of a day; one that halts is resumed, and its session is noted."""
        now = datetime(session.year, session.month, session.day, 0, 20, tzinfo=UTC)
        snapshot = self.market(session)
        with mock.patch.object(stepping, "newest_snapshot", return_value=snapshot):
            told = run_step(self.config, now=now, **given)
            if told.halt:
                self.halts.append(session)
                resume(self.config, "a test goes on")
        return told

    def run(self) -> "LateWorld":
        """Take the step of every session, and the one after the last."""
        for session in [*self.sessions, self._after(self.last)]:
            self.step(session)
        return self

    def holdings(self) -> Holdings:
        with self.ledger() as ledger:
            return ledger.holdings()

    def is_open(self) -> bool:
        """Whether a step has opened the account."""
        if not (self.config.state_folder / LEDGER_FILE).is_file():
            return False
        with self.ledger() as ledger:
            return ledger.account() is not None

    def ledger(self) -> LedgerReader:
        return LedgerReader(self.config.state_folder / LEDGER_FILE)

    def _after(self, session: date) -> date:
        return sessions_between(pd.Timestamp(session + timedelta(days=1)), pd.Timestamp(session + timedelta(days=9)))[
            0
        ].date()

    def _price(self, day: date) -> float:
        """What actions have left of the price; a real price knows them, whether they are told or not."""
        price = self.price
        for each in sorted(self.actions, key=lambda action: action.on):
            if each.on <= day and each.kind == "split":
                price /= each.value
            elif each.on <= day and each.kind == "dividend":
                price -= each.value
        return self.closes.get(day, price)

    def _is_gone(self, day: date) -> bool:
        return any(each.kind == "delisting" and day > each.on for each in self.actions)

    def _adjustment(self, day: date, told: Sequence[Action]) -> float:
        """What told actions after a day make of a price of it."""
        factor = 1.0
        for each in told:
            if each.on <= day:
                continue
            if each.kind == "split":
                factor /= each.value
            elif each.kind == "dividend":
                before = self._price(each.on - timedelta(days=1))
                factor *= 1.0 - each.value / before
        return factor
