"""Every figure of QuantStats' tables, as it gives it and as the page shows it: the table fails when QuantStats changes.

`tests/fixtures/quantstats_figures.csv` has, for one made-up run, QuantStats' own text for each figure of the strategy,
and what becomes of it: it stays, is mended, or is left out. What is mended is reckoned here once more, by plain
formulas.
"""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from reverse_qe.pages.quantstats_mended import LEFT_OUT, mended_drawdowns, mended_figures, mended_metrics, mended_years

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "quantstats_figures.csv"
RATE = 0.02


def made_up_run() -> pd.DataFrame:
    """Returns over NYSE sessions without a random number: a loss on the first day, the last fall not recovered."""
    days = sessions_between(pd.Timestamp("2021-06-15"), pd.Timestamp("2024-04-19"))
    places = np.arange(len(days))
    strategy = 0.0011 + 0.012 * np.sin(places * 1.7) + 0.007 * np.cos(places * places)
    strategy[0], strategy[-9:] = -0.03, -0.012
    benchmark = 0.0005 + 0.009 * np.sin(places * 1.7 + 0.6)
    return pd.DataFrame({"strategy": strategy, "benchmark": benchmark}, index=days)


@pytest.fixture(scope="module")
def quantstats() -> Any:
    import matplotlib as mpl

    mpl.use("agg")
    import quantstats

    return quantstats


@pytest.fixture(scope="module")
def table(quantstats: Any) -> pd.DataFrame:
    """The key figures as the report gets them."""
    returns = made_up_run()
    found = quantstats.reports.metrics(
        returns=returns["strategy"],
        benchmark=returns["benchmark"],
        rf=RATE,
        display=False,
        mode="full",
        sep=True,
        internal="True",
        periods_per_year=252,
        prepare_returns=False,
        benchmark_title="Index",
        strategy_title="Strategy",
        match_dates=False,
    )[2:]
    found.index.name = "Metric"
    return found


def recorded() -> dict[str, tuple[str, str]]:
    with FIXTURE.open(encoding="utf-8", newline="") as file:
        return {row["figure"]: (row["quantstats"], row["shown"]) for row in csv.DictReader(file)}


def figures(table: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(value) for name, value in table["Strategy"].items() if name}


def test_quantstats_gives_what_it_gave(table: pd.DataFrame) -> None:
    assert figures(table) == {name: given for name, (given, _) in recorded().items()}


def test_what_is_shown_is_mended_or_left_out_as_recorded(table: pd.DataFrame) -> None:
    returns = made_up_run()
    shown = figures(mended_metrics(table, returns["benchmark"], returns["strategy"], RATE))
    assert shown == {name: text for name, (_, text) in recorded().items() if text != "left out"}
    assert {name for name, (_, text) in recorded().items() if text == "left out"} == set(LEFT_OUT)
    mended = mended_figures(returns["strategy"], RATE)
    assert mended.keys() <= recorded().keys()
    assert all(shown[name] == text for name, text in mended.items())


def growth(returns: pd.Series) -> float:
    return float(np.prod(1.0 + returns)) - 1.0


def test_what_is_mended_equals_plain_formulas() -> None:
    """By hand from the closes: whole months and years, windows, drawdowns, tails."""
    returns = made_up_run()["strategy"]
    found = mended_figures(returns, RATE)
    months = {f"{day:%Y-%m}": growth(returns[f"{day:%Y-%m}"]) for day in returns.index}
    whole = [value for month, value in months.items() if month not in ("2021-06", "2024-04")]
    years = [growth(returns[year]) for year in ("2022", "2023")]
    wealth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    falls = np.array([wealth[row] / wealth[: row + 1].max() - 1 for row in range(1, len(wealth))])
    ulcer = math.sqrt(np.mean(falls**2))
    cagr = wealth[-1] ** (252 / len(returns)) - 1
    worst = sorted(returns)[: int(0.05 * (len(returns) - 1)) + 1]
    wanted = {
        "3M": growth(returns["2024-01-20":]),
        "6M": growth(returns["2023-10-20":]),
        "1Y": growth(returns["2023-04-20":]),
        "Best Month": max(whole),
        "Worst Month": min(whole),
        "Best Year": max(years),
        "Worst Year": min(years),
        "Win Month": np.mean([value > 0 for value in whole]),
        "Win Year": np.mean([value > 0 for value in years]),
        "Avg. Up Month": np.mean([value for value in whole if value > 0]),
        "Avg. Down Month": np.mean([value for value in whole if value < 0]),
        "Expected Monthly": np.prod([1 + value for value in whole]) ** (1 / len(whole)) - 1,
        "Expected Yearly": np.prod([1 + value for value in years]) ** (1 / len(years)) - 1,
        "Gain/Pain (1M)": sum(whole) / abs(sum(value for value in whole if value < 0)) / 100,
        "Max Drawdown": falls.min(),
        "Daily Value-at-Risk": np.percentile(returns, 5),
        "Expected Shortfall (cVaR)": np.mean(worst),
    }
    for name, value in wanted.items():
        assert float(found[name].rstrip("%")) == pytest.approx(100 * value, abs=0.0051), name
    assert float(found["Ulcer Index"]) == pytest.approx(ulcer, abs=0.0051)
    assert float(found["Ulcer Performance Index"]) == pytest.approx((cagr - RATE) / ulcer, abs=0.0051)
    assert {found[name] for name in ("3Y (ann.)", "5Y (ann.)", "10Y (ann.)")} == {"-"}
    assert found["Win Quarter"] == f"{100 * np.mean([growth(returns[q]) > 0 for q in quarters()]):.2f}%"


def quarters() -> list[slice]:
    """The whole quarters of the made-up run."""
    starts = pd.date_range("2021-07-01", "2024-01-01", freq="QS")
    return [slice(start, start + pd.offsets.QuarterEnd(0)) for start in starts]


def test_a_loss_of_the_first_day_is_a_drawdown_and_one_that_has_not_recovered_says_so(table: pd.DataFrame) -> None:
    returns = made_up_run()["strategy"]
    periods = mended_drawdowns(returns)
    assert returns.iloc[0] < 0
    assert f"{returns.index[0]:%Y-%m-%d}" in periods["Started"].to_list()
    (open_,) = periods[periods["Recovered"] == "not yet"].to_dict("records")
    assert pd.Timestamp(open_["Started"]) <= returns.index[-9]
    assert periods["Drawdown"].astype(float).is_monotonic_increasing
    recovered = periods[periods["Recovered"] != "not yet"]
    for start, end in recovered[["Started", "Recovered"]].itertuples(index=False):
        wealth = (1 + returns).cumprod()
        assert wealth[end] >= max(wealth[:start].iloc[:-1].max() if len(wealth[:start]) > 1 else 1.0, 1.0) * (1 - 1e-12)
    # A run that falls from the first day to the last had no drawdown at all: "-".
    falling = pd.Series(-0.01, returns.index)
    assert mended_figures(falling, RATE)["Max DD Period End"] == "not yet"
    assert mended_figures(falling, RATE)["Longest DD Days"] == str((returns.index[-1] - returns.index[0]).days + 1)
    assert mended_figures(-falling, RATE)["Max DD Date"] == "-"


def test_years_of_which_there_is_a_part_say_so() -> None:
    years = pd.DataFrame({"Index": 0.0, "Strategy": 0.0, "Multiplier": 9.9, "Won": "+"}, index=[2021, 2022, 2023, 2024])
    years.index.name = "Year"
    mended = mended_years(years, made_up_run()["strategy"])
    assert mended.index.to_list() == ["2021 (part)", "2022", "2023", "2024 (part)"]
    assert list(mended.columns) == ["Index", "Strategy", "Won"]
    assert mended.index.name == "Year"


def test_the_report_holds_the_mended_tables_and_sets_back_what_it_set(quantstats: Any) -> None:
    import re

    from reverse_qe.pages.quantstats_report import quantstats_report, quiet_matplotlib

    original, returns = quantstats.reports._html_table, made_up_run()
    with quiet_matplotlib("salt", 0):
        html = quantstats_report(
            returns["strategy"],
            returns["benchmark"],
            strategy_name="Strategy",
            benchmark_name="Index",
            risk_free_rate=RATE,
            salt="salt",
        )
    assert quantstats.reports._html_table is original
    rows = [re.findall(r"<t[dh]>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    shown = {row[0]: row[2] for row in rows if len(row) == 3}
    wanted = {name: text for name, (_, text) in recorded().items() if text != "left out" and "﹪" not in name}
    assert {name: shown[name] for name in wanted} == wanted
    assert "Multiplier" not in html
    assert "not yet" in html
    assert "2024 (part)" in html


def test_months_outside_the_run_are_blank(quantstats: Any) -> None:
    from io import BytesIO

    from reverse_qe.pages.quantstats_report import _monthly_heatmap

    output, kept = BytesIO(), []

    def drawn(*arguments: Any, **options: Any) -> Any:
        kept.append(quantstats.plots.monthly_heatmap(*arguments, show=False, **options))
        return kept[0]

    _monthly_heatmap(drawn, made_up_run()["strategy"], savefig={"fname": output, "format": "svg"})
    axes = kept[0].axes[0]
    visible = np.array([text.get_visible() for text in axes.texts]).reshape(4, 12)
    assert visible.tolist() == [
        [month >= 6 for month in range(1, 13)],
        [True] * 12,
        [True] * 12,
        [month <= 4 for month in range(1, 13)],
    ]
    assert np.ma.getmaskarray(axes.collections[0].get_array()).reshape(4, 12).tolist() == (~visible).tolist()
    assert axes.texts[0].get_text() == "0.00"


def test_the_chart_of_the_longest_drawdowns_says_so(quantstats: Any) -> None:
    from io import BytesIO

    from reverse_qe.pages.quantstats_report import _drawdowns_periods

    kept = []

    def drawn(*arguments: Any, **options: Any) -> Any:
        kept.append(quantstats.plots.drawdowns_periods(*arguments, show=False, **options))
        return kept[0]

    _drawdowns_periods(drawn, made_up_run()["strategy"], savefig={"fname": BytesIO(), "format": "svg"})
    assert [text.get_text().split(" - ")[-1] for text in kept[0].texts] == ["Longest 5 Drawdown Periods"]
