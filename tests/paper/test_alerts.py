"""Alerts, sent by Apprise to a server on loopback: who hears what, once; secrets stay out of everything."""

import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from paper.config import AlertsSection, PaperConfig
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.service.alerts import Alerts
from paper.service.attended_step import Attendant
from paper.step.account import StepReport

pytest.importorskip("apprise")

SECRET = "s3cretpassword"
VARIABLE = "REVERSE_QE_ALERT_URLS"


class Receiver:
    """A web hook on loopback that remembers what was posted, and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.received]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    running = Receiver()
    monkeypatch.setenv(VARIABLE, running.url)
    yield running
    running.server.shutdown()
    running.server.server_close()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def alerts(*on: str) -> Alerts:
    config = AlertsSection.model_validate({"urls_env": (VARIABLE,), **({"on": on} if on else {})})
    return Alerts(config, "mine")


def test_an_alert_arrives_with_account_kind_and_text(receiver: Receiver) -> None:
    said: list[str] = []
    alerts().send("halt", "drawdown: too deep", said.append)
    (message,) = receiver.received
    assert message["title"] == "Reverse QE, paper account mine: halt"
    assert message["message"] == "drawdown: too deep"
    assert said == []


def test_only_the_kinds_that_are_wanted_are_sent(receiver: Receiver) -> None:
    for kind in ("halt", "fault", "decision"):
        alerts("decision").send(kind, "text", print)  # type: ignore[arg-type]
        alerts("halt", "fault").send(kind, "text", print)  # type: ignore[arg-type]
    assert [title.rpartition(" ")[2] for title in receiver.titles] == ["halt", "fault", "decision"]


def test_everybody_is_told_and_one_who_cannot_be_reached_keeps_nobody_else_from_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, f"json://user:{SECRET}@127.0.0.1:{closed_port()}/ {receiver.url}")
    said: list[str] = []
    assert len(alerts()) == 2
    alerts().send("halt", "text", said.append)
    assert len(receiver.received) == 1
    (line,) = said
    assert line.startswith(f"! an alert could not be delivered to {VARIABLE} (1 of 2): ")
    assert "\n" not in line
    assert SECRET not in line + caplog.text


def test_an_answer_that_is_no_success_is_told(receiver: Receiver) -> None:
    receiver.status = 500
    said: list[str] = []
    assert not alerts().test(said.append)
    assert len(said) == 1
    assert SECRET not in said[0]
    receiver.status = 200
    assert alerts().test(said.append)
    assert len(said) == 1


@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_variable_that_is_not_set_is_one_line(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(InputError, match=f"alerts.urls_env names {VARIABLE}, which is not set"):
        alerts()


def test_an_address_that_is_none_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"nosuch://user:{SECRET}@example.com")
    with pytest.raises(InputError, match="holds no address that Apprise understands") as refused:
        alerts()
    assert SECRET not in str(refused.value)


def test_without_the_extra_alerts_are_refused_in_one_line(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(InputError, match=r"pip install '\.\[alerts\]' in the checkout"):
        alerts()
    assert len(Alerts(AlertsSection(), "mine")) == 0


# Steps and their alerts.

NOW = datetime(2024, 1, 16, 0, 20, tzinfo=UTC)


@pytest.fixture
def attendant(receiver: Receiver, tmp_path: Path) -> Attendant:
    config = PaperConfig.model_validate(
        {
            "market": "sample",
            "spec": "sample",
            "state": {"path": tmp_path / "state"},
            "alerts": {"urls_env": (VARIABLE,), "on": ("halt", "fault")},
        }
    )
    return Attendant(config, Alerts(config.alerts, "mine"), print)


def ends_with(monkeypatch: pytest.MonkeyPatch, halt: str = "", fault: str = "", refused: str = "") -> None:
    """Let the next steps end so, and write what a step writes of it."""

    def run_step(
        config: PaperConfig, session: date | None, dry_run: bool, now: datetime, report: Any, check: Any
    ) -> StepReport:
        if refused:
            raise InputError(refused)
        with Ledger(config.state_folder / LEDGER_FILE) as ledger:
            if halt and ledger.halt() is None:
                ledger.write_event("halt", halt, NOW)
            ledger.write_event("step", f"nothing to decide; {fault}", NOW)
        return StepReport("mine", None, NOW, dry_run, halt=halt, fault=fault)

    monkeypatch.setattr("paper.service.attended_step.run_step", run_step)


def test_a_halt_is_told_once(attendant: Attendant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_with(monkeypatch, halt="drawdown: too deep")
    for _ in range(3):
        assert attendant.step(now=NOW).halt
    (message,) = receiver.received
    assert "drawdown: too deep" in message["message"]
    assert "paper resume --why" in message["message"]


def test_a_fault_is_told_when_it_is_new(
    attendant: Attendant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault in ("no answer", "no answer", "", "no answer", "another"):
        ends_with(monkeypatch, fault=fault)
        attendant.step(now=NOW)
    assert [each["message"] for each in receiver.received] == ["no answer", "no answer", "another"]


def test_a_step_that_cannot_begin_is_told_when_that_is_new(
    attendant: Attendant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_with(monkeypatch, refused="no market live")
    for _ in range(2):
        with pytest.raises(InputError, match="no market live"):
            attendant.step(now=NOW)
    assert [each["message"] for each in receiver.received] == ["no market live"]


def test_a_dry_run_and_a_replay_alert_nobody(
    attendant: Attendant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_with(monkeypatch, halt="drawdown", fault="no answer")
    attendant.step(dry_run=True, now=NOW)
    attendant.step(session=date(2024, 1, 16), now=NOW)
    assert receiver.received == []


def test_an_alert_that_cannot_be_delivered_stops_no_step(
    attendant: Attendant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 503
    ends_with(monkeypatch, halt="drawdown: too deep")
    assert attendant.step(now=NOW).halt == "drawdown: too deep"
    said = capsys.readouterr().out
    assert "could not be delivered" in said
    assert SECRET not in said
