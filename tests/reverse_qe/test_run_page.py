"""The page of a run: its figures are those of the run, its parts stand in order, and it is the same bytes each time."""

import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from backtests.archive.folder import write_run
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.stress import stress_table
from data.market.snapshot import Snapshot
from edge_runs import market, spec_of
from reverse_qe.pages.run import run_page

PARTS = [
    "Growth",
    "Headline",
    "Evidence",
    "What the gain is made of",
    "What it held",
    "Signal",
    "By regime, year and month",
    "Rotations",
    "Trading",
    "Stress",
    "Notes",
    "Universe and settings",
    "Events, newest first",
    "QuantStats report",
]
# The name of a measure on the page, its key in metrics.json, and what one of the last digit shown is.
SHOWN = {
    "Final equity": ("final_equity_usd", 1.0),
    "CAGR": ("cagr", 1e-3),
    "Volatility": ("volatility", 1e-3),
    "Sharpe (over the 3-month bill)": ("sharpe", 0.01),
    "Sortino (over the 3-month bill)": ("sortino", 0.01),
    "Maximum drawdown": ("max_drawdown", 1e-3),
    "Calmar": ("calmar", 0.01),
    "Turnover a year, one-sided": ("turnover", 1e-3),
    "Costs a year, share of equity": ("costs", 1e-4),
    "Exposure, mean share invested": ("exposure", 1e-3),
}


@pytest.fixture(scope="module")
def run(sample: Snapshot) -> Backtest:
    return run_backtest(load_spec("sample", {"run.start": "2022-01-03", "run.end": "2024-06-28"}), sample)


@pytest.fixture(scope="module")
def stress(run: Backtest) -> pd.DataFrame:
    return stress_table(run)


@pytest.fixture(scope="module")
def page(run: Backtest, stress: pd.DataFrame) -> str:
    return run_page(run, stress)


@pytest.fixture(scope="module")
def folder(run: Backtest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the run."""
    return write_run(run, tmp_path_factory.mktemp("run") / "folder")


@pytest.fixture(scope="module")
def metrics(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def tables(page: str) -> dict[str, dict[str, list[str]]]:
    """Every table of the page by its label: the cells of each row, by the row's name; the head is that of the blank."""
    found: dict[str, dict[str, list[str]]] = {}
    for label, inside in re.findall(
        r'<div class="box"[^>]*aria-label="([^"]*)"[^>]*><table>(.*?)</table>', page, re.DOTALL
    ):
        rows = {}
        for number, row in enumerate(re.findall(r"<tr[^>]*>(.*?)</tr>", inside, re.DOTALL)):
            cells = [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            rows["" if number == 0 else cells[0]] = cells[1:]
        found[unescape(label)] = rows
    return found


def figure(text: str) -> float:
    """A number as people are shown it."""
    plain = text.replace(",", "").removesuffix(" USD")
    return float(plain.removesuffix("%")) / 100 if plain.endswith("%") else float(plain)


def test_the_parts_stand_in_order_and_are_listed(page: str) -> None:
    assert [unescape(title) for title in re.findall(r"<h2[^>]*>([^<]*)</h2>", page)] == PARTS
    listed = re.search(r'<nav class="contents".*?</nav>', page, re.DOTALL)
    assert listed is not None
    assert [unescape(title) for title in re.findall(r"<a[^>]*>([^<]*)</a>", listed[0])] == PARTS
    first = page.index('<svg class="plot"')
    assert (
        page.index("SIMULATED")
        < page.index("Regime for")
        < page.index("Luck: ")
        < page.index("What it holds on")
        < first
    )


def test_the_title_names_spec_market_span_and_run(run: Backtest, page: str) -> None:
    (title,) = re.findall(r"<title>([^<]*)</title>\n<style>", page)
    span = f"{run.sessions[0].date()} to {run.sessions[-1].date()}"
    assert title == f"sample on SIMULATED market sample, {span}, run {run.run_id} - Reverse QE"


def test_every_chart_is_there(page: str) -> None:
    assert len(re.findall(r'<svg class="plot', page)) == 10
    assert page.count('<div class="drawn"') == 12


def test_the_headline_is_that_of_the_metrics(page: str, metrics: dict) -> None:
    shown = tables(page)["Measure Strategy SIM-MARKET"]
    for name, (key, digit) in SHOWN.items():
        for place, portfolio in enumerate(("strategy", "benchmark")):
            assert figure(shown[name][place]) == pytest.approx(metrics[portfolio][key], abs=0.5001 * digit), name


def test_every_baseline_is_that_of_the_metrics(page: str, metrics: dict) -> None:
    shown = tables(page)["Beside the baselines and rivals, which pay the same costs"]
    keys = ("final_equity_usd", "cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs")
    digits = (1.0, 1e-3, 1e-3, 0.01, 1e-3, 1e-3, 1e-4)
    portfolios = [name for name in metrics if not name.startswith("by_")]
    assert len(shown) == len(portfolios) + 1
    for name in portfolios:
        row = shown["benchmark: SIM-MARKET" if name == "benchmark" else name.replace("_", " ")]
        for text, key, digit in zip(row, keys, digits, strict=True):
            assert figure(text) == pytest.approx(metrics[name][key], abs=0.5001 * digit), (name, key)


def test_years_and_regimes_are_those_of_the_metrics(page: str, metrics: dict) -> None:
    years = tables(page)["Return by year"]
    head = [name.replace(" ", "_") for name in years[""]]
    for year, returns in metrics["by_year"].items():
        assert [figure(text) for text in years[year]] == pytest.approx([returns[name] for name in head], abs=5.001e-4)
    regimes = tables(page)["The strategy by regime"]
    for name, row in metrics["by_regime"].items():
        assert int(regimes[name][0]) == row["sessions"]
        assert figure(regimes[name][2]) == pytest.approx(row["mean_return"], abs=5.001e-4)


def test_months_make_the_years(page: str, metrics: dict) -> None:
    months = tables(page)["The strategy's return by month"]
    for year, returns in metrics["by_year"].items():
        *cells, whole = months[year]
        growth = 1.0
        for cell in filter(None, cells):
            growth *= 1 + figure(cell)
        assert growth - 1 == pytest.approx(returns["strategy"], abs=0.012)
        assert figure(whole) == pytest.approx(returns["strategy"], abs=5.001e-4)


def test_profits_add_up_to_the_gain(run: Backtest, page: str, metrics: dict) -> None:
    profits = tables(page)["Profit of each instrument"]
    gain = metrics["strategy"]["final_equity_usd"] - run.spec.run.initial_cash
    assert figure(profits.pop("all")[1]) == pytest.approx(gain, abs=0.51)
    del profits[""]
    assert sum(figure(row[1]) for row in profits.values()) == pytest.approx(gain, abs=0.6 * len(profits))


def test_the_evidence_is_that_of_the_files_and_of_the_whole_table(run: Backtest, page: str) -> None:
    shown = tables(page)["What the run says of itself; in brackets an interval of 95%"]
    luck = run.evidence.luck
    assert luck is not None
    assert shown["static mix"][1].startswith(f"Sharpe {luck.value:+.2f} [{luck.low:+.2f}, {luck.high:+.2f}]")
    assert shown["static mix"][0] == "Better than its rivals?"
    # By hand: the log growth of each year beyond the static mix.
    grown = run.returns.add(1.0).groupby(run.returns.index.year).prod()
    ahead = int((grown["strategy"] > grown["static_mix"]).sum())
    assert shown["by year"][1].startswith(f"ahead in {ahead} of {len(grown)} ")
    assert {"circular shift", "best stays", "best days", "hindsight"} <= shown.keys()


def test_every_stay_is_that_of_the_rotations(page: str, folder: Path) -> None:
    """The pair's column among them, which is blank until it has begun."""
    written = pd.read_csv(folder / "rotations.csv")
    shown = tables(page)["regime speculative cash flow reserve pair strategy static mix why it began"]
    assert len(shown) - 1 == len(written) > 5
    legs = ("speculative", "cash_flow", "reserve", "pair", "strategy", "static_mix")
    assert written["pair"].notna().any()
    for stay in written.to_dict("records"):
        regime, *cells, reason = shown[f"{stay['start']} to {stay['end']}"]
        assert (regime, reason) == (stay["regime"], stay["reason"])
        for cell, leg in zip(cells, legs, strict=True):
            if pd.isna(stay[leg]):
                assert cell == "-"
            else:
                assert figure(cell) == pytest.approx(stay[leg], abs=5.001e-4), (stay["start"], leg)


def test_profits_and_costs_are_those_of_the_attribution_and_of_the_orders(page: str, folder: Path) -> None:
    profits = pd.read_csv(folder / "attribution.csv").groupby("symbol")["profit"].sum()
    shown = tables(page)["Profit of each instrument"]
    names = shown.keys() - {"", "all", "interest on cash"}
    assert names == {symbol for symbol in profits.index if symbol in names}
    assert len(names) >= 9
    for symbol in names:
        assert figure(shown[symbol][1]) == pytest.approx(profits[symbol], abs=0.51), symbol
    orders = pd.read_csv(folder / "orders.csv")
    sums = orders.assign(traded=orders["size"] * orders["price"]).groupby("symbol")
    traded, commission = sums["traded"].sum(), sums["commission"].sum()
    costs = tables(page)["Orders and costs by instrument"]
    assert {*traded.index, "", "all"} == costs.keys()
    for symbol in traded.index:
        count, _, value, paid, _ = costs[symbol]
        assert int(count) == len(sums.get_group(symbol))
        assert figure(value) == pytest.approx(traded[symbol], abs=0.51)
        assert figure(paid) == pytest.approx(commission[symbol], abs=0.51)


def test_the_part_of_evidence_has_the_figures_of_its_file(page: str, folder: Path) -> None:
    """Every rival with its interval, twice on the page, and the stay that made the most."""
    written = json.loads((folder / "evidence.json").read_text())
    told = tables(page)["What the run says of itself; in brackets an interval of 95%"]
    beside = next(rows for label, rows in tables(page).items() if label.startswith("Sharpe ratios that t"))
    differences = {"static_mix": written["luck"], **written["rivals"]}
    assert len(differences) > 3
    for name, each in differences.items():
        wanted = [each[key] for key in ("sharpe_difference", "low", "high")]
        found = [float(number) for number in re.findall(r"[+-][\d.]+", told[name.replace("_", " ")][1])[:3]]
        assert found == pytest.approx(wanted, abs=5.001e-3), name
        value, span = beside[name.replace("_", " ")][1:3]
        assert [float(value), *map(float, span.split(" to "))] == pytest.approx(wanted, abs=5.001e-3)
    stay = written["one_stay"]
    if stay["share"] is not None:
        assert f"{stay['regime']} {stay['start']} to {stay['end']} made {stay['share']:.0%}" in told["best stays"][1]


def test_what_is_held_makes_the_whole(run: Backtest, page: str) -> None:
    (label,) = [label for label in tables(page) if label.startswith("What it holds on")]
    rows = tables(page)[label]
    assert label.endswith(f"and wants for {run.panel.decides_for[-1].date()}")
    shares = [figure(rows[name][0]) for name in ("speculative", "cash flow", "reserve", "cash") if rows[name][0] != "-"]
    assert sum(shares) == pytest.approx(1.0, abs=2e-3)
    names = tables(page)["By name, what is held, wanted and ordered"]
    targets = run.plan.targets.iloc[-1]
    for symbol, cells in names.items():
        if symbol and targets[symbol]:
            assert figure(cells[2]) == pytest.approx(targets[symbol], abs=5.001e-4)


def test_stress_is_shown_where_it_was_run(run: Backtest, page: str, stress: pd.DataFrame) -> None:
    shown = tables(page)["signal late by CAGR Sharpe max. drawdown turnover costs a year costs paid"]
    assert len(shown) - 1 == len(stress["cost_factor"].unique())
    without = run_page(run)
    assert ">Stress</h2>" not in without


@pytest.mark.slow
def test_settings_that_differ_are_named(sample: Snapshot) -> None:
    spec = load_spec("sample", {"run.start": "2024-01-02", "signal.enter": 0.5, "costs.crypto.commission_bp": 40})
    shown = tables(run_page(run_backtest(spec, sample)))["Settings that differ from the default"]
    assert shown["signal.enter"] == ["0.5", "0.4"]
    assert shown["costs.crypto.commission_bp"] == ["40.0", "25.0"]
    assert len(shown) == 3
    assert "Every setting is the default." in run_page(
        run_backtest(load_spec("sample", {"run.start": "2024-01-02"}), sample)
    )


def test_a_strategy_of_the_user_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import backtrader as bt\n\n\nclass Own(bt.Strategy):\n    pass\n")
    snapshot = market("2023-01-03", "2024-02-28")
    own = f"{tmp_path / 'own.py'}:Own"
    page = run_page(run_backtest(spec_of(snapshot, "2023-02-01", tmp_path, {"run.strategy": own}), snapshot))
    assert f"<h1>A strategy of the user: {own}</h1>" in page
    assert "own.py, kept in the run&#39;s folder" in page
    assert "target" not in tables(page)[next(label for label in tables(page) if label.startswith("What it holds"))][""]


def test_the_same_run_has_the_same_page(run: Backtest, page: str, stress: pd.DataFrame) -> None:
    assert run_page(run, stress) == page
