"""Text is text: whatever a name holds, it steers no terminal and is no formula."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.files.plain_text import printable, spreadsheet_cell, spreadsheet_frame

ANY_TEXT = st.text(st.characters(exclude_categories=()))
# Marks of Unicode that turn the direction of what stands around them.
TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"


@given(ANY_TEXT)
def test_no_control_character_is_left_and_nothing_that_is_seen_is_lost(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} or each in TURNING for each in shown)
    shown.encode("utf-8")
    assert printable(shown) == shown
    letters = [each for each in text if unicodedata.category(each) in {"Lu", "Ll", "Nd", "Sm", "Sc", "So", "Zs"}]
    left = iter(shown)
    assert all(each in left for each in letters)


def test_each_character_that_is_not_seen_is_written_out() -> None:
    for number in [*range(0x300), *range(0x2000, 0x2100), 0xD800, 0xFEFF, 0xFFFE, 0xFFFF, 0xE0041]:
        each = chr(number)
        unseen = unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or number in {0x2065, 0xFFFE, 0xFFFF}
        assert (printable(each) != each) == (unseen and each not in "\u200c\u200d"), hex(number)


def test_what_is_written_out_can_be_read() -> None:
    assert printable("a\x1b[2Jb\r\n\u202ec\x7f") == r"a\x1b[2Jb\r\n\u202ec\x7f"
    assert printable("one\ntwo\t", keep="\n") == "one\ntwo\\t"
    assert printable("Müller 株式 👩\u200d🚀 \\n") == "Müller 株式 👩\u200d🚀 \\n"


@given(ANY_TEXT)
def test_no_cell_is_a_formula(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell.removeprefix("'") == text or cell == text
    # What spreadsheets begin a formula with, and what they skip before it.
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))  # noqa: RUF001


@pytest.mark.parametrize("dtype", ["object", "str"])
def test_only_texts_of_a_frame_change(dtype: str) -> None:
    day = pd.Timestamp("2024-01-02")
    frame = pd.DataFrame({"=A1": [-1.5, 2.0], "on": [day, day], "why": pd.Series(["-x", "y"], dtype=dtype)})
    safe = spreadsheet_frame(frame)
    assert list(safe.columns) == ["'=A1", "on", "why"]
    assert safe["why"].tolist() == ["'-x", "y"]
    pd.testing.assert_series_equal(safe["'=A1"], frame["=A1"], check_names=False)
    pd.testing.assert_series_equal(safe["on"], frame["on"])
    assert frame["why"].tolist() == ["-x", "y"]


def test_a_frame_without_texts_keeps_its_types() -> None:
    frame = pd.DataFrame({"A": [1, 2], "B": [0.1, None]})
    pd.testing.assert_frame_equal(spreadsheet_frame(frame), frame)
