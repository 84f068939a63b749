"""docs/own-tickers.md, command by command: in an empty folder, with a double of the sources, and no package touched."""

import re
import shlex
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import fetch_world
from backtests.identity import PACKAGES, ROOT, source_hash
from data.catalogue.publication import publication_times
from data.market.snapshot import load
from data.sources.answers import Listing
from outcomes import Outcome

PAGE = (ROOT / "docs" / "own-tickers.md").read_text(encoding="utf-8")
LISTINGS = {
    "PLTR": Listing("PLTR", "Palantir Technologies Inc.", "EQUITY", "USD", "NMS", "NasdaqGS", date(2020, 9, 30)),
    "AVGO": Listing("AVGO", "Broadcom Inc.", "EQUITY", "USD", "NMS", "NasdaqGS", date(2009, 8, 6)),
    "SGOV": Listing("SGOV", "iShares 0-3 Month Treasury Bond ETF", "ETF", "USD", "PCX", "NYSEArca", date(2020, 5, 28)),
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> fetch_world.World:
    """Sources that know the three, SPY, and a value a month of every series."""
    bars = {symbol: fetch_world.made_bars("SPY", "2020-10-01", "2021-03-31") for symbol in (*LISTINGS, "SPY")}

    def values(scale: float) -> pd.DataFrame:
        return fetch_world.made_series({f"2020-{month:02}-15": scale * (1 + month / 100) for month in range(1, 13)})

    series = defaultdict(lambda: values(1.0), {name: values(1e6) for name in ("WALCL", "WTREGEN", "WDTGAL")})
    made = fetch_world.World(bars, series=series, listings=dict(LISTINGS))
    monkeypatch.setattr("data.fetch.collect.public_sources", lambda _settings: made.sources())
    return made


@pytest.fixture
def untouched() -> Iterator[None]:
    """No file of a package is opened to be written, and each is afterwards as it was."""
    before, opened, watching = source_hash(ROOT), list[str](), [True]
    folders = tuple(f"{ROOT / package}/" for package in PACKAGES)

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if not watching or event not in ("open", "os.rename", "os.remove", "os.mkdir"):
            return
        path, *rest = given
        writes = event != "open" or any(letter in str(rest[0] or "") for letter in "wax+")
        if writes and str(path).startswith(folders) and "__pycache__" not in str(path):
            opened.append(f"{event} {path}")

    sys.addaudithook(watch)
    yield
    watching.clear()
    assert opened == []
    assert source_hash(ROOT) == before


def blocks(kind: str) -> list[tuple[str, str]]:
    return re.findall(rf"^```{kind}(?: (\S+))?\n(.*?)^```", PAGE, re.M | re.S)


def follow(run_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Do what the page says, in its order."""
    done = []
    for name, text in blocks("toml"):
        if name:
            Path(name).write_text(text, encoding="utf-8")
    for _, text in blocks("sh"):
        for line in text.splitlines():
            word, *words = shlex.split(line)
            if word == "export":
                monkeypatch.setenv(*words[0].split("=", 1))
                continue
            assert word == "reverse-qe"
            done.append(run_command(*words))
            assert done[-1].code == 0, f"{line}: {done[-1].out}{done[-1].err}"
    return done


@pytest.mark.slow
def test_three_tickers_that_no_catalogue_knows_are_fetched_and_run_and_no_package_is_touched(
    run_command: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    world: fetch_world.World,
    untouched: None,
) -> None:
    monkeypatch.chdir(tmp_path)

    fetched, _, ran, _ = follow(run_command, monkeypatch)

    [(_, written)] = [each for each in blocks("toml") if each[0] == "my.toml"]
    text = Path("my.toml").read_text(encoding="utf-8")
    assert text.startswith(written)
    assert [each for each in world.asked if each[-1] == "listing"] == [
        (symbol, "listing") for symbol in ("PLTR", "AVGO", "SGOV")
    ]
    for symbol, told in LISTINGS.items():
        assert f"Written into my.toml: {symbol}, {told.name}" in fetched.err
    # The entry of the page is the one that is written, to the letter.
    shown = next(block for _, block in blocks("toml") if block.startswith("[catalogue.instruments.PLTR]"))
    assert shown in text
    market = load("mine.1")
    assert {symbol: str(market.instruments[symbol].listed) for symbol in LISTINGS} == {
        "PLTR": "2020-09-30",
        "AVGO": "2009-08-06",
        "SGOV": "2020-05-28",
    }
    assert market.instruments["SGOV"].asset_class == "us_etf"
    folder = Path(re.search(r"Run folder: (\S+)", ran.err)[1])  # type: ignore[index]
    kept = tomllib.loads((folder / "spec.toml").read_text(encoding="utf-8"))
    assert kept["run"]["market"] == "mine.1"
    assert set(kept["catalogue"]["instruments"]) == set(LISTINGS)


def test_every_entry_of_the_page_is_one(tmp_path: Path) -> None:
    from backtests.spec.spec import load_spec

    (name, first), *others = blocks("toml")
    assert name == "my.toml"
    path = tmp_path / "all.toml"
    path.write_text("\n".join([first, *(text for _, text in others)]), encoding="utf-8")
    own = load_spec(path).catalogue
    assert [list(names) for names in (own.instruments, own.series, own.companies)] == [["PLTR"], ["FEDFUNDS"], ["IBM"]]
    moment = publication_times(pd.DatetimeIndex(["2024-01-01"]), own.series["FEDFUNDS"].publication)[0]
    assert f"{moment:%Y-%m-%d %H:%M}" == "2024-02-29 22:00"
