"""Cells are read all at once where each is plain: to the bit what reading them one by one gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.files.cells import day_in, number_in
from data.importing.csv_files import _days, _numbers

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["", ".", "nan", "NaN", "inf", "-Infinity", "1e999", "1_0", "٣", " 2", "0x1", "abc", "+5", "1,0"]),
)
DAYS = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["", "0000-01-01", "2025-06-31", "20250101", "2025-W01-1", "2025-01-01T00", "\uff12025-01-01", "today"]
    ),
)


@given(st.lists(NUMBERS, min_size=1, max_size=8), st.sampled_from([("",), ("", ".")]))
def test_numbers(cells: list[str], blanks: tuple[str, ...]) -> None:
    one_by_one = np.array([number_in(cell, blanks) for cell in cells])

    assert _numbers(cells, blanks).tobytes() == one_by_one.tobytes()


@given(st.lists(DAYS, min_size=1, max_size=8))
def test_days(cells: list[str]) -> None:
    one_by_one = np.array([day_in(cell) for cell in cells], dtype="datetime64[us]")

    assert _days(cells).dtype == one_by_one.dtype
    np.testing.assert_array_equal(_days(cells), one_by_one)
