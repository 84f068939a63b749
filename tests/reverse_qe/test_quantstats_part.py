"""QuantStats' report as a part of a page: the same bytes for the same input, and what QuantStats does to our returns.

The last part pins what the page says of QuantStats' numbers and charts: it fails when QuantStats changes.
"""

import gc
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import textwrap
from contextlib import nullcontext
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.measures.performance import performance
from data.errors import InputError
from reverse_qe.pages import quantstats_report as tearsheet_quantstats
from reverse_qe.pages.kit import Html
from reverse_qe.pages.kit import page as whole_page
from reverse_qe.pages.quantstats_mended import LEFT_OUT
from reverse_qe.pages.quantstats_part import DRAWINGS, ReportInput, quantstats_part
from reverse_qe.pages.quantstats_speed import quickened

RATE = 0.02


def wave(sessions: int, drift: float, phase: float) -> np.ndarray:
    """Daily returns that look like some, without a random number."""
    angles = np.arange(sessions) + phase
    return drift + 0.011 * np.sin(angles * 1.7) + 0.006 * np.cos(angles * angles)


def daily_returns(sessions: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"strategy": wave(sessions, 0.0006, 0.0), "benchmark": wave(sessions, 0.0004, 0.6)},
        index=pd.bdate_range("2019-01-02", periods=sessions),
    )


def invested_later() -> pd.DataFrame:
    """One and a half years, the first month in cash."""
    returns = daily_returns(380)
    returns.iloc[:21, 0] = 0.0
    return returns


def report_input(returns: pd.DataFrame) -> ReportInput:
    return ReportInput(
        returns=returns,
        benchmark_name="INDEX $A$ {{x}} <b>",
        risk_free_rate=RATE,
        salt="0123456789ab",
        epoch=int(returns.index[-1].timestamp()) if len(returns) else 0,
    )


def rendered(given: ReportInput) -> str:
    part = quantstats_part(given)
    return whole_page(title="A run", heading="Run", subtitle="of a test", lead=Html(), parts=[part])


@pytest.fixture(scope="module")
def rolling_options() -> list[dict[str, Any]]:
    """Options with which QuantStats' report draws its rolling ratios, filled when `page` is rendered."""
    return []


@pytest.fixture(scope="module")
def page(rolling_options: list[dict[str, Any]]) -> str:
    """A page with QuantStats' report."""
    import matplotlib as mpl

    mpl.use("agg")
    import quantstats

    def recorded(original: Any) -> Any:
        def chart(*arguments: Any, **options: Any) -> Any:
            rolling_options.append(options)
            return original(*arguments, **options)

        return chart

    with pytest.MonkeyPatch.context() as patch:
        for name in ("rolling_sharpe", "rolling_sortino"):
            patch.setattr(quantstats.plots, name, recorded(getattr(quantstats.plots, name)))
        return rendered(report_input(invested_later()))


def short_pages() -> dict[str, pd.DataFrame]:
    cash = daily_returns(300)
    cash["strategy"] = 0.0
    rising = daily_returns(200).abs()
    rising.iloc[7] = 1.5
    return {
        "all cash": cash,
        "like prices": rising,
        **{f"{sessions} sessions": daily_returns(sessions) for sessions in (1, 2, 5, 25, 125)},
    }


class Requests(HTMLParser):
    """Collects what a browser would fetch from elsewhere, and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.found += re.findall(r"url\((?!#)[^)]*\)|@import[^;]*", text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form"):
            self.found.append(tag)
        for name, value in attrs:
            fetches = name in ("src", "href", "xlink:href", "srcset", "data", "poster", "background", "action")
            if (fetches and not (value or "").startswith(("#", "data:"))) or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")


def test_scan_for_requests_finds_them():
    fetched = '<img src="http://a/b.png"><b style="background:url(x.png)" onclick="f()"></b><script></script>'
    text = fetched + '<use href="#id"/><img src="data:,"><path clip-path="url(#id)"/>'
    assert len(Requests(text).found) == 4


def test_no_request_leaves_the_page(page):
    assert Requests(page).found == []
    assert "default-src 'none'" in unescape(page)


@pytest.mark.parametrize("kind", short_pages())
def test_no_request_leaves_a_page_without_quantstats(kind):
    assert Requests(rendered(report_input(short_pages()[kind]))).found == []


def test_page_holds_every_chart_and_no_placeholder(page):
    template = tearsheet_quantstats.TEMPLATE.read_text(encoding="utf-8")
    charts = re.findall(r"\{\{(\w+)\}\}", template)
    assert page.count("<svg ") == len(charts) - 4 == len(DRAWINGS)  # four are tables and their title
    assert all(f'role="img" aria-label="{label}"' in unescape(page) for label in DRAWINGS)
    assert not any("{{" + chart + "}}" in page for chart in charts)
    assert "<?xml" not in page
    assert "DOCTYPE svg" not in page


def test_charts_are_in_our_font(page):
    assert "DejaVuSans" in page
    assert "Arial" not in page


def test_numbers_of_quantstats_agree_with_ours(page):
    returns = invested_later()
    risk_free = pd.Series((1 + RATE) ** (1 / 252) - 1, index=returns.index)
    cells = re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td></tr>', page)
    rows, benchmark = {name: own for name, _, own in cells}, {name: other for name, other, _ in cells}
    for shown, column in ((rows, "strategy"), (benchmark, "benchmark")):
        ours = performance(returns[column], risk_free)
        assert shown["CAGR"] == f"{100 * ours.cagr:.2f}%".replace(".00%", ".0%")
        assert shown["Max Drawdown"] == f"{100 * ours.max_drawdown:.2f}%"
        assert shown["Volatility (ann.)"] == f"{100 * ours.volatility:.2f}%"
        assert float(shown["Sharpe"]) == pytest.approx(ours.sharpe, abs=0.006)
        assert float(shown["Sortino"]) == pytest.approx(ours.sortino, abs=0.006)
        assert float(shown["Calmar"]) == pytest.approx(ours.calmar, abs=0.006)
        total = float(np.prod(1 + returns[column])) - 1
        assert float(shown["Cumulative Return"].rstrip("%")) == pytest.approx(100 * total, abs=0.006)


@pytest.mark.parametrize("kind", short_pages())
def test_page_without_quantstats_says_why(kind):
    returns = short_pages()[kind]
    text = rendered(report_input(returns))
    reasons = {"all cash": "the same in every session", "like prices": "exceed 100% for prices"}
    assert reasons.get(kind, f"look back 126 sessions, and this run has {len(returns)}.") in text
    assert text.count("<svg ") == 1
    assert "QuantStats report" not in text.replace("The QuantStats report is left out", "")


def test_run_of_half_a_year_gets_the_report():
    assert ">QuantStats report</h2>" in rendered(report_input(daily_returns(126)))


def test_plain_page_does_not_depend_on_what_was_set_before():
    import matplotlib as mpl

    first = rendered(report_input(daily_returns(5)))
    with mpl.rc_context({"font.family": "serif", "axes.grid": False, "lines.linewidth": 9}):
        assert rendered(report_input(daily_returns(5))) == first
    assert rendered(replace(report_input(daily_returns(5)), salt="ba9876543210")) != first


@pytest.mark.slow
def test_another_process_renders_the_same_bytes_and_leaves_no_trace(page, tmp_path):
    folder, scratch = tmp_path / "work", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    script = """
        import hashlib, json, os, sys, warnings
        import matplotlib
        from matplotlib import pyplot
        sys.path.insert(0, sys.argv[1])
        from test_quantstats_part import invested_later, rendered, report_input

        def state():
            rc = {name: str(value) for name, value in matplotlib.rcParams.items()}
            return [rc, dict(os.environ), list(map(str, warnings.filters)), pyplot.get_fignums(), pyplot.get_backend()]

        pyplot.switch_backend("pdf")
        before = state()
        text = rendered(report_input(invested_later()))
        after = state()
        import quantstats
        plots = [quantstats.plots.returns.__name__, quantstats.plots.distribution.__name__]
        page = hashlib.sha256(text.encode()).hexdigest()
        print(json.dumps({"page": page, "same state": before == after, "plots": plots}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(Path(__file__).parent)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONHASHSEED": "7", "TZ": "Asia/Seoul"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "page": hashlib.sha256(page.encode()).hexdigest(),
        "same state": True,
        "plots": ["returns", "distribution"],
    }
    assert list(folder.iterdir()) == []
    assert list(scratch.iterdir()) == []


YEARS = pytest.param(daily_returns(1600), marks=pytest.mark.slow)


@pytest.mark.parametrize("returns", [invested_later(), YEARS], ids=["with cash", "six years"])
def test_savings_change_no_byte_and_are_set_back(returns, monkeypatch):
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure
    from matplotlib.textpath import TextToPath
    from quantstats import stats

    def watched() -> list[Any]:
        drawn = [FigureCanvasBase.draw_idle, Figure.get_layout_engine, TextToPath.get_text_width_height_descent]
        return [*drawn, stats.comp, stats.remove_outliers, stats.drawdown_details, gc.isenabled()]

    before = watched()
    with quickened(stats):
        assert all(now != then for now, then in zip(watched(), before, strict=True))
    quick = quantstats_part(report_input(returns))
    assert watched() == before
    monkeypatch.setattr(tearsheet_quantstats, "quickened", lambda _stats: nullcontext())
    assert quantstats_part(report_input(returns)) == quick


def test_products_are_those_of_pandas_to_the_bit():
    from quantstats import stats

    returns = daily_returns(1600)
    holed = returns["strategy"].where(returns["strategy"] > -0.005)
    months = [month for _, month in returns.groupby(returns.index.to_period("M"))]
    kinds = [*months, returns.iloc[5:9, ::-1], returns["strategy"], holed, holed.iloc[:0], holed.to_frame()]
    kinds += [month["benchmark"] for month in months] + [returns, pd.Series([1, 2]), pd.DataFrame({"a": [0.1], "b": 1})]
    plain = [stats.comp(kind) for kind in kinds]
    with quickened(stats):
        quick = [stats.comp(kind) for kind in kinds]
    for one, other in zip(plain, quick, strict=True):
        assert type(one) is type(other)
        if isinstance(one, pd.Series):
            pd.testing.assert_series_equal(one, other, check_exact=True)
        else:
            assert one == other


def shifted(index: pd.Index) -> pd.DataFrame:
    return daily_returns(len(index)).set_axis(index)


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (daily_returns(0), "got 0 rows"),
        (daily_returns(5)[["strategy"]], "5 rows of the columns strategy, wanted"),
        (shifted(pd.bdate_range("2020-01-01", periods=5, tz="UTC")), "naive session dates"),
        (shifted(pd.date_range("2020-01-01 16:00", periods=5)), "naive session dates"),
        (shifted(pd.RangeIndex(5)), "naive session dates"),
        (daily_returns(5).iloc[::-1], "unordered or repeated dates"),
        (shifted(pd.DatetimeIndex(["2020-01-01"] * 5)), "unordered or repeated dates"),
        (daily_returns(5).replace(daily_returns(5).iloc[2, 1], math.nan), "missing or infinite returns"),
    ],
)
def test_unusable_returns_are_refused(returns, message):
    with pytest.raises(InputError, match=message):
        rendered(replace(report_input(daily_returns(5)), returns=returns))


def test_benchmark_named_as_the_strategy_is_refused():
    with pytest.raises(InputError, match="wanted another name"):
        rendered(replace(report_input(daily_returns(5)), benchmark_name="Strategy"))


# What the page says of QuantStats.


@pytest.fixture(scope="module")
def quantstats() -> Any:
    import matplotlib as mpl

    mpl.use("agg")
    import quantstats

    return quantstats


@pytest.fixture
def partly_in_cash() -> pd.DataFrame:
    """Three years, the first hundred sessions in cash."""
    returns = daily_returns(760)
    returns.iloc[:100, 0] = 0.0
    return returns


def drawn(figure: Any) -> np.ndarray:
    return np.array(figure.axes[0].lines[0].get_ydata(), dtype="float64")


def test_rolling_ratios_are_over_the_rate_of_the_table(page, rolling_options):
    assert len(rolling_options) == 2
    assert {options["rf"] for options in rolling_options} == {report_input(invested_later()).risk_free_rate}
    assert report_input(invested_later()).risk_free_rate > 0


def test_rolling_ratios_are_drawn_as_their_formulas_say(quantstats):
    """Of each half year: mean over deviation, and over that of the falls alone; the rate taken from every day."""
    returns, rate = daily_returns(400)["strategy"], 0.04
    excess = returns.to_numpy() - (1.04 ** (1 / 252) - 1)
    windows = np.lib.stride_tricks.sliding_window_view(excess, 126)
    falls = np.sqrt((np.minimum(windows, 0.0) ** 2).mean(axis=1))
    wanted = {"rolling_sharpe": windows.std(axis=1, ddof=1), "rolling_sortino": falls}
    for name, deviation in wanted.items():
        figure = getattr(quantstats.plots, name)(returns, rf=rate, show=False)
        drawn = np.asarray(figure.axes[0].lines[0].get_ydata(), dtype=float)
        ratio = windows.mean(axis=1) / deviation * math.sqrt(252)
        np.testing.assert_allclose(drawn[~np.isnan(drawn)], ratio, rtol=1e-9, err_msg=name)


def test_time_in_market_counts_days_with_a_return(quantstats, partly_in_cash):
    """And so is left out: a book with one share in a hundred dollars is in the market every day by it."""
    strategy = partly_in_cash["strategy"]
    assert quantstats.stats.exposure(strategy) == math.ceil(100 * 660 / 760) / 100
    assert "Time in Market" in LEFT_OUT


def test_win_rate_and_average_leave_out_days_without_a_return(quantstats, partly_in_cash):
    strategy = partly_in_cash["strategy"]
    assert quantstats.stats.win_rate(strategy) == pytest.approx((strategy > 0).sum() / 660)
    assert quantstats.stats.avg_return(strategy) == pytest.approx(strategy.sum() / 660)


def test_value_at_risk_and_shortfall_are_those_of_a_normal_distribution(quantstats, partly_in_cash):
    strategy = partly_in_cash["strategy"]
    normal = NormalDist(strategy.mean(), strategy.std())
    bound = normal.inv_cdf(0.05)
    assert quantstats.stats.value_at_risk(strategy) == pytest.approx(bound)
    assert quantstats.stats.value_at_risk(strategy) != pytest.approx(strategy.quantile(0.05), rel=1e-3)
    shortfall = strategy.mean() - strategy.var() * normal.pdf(bound) / 0.05
    assert quantstats.stats.conditional_value_at_risk(strategy) == pytest.approx(shortfall)
    assert shortfall != pytest.approx(strategy[strategy <= strategy.quantile(0.05)].mean(), rel=1e-3)


def test_information_ratio_is_daily_and_treynor_of_the_total(quantstats, partly_in_cash):
    strategy, benchmark = partly_in_cash["strategy"], partly_in_cash["benchmark"]
    active = strategy - benchmark
    assert quantstats.stats.information_ratio(strategy, benchmark) == pytest.approx(active.mean() / active.std())
    beta = strategy.cov(benchmark) / benchmark.var()
    total = np.prod(1 + strategy) - 1
    assert quantstats.stats.treynor_ratio(strategy, benchmark) == pytest.approx(total / beta)


def test_recovery_factor_has_no_sign(quantstats, partly_in_cash):
    losing = partly_in_cash["strategy"] - 0.001
    assert losing.sum() < 0
    assert quantstats.stats.recovery_factor(losing) > 0


def test_drawdown_that_has_not_recovered_ends_with_the_run(quantstats):
    days = pd.bdate_range("2020-01-01", periods=4)
    details = quantstats.stats.drawdown_details
    drawdown = quantstats.stats.to_drawdown_series
    assert details(drawdown(pd.Series([0.1, -0.2, 0.05, 0.05], days)))["end"].to_list() == [f"{days[-1]:%Y-%m-%d}"]
    assert details(drawdown(pd.Series([-0.1, -0.2, 0.05, 0.05], days))).empty


def test_worst_drawdowns_of_the_chart_are_the_longest(quantstats):
    from matplotlib.dates import date2num

    shallow = [0.01, -0.01, *[0.0001] * 50, 0.02]
    deep = [-0.3, 0.6]
    returns = pd.Series([*shallow, *deep], pd.bdate_range("2020-01-01", periods=len(shallow) + 2))
    figure = quantstats.plots.drawdowns_periods(returns, periods=1, show=False)
    (span,) = figure.axes[0].patches
    assert span.get_x() == date2num(returns.index[1])


def test_windows_of_years_lack_a_month(quantstats, partly_in_cash):
    returns = pd.concat([partly_in_cash["strategy"]] * 2)
    returns.index = pd.bdate_range("2019-01-02", periods=len(returns))
    table = quantstats.reports.metrics(returns, mode="full", display=False, match_dates=False)
    last = returns[returns.index >= returns.index[-1] - pd.DateOffset(months=35)]
    growth = np.prod(1 + last) ** (252 / len(last)) - 1
    assert table.loc["3Y (ann.)"].iloc[0] == pytest.approx(growth, abs=0.006)
    assert table.loc["10Y (ann.)"].iloc[0] == table.loc["CAGR﹪"].iloc[0]


def test_months_outside_the_run_are_zero(quantstats):
    table = quantstats.stats.monthly_returns(daily_returns(30)["strategy"], eoy=False)
    assert table.loc["2019", "DEC"] == 0


def test_summed_daily_returns_fall_to_zero_at_weekends(quantstats):
    gains = daily_returns(20)["strategy"].abs() + 0.01  # from a Wednesday to a Tuesday: over four weekends
    figure = quantstats.plots.daily_returns(gains, None, show=False)
    assert (drawn(figure) == 0).sum() == 8
    assert tearsheet_quantstats.FAULTY_CHARTS[0] == "daily_returns"


@pytest.mark.filterwarnings("ignore:vert")
def test_quantiles_lose_years_that_do_not_end_on_a_session(quantstats):
    days = pd.bdate_range("2016-01-01", "2018-12-31")  # the years 2016 and 2017 end at a weekend
    returns = pd.Series(np.where(days.year == 2018, 0.0001, -0.001), days)
    figure = quantstats.plots.distribution(returns, show=False)
    yearly = np.concatenate([line.get_ydata() for line in figure.axes[0].lines[-6:]])
    assert yearly[np.isfinite(yearly)].min() > 0
    assert tearsheet_quantstats.FAULTY_CHARTS[1] == "distribution"


def test_rolling_beta_starts_with_zeros_and_is_mended(quantstats):
    returns = daily_returns(300)
    arguments = (returns["strategy"], returns["benchmark"])
    figure = quantstats.plots.rolling_beta(*arguments, window1=126, window2=252, show=False)
    assert (drawn(figure)[:125] == 0).all()
    output = BytesIO()
    tearsheet_quantstats._rolling_beta(
        lambda *_arguments, **_options: figure, *arguments, window1=126, savefig={"fname": output, "format": "svg"}
    )
    assert np.isnan(drawn(figure)[:125]).all()
    expected = arguments[0][:126].cov(arguments[1][:126]) / arguments[1][:126].var()
    assert drawn(figure)[125] == pytest.approx(expected)
    assert b"<svg" in output.getvalue()


@pytest.mark.filterwarnings("ignore:set_ticklabels")
@pytest.mark.parametrize("years", [3, 12, 16])
def test_years_are_not_under_their_bars_and_are_mended(quantstats, years):
    returns = daily_returns(years * 261)
    arguments = (returns["strategy"], returns["benchmark"])
    figure = quantstats.plots.yearly_returns(*arguments, show=False)
    axes = figure.axes[0]
    bars = {round(bar.get_x() + bar.get_width()): bar for bar in axes.containers[0]}  # right edge of the left bars
    before = {label.get_text(): place for label, place in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)}
    output = BytesIO()
    tearsheet_quantstats._yearly_returns(
        lambda *_arguments, **_options: figure, *arguments, savefig={"fname": output, "format": "svg"}
    )
    after = {label.get_text(): place for label, place in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)}
    assert before != after
    benchmark = (1 + returns["benchmark"]).groupby(returns.index.year).prod() - 1
    named = benchmark[benchmark.index.astype(str).isin(after.keys())]
    assert len(named) == len(after) == math.ceil(len(benchmark) / math.ceil(len(benchmark) / 14))
    assert [bars[round(after[str(year)])].get_height() for year in named.index] == pytest.approx(list(named))
    assert b"<svg" in output.getvalue()


def test_constant_returns_raise(quantstats, tmp_path):
    returns = short_pages()["all cash"]
    with pytest.raises(ValueError, match="linear regression"):
        quantstats.reports.html(
            returns["strategy"], benchmark=returns["benchmark"], match_dates=False, output=tmp_path / "x.html"
        )


def test_returns_that_never_fall_and_once_exceed_one_are_taken_for_prices(quantstats):
    rising = short_pages()["like prices"]["strategy"]
    assert quantstats.stats.volatility(rising) != pytest.approx(rising.std() * math.sqrt(252), rel=1e-3)


def test_matching_dates_would_cut_the_days_in_cash(quantstats, partly_in_cash):
    strategy, benchmark = partly_in_cash["strategy"], partly_in_cash["benchmark"]
    start = {
        match: quantstats.reports.metrics(strategy, benchmark, display=False, match_dates=match).loc["Start Period"]
        for match in (True, False)
    }
    assert start[True].iloc[0] == f"{strategy.index[100]:%Y-%m-%d}"
    assert start[False].iloc[0] == f"{strategy.index[0]:%Y-%m-%d}"
