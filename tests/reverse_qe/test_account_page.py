"""The page of a paper account: what it shows is what ledger and status say."""

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest

from accounts import write_account_files
from data.clock import sessions_between
from data.market.snapshot import save
from hand_made import make_instrument, make_snapshot
from outcomes import Outcome
from paper.config import read_config
from paper.explain.explain import explained
from paper.overview.history import read_history
from paper.overview.status import Comparison, read_status
from paper.storage import database
from reverse_qe.pages.account import account_page
from reverse_qe.words.paper import comparison_sentence

REGIMES = {"2024-02-01T00:00:00Z": "NEUTRAL", "2024-03-08T22:00:00Z": "SCARCE"}


@pytest.fixture
def paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command: Callable[..., Outcome]
) -> Callable[..., Outcome]:
    """Runs `reverse-qe paper`, in a folder with an account that has taken nine steps on a hand-made market."""
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    sessions = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-02-29"), pd.Timestamp("2024-03-15"))]
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-02-29", "2024-03-15")]
    bars = {
        "STOCK": [(day, 100.0 + place, 101.0 + place) for place, day in enumerate(sessions)],
        "COIN": [(day, 50.0 + place % 3, 51.0 - place % 2) for place, day in enumerate(days)],
    }
    save(make_snapshot(bars, {"COIN": make_instrument("crypto")}))
    write_account_files(tmp_path, start=date(2024, 3, 4), regimes=REGIMES)

    def call(*words: str) -> Outcome:
        return run_command("paper", *words)

    assert call("init", "--spec", "spec.toml", "--market", "hand-made").code == 0
    for day in sessions[2:-1]:
        assert call("step", "--date", day).code == 0
    return call


def cells(page: str, caption: str) -> list[list[str]]:
    """The rows of the table with this caption, as text."""
    table = next(each for each in re.findall(r"<table>.*?</table>", page, re.DOTALL) if caption in each)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    return [
        [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def test_the_page_shows_what_the_ledger_says(paper: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = paper("status", "--page", "account.html")
    assert outcome.code == 0
    assert "Page: account.html" in outcome.err
    page = (tmp_path / "account.html").read_text(encoding="utf-8")
    config = read_config(tmp_path / "paper.toml")
    stands, history = read_status(config), read_history(config)
    assert page == account_page(stands, history, explained(config))
    positions = {row[0]: row for row in cells(page, "Positions at")}
    assert positions["equity"][3] == f"{stands.equity:,.2f}"
    assert {each.symbol: positions[each.symbol][1] for each in stands.positions if each.units} == {
        each.symbol: f"{each.units:,.6f}" for each in stands.positions if each.units
    }
    orders = cells(page, f"{len(history.orders)} orders")
    assert len(orders) == len(history.orders) > 3
    assert [row[0] for row in orders] == [f"{day.date()}" for day in history.orders["session"].iloc[::-1]]
    entries = cells(page, f"{len(history.entries)} entries")
    assert entries[-1][1] == "deposit"
    assert sum(float(row[5].replace(",", "")) for row in entries) == pytest.approx(stands.cash, abs=0.02)
    assert "Account over backtest, less 1" in page
    assert "HALTED" not in page
    assert "SIMULATED" not in page
    assert len(history.equity) > 5
    assert (history.equity["paper"] / history.equity["backtest"]).tolist() == pytest.approx([1.0] * len(history.equity))


def test_a_halt_is_a_banner_and_its_reason_is_text(paper: Callable[..., Outcome], tmp_path: Path) -> None:
    assert paper("halt", "--why", "<b>no</b>\x1b[31m").code == 0
    assert paper("status", "--page", "account.html").code == 0
    page = (tmp_path / "account.html").read_text(encoding="utf-8")
    assert re.search(r"<strong>HALTED</strong>since [^<]* UTC: &lt;b&gt;no&lt;/b&gt;\\x1b\[31m</p>", page)
    assert "\x1b" not in page


def test_an_account_without_a_close_has_a_page(paper: Callable[..., Outcome], tmp_path: Path) -> None:
    other = (tmp_path / "paper.toml").read_text().replace('name = "paper"', 'name = "young"')
    (tmp_path / "young.toml").write_text(other.replace('path = "paper"', 'path = "young"'))
    config = read_config(tmp_path / "young.toml")
    assert paper("step", "--config", "young.toml", "--date", "2024-03-18").code == 0
    page = account_page(read_status(config), read_history(config))
    assert "no session has ended yet" in page


@pytest.mark.parametrize("words", [("status", "--page", "spec.toml"), ("status", "--page", "spec.toml/page.html")])
def test_what_is_no_page_is_left_alone(paper: Callable[..., Outcome], tmp_path: Path, words: tuple[str, ...]) -> None:
    before = (tmp_path / "spec.toml").read_bytes()
    outcome = paper(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert (tmp_path / "spec.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("largest", "told"), [(2.2e-16, "2.20e-16 of it"), (0.00202, "0.20% of it"), (1.65, "165.00% of it")]
)
def test_a_difference_is_told_as_people_would(largest: float, told: str) -> None:
    compared = Comparison(date(2024, 1, 2), date(2024, 2, 28), 40, 100.0, 99.0, largest, date(2024, 2, 20))
    sentence = comparison_sentence(SimpleNamespace(comparison=compared))  # type: ignore[arg-type]
    assert f"largest difference {told}, on 2024-02-20" in sentence
