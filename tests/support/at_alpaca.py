"""The account of `late_world` at a double of Alpaca, which books no action of the market by itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import alpaca_double
from data.net.settings import SourceSettings
from late_world import Action, LateWorld
from paper.brokers.alpaca import broker as alpaca
from paper.brokers.alpaca import requests as alpaca_requests
from paper.config import PaperConfig
from paper.step.step_report import StepReport

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 13)


class AtAlpaca(LateWorld):
    """The account at a double of Alpaca, which books nothing by itself."""

    double: Any

    @property
    def config(self) -> PaperConfig:
        broker = {"kind": "alpaca", "endpoint": self.double.url}
        return PaperConfig.model_validate(super().config.model_dump() | {"broker": broker})

    def step(self, session: date, **given: Any) -> StepReport:
        self.move(session)
        return super().step(session, **given)

    def move(self, session: date) -> None:
        """Let time pass until the step of a session."""
        now = datetime(session.year, session.month, session.day, 0, 20, tzinfo=UTC)
        for moment in (now - timedelta(hours=12), now):
            self.double.prices["MU"] = Decimal(repr(self._price(moment.date())))
            self.double.now = max(moment, self.double.now)
        self.double.prices["MU"] = Decimal(repr(self._price(session)))

    def book(self, kind: str, amount: float, day: date, **more: str) -> None:
        """Let the broker book cash of a day by itself."""
        self.double._add_activity({"activity_type": kind, "date": str(day), "net_amount": repr(amount), **more})
        self.double.cash += Decimal(repr(amount))


@contextmanager
def at_alpaca(folder: Path, *actions: Action, last: date = LAST) -> Iterator[AtAlpaca]:
    keys = {"ALPACA_API_KEY_ID": alpaca_double.KEY, "ALPACA_API_SECRET_KEY": alpaca_double.SECRET}
    opened = datetime(2026, 2, 27, 20, tzinfo=UTC)
    with (
        mock.patch.dict(os.environ, keys),
        mock.patch.object(alpaca_requests, "ASKING", SourceSettings(attempts=2, pause=0.0, longest_wait=1.0)),
        mock.patch.object(alpaca_requests, "PER_SECOND", 1e6),
        mock.patch.object(alpaca, "FILL_WAIT", 0.0),
        alpaca_double.running({"MU": 100.0, "CRM": 10.0}, 100_000.0, opened) as double,
    ):
        world = AtAlpaca(folder, actions, FIRST, last)
        world.double = double
        yield world
