"""`reverse-qe paper explain`: what it prints and writes is what the replays say; what it refuses."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledgers_by_hand import edited
from outcomes import Outcome
from paper import market
from paper.config import read_config
from paper.explain.causes import MEANS, Cause
from paper.explain.explain import explain
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.storage import database
from planted_causes import PlantedWorld

Call = Callable[..., Outcome]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command: Call) -> Iterator[Call]:
    """Runs `reverse-qe paper explain` beside an account that missed steps, and a dividend of which was not paid."""
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    monkeypatch.chdir(tmp_path)
    market._SNAPSHOTS.clear()
    market._MARKETS.clear()
    account = PlantedWorld(tmp_path / "account", [Cause.STEPS, Cause.DIVIDENDS], sessions=9).run()
    lines = [
        'market = "planted"',
        f'spec = "{account.config.spec}"',
        "[state]",
        f'path = "{account.config.state_folder}"',
    ]
    Path("paper.toml").write_text("\n".join(lines), encoding="utf-8")
    yield lambda *words: run_command("paper", "explain", *words)
    market._SNAPSHOTS.clear()
    market._MARKETS.clear()


def test_it_says_a_row_a_cause_and_what_is_behind_it(call: Call, tmp_path: Path) -> None:
    told = explain(read_config(tmp_path / "paper.toml"))
    text = call()
    assert text.code == 0
    for row in told.causes:
        (line,) = re.findall(rf"^{row.cause}  .*$", text.out, re.M)
        assert (f"{row.amount:+,.2f}" in line) == (abs(row.amount) >= 0.005)
    assert "missed or late steps: 2024-03-11, 2024-03-12\n" in text.out
    assert "the last replay is the backtest" in " ".join(text.out.split())
    as_json = call("--json").json
    assert [each["cause"] for each in as_json["causes"]] == list(Cause)
    assert as_json["explained"]
    assert sum(each["amount"] for each in as_json["causes"]) == pytest.approx(as_json["difference"])
    last = as_json["by_session"][-1]
    assert (last.pop("session"), sum(last.values())) == ("2024-03-14", pytest.approx(as_json["difference"]))


def test_the_page_has_the_rows_and_a_chart(call: Call, tmp_path: Path) -> None:
    outcome = call("--from", "2024-03-12", "--to", "2024-03-14", "--page", "why.html")
    assert (outcome.code, "Page: why.html" in outcome.err) == (0, True)
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert page.count("<h2") == 1
    assert "Account less backtest by cause, US dollars" in page
    for cause in Cause:
        assert cause in page
    assert MEANS[Cause.DIVIDENDS] in page


def test_bad_input_is_one_line_and_exit_2(call: Call) -> None:
    for words, named in {
        (
            "--from",
            "2025-01-01",
        ): "got the days 2025-01-01 to 2024-03-14, in which the account paper has no close; wanted",
        ("--to", "2020-01-01"): "wanted days from 2024-03-04 to 2024-03-14",
        ("--from", "soon"): "Invalid value for '--from'",
        ("--config", "nosuch.toml"): "no configuration nosuch.toml",
        ("--page", "account"): "account",
    }.items():
        outcome = call(*words)
        assert (outcome.code, outcome.out) == (2, ""), words
        assert named in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1


def test_what_is_not_explained_is_a_row_and_exit_1(call: Call, tmp_path: Path) -> None:
    with LedgerReader(tmp_path / "account" / "state" / LEDGER_FILE) as ledger:
        change = "UPDATE closes SET equity = equity + 2.5 WHERE session = '2024-03-14'"
        with edited(ledger, change, keep=True):
            pass
    outcome = call("--page", "why.html")
    assert outcome.code == 1
    assert re.search(r"^UNEXPLAINED +\+2\.50 ", outcome.out, re.M)
    assert "! Not all of it is explained" in outcome.out
    assert "UNEXPLAINED" in (tmp_path / "why.html").read_text(encoding="utf-8")
    assert call("--json").json["explained"] is False


def test_an_account_of_a_strategy_of_ones_own_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(
        "import backtrader as bt\n\n\nclass Mine(bt.Strategy):\n    pass\n", encoding="utf-8"
    )
    spec = tmp_path / "account" / "spec.toml"
    text = spec.read_text(encoding="utf-8").replace("[run]\n", '[run]\nstrategy = "../s.py:Mine"\n')
    spec.write_text(text, encoding="utf-8")
    outcome = call()
    assert (outcome.code, "trades a strategy of yours; wanted one of the rotation" in outcome.err) == (2, True)
