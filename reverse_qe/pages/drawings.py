"""Charts that matplotlib drew, made fit to stand in a page: small, with unique ids and an alternative text."""

import re
from collections.abc import Sequence

from reverse_qe.pages.kit import Html, joined, tag

_FILE_ONLY = re.compile(
    r"<\?xml.*?\?>\s*|<!DOCTYPE svg.*?>\s*|<!--.*?-->\s*|<metadata>.*?</metadata>\s*|<style.*?</style>\s*", re.DOTALL
)
_DRAWING = re.compile(r"(<svg .*?</svg>)", re.DOTALL)
_REFERENCE = re.compile(r'(?:xlink:)?href="#([^"]+)"|url\(#([^)]+)\)')
_LETTER = re.compile(r'<path id="(DejaVuSans[^"]*)" d="[^"]*"[^>]*/>\s*')
_PATH = re.compile(r' d="[^"]*"')
_DECIMALS = re.compile(r"(\.\d\d)\d+")


def embed(text: str, labels: Sequence[str]) -> Html:
    """HTML that holds SVG files of matplotlib, with each of them made a part of it.

    Letters are defined once for all drawings, ids that nobody refers to are left out, the others are made unique, and
    coordinates keep two decimals of a point.

    Args:
        text: HTML that is trusted.
        labels: what each drawing shows, in their order, as plain text.

    Raises:
        ValueError: there are more or fewer drawings than labels.
    """
    pieces = _DRAWING.split(_FILE_ONLY.sub("", text))
    letters: set[str] = set()
    drawings = [
        _embedded(drawing, label, f"drawing-{number}-", letters)
        for number, (drawing, label) in enumerate(zip(pieces[1::2], labels, strict=True))
    ]
    pieces[1::2] = drawings
    return joined(Html(piece) for piece in pieces)


def _embedded(drawing: str, label: str, prefix: str, letters: set[str]) -> Html:
    used = {link or url for link, url in _REFERENCE.findall(drawing)}
    own = {name for name in re.findall(r' id="([^"]+)"', drawing) if name in used and not name.startswith("DejaVuSans")}

    def letter(found: re.Match[str]) -> str:
        known = found[1] in letters
        letters.add(found[1])
        return "" if known else found[0]

    def name(found: re.Match[str]) -> str:
        if found[1] in own:
            return f' id="{prefix}{found[1]}"'
        return found[0] if found[1] in letters else ""

    def reference(found: re.Match[str]) -> str:
        target = found[1] or found[2]
        where = f"#{prefix if target in own else ''}{target}"
        return f'href="{where}"' if found[1] else f"url({where})"

    drawing = _LETTER.sub(letter, drawing)
    drawing = _REFERENCE.sub(reference, re.sub(r' id="([^"]+)"', name, drawing))
    drawing = _PATH.sub(lambda path: re.sub(r"\s+", " ", _DECIMALS.sub(r"\1", path[0])), drawing)
    drawing = re.sub(r"\s*\n\s*", "\n", re.sub(r"<defs>\s*</defs>", "", drawing))
    image = drawing.replace("<svg ", str(tag("svg", role="img", aria_label=label)).removesuffix("></svg>") + " ", 1)
    return tag("div", Html(image), class_="drawn", role="region", tabindex=0, aria_label=label)
