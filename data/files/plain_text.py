"""Text of others made plain: names, files and what sources sent steer no terminal, no page and no spreadsheet."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Control characters, line and paragraph separators, marks that hide or turn the direction of text, halves of pairs and
# what no text may hold. The joiners U+200C and U+200D stay: scripts are written with them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def printable(text: str, keep: str = "") -> str:
    r"""Text in which every character that is not seen, or steers what is, stands written out, as in ``\x1b``.

    Args:
        text: of anybody.
        keep: characters that stay, such as the line feeds of a text of several lines.
    """
    return _UNSEEN.sub(lambda found: found[0] if found[0] in keep else found[0].encode("unicode_escape").decode(), text)


def spreadsheet_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def spreadsheet_frame(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A frame whose texts, names of columns among them, are `spreadsheet_cell`s; numbers and days stay as they are."""
    safe = frame.set_axis([_cell(name) for name in frame.columns], axis="columns")
    for name in safe.select_dtypes(include=["object", "string"]).columns:
        safe[name] = safe[name].map(_cell)
    return safe


def _cell(value: object) -> object:
    return spreadsheet_cell(value) if isinstance(value, str) else value
