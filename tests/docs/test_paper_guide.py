"""docs/paper-trading.md, command by command: in its order, in an empty folder, with doubles of what lies outside."""

import re
import shlex
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import alpaca_double
import fetch_world
from backtests.prepare.needs import needs_of
from backtests.spec.spec import load_spec
from paper import config
from paper.brokers.alpaca import requests as alpaca_requests
from paper.service.schedule import keep_stepping
from paper.storage import database
from reverse_qe.cli import main

pytest.importorskip("apprise")
pytest.importorskip("alpaca")

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "paper-trading.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```", PAGE, re.M | re.S)
# Where the page's daily steps are taken: twenty minutes after the decision for a Tuesday.
NOW = datetime(2026, 1, 13, 0, 20, tzinfo=UTC)


class FixedTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW


@pytest.fixture
def posted() -> Iterator[Any]:
    """A receiver of alerts on loopback: `posted.url`, `posted.count`."""

    class Handler(BaseHTTPRequestHandler):
        count = 0
        url = ""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            Handler.count += 1
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    Handler.url = f"json://user:password@127.0.0.1:{server.server_port}/"
    yield Handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def reader(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    posted: Any,
) -> Iterator["Reader"]:
    monkeypatch.chdir(tmp_path)
    for module in ("paper.step.account", "paper.service.check", "paper.overview.status", "reverse_qe.commands.paper"):
        monkeypatch.setattr(f"{module}.datetime", FixedTime)
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    monkeypatch.setattr(alpaca_requests, "PER_SECOND", 1e6)
    # `paper run` is told to stop after its first step.
    monkeypatch.setattr(
        "paper.service.staying_up.keep_stepping",
        lambda *given: keep_stepping(*given[:3], lambda _seconds: True, given[4]),
    )
    needs = needs_of(load_spec("history"))
    bars = {symbol: fetch_world.made_bars(symbol, "2025-10-01", "2026-01-12") for symbol in needs.symbols}
    world = fetch_world.World(bars, series=defaultdict(lambda: fetch_world.made_series({"2026-01-09": 4.0})))
    for place in ("data.fetch.collect.public_sources", "paper.step.refresh.public_sources"):
        monkeypatch.setattr(place, lambda _settings: world.sources())
    prices = {symbol.replace("-", "/"): float(frame["close"].iloc[-1]) for symbol, frame in bars.items()}
    with alpaca_double.running(prices, now=NOW) as double:
        keys = {"ALPACA_API_KEY_ID": alpaca_double.KEY, "ALPACA_API_SECRET_KEY": alpaca_double.SECRET}
        yield Reader(monkeypatch, capsys, keys | {"REVERSE_QE_ALERT_URLS": posted.url}, double)


class Reader:
    """Does what the page says; doubles stand in for addresses and keys."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: dict[str, str], double: Any
    ) -> None:
        self.monkeypatch, self.capsys, self.keys, self.double = monkeypatch, capsys, keys, double
        self.done: list[str] = []
        self.answers: dict[str, str] = {}

    def follow(self, line: str) -> None:
        words = shlex.split(line)
        acts: dict[str, Callable[[list[str]], None]] = {
            "reverse-qe": self._call,
            "export": self._export,
            "pip": self._require_extra,
            "touch": lambda given: Path(given[0]).touch(),
            "rm": lambda given: Path(given[0]).unlink(),
        }
        acts[words[0]](words[1:])
        self.done.append(line)

    def _call(self, words: list[str]) -> None:
        self.monkeypatch.setattr(sys, "argv", ["reverse-qe", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        said = self.capsys.readouterr()
        # Of `init` and `halt`, which print their word and return, as of all that check: everything goes well.
        assert not stop.value.code, f"{words}: {said.out}{said.err}"
        self.answers[" ".join(words)] = said.out
        if words[:2] == ["paper", "init"] and "alpaca" in words:
            path = Path(words[-1])
            path.write_text(path.read_text().replace(config.PAPER_ENDPOINT, self.double.url))

    def _export(self, words: list[str]) -> None:
        name, _, shown = words[0].partition("=")
        assert shown
        self.monkeypatch.setenv(name, self.keys[name])

    def _require_extra(self, words: list[str]) -> None:
        (extra,) = re.findall(r"^\.\[(\w+)\]$", words[-1])
        assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    def configure(self, text: str) -> None:
        """Put a section of the page into paper.toml, in the place of the one that is there."""
        (head,) = re.findall(r"^\[\w+\]$", text, re.M)
        path = Path("paper.toml")
        before, _, after = path.read_text().partition(f"{head}\n")
        path.write_text(before + text + after[after.index("\n[") :])


def test_every_command_of_the_page_does_what_it_says(reader: Reader, posted: Any) -> None:
    sections = {language: text for language, _, text in BLOCKS if language == "toml"}
    for language, needs, text in BLOCKS:
        if language == "sh" and needs != "tonight":
            if needs == "alerts":
                # What the page puts below the commands has to be there when the last of them is called.
                reader.configure(sections["toml"])
            for line in text.splitlines():
                reader.follow(line)
    shown = {shown.strip() for shown in re.findall(r"reverse-qe paper step[^>\n]*", PAGE)} - {"reverse-qe paper step"}
    # Of another account, which the next test opens.
    shown.discard("reverse-qe paper step --config tonight.toml")
    assert shown <= set(reader.done)

    assert "against" in reader.answers["paper status"]
    assert "NOT SENT" not in "".join(reader.answers.values())
    assert "; rebalancing." in reader.answers["paper step --config daily.toml"]
    assert len(reader.double.orders) > 0
    assert "agree" in reader.answers["paper reconcile --config alpaca.toml"]
    assert posted.count >= 1


def test_five_commands_from_an_empty_machine_to_the_first_order(reader: Reader) -> None:
    """An account of 1,000 US dollars, in the order of the page; nothing is there before."""
    (commands,) = [text.splitlines() for language, needs, text in BLOCKS if (language, needs) == ("sh", "tonight")]
    assert len(commands) == 5
    reader.double.cash = Decimal(1000)
    for line in commands:
        reader.follow(line)
    assert len(reader.double.orders) > 0
    assert sum(Decimal(order["notional"] or 0) for order in reader.double.orders) <= 1000
    said = reader.answers["paper step --config tonight.toml"].splitlines()
    assert len(said) <= 6
    text = " ".join(said)
    assert "for 2026-01-13" in text
    assert "equity 1,000.00 USD" in text
    assert f"Sent {len(reader.double.orders)} orders: buy " in text
    assert "stocks at the open of New York, 2026-01-13 14:30 UTC" in text
    assert "This account does not book: dividends, regulatory fees." in text
    assert "Step next at 2026-01-13 14:20 UTC" in text


def test_the_first_step_checks_before_it_opens_an_account(reader: Reader, tmp_path: Path) -> None:
    """A key that Alpaca does not know: one line with the remedy, and no account."""
    for line in ("reverse-qe data fetch --name live", "reverse-qe paper init --broker alpaca tonight.toml"):
        reader.follow(line)
    for keys, told in (({}, "key: ALPACA_API_KEY_ID is not set"), ({"ALPACA_API_KEY_ID": "no"}, "broker: ")):
        reader.monkeypatch.setenv("ALPACA_API_SECRET_KEY", "no")
        for name, value in keys.items():
            reader.monkeypatch.setenv(name, value)
        reader.monkeypatch.setattr(sys, "argv", ["reverse-qe", "paper", "step", "--config", "tonight.toml"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        (line,) = [each for each in reader.capsys.readouterr().err.splitlines() if told in each]
        assert line.startswith("Error: ")
    assert reader.double.orders == []


def test_the_page_has_the_defaults_of_the_limits() -> None:
    shown = dict(re.findall(r"^\| [\w ]+ \| `(\w+)`, ([\d.]+) \|", PAGE, re.M))
    defaults = config.LimitsSection().model_dump(exclude={"kill_file"})
    assert {key: float(value) for key, value in shown.items()} == defaults


def test_the_page_numbers_every_invariant() -> None:
    assert re.findall(r"^- \*\*(I\d)\*\*", PAGE, re.M) == [f"I{number}" for number in range(1, 10)]
