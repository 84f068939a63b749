"""What every page is made of: one template, one style sheet, one rule of what a page may load, and text made safe.

Whatever enters a page is text and escaped, in attributes too, unless it is `Html`; `page` writes out what steers a
terminal or hides. A page is complete in itself: its policy lets no request leave it, and no script run but that of the
kit, which tells the values under the pointer and is not needed to read the page.
"""

import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template

from markupsafe import Markup, escape

from data.files.plain_text import printable

TEMPLATE = Path(__file__).parent / "kit.html.tmpl"
STYLE = Path(__file__).parent / "kit.css"
SCRIPT = Path(__file__).parent / "kit.js"
GENERATOR = "Reverse QE"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_WITHOUT_CONTENT = frozenset({"br", "hr", "line", "path", "rect", "circle", "polyline", "use"})

Html = Markup
Row = Sequence[object]


@dataclass(frozen=True)
class Part:
    """A part of a page under a heading of its own.

    Attributes:
        title: the heading; the list of contents names it.
        body: below it.
    """

    title: str
    body: Html


def tag(name: str, *content: object, **attributes: object) -> Html:
    """An element; its content and its attributes are escaped, unless they are `Html`.

    Args:
        name: of the element.
        content: put one after the other.
        attributes: by name, ``class_`` for a word of Python, ``aria_label`` for ``aria-label``; None or False: not set.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    told = "".join(
        f' {key}="{escape(value)}"' for key, value in given.items() if value is not None and value is not False
    )
    if name in _WITHOUT_CONTENT:
        return Html(f"<{name}{told}/>")
    return Html(f"<{name}{told}>{joined(content)}</{name}>")


def joined(pieces: Iterable[object], between: str = "") -> Html:
    """Pieces one after the other, with `between` between them; what is not `Html` is escaped."""
    return escape(between).join(escape(piece) for piece in pieces)


def page(
    *,
    title: str,
    heading: str,
    subtitle: str,
    lead: Html,
    banners: Sequence[tuple[str, str]] = (),
    parts: Sequence[Part] = (),
    footer: str = "Rendered by Reverse QE.",
) -> str:
    """The whole page.

    Args:
        title: of the window: what tells this page from all others.
        heading: the first one.
        subtitle: below it.
        lead: what stands before the first part.
        banners: label and text of each warning that must not be overlooked.
        parts: in order; more than two get a list of contents.
        footer: the last line.
    """
    keys = [_key(part.title) for part in parts]
    body = tag(
        "div",
        tag("a", "To the content", class_="skip", href="#content"),
        tag(
            "header",
            tag("h1", heading),
            tag("p", subtitle, class_="subtitle"),
            *(banner(label, text) for label, text in banners),
        ),
        _contents(parts, keys) if len(parts) > 2 else "",
        tag("main", lead, *map(_section, parts, keys), id="content"),
        tag("footer", footer),
        class_="page",
    )
    script, allowed = _script() if 'data-first="' in body else (Html(), "")
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        policy=escape(f"{POLICY}{allowed}"),
        generator=GENERATOR,
        title=escape(title),
        style=STYLE.read_text(encoding="utf-8"),
        body=joined([body, script]),
    )
    return printable(text, keep="\n")


def _script() -> tuple[Html, str]:
    """The script of the kit, and what lets it run and no other."""
    source = "\n" + SCRIPT.read_text(encoding="utf-8")
    digest = b64encode(sha256(source.encode()).digest()).decode()
    return Html(f"\n<script>{source}</script>"), f"; script-src 'sha256-{digest}'"


def banner(label: str, text: str) -> Html:
    """One warning that must not be overlooked."""
    return tag("p", tag("strong", label), text, class_="banner", role="note")


def table(
    head: Row, rows: Sequence[Row], *, caption: str = "", texts: Collection[int] = (), ids: Sequence[str] = ()
) -> Html:
    """A table: the first column names the row; where the window is too narrow it scrolls by itself.

    Args:
        head: of each column.
        rows: of cells.
        caption: its title.
        texts: places of the columns of words, left-aligned; all others but the first are of numbers.
        ids: of each row; none: no ids.
    """
    top = tag("tr", *(tag("th" if cell else "td", cell, scope="col" if cell else None, class_=_aligned(place, texts))
                      for place, cell in enumerate(head)))  # fmt: skip
    named: Sequence[str | None] = ids or [None] * len(rows)
    body = joined((_row(row, texts, name) for row, name in zip(rows, named, strict=True)), "\n")
    whole = tag(
        "table",
        tag("caption", tag("span", caption)) if caption else "",
        tag("thead", top),
        "\n",
        tag("tbody", body, "\n"),
    )
    return box(whole, caption or " ".join(Html(escape(cell)).striptags() for cell in head).strip())


def box(content: Html, label: str) -> Html:
    """What scrolls by itself where the window is too narrow; then the keyboard has to reach it, and it has a name."""
    return tag("div", content, class_="box", role="region", tabindex=0, aria_label=label)


def bullets(lines: Sequence[object]) -> Html:
    """A list of sentences; nothing where there is none."""
    return tag("ul", *(tag("li", line) for line in lines)) if lines else Html()


def unbroken_days(text: str) -> Html:
    """Text whose days do not break at their hyphens."""
    pieces = re.split(r"(\d{4}-\d{2}-\d{2})", text)
    return joined(tag("span", piece, class_="days") if place % 2 else piece for place, piece in enumerate(pieces))


def _row(row: Row, texts: Collection[int], name: str | None) -> Html:
    first = tag("th", row[0], scope="row")
    return tag(
        "tr", first, *(tag("td", cell, class_=_aligned(place, texts)) for place, cell in enumerate(row[1:], 1)), id=name
    )


def _aligned(place: int, texts: Collection[int]) -> str | None:
    return "text" if place in texts else None


def _section(part: Part, key: str) -> Html:
    return tag(
        "section",
        tag("h2", part.title, id=f"{key}-title"),
        "\n",
        part.body,
        "\n",
        id=key,
        aria_labelledby=f"{key}-title",
    )


def _contents(parts: Sequence[Part], keys: Sequence[str]) -> Html:
    links = [tag("li", tag("a", part.title, href=f"#{key}")) for part, key in zip(parts, keys, strict=True)]
    return tag("nav", tag("ul", *links), class_="contents", aria_label="Contents")


def _key(title: str) -> str:
    """The name of a part inside its page."""
    return "part-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
