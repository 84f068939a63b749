"""The pages for newcomers: the followed day worked out anew, and everything that they name is there."""

import importlib
import importlib.util
import math
import re
import statistics
import tomllib
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.config import SignalConfig
from signals.liquidity import BLOCKS, LiquiditySignal, liquidity_signal
from strategies.policy import PolicyConfig

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [ARCHITECTURE, ROOT / "docs" / "glossary.md", ROOT / "CONTRIBUTING.md", *DECISIONS]
PACKAGES = ("reverse_qe", "paper", "backtests", "strategies", "signals", "data")
SUFFIXES = (".py", ".toml", ".csv", ".md", ".tmpl", "/")

Rows = list[dict[str, str]]


# One day


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_one_day", ROOT / "docs" / "write_one_day.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def text() -> str:
    """The followed day, on one line but for its tables."""
    whole = ARCHITECTURE.read_text(encoding="utf-8")
    day = whole.partition("<!-- one day: begin")[2].partition("<!-- one day: end -->")[0]
    return re.sub(r"(?<!\|)\n(?!\|)", " ", day)


@pytest.fixture(scope="module")
def tables(text: str) -> list[Rows]:
    """The six tables of the day, each a list of rows by heading."""
    found = []
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, re.M):
        head, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        found.append([dict(zip(map(str.strip, head), row, strict=True)) for row in rows])
    assert len(found) == 6
    return found


@pytest.fixture(scope="module")
def session(text: str) -> pd.Timestamp:
    match = re.search(r"The session is (\d{4}-\d\d-\d\d)", text)
    assert match is not None
    return pd.Timestamp(match[1])


@pytest.fixture(scope="module")
def signal(sample: Snapshot, session: pd.Timestamp) -> LiquiditySignal:
    """The signal of the sample, from its first observation on."""
    sessions = sessions_between(sample.series["date"].min(), session)
    return liquidity_signal(SignalData.of(sample, sessions, SignalConfig()), SignalConfig())


def number(text: str) -> float:
    return float(text.replace(",", ""))


def known(sample: Snapshot, series: str, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """The newest observation known at the decision for each session, by another road than the code's."""
    rows = sample.series[(sample.series["series"] == series) & sample.series["value"].notna()]
    decisions = pd.DataFrame({"decision": sessions.tz_localize("UTC").as_unit("us"), "session": sessions})
    joined = pd.merge_asof(decisions, rows.sort_values(["known_at", "date"]), left_on="decision", right_on="known_at")
    return joined.set_index("session")


def last_price(sample: Snapshot, symbol: str, before: pd.Timestamp) -> tuple[pd.Timestamp, float]:
    bars = sample.bars[(sample.bars["symbol"] == symbol) & (sample.bars["date"] < before)]
    return bars["date"].iloc[-1], bars["adj_close"].iloc[-1]


def bar(sample: Snapshot, symbol: str, day: pd.Timestamp) -> pd.Series:
    bars = sample.bars[(sample.bars["symbol"] == symbol) & (sample.bars["date"] == day)]
    return bars.iloc[0]


def test_the_page_is_what_the_code_writes(writer: ModuleType) -> None:
    assert writer.page_with_one_day() == ARCHITECTURE.read_text(encoding="utf-8"), "run: make docs"


def test_the_day_is_the_first_that_turns_scarce_with_every_block_live(
    signal: LiquiditySignal, session: pd.Timestamp
) -> None:
    path = list(zip(signal.regime, signal.regime[1:], signal.live_blocks[1:], signal.regime.index[1:], strict=False))
    turns = [day for old, new, live, day in path if old != new == "SCARCE" and live == 4 and day.year >= 2018]
    assert turns[0] == session


def test_what_is_known_is_found_by_another_road(
    sample: Snapshot, session: pd.Timestamp, signal: LiquiditySignal, tables: list[Rows], text: str
) -> None:
    newest, waiting, earlier = tables[0]
    sessions = pd.DatetimeIndex(signal.score.index)
    at = known(sample, "DGS10", sessions)
    for row, decided in ((newest, session), (earlier, sessions[-21])):
        assert row["about"] == f"{at.loc[decided, 'date']:%Y-%m-%d}"
        assert row["value"] == f"{at.loc[decided, 'value']:.2f}"
        assert row["known at (UTC)"] == f"{at.loc[decided, 'known_at']:%Y-%m-%d %H:%M}"
    assert f"for {sessions[-21]:%Y-%m-%d}" in earlier["at the decision"]
    decision = session.tz_localize("UTC")
    assert pd.Timestamp(newest["known at (UTC)"], tz="UTC") <= decision
    later = sample.series[(sample.series["series"] == "DGS10") & (sample.series["known_at"] > decision)]
    first = later.sort_values("date").iloc[0]
    assert [waiting["about"], waiting["value"], waiting["known at (UTC)"]] == [
        f"{first['date']:%Y-%m-%d}",
        f"{first['value']:.2f}",
        f"{first['known_at']:%Y-%m-%d %H:%M}",
    ]
    change = round(100 * (number(newest["value"]) - number(earlier["value"])))
    assert f"{newest['value']} less {earlier['value']} is {change:+d} basis points" in text


def root_mean_square(values: list[float]) -> float:
    window = [value for value in values[-756:] if value == value]
    return math.sqrt(statistics.fmean(value * value for value in window))


def readings(values: list[float]) -> list[float]:
    """Each value over the usual size of one in its window, by the standard library."""
    read = []
    for end in range(1, len(values) + 1):
        sizes = [abs(value) for value in values[max(end - 756, 0) : end] if value == value]
        enough = len(sizes) >= 252 and values[end - 1] == values[end - 1]
        read.append(values[end - 1] / (1.4826 * statistics.median(sizes)) if enough else math.nan)
    return [min(max(value, -3.0), 3.0) if value == value else value for value in read]


def test_readings_and_block_are_those_of_the_standard_library(
    sample: Snapshot, signal: LiquiditySignal, tables: list[Rows], text: str
) -> None:
    inputs = tables[1]
    assert [row["input"].strip("`") for row in inputs] == [
        f"{series}_{horizon}" for series in ("DGS10", "DFII10", "BAA10Y") for horizon in (20, 60)
    ]
    sessions = pd.DatetimeIndex(signal.score.index)
    halves: dict[bool, list[list[float]]] = {True: [], False: []}
    for row in inputs:
        series, _, horizon = row["input"].strip("`").partition("_")
        levels = known(sample, series, sessions)["value"].tolist()
        changes = [round(100 * (new - old), 6) for old, new in zip(levels, levels[int(horizon) :], strict=False)]
        changes = [math.nan] * int(horizon) + changes
        sizes = [abs(change) for change in changes[-756:] if change == change]
        read = readings(changes)
        assert (row["value"], row["median size"]) == (f"{changes[-1]:+.0f}", f"{statistics.median(sizes):.1f}")
        assert row["reading"] == f"{read[-1]:+.3f}"
        halves[series == "BAA10Y"].append(read)
    said = re.search(
        r"yields read (\S+) on average and the credit spread (\S+)\. .* mean square, (\S+) and (\S+): (\S+) "
        r"and (\S+)\. (.*) Divided by its own root mean square, (\S+), and .* it is (\S+)\.",
        text,
    )
    assert said is not None
    moves = []
    for place, sides in enumerate((halves[False], halves[True])):
        mean = [statistics.fmean(each) for each in zip(*sides, strict=True)]
        usual = root_mean_square(mean)
        assert (said[1 + place], said[3 + place]) == (f"{mean[-1]:+.3f}", f"{usual:.3f}")
        moves.append(mean[-1] / usual)
        assert said[5 + place] == f"{moves[-1]:+.3f}"
    low, high = min(moves), max(moves)
    joint = low if low > 0 else high if high < 0 else 0.0
    assert f"{joint:+.3f}" in said[7]
    assert number(said[9]) == pytest.approx(0.25 * max(min(joint / number(said[8]), 3), -3), abs=0.0007)
    block = next(row for row in tables[2] if row[""] == "`price_of_capital`")
    assert said[9] == block["unsmoothed"]


def test_score_and_regime_follow_from_their_parts(
    signal: LiquiditySignal, session: pd.Timestamp, tables: list[Rows], text: str
) -> None:
    *blocks, score = tables[2]
    assert [row[""].strip("`") for row in blocks] == [build.__name__.removesuffix("_block") for build in BLOCKS]
    kept = 0.5**0.1
    assert f"takes on {1 - kept:.4f} of the new value" in text
    for row in tables[2]:
        smoothed = kept * number(row["session before"]) + (1 - kept) * number(row["unsmoothed"])
        assert number(row["smoothed"]) == pytest.approx(smoothed, abs=0.0011)
    for column in ("session before", "unsmoothed", "smoothed"):
        assert number(score[column]) == pytest.approx(sum(number(row[column]) for row in blocks), abs=0.0021)
    assert score["smoothed"] == f"{signal.score[session]:+.3f}"
    assert signal.score.iloc[-1] > 0.4 >= signal.score.iloc[-2]
    assert f"{signal.regime.iloc[-2]} has held" in text
    assert set(signal.regime.iloc[-11:-1]) == {signal.regime.iloc[-2]}


def test_orders_by_hand(sample: Snapshot, session: pd.Timestamp, tables: list[Rows], text: str) -> None:
    orders = tables[3]
    said = re.search(r"worth ([\d,.]+) US dollars, ([\d,.]+) of it cash", text)
    assert said is not None
    cash = number(said[2])
    held = {row[""]: number(row["units held"]) for row in orders}
    prices = {}
    for row in orders:
        day, prices[row[""]] = last_price(sample, row[""], session)
        assert (row["of"], row["price known"]) == (f"{day:%Y-%m-%d}", f"{prices[row['']]:.4f}")
        assert day < session
    equity = cash + sum(held[symbol] * prices[symbol] for symbol in held)
    assert number(said[1]) == pytest.approx(equity, abs=0.02)
    listed = [symbol for symbol in held if "MEMORY" in symbol]
    weight = min(0.8 / len(listed), PolicyConfig().instrument_cap)
    wanted = dict.fromkeys(held, 0.0) | dict.fromkeys(listed, weight) | {"SIM-BILL": 1 - weight * len(listed)}
    gaps = {symbol: wanted[symbol] * equity - held[symbol] * prices[symbol] for symbol in held}
    for row in orders:
        assert row["target"] == f"{wanted[row['']]:.4f}"
        assert number(row["gap, USD"]) == pytest.approx(gaps[row[""]], abs=0.03)
    # Leaving heeds no band; a held instrument within two points of its target is left alone.
    moved = {symbol for symbol, gap in gaps.items() if abs(gap) > 0.02 * equity or (gap < 0 and wanted[symbol] == 0)}
    cost = {symbol: 0.0025 if "COIN" in symbol else 0.0005 for symbol in held}
    buys = {symbol: gap for symbol, gap in gaps.items() if symbol in moved and gap > 0}
    available = cash + sum(-gaps[symbol] * (1 - cost[symbol]) for symbol in moved if gaps[symbol] < 0)
    factor = min(1, available / sum(buys.values()))
    for row in orders:
        if row[""] in buys:
            spent = number(row["order"].removeprefix("spend ").removesuffix(" USD"))
            assert spent == pytest.approx(factor * buys[row[""]], abs=0.03)
        elif row[""] in moved:
            sold = number(row["order"].removeprefix("sell ").removesuffix(" units"))
            assert sold == pytest.approx(-gaps[row[""]] / prices[row[""]], abs=2e-6)
        else:
            assert row["order"] == "none"


def test_fills_and_equity_by_a_ledger_by_hand(
    sample: Snapshot, session: pd.Timestamp, tables: list[Rows], text: str
) -> None:
    orders, fills, (*holdings, cash_row, equity_row) = tables[3:]
    units = {row[""]: number(row["units held"]) for row in orders}
    wanted = {row[""]: row["order"] for row in orders}
    said = re.search(r"US dollars, ([\d,.]+) of it cash", text)
    assert said is not None
    cash = number(said[1])
    moments = [("COIN" not in row["order"], row["order"].startswith("buy")) for row in fills]
    assert moments == sorted(moments)  # coins, then stocks; sells before buys
    for row in fills:
        side, symbol = row["order"].split()
        price, size = bar(sample, symbol, session)["open"], number(row["units"])
        rate = 0.0025 if "COIN" in symbol else 0.0005
        assert row["moment"] == ("00:00 UTC" if "COIN" in symbol else "NYSE open")
        assert row["open"] == f"{price:.4f}"
        assert number(row["cost, USD"]) == pytest.approx(size * price * rate, abs=0.01)
        units[symbol] += size if side == "buy" else -size
        cash += (-1 if side == "buy" else 1) * size * price - size * price * rate
        assert number(row["cash after, USD"]) == pytest.approx(cash, abs=0.02)
        if side == "sell":
            assert wanted[symbol] == f"sell {row['units']} units"
        elif row["status"] == "filled":
            promised = number(wanted[symbol].removeprefix("spend ").removesuffix(" USD"))
            assert size * price * (1 + rate) == pytest.approx(promised, abs=0.02)
    assert cash >= 0
    assert {row[""]: row["units"] for row in holdings} == {
        symbol: f"{held:.6f}" for symbol, held in units.items() if held > 1e-9
    }
    value = 0.0
    for row in holdings:
        close = bar(sample, row[""], session)["adj_close"]
        assert row["close"] == f"{close:.4f}"
        assert number(row["value, USD"]) == pytest.approx(units[row[""]] * close, abs=0.01)
        value += units[row[""]] * close
    assert number(cash_row["value, USD"]) == pytest.approx(cash, abs=0.02)
    assert number(equity_row["value, USD"]) == pytest.approx(value + cash, abs=0.02)


# What the pages name


def named(page: Path) -> list[str]:
    """Everything between single backticks; blocks of code are left out."""
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


def exists(name: str) -> bool:
    """Whether a path of the project, or a dotted name of one of its packages, is there."""
    if "/" in name:
        return (ROOT / name).exists()
    module, attributes = importlib.import_module(name.split(".")[0]), name.split(".")[1:]
    for place, attribute in enumerate(attributes, start=2):
        if not hasattr(module, attribute):
            try:
                importlib.import_module(".".join(name.split(".")[:place]))
            except ModuleNotFoundError:
                return False
        module = getattr(module, attribute)
    return True


def is_ours(name: str) -> bool:
    if "NAME" in name:  # stands for a file that is still to be written
        return False
    if "/" in name:
        return name.endswith(SUFFIXES) or name == ".ci/run"
    return re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", name) is not None and not name.endswith(SUFFIXES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(page: Path) -> None:
    missing = [name for name in named(page) if is_ours(name) and not exists(name)]
    assert missing == []


def test_a_name_that_is_not_there_is_found() -> None:
    assert all(
        is_ours(name) for name in ("signals/blocks/level.py", "signals.blocks.level.level_block", "docs/decisions/")
    )
    assert exists("signals.blocks.level.level_block")
    assert exists("backtests.engines.event_engine.SessionBroker")
    assert not exists("signals.blocks.level.levels_block")
    assert not exists("signals.nosuch.level_block")
    assert not exists("signals/nosuch.py")


def test_every_word_of_the_glossary_is_explained_and_the_code_has_it() -> None:
    entries = re.findall(r"^- \*\*(.+?)\*\*.*?(?=^- |^#|\Z)", (ROOT / "docs" / "glossary.md").read_text(), re.M | re.S)
    assert len(entries) > 60
    text = (ROOT / "docs" / "glossary.md").read_text()
    for entry in re.split(r"^(?=- \*\*)", text, flags=re.M)[1:]:
        definition = entry.partition("\n#")[0]
        assert ": " in definition, definition
        if "## Measures" in text.partition(definition)[0] or "Reverse QE" in definition:
            continue  # the section names its file; the thesis has none
        assert any(is_ours(name) for name in re.findall(r"`([^`]+)`", definition)), definition


def test_every_decision_is_in_the_index_and_has_its_four_parts() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for page in DECISIONS:
        if page.name == "README.md":
            continue
        assert f"]({page.name})" in index, page.name
        lines = page.read_text().splitlines()
        assert len(lines) <= 40, f"{page.name} is longer than a screen"
        heads = [head for line in lines for head in re.findall(r"^\*\*(.+?)\.\*\*", line)]
        assert heads == ["Context", "Decision", "Consequence", "What would change our mind"], page.name


def test_the_page_orders_the_folders_as_the_import_contract_does() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    rows = re.findall(rf"^\| `({'|'.join(PACKAGES)})` \|", ARCHITECTURE.read_text(), re.M)
    floors = [folder for floor in contract["layers"] for folder in floor.split(" | ")]
    assert rows == floors == list(PACKAGES)


def test_packages_from_outside_are_imported_where_the_page_says() -> None:
    rows = re.findall(r"^\| `(backtrader|quantstats|exchange_calendars)` \| (.+) \|$", ARCHITECTURE.read_text(), re.M)
    assert len(rows) == 3
    for package, modules in rows:
        importing = [
            path.relative_to(ROOT).as_posix()
            for folder in PACKAGES
            for path in sorted((ROOT / folder).rglob("*.py"))
            if re.search(rf"^\s*(?:import|from) {package}\b", path.read_text(), re.M)
        ]
        assert sorted(re.findall(r"`([^`]+)`", modules)) == sorted(importing)


def test_contributing_names_every_make_target() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [target for target in targets if target not in ("help", "clean") and f"make {target}" not in text] == []
