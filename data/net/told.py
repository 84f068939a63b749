"""What an answer says in words, whatever it is written in: JSON, XML, a page for people, or plain text."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from data.net.errors import Form
from data.net.secrets import scrub

_LONGEST = 200
# FRED; Yahoo (inside of "chart" or "finance"); Alpaca and others.
_WORDS = ("error_message", "description", "message", "error")


def told(body: bytes) -> str:
    """Return in one line what an answer says; a page is named by its title. Blank where it says nothing."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    form = form_of(body)
    if form == "page":
        found = _of_page(text)
    elif form == "XML":
        found = _of_xml(text)
    else:
        try:
            found = next(_of_json(json.loads(body)), text)
        except (ValueError, RecursionError):
            found = text
    return scrub(" ".join(found.split())[:_LONGEST])


def form_of(body: bytes) -> Form:
    """Return what an answer is written in."""
    if body.lstrip()[:1] != b"<":
        return "other"
    return "page" if re.search(rb"(?i)<(!doctype html|html)\b", body[:20_000]) else "XML"


def _of_json(value: Any) -> Iterator[str]:
    """Every text under one of the known names, the outermost first."""
    if not isinstance(value, dict):
        return
    for name in _WORDS:
        if isinstance(value.get(name), str):
            yield value[name]
    for inner in value.values():
        yield from _of_json(inner)


def _of_xml(text: str) -> str:
    """FRED has an attribute, Amazon's storage an element."""
    message = re.search(r"""(?is)\bmessage\s*=\s*["'](.*?)["']|<message>(.*?)</message>""", text)
    return html.unescape(message[1] or message[2] or "") if message else "an XML document"


def _of_page(text: str) -> str:
    title = re.search(r"(?is)<title[^>]*>(.*?)</title>", text)
    words = title[1] if title else re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", text)
    words = " ".join(html.unescape(words).split())[:80]
    return f'an HTML page ("{words}")' if words else "an HTML page"
