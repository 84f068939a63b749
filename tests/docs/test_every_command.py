"""Every command that a page shows was run by a test: by that which follows its page, or here, with doubles."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fetch_world
from backtests.identity import ROOT
from backtests.prepare.needs import needs_of
from backtests.spec.spec import load_spec
from data.catalogue.instruments import instrument_entry
from data.clock import calendar_sessions
from data.sources.answers import FilingsAnswer
from made_index import write_index
from outcomes import Outcome

Call = Callable[..., Outcome]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Pages of which a test follows every command, in their order.
FOLLOWED = {
    "as-known.md": "tests/reverse_qe/test_data_asof_command.py::test_every_command_of_the_page_does_what_it_says",
    "audit.md": "tests/docs/test_audit_page.py::test_what_the_page_says_is_what_happens",
    "first-ten-minutes.md": "tests/docs/test_site.py::test_the_first_ten_minutes_print_what_the_page_shows",
    "own-events.md": "tests/reverse_qe/test_own_events_command.py::test_every_command_of_the_page_does_what_it_says",
    "own-tickers.md": "tests/docs/test_own_tickers_page.py::"
    "test_three_tickers_that_no_catalogue_knows_are_fetched_and_run_and_no_package_is_touched",
    "paper-trading.md": "tests/docs/test_paper_guide.py::test_every_command_of_the_page_does_what_it_says",
    "runs.md": "tests/docs/test_runs_page.py::test_two_variants_are_made_compared_and_exported",
    **dict.fromkeys(
        ("exposures.md", "universe-rule.md"),
        "tests/docs/test_universe_rule_page.py::test_every_command_of_the_pages_runs",
    ),
    "terminal.md": "tests/reverse_qe/test_completion.py::test_the_page_says_how",
}
# Single commands that another test runs, and why it is not done here.
ELSEWHERE = {
    r"evidence\.md: evidence docs/registrations/": "tests/docs/test_evidence_page.py::"
    "test_nothing_has_come_of_the_registration_yet",  # a registration is of real history
    r"evidence\.md: evidence paper\.toml": "tests/reverse_qe/test_evidence_command.py::"
    "test_an_account_is_judged_by_its_closes",  # an account of a hundred sessions
    r"evidence\.md: ": "tests/docs/test_evidence_page.py::test_its_commands_run",  # a file of returns is made there
    r"sweeps\.md: .* --cluster ": "tests/backtests/test_cluster.py::"
    "test_on_two_workers_of_which_one_is_killed_the_bytes_are_those_of_here",  # a scheduler and its workers
    r"sweeps\.md: sweep sample ": "tests/docs/test_sweeps_page.py::test_its_commands_run_on_the_sample",
    r"trading\.md: ": "tests/docs/test_every_command.py::test_the_commands_of_prices_as_traded_run",  # of real history
}
# The order in which this test works through pages; those that are not named come last.
FIRST = ("README.md", "fetching.md", "importing.md")
INDUSTRIES = (
    *("Application Software", "Systems Software", "Semiconductors", "Semiconductor Materials & Equipment"),
    "Technology Hardware, Storage & Peripherals",
)


def commands(page: Path) -> list[str]:
    """Lines of code, fenced or set in, that begin with the command."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    fenced = re.findall(r"^```\w*(?: \S+)?\n(.*?)^```", text, re.M | re.S)
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = [line for block in fenced for line in block.splitlines()]
    lines += re.findall(r"^ {4,}(\S.*)$", outside, re.M)
    found = (re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?reverse-qe (.+)$", line) for line in lines)
    return [" ".join(match[1].split()) for match in found if match is not None]


def spec_of(page: Path) -> str:
    """The first spec that a page shows."""
    return re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)[0]


def elsewhere(page: Path, command: str) -> str | None:
    named = f"{page.name}: {command}"
    return FOLLOWED.get(page.name) or next((test for line, test in ELSEWHERE.items() if re.match(line, named)), None)


SHOWN = [(page, command) for page in PAGES for command in commands(page)]
HERE = sorted(
    [(page, command) for page, command in SHOWN if elsewhere(page, command) is None],
    key=lambda each: FIRST.index(each[0].name) if each[0].name in FIRST else len(FIRST),
)


def test_pages_show_commands() -> None:
    assert len(SHOWN) > 60
    assert {"README.md", *FOLLOWED} <= {page.name for page, _ in SHOWN}


@pytest.mark.parametrize("test", sorted({*FOLLOWED.values(), *ELSEWHERE.values()}))
def test_the_test_that_runs_a_command_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ELSEWHERE)
def test_nothing_is_registered_that_no_page_shows(line: str) -> None:
    assert any(re.match(line, f"{page.name}: {command}") for page, command in SHOWN)


def walk(symbol: str, first: str, last: str) -> pd.DataFrame:
    """Bars of an instrument that goes its own way."""
    days = calendar_sessions(instrument_entry(symbol).calendar, pd.Timestamp(first), pd.Timestamp(last))
    moves = np.random.default_rng(sum(map(ord, symbol))).normal(0.0004, 0.012, len(days))
    closes = 100 * np.exp(np.cumsum(moves))
    return pd.DataFrame(
        {"date": days, "open": closes, "high": closes * 1.01, "low": closes * 0.99, "close": closes, "volume": 1e7}
    )


class Told(dict[str, pd.DataFrame]):
    """Values of whatever series is asked for, each of which goes its own way."""

    def __init__(self, days: pd.Index, wednesdays: pd.Index) -> None:
        self.days, self.wednesdays = days, wednesdays

    def __missing__(self, name: str) -> pd.DataFrame:
        weekly = name in ("WALCL", "WTREGEN", "WDTGAL")
        days = self.wednesdays if weekly else self.days
        moves = np.random.default_rng(sum(map(ord, name))).normal(0, 0.05, len(days))
        values = (4e6 if weekly else 3.0) * (1 + 0.1 * np.tanh(np.cumsum(moves)))
        return fetch_world.made_series(dict(zip(days, map(float, values), strict=True)))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, sources that know what the shipped spec wants, and the files that pages name by a word."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "docs").symlink_to(ROOT / "docs")
    needs = needs_of(load_spec("history"))
    bars = {symbol: walk(symbol, "2016-01-04", "2026-10-09") for symbol in needs.symbols}
    days = pd.bdate_range("2016-01-04", "2026-10-08").strftime("%Y-%m-%d")
    wednesdays = pd.date_range("2016-01-06", "2026-10-07", freq="W-WED").strftime("%Y-%m-%d")

    filed = {symbol: FilingsAnswer(symbol, {}, ("has filed no figures that the SEC serves",)) for symbol in bars}
    known = fetch_world.World(bars, series=Told(days, wednesdays), filings=filed)
    for place in ("data.fetch.collect.public_sources", "paper.step.refresh.public_sources"):
        monkeypatch.setattr(place, lambda _settings: known.sources())
    own = load_spec("history").universe
    stocks = [symbol for symbol in own.speculative + own.cash_flow if not symbol.endswith("-USD")]
    names = [*stocks, *(f"N{number:02}" for number in range(30))]
    closes = pd.DataFrame({name: walk("MU", "2016-01-04", "2026-10-09").set_index("date")["close"] for name in names})
    closes *= np.exp(np.random.default_rng(7).normal(0, 0.01, closes.shape).cumsum(axis=0))
    members = [("2016-01-04", name, "Information Technology") for name in names]
    write_index(folder / "FOLDER", closes, members, industries=dict(zip(names, INDUSTRIES * 8, strict=True)))
    return folder


@pytest.mark.slow
@pytest.mark.real_history
def test_the_commands_of_prices_as_traded_run(
    run_command: Call, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "shared").symlink_to(shared)
    monkeypatch.chdir(tmp_path / "checkout")
    made, ran = commands(ROOT / "docs" / "trading.md")
    assert run_command(*shlex.split(made)).code == 0
    told = run_command(*shlex.split(ran), "--start", "2024-01-02", "--no-tearsheet", "--json")
    assert (told.code, json.loads(told.out)["manifest"]["market"]) == (0, "traded")


@pytest.mark.slow
def test_every_other_command_runs(run_command: Call, world: Path) -> None:
    """What a market is made of comes from doubles, and runs are of few years; nothing else is changed."""
    pytest.importorskip("numba")
    done: set[str] = set()
    for page, command in HERE:
        words = shlex.split(command)
        if words[0] == "backtest":
            words += ["--start", "2024-01-02", "--no-tearsheet"]
        if words[0] == "audit":
            words += ["--leaks-only", "--jobs", "1", "--set", "run.start=2026-06-01"]
        if words[0] == "sweep":
            words += ["--start", "2024-01-02", "--out", "swept"]
        if "--universe" in words and words[0] == "evidence":
            words += ["--draws", "39"]
        if command in done:
            continue
        if words[:2] == ["data", "import"] and any(other.endswith(f"--name {words[-1]}") for other in done):
            words[-1] += "-again"
        for word in words:
            if word.endswith(".toml") and not Path(word).exists():
                Path(word).write_text(spec_of(page), encoding="utf-8")
        outcome = run_command(*words)
        assert outcome.code == 0, f"{page.name}: {command}: {outcome.err}"
        done.add(command)
        if command == "data fetch --name live":
            # What other pages read beside it.
            assert run_command("data", "fetch", "--name", "live", "--series", "T10YIE").code == 0
            assert run_command("data", "export", "live", "files").code == 0
            for name in ("prices", "macro", "events"):
                shutil.move(world / "files" / name, world / name.upper())
    assert {command for _, command in HERE} == done
