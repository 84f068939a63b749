"""The documentation site: built without warnings, complete, and read without a network."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import write_api
import write_first_minutes
import write_gallery
import write_spec_keys
from backtests.identity import ROOT
from backtests.spec.spec import load_spec
from browser import browsing, visit
from reverse_qe import cli

DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
NARROW, WIDE = 360, 1600
GRAVE = {"serious", "critical"}


def test_every_page_stands_in_a_list_of_contents_once():
    """A page that nobody finds is not there: name it in start, tutorials, tasks, reference or explanation.md."""
    named: list[str] = []
    for page in PAGES:
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```", (DOCS / f"{page}.md").read_text(), re.M | re.S):
            lines = [line for line in block.splitlines() if line and not line.startswith(":")]
            named += [f"decisions/{line}" if page == "decisions/README" else line for line in lines]
    assert len(named) == len(set(named))
    rest = {page for page in PAGES if page.startswith("decisions/") and page != "decisions/README"}
    assert set(named) - {"decisions/*"} == PAGES - rest - {"index"}
    assert "decisions/*" in named


def test_the_keys_of_a_spec_are_those_of_the_code():
    assert (DOCS / "spec-keys.md").read_text() == write_spec_keys.spec_keys(), "run: make docs"


def test_every_key_has_an_anchor_and_the_page_its_default():
    text = write_spec_keys.spec_keys()
    anchors = re.findall(r'<a id="([\w-]+)"></a>', text)
    assert len(anchors) == len(set(anchors)) > 100
    assert f"| `{load_spec('sample').signal.half_life_sessions}` |" in text.split('id="signal-half_life_sessions"')[1]
    assert re.search(r'id="policy-instrument_cap".*\| number > 0, &lt;= 1 \| `0.3` \|', text)


def test_the_words_of_python_are_those_of_the_code():
    assert (DOCS / "api.md").read_text() == write_api.api(), "run: make docs"


@pytest.mark.slow
def test_the_first_ten_minutes_print_what_the_page_shows():
    assert write_first_minutes.PAGE.read_text() == write_first_minutes.page_with_output(), "run: make docs"


def test_what_a_question_quotes_is_said_by_the_program():
    source = "\n".join(
        path.read_text()
        for room in ("reverse_qe", "paper", "backtests", "strategies", "signals", "data")
        for path in (ROOT / room).rglob("*.py")
    )
    rows = re.findall(r"^\| (.+?) \| ", (DOCS / "questions.md").read_text(), re.M)
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(quoted) >= 10
    assert [text for text in quoted if text not in source] == []


def test_the_gallery_shows_every_page_that_is_made():
    made = {"run.html", *re.findall(r"pages/(\w+\.html)", " ".join(write_gallery.COMMANDS))}
    assert set(re.findall(r'href="pages/(\w+\.html)"', (DOCS / "gallery.md").read_text())) == made
    assert {command.split()[0] for command in write_gallery.COMMANDS} <= set(cli.COMMANDS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", str(DOCS), str(target)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return target


class Loaded(HTMLParser):
    """What a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in {"script", "img", "link", "iframe", "source"}:
            self.found += [value for name in ("src", "href") if (value := named.get(name))]


@pytest.mark.slow
def test_no_page_of_the_site_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text())
        assert not [each for each in loaded.found if re.match(r"(https?:)?//", each)], page


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with browsing() as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("page", ["index", "spec-keys", "gallery", "commands", "first-ten-minutes", "comparison"])
def test_a_page_asks_nobody_says_nothing_and_fits(browser, site, page):
    from axe_playwright_python.sync_playwright import Axe

    seen = {}
    for width, scheme in ((NARROW, "light"), (WIDE, "dark")):
        with visit(browser, site / f"{page}.html", width, scheme) as shown:
            wide = shown.page.evaluate("document.documentElement.scrollWidth")
            seen[scheme] = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert wide <= width, f"{wide} pixels in a window of {width}"
            assert shown.faults == []
            assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []
            grave = [each["id"] for each in Axe().run(shown.page).response["violations"] if each["impact"] in GRAVE]
            assert grave == [], scheme
    assert seen["light"] != seen["dark"]


@pytest.mark.slow
def test_it_is_searched_without_a_network(browser, site):
    with visit(browser, site / "search.html") as shown:
        shown.page.goto((site / "search.html").as_uri() + "?q=half_life_sessions")
        shown.page.wait_for_selector("#search-results ul.search li")
        found = shown.page.locator("#search-results ul.search li").all_inner_texts()
        assert any("Keys of a spec" in text for text in found)
        assert shown.faults == []
        assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []
