"""Tables as they are laid out: what is dropped, what is wrapped, and that nothing which must stay whole is broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_tables import Shown, faults
from reverse_qe.output import table_lines
from reverse_qe.tables import Column, lay_out, ranked, text_width

DAY = st.dates().map(str)
NUMBER = st.floats(-1e9, 1e9).map("{:,.2f}".format)
WORDS = st.lists(st.text("abcxyz", min_size=1, max_size=12) | DAY, min_size=1, max_size=20).map(" ".join)


def test_columns_are_left_out_from_the_highest_rank_on() -> None:
    columns = ranked(("name", "a", "b", "c"), ranks=(0, 2, 1, 3))
    row = ["it", *["123456789"] * 3]
    shown = {width: lay_out(columns, [row], width).left_out for width in (37, 36, 26, 25, 15, 14)}
    assert shown == {37: (), 36: ("c",), 26: ("c",), 25: ("a", "c"), 15: ("a", "c"), 14: ("a", "b", "c")}
    assert lay_out(columns, [row], None).left_out == ()


def test_sentences_are_wrapped_before_anything_is_left_out() -> None:
    columns = [Column("row"), Column("said", prose=True), Column("day", rank=1)]
    laid = lay_out(columns, [["1", "one two three four five six seven", "2026-01-02"]], 40)
    assert laid.left_out == ()
    assert laid.lines[2:] == ("1    one two three four five  2026-01-02", "     six seven")
    inset = lay_out([Column("", prose=True), Column("n")], [["  one two three four five six", "1"]], 24)
    assert inset.lines[2:] == ("  one two three four   1", "  five six")


def test_a_long_word_of_a_sentence_pushes_columns_out_before_it_is_broken() -> None:
    columns = [Column("row"), Column("said", prose=True), Column("day", rank=1)]
    row = ["1", f"{'x' * 30} y", "2026-01-02"]
    assert lay_out(columns, [row], 40).left_out == ("day",)
    assert [text_width(line) <= 25 for line in lay_out(columns, [row], 25).lines] == [True] * 4


def test_the_name_of_a_row_is_shortened_last_and_keeps_both_ends() -> None:
    (*_, line) = lay_out([Column("name"), Column("n")], [["beginning-middle-end", "12345"]], 17).lines
    assert line == "begin…-end  12345"


def test_a_title_is_wrapped_at_words_and_in_a_pipe_it_is_not() -> None:
    title = "a title that is longer than the terminal is wide"
    for width, count in ((20, 3), (None, 1)):
        heading, _ = table_lines(title, ["", "n"], [["a", 1]], width)
        assert (len(heading), " ".join(heading)) == (count, title)


def test_a_column_is_left_where_each_may_go() -> None:
    assert lay_out(ranked(("a", "b"), ranks=(1, 2)), [["123456789", "123"]], 5).left_out == ("b",)


@given(
    st.lists(st.tuples(st.text("AB-", min_size=1, max_size=8), WORDS, DAY, NUMBER, NUMBER), max_size=3),
    st.permutations([1, 2, 3]),
)
@settings(max_examples=30)
def test_nothing_is_broken_or_too_wide(rows: list[tuple[str, ...]], ranks: list[int]) -> None:
    columns = ranked(("name", "what was said", "the day", "one amount", "another amount"), (0, 0, *ranks), prose=(1,))
    assert faults(Shown(("", 0), "title", columns, [list(row) for row in rows])) == []


@pytest.mark.parametrize("width", [8, 20, 79])
def test_wide_letters_take_two_places(width: int) -> None:
    lines = lay_out([Column("名", prose=True), Column("n")], [["価格 " * 9, "1"]], width).lines
    assert max(map(text_width, lines)) <= max(width, 11)
