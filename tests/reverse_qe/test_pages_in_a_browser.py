"""Every page as Chromium shows it: whole, legible at every width, light and dark, on paper, and without scripts."""

import re
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reverse_qe
from backtests.archive.compared import compare
from backtests.archive.folder import write_run
from backtests.archive.stored import read_run
from backtests.prepare.span import Span
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.audits.report import AuditReport, Check, Leak
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from backtests.studies.stress import stress_table
from browser import Visit, browsing, visit
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.quality.report import quality_report
from edge_runs import edge_runs
from paper.config import read_config
from paper.explain.explain import explained
from paper.overview.history import read_history
from paper.overview.status import read_status
from paper.step.account import halt, run_step
from paper.template import write_config
from reverse_qe import api
from reverse_qe.pages.account import account_page
from reverse_qe.pages.quality import quality_page
from reverse_qe.pages.run import run_page
from reverse_qe.pages.studies.audit import audit_page
from reverse_qe.pages.studies.compared import compared_page
from reverse_qe.pages.studies.lottery import lottery_page
from reverse_qe.results import BacktestResult

pytestmark = pytest.mark.slow

EDGES = (
    "one day",
    "two days",
    "never in one regime",
    "25 years",
    "60 instruments",
    "all cash",
    "user strategy",
    "loss of everything",
    "hostile names",
)
PAGES = ("run", "signal", "quality", "account", "sweep", "evidence", "lottery", "compared", "audit", *EDGES)
# Charts of ours on each page: of the run growth, drawdown, events, stays, baskets, names, score, blocks, gate.
PLOTS = {
    "run": 10,
    "signal": 5,
    "quality": 0,
    "account": 3,
    "sweep": 0,
    "evidence": 0,
    "lottery": 0,
    "compared": 2,
    "audit": 0,
}
LARGEST_RUN = 2_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample: Snapshot) -> Path:
    """A folder that holds every page."""
    made = tmp_path_factory.mktemp("pages")
    run = run_backtest(load_spec("sample"), sample)
    day = run.panel.decides_for[-1]
    pages = {
        "run": run_page(run, stress_table(run)),
        "signal": api.signal(run.spec, sample, day=day).page(),
        "quality": quality_page(sample, quality_report(sample)),
        "account": _account(made / "account"),
        "sweep": _sweep(made / "sweep", sample),
        "evidence": reverse_qe.evidence(BacktestResult(run)).page(),
        "compared": _compared(made / "compared", sample),
        "audit": _audit(),
        "lottery": lottery_page(universe_lottery(run.prepared, Asked(), 40)),
        **{name: run_page(edge) for name, edge in edge_runs(made / "edges").items()},
    }
    assert set(pages) == set(PAGES)
    for name, text in pages.items():
        (made / f"{name}.html").write_text(text, encoding="utf-8")
    return made


def _audit() -> str:
    """The page of an audit that found a leak."""
    days = [pd.Timestamp(day) for day in ("2022-01-03", "2022-06-15", "2022-12-30")]
    wrong = "in 12 of 50 runs a row before changes: target weight of SIM-SAAS-A, 2022-06-15"
    row = {"tried": "without series DGS10", "regimes": 41, "targets": 40, "last": "2022-11-30", "sessions": 251}
    measured = {"cagr": 0.12, "cagr_as_it_is": 0.15, "sharpe": 0.9, "sharpe_as_it_is": 1.1}
    checks = (
        Check("again", "Run again as it is", 1, "holds", "the same to the last bit"),
        Check("stretch", "At each of 101 sessions, 2022-03-01 to 2022-07-22", 303, "LEAK", wrong),
        Check("without", "One input missing, in turn", 1, "told", "the most: DGS10", [{**row, **measured}]),
        Check("stopped", "One input stops, in turn", 1, "told", "-", [{"tried": "it", "column": "x", "sessions": 4}]),
    )
    names = ("bars of SIM-SAAS-A", 1, 12, 1, ("my_policy.py",), ("rebalancing", "cash"))
    leak = Leak("target", "target weight of SIM-SAAS-A", days[1], 0.2, None, "cut", days[1], *names)
    span = Span(days[0], days[2])
    return audit_page(AuditReport("mine", "sample", True, span, 50, 0, span, checks, (leak,), 430, 41.0))


def _sweep(folder: Path, sample: Snapshot) -> str:
    """The page of a small sweep."""
    grid = {"signal.enter": [0.3, 0.4], "order_rules.band": [0.0, 0.02], "policy.rebalance": ["monthly", "weekly"]}
    return reverse_qe.sweep(
        "sample", grid, sample, start="2022-01-03", end="2022-12-30", cpcv=(6, 2), out=folder
    ).page()


def _compared(folder: Path, sample: Snapshot) -> str:
    """The page of three runs beside each other."""
    changes = ({}, {"policy.instrument_cap": 0.2}, {"signal.half_life_sessions": 4})
    for number, settings in enumerate(changes):
        days = {"run.start": "2022-01-03"}
        write_run(run_backtest(load_spec("sample", {**days, **settings}), sample), folder / f"run {number} <b>")
    return compared_page(compare([read_run(each) for each in sorted(folder.iterdir())]))


def _account(folder: Path) -> str:
    """The page of an account that has taken forty steps on the sample and was halted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(folder / "home"))
        return _stepped(folder)


def _stepped(folder: Path) -> str:
    write_config(folder / "paper.toml", "sample", "sample", "simulated")
    config = read_config(folder / "paper.toml")
    for day in sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-28")).drop("2024-02-01"):
        run_step(config, day.date())
    halt(config, "<b>by hand</b>")
    return account_page(read_status(config), read_history(config), explained(config))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as running:
        yield running


@pytest.fixture(params=PAGES)
def path(request: pytest.FixtureRequest, browser: Any, folder: Path) -> Path:
    return folder / f"{request.param}.html"


def plain(text: str) -> str:
    """Text without its spaces, ligatures undone."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def widest(seen: Visit) -> int:
    width: int = seen.page.evaluate("document.documentElement.scrollWidth")
    return width


@pytest.mark.parametrize("width", [360, 1600])
def test_a_page_asks_nobody_says_nothing_and_does_not_scroll_sideways(browser: Any, path: Path, width: int) -> None:
    with visit(browser, path, width) as seen:
        assert widest(seen) <= width
        plots = seen.page.locator("svg.plot")
        if plots.count():
            plots.first.hover()
        for button in seen.page.locator(".ranges button").all():
            button.click()
        assert widest(seen) <= width
    assert seen.said == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
    assert [url for url in seen.asked if url.startswith("file:")] == [path.as_uri()]


def test_every_chart_is_drawn(browser: Any, path: Path) -> None:
    with visit(browser, path) as seen:
        drawn = seen.page.locator("svg.plot")
        assert drawn.count() == PLOTS.get(path.stem, drawn.count())
        boxes = [plot.bounding_box() for plot in drawn.all()]
        assert all(box["width"] > 800 and box["height"] > 15 for box in boxes)
        empty = seen.page.evaluate(
            "[...document.querySelectorAll('.drawn svg, .plot .line, .plot .area')]"
            ".filter(each => !(each.getBoundingClientRect().width > 0)).length"
        )
        assert empty == 0
        # Every line lies inside its plot.
        outside = seen.page.evaluate(
            """[...document.querySelectorAll('.plot .line, .plot .area')].filter(each => {
                const own = each.getBoundingClientRect(), plot = each.closest('svg.plot').getBoundingClientRect();
                return own.top < plot.top - 3 || own.bottom > plot.bottom + 3 || own.right > plot.right + 3;
            }).length"""
        )
        assert outside == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with visit(browser, path, scheme=scheme) as seen:
        found = Axe().run(seen.page).response["violations"]
    told = [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert told == []


def test_light_and_dark_differ(browser: Any, path: Path) -> None:
    papers = {}
    for scheme in ("light", "dark"):
        with visit(browser, path, scheme=scheme) as seen:
            papers[scheme] = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert papers["light"] == "rgb(255, 255, 255)"
    assert sum(map(int, re.findall(r"\d+", papers["dark"]))) < 120


def test_headings_are_in_order_and_ids_are_unique(browser: Any, path: Path) -> None:
    with visit(browser, path) as seen:
        levels = seen.page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map(each => Number(each.tagName[1]))"
        )
        ids = seen.page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
        links = seen.page.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map(each => each.getAttribute('href').slice(1))"
        )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_a_page_is_whole_without_scripts(browser: Any, path: Path) -> None:
    def shown(scripts: bool) -> tuple[str, list[int]]:
        with visit(browser, path, scripts=scripts) as seen:
            words = " ".join(each.inner_text() for each in seen.page.locator("main, header").all())
            plots = [round(plot.bounding_box()["height"]) for plot in seen.page.locator("svg.plot").all()]
            return re.sub(r"Show\s+all.*?shows all\.", "", words, flags=re.DOTALL), plots

    with_scripts, without = shown(True), shown(False)
    assert "".join(without[0].split()) == "".join(with_scripts[0].split())
    assert without[1] == with_scripts[1]


def test_no_row_is_cut_on_paper(browser: Any, path: Path) -> None:
    from pypdf import PdfReader

    with visit(browser, path) as seen:
        paper = PdfReader(BytesIO(seen.page.pdf(format="A4")))
        rows = seen.page.evaluate(
            "[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
        )
    sheets = [plain(sheet.extract_text()) for sheet in paper.pages]
    wanted = [[plain(cell) for cell in row if cell.strip()] for row in rows]
    # A row is whole where all of its cells stand on one sheet; what a sheet shows of it, it shows all.
    cut = [row for row in wanted if row and not any(all(cell in sheet for cell in row) for sheet in sheets)]
    assert cut == []
    assert len(sheets) > 1 or len(rows) < 60


def test_the_first_chart_is_seen_at_once_and_a_run_is_small(browser: Any, folder: Path) -> None:
    path = folder / "run.html"
    assert path.stat().st_size < LARGEST_RUN
    assert (folder / "25 years.html").stat().st_size < LARGEST_RUN
    for name in ("run", "signal"):
        with visit(browser, folder / f"{name}.html") as seen:
            assert seen.page.locator("svg.plot").first.bounding_box()["y"] < 900


@pytest.mark.real_history
def test_the_first_chart_of_real_history_is_seen_at_once_too(browser: Any, tmp_path: Path, history: Snapshot) -> None:
    """With its hindsight and all that is odd in its data."""
    path = tmp_path / "history.html"
    path.write_text(run_page(run_backtest(load_spec("history"), history)), encoding="utf-8")
    with visit(browser, path) as seen:
        assert seen.page.locator("svg.plot").first.bounding_box()["y"] < 900


def test_the_pointer_is_told_the_values_of_the_run(browser: Any, folder: Path, sample: Snapshot) -> None:
    run = run_backtest(load_spec("sample"), sample)
    wealth = (1 + run.returns["strategy"]).cumprod()
    with visit(browser, folder / "run.html") as seen:
        plot = seen.page.locator("svg.plot").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        for share in (0.1, 0.45, 0.99):
            seen.page.mouse.move(box["x"] + share * box["width"], box["y"] + 40)
            day, strategy = seen.page.locator(".tip").first.inner_text().split("\n")[:2]
            told = float(strategy.removeprefix("strategy ").removesuffix("×").replace(",", ""))  # noqa: RUF001
            assert told == pytest.approx(wealth[pd.Timestamp(day)], rel=0.01)
        seen.page.get_by_role("button", name="1 year").click()
        seen.page.mouse.move(box["x"] + 2, box["y"] + 40)
        first = pd.Timestamp(seen.page.locator(".tip").first.inner_text().split("\n")[0])
        assert abs((wealth.index[-1] - first).days - 365) < 12


@pytest.mark.parametrize(
    ("name", "banners"),
    [
        ("run", ["SIMULATED"]),
        ("signal", ["SIMULATED"]),
        ("hostile names", ["SIMULATED", "HINDSIGHT"]),
        ("all cash", []),
    ],
)
def test_banners_are_there(browser: Any, folder: Path, name: str, banners: list[str]) -> None:
    with visit(browser, folder / f"{name}.html", 360) as seen:
        assert [banner.inner_text() for banner in seen.page.locator(".banner strong").all()] == banners
        assert all(banner.is_visible() for banner in seen.page.locator(".banner").all())


def test_hostile_names_are_read_as_text(browser: Any, folder: Path) -> None:
    with visit(browser, folder / "hostile names.html") as seen:
        assert seen.page.locator("img, iframe, object, embed").count() == 0
        assert seen.page.locator("script").count() == 1
        assert "<img src=x onerror=alert(1)>" in seen.page.locator("main").inner_text()
    assert seen.said == []
