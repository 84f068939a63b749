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

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from browser import Visit, browsing, visit
from data.market.snapshot import Snapshot
from every_page import PAGES, write_pages
from reverse_qe.pages.run import run_page

pytestmark = pytest.mark.slow

# Charts of ours on each page: of the run growth, drawdown, events, stays, baskets, names, score, blocks, gate.
PLOTS = {
    "run": 10,
    "rule universe": 10,
    "signal": 5,
    "signal judged": 5,
    "quality": 0,
    "as known": 0,
    # Duration, four factors, the baskets over time.
    "exposures": 6,
    # Crypto and two baskets, of five kinds of events.
    "event study": 15,
    "account": 3,
    "explanation": 1,
    "sweep": 0,
    "evidence": 0,
    "lottery": 1,
    "compared": 2,
    "compared edges": 2,
    "audit": 0,
}
LARGEST_RUN = 2_000_000
# Of every text of a chart: it lies inside what may show it, and covers no other.
TEXTS = """(cut => {
    const faults = [];
    for (const svg of document.querySelectorAll('svg.plot, svg.heat-map')) {
        const frame = svg.getBoundingClientRect(), own = getComputedStyle(svg).overflow !== 'visible';
        const texts = [...svg.querySelectorAll(':scope > text')]
            .filter(each => each.textContent && getComputedStyle(each).display !== 'none')
            .map(each => [each.textContent, each.getBoundingClientRect()]);
        for (const [text, box] of texts) {
            const left = own ? frame.left : 0, right = own ? frame.right : document.documentElement.clientWidth;
            if (box.left < left - 1 || box.right > right + 1) faults.push(`cut: ${text}`);
        }
        texts.sort((one, other) => one[1].left - other[1].left);
        texts.forEach(([text, box], at) => {
            for (const [name, next] of texts.slice(at + 1)) {
                if (next.left > box.right - 2) break;
                if (next.top < box.bottom - 3 && box.top < next.bottom - 3) faults.push(`covered: ${text} / ${name}`);
            }
        });
    }
    return faults;
})()"""
# Of whatever scrolls by itself: the keyboard reaches it; of every drawing: it has a name, or says that it has none.
UNREACHED = """[...document.querySelectorAll('main *')].filter(each =>
    each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'auto' && each.tabIndex !== 0
).map(each => each.outerHTML.slice(0, 80))"""
UNNAMED = """[...document.querySelectorAll('svg')].filter(each =>
    !each.parentElement.closest('svg, [aria-hidden=true]') && each.ariaHidden !== 'true' && !each.ariaLabel
).map(each => each.outerHTML.slice(0, 80))"""
# Of every caption: it does not reach beyond the box in which its table scrolls.
CAPTIONS = """[...document.querySelectorAll('caption span')].filter(each =>
    each.getBoundingClientRect().right > each.closest('.box').getBoundingClientRect().right + 1
).map(each => each.textContent)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample: Snapshot) -> Path:
    """A folder that holds every page."""
    made = tmp_path_factory.mktemp("pages")
    write_pages(made, sample)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as running:
        yield running


@pytest.fixture(scope="module", params=PAGES)
def path(request: pytest.FixtureRequest, browser: Any, folder: Path) -> Path:
    return folder / f"{request.param}.html"


@pytest.fixture(scope="module")
def seen(browser: Any, path: Path) -> Iterator[Visit]:
    """The page at 1600 pixels, in the light, as nobody has touched it."""
    with visit(browser, path) as opened:
        yield opened


def plain(text: str) -> str:
    """Text without its spaces, ligatures undone."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def widest(seen: Visit) -> int:
    width: int = seen.page.evaluate("document.documentElement.scrollWidth")
    return width


def axe_faults(page: Any, **options: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [360, 1600])
def test_a_page_asks_nobody_says_nothing_and_does_not_scroll_sideways(browser: Any, path: Path, width: int) -> None:
    with visit(browser, path, width) as seen:
        assert widest(seen) <= width
        assert seen.page.evaluate(TEXTS) == []
        for faults in (CAPTIONS, UNREACHED, UNNAMED):
            assert seen.page.evaluate(faults) == []
        plots = seen.page.locator("svg.plot")
        if plots.count():
            plots.first.hover()
        for button in seen.page.locator(".ranges button").all():
            button.click()
        assert widest(seen) <= width
        # What 1280 pixels are at four times their size.
        seen.page.set_viewport_size({"width": 320, "height": 900})
        assert widest(seen) <= 320
    assert seen.said == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
    assert [url for url in seen.asked if url.startswith("file:")] == [path.as_uri()]


def test_every_chart_is_drawn(seen: Visit, path: Path) -> None:
    drawn = seen.page.locator("svg.plot")
    assert drawn.count() == PLOTS.get(path.stem, drawn.count())
    boxes = seen.page.evaluate(
        """[...document.querySelectorAll('svg.plot')].map(each => {
            const own = each.getBoundingClientRect(), figure = each.closest('figure').getBoundingClientRect();
            return [own.width, own.height, figure.width];
        })"""
    )
    assert all(width > 0.7 * whole and width > 200 and height > 15 for width, height, whole in boxes)
    empty = seen.page.evaluate(
        "[...document.querySelectorAll('.drawn svg, .plot .line, .plot .area, .heat-map .heat')]"
        ".filter(each => !(each.getBoundingClientRect().width > 0)).length"
    )
    assert empty == 0
    # Every line lies inside its plot.
    outside = seen.page.evaluate(
        """[...document.querySelectorAll('.plot .line, .plot .area, .plot .bar, .plot .heat')].filter(each => {
            const own = each.getBoundingClientRect(), plot = each.closest('svg.plot').getBoundingClientRect();
            return own.top < plot.top - 3 || own.bottom > plot.bottom + 3 || own.right > plot.right + 3;
        }).length"""
    )
    assert outside == 0


def test_axe_finds_no_serious_fault(seen: Visit) -> None:
    assert axe_faults(seen.page) == []


def test_dark_is_dark_and_keeps_its_contrast(browser: Any, seen: Visit, path: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert seen.page.evaluate(ground) == "rgb(255, 255, 255)"
    with visit(browser, path, scheme="dark") as dark:
        assert sum(map(int, re.findall(r"\d+", dark.page.evaluate(ground)))) < 120
        # Nothing else that axe knows hangs on colours.
        assert axe_faults(dark.page, runOnly=["color-contrast"]) == []
        # Paper is white, whatever the screen is.
        colours = "['--c1', '--scarce', '--mark'].map(name => getComputedStyle(document.body).getPropertyValue(name))"
        dark.page.emulate_media(media="print", color_scheme="dark")
        assert dark.page.evaluate(colours) == seen.page.evaluate(colours)


def test_headings_are_in_order_and_ids_are_unique(seen: Visit) -> None:
    levels = seen.page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(each => Number(each.tagName[1]))")
    ids = seen.page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    links = seen.page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(each => each.getAttribute('href').slice(1))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_a_page_is_whole_without_scripts(browser: Any, seen: Visit, path: Path) -> None:
    def shown(page: Any) -> tuple[str, list[int]]:
        words = " ".join(each.inner_text() for each in page.locator("main, header").all())
        plots = [round(plot.bounding_box()["height"]) for plot in page.locator("svg.plot").all()]
        return re.sub(r"Show\s+all.*?shows all\.", "", words, flags=re.DOTALL), plots

    with_scripts = shown(seen.page)
    with visit(browser, path, scripts=False) as without:
        words, plots = shown(without.page)
    assert "".join(words.split()) == "".join(with_scripts[0].split())
    assert plots == with_scripts[1]


def test_no_row_is_cut_on_paper(seen: Visit) -> None:
    from pypdf import PdfReader

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
        # Where the system forces its colours, and takes the ground away, a frame is left.
        seen.page.emulate_media(forced_colors="active")
        frames = seen.page.evaluate(
            "[...document.querySelectorAll('.banner')].map(each => getComputedStyle(each).borderTopColor)"
        )
        assert "rgba(0, 0, 0, 0)" not in frames


def test_hostile_names_are_read_as_text(browser: Any, folder: Path) -> None:
    with visit(browser, folder / "hostile names.html") as seen:
        assert seen.page.locator("img, iframe, object, embed").count() == 0
        assert seen.page.locator("script").count() == 1
        assert "<img src=x onerror=alert(1)>" in seen.page.locator("main").inner_text()
    assert seen.said == []
