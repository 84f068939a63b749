"""The kit of the pages: text is text, whatever it holds, and every page is complete in itself."""

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_qe.pages.drawings import embed
from reverse_qe.pages.kit import Html, Part, banner, bullets, joined, page, table, tag, unbroken_days

HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)' x=\"",
    "' onload=alert(1) '",
    "javascript:alert(1)",
    "$title ${body} {{metrics}} %s {0}",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "]]><!-- -->",
    "\x1b[31m\x00\x08\u202e2021-01-01",
)
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), min_size=1, max_size=30))


class Parsed(HTMLParser):
    """The elements of a page, in order, and its text, as a browser reads them."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[str] = []
        self.text = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def made_of(text: str) -> str:
    """A page with one text in every place that takes text."""
    body = joined([table((text, text), [(text, text)], caption=text), bullets([text, unbroken_days(text)])], text)
    drawn = tag("svg", tag("title", text), tag("text", text, x=text), role="img", aria_label=text)
    return page(
        title=text,
        heading=text,
        subtitle=text,
        lead=joined([tag("p", text, title=text), drawn]),
        banners=[(text, text)],
        parts=[Part(text, body)],
        footer=text,
    )


def steers(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} and character != "\n"


PLAIN = Parsed(made_of("x"))


@given(TEXT)
def test_no_text_becomes_markup(text: str) -> None:
    document = made_of(text)
    parsed = Parsed(document)
    days = "2021-01-01" in text
    assert [each for each in parsed.elements if each != ("span", ("class",))] == PLAIN.elements or days
    assert {name for name, _ in parsed.elements} <= {name for name, _ in PLAIN.elements} | {"span"}
    assert not any(steers(each) for each in document)
    assert not any(steers(each) for value in parsed.values for each in value)
    document.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    parsed = Parsed(made_of(text))
    assert parsed.text.count(text) >= 15
    assert parsed.values.count(text) >= 4


def test_what_is_not_seen_is_written_out() -> None:
    assert r"\x1b[31m\x00\x08\u202e" in Parsed(made_of(HOSTILE[-1])).text


def test_html_is_not_escaped_twice() -> None:
    assert tag("p", tag("b", "a<b"), "&", class_="x y", hidden=True, id=None) == (
        '<p class="x y" hidden="True"><b>a&lt;b</b>&amp;</p>'
    )
    assert joined(["<", tag("br")], ">") == "&lt;&gt;<br/>"
    assert tag("path", d="M0 0", vector_effect="none") == '<path d="M0 0" vector-effect="none"/>'


def test_a_page_has_one_policy_and_tells_what_it_is() -> None:
    document = page(
        title="A & B", heading="Head", subtitle="sub", lead=Html("<p>lead</p>"), banners=[("SIMULATED", "So.")]
    )
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document)
    assert unescape(policy).startswith("default-src 'none'; ")
    assert "script-src" not in policy
    assert "<title>A &amp; B</title>" in document
    assert '<html lang="en">' in document
    assert document.index("<h1>Head</h1>") < document.index(str(banner("SIMULATED", "So."))) < document.index("<p>lead")
    assert "Contents" not in document


def test_parts_are_listed_and_can_be_reached() -> None:
    parts = [Part(f"Part {name}, it", Html()) for name in ("one", "two", "three")]
    document = page(title="t", heading="h", subtitle="s", lead=Html(), parts=parts)
    for name in ("one", "two", "three"):
        assert f'<a href="#part-part-{name}-it">Part {name}, it</a>' in document
        assert f'<section id="part-part-{name}-it" ' in document
    ids = re.findall(r' id="([^"]*)"', document)
    assert len(ids) == len(set(ids))


def test_a_table_tells_what_its_cells_belong_to() -> None:
    made = table(("", "CAGR", "why"), [("<a>", "1%", "so")], caption="All", texts=(2,), ids=("row-1",))
    assert made == (
        '<div class="box" role="region" tabindex="0" aria-label="All"><table>'
        "<caption><span>All</span></caption><thead><tr><td></td>"
        '<th scope="col">CAGR</th><th scope="col" class="text">why</th></tr></thead>\n<tbody><tr id="row-1">'
        '<th scope="row">&lt;a&gt;</th><td>1%</td><td class="text">so</td></tr>\n</tbody></table></div>'
    )


DRAWING = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "a" "b">
<svg width="10pt">
 <metadata>told by matplotlib</metadata>
 <defs>
  <style type="text/css">*{stroke-linejoin: round}</style>
 </defs>
 <g id="figure_1">
  <!-- a -->
  <path id="DejaVuSans-41" d="M 1.23456 2
L 3 4.5
" transform="scale(0.015625)"/>
  <use xlink:href="#DejaVuSans-41"/>
  <path clip-path="url(#p1)" d="M 0.999999 1"/>
  <clipPath id="p1"/>
  <a xlink:href="#event-1"/>
 </g>
</svg>"""


def test_drawings_share_letters_and_nothing_else() -> None:
    made = str(embed(f"<div>{DRAWING}</div>{DRAWING}", ["A < B", "two"]))
    assert made.count('id="DejaVuSans-41"') == 1
    assert made.count('href="#DejaVuSans-41"') == 2
    assert re.findall(r' id="([^"]*)"', made) == ["DejaVuSans-41", "drawing-0-p1", "drawing-1-p1"]
    assert re.findall(r"url\((.*?)\)", made) == ["#drawing-0-p1", "#drawing-1-p1"]
    assert made.count('href="#event-1"') == 2
    assert 'd="M 1.23 2 L 3 4.5 " transform="scale(0.015625)"' in made
    assert made.count('role="img" aria-label="A &lt; B"') == 1
    assert not re.search(r"<!|<\?|metadata|<style|<defs", made)
    assert made.startswith("<div><div ")


@pytest.mark.parametrize("labels", [[], ["one", "two"]])
def test_a_drawing_without_its_label_is_a_defect(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="zip"):
        embed(DRAWING, labels)
