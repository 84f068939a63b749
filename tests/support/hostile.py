"""Inputs that mean harm: texts that steer, files with a few bytes changed, documents with one value exchanged.

How many of them a test takes is said by the environment: a few, and always the same, where it says nothing;
`make test-long` says how many there are in all, of which each test takes its share. REVERSE_QE_FUZZ_SEED draws the same
ones again; what failed is kept in `.fuzzing/examples` too, and is tried first the next time.
"""

import copy
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

INPUTS = int(os.environ.get("REVERSE_QE_FUZZ_INPUTS", "0"))
SEED = int(os.environ.get("REVERSE_QE_FUZZ_SEED", "1"))
KEPT = Path(__file__).resolve().parents[2] / ".fuzzing"
COUNTS: Counter[str] = Counter()
SHARES: dict[str, float] = {}

TEXTS = (
    "",
    " ",
    "x",
    "..",
    "-",
    "--",
    "~nosuchuser/x",
    "a\nb",
    "a\rError: b",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\u202eexe.txt",
    "\u2028",
    "\ufeff",
    "[red]x[/]",
    "<script>alert(1)</script>",
    "=1+1",
    "%s%n{}",
    "$(id)",
    "nul\x00byte",
    "x" * 300,
    "\u00e9" * 130,
    "nan",
    "inf",
    "-1",
    "1e309",
    "9" * 400,
    "0x10",
    "\u0661\u0662",
    "true",
    "null",
    "None",
    "2024-02-30",
    "0001-01-01",
    "1677-09-20",
    "2262-04-12",
    "9999-12-31",
    "2024-01-02T00:00:00+99:99",
)
texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=()), max_size=12))
values: st.SearchStrategy[Any] = st.one_of(
    texts.filter(lambda text: not any("\ud800" <= each <= "\udfff" for each in text)),
    st.sampled_from([None, True, False, 0, -1, 1, 10**30, -(2**63), 0.5, -1e-300, 1e308, [], {}, [[]], {"x": 1}]),
    st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    st.integers(),
    st.floats(),
)


def fuzzed(area: str, share: float, quick: int) -> Callable[[Any], Any]:
    """Settings of a test that takes a share of all inputs.

    Args:
        area: of the inputs; `COUNTS` counts them by it.
        share: of them; all shares make 1.
        quick: how many, where no number is named.
    """
    SHARES[area] = share
    chosen = settings(
        max_examples=max(1, round(INPUTS * share)) if INPUTS else quick,
        deadline=None,
        derandomize=not INPUTS,
        database=DirectoryBasedExampleDatabase(KEPT / "examples") if INPUTS else None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    return lambda test: pytest.mark.slow(chosen(seed(SEED)(test) if INPUTS else test))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, most: int = 3) -> bytes:
    """Bytes with a few places cut out, doubled, exchanged or filled with something else."""
    data = whole
    for _ in range(draw(st.integers(1, most))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.sampled_from([0, 1, 2, 10, 200, len(data)])))
        filling = draw(
            st.one_of(
                st.sampled_from([b"", b"\x00", b"\xff\xfe", b"\n", b",", b'"', b"{", b"[" * 3000, data[begin:end] * 2]),
                st.binary(max_size=6),
                texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
            )
        )
        data = data[:begin] + filling + data[end:]
    return data


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a document of dicts and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def exchanged(draw: st.DrawFn, whole: Any, most: int = 2) -> Any:
    """A document in which a few values are exchanged or gone, or which has one more."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, most))):
        path = draw(st.sampled_from(places(document)))
        if not path:
            if draw(st.integers(0, 20)) == 0:
                return draw(values)
            continue
        inside = document
        for key in path[:-1]:
            inside = inside[key]
        how = draw(st.sampled_from(["exchange", "exchange", "remove", "add"]))
        if how == "exchange":
            inside[path[-1]] = draw(values)
        elif how == "remove":
            del inside[path[-1]]
        elif isinstance(inside, dict):
            inside[draw(texts)] = draw(values)
        else:
            inside.insert(path[-1], draw(values))
    return document


@st.composite
def cells_exchanged(draw: st.DrawFn, whole: str, most: int = 3) -> bytes:
    """A CSV file in which a few cells are exchanged, a few rows are doubled, gone or out of order."""
    rows = [line.split(",") for line in whole.strip().split("\n")]
    for _ in range(draw(st.integers(1, most))):
        row = draw(st.integers(0, len(rows) - 1))
        how = draw(st.sampled_from(["cell", "cell", "cell", "remove", "double", "turn"]))
        if how == "cell" and rows[row]:
            rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(texts)
        elif how == "remove" and len(rows) > 1:
            del rows[row]
        elif how == "double":
            rows.insert(row, list(rows[row]))
        elif how == "turn":
            rows[row:] = rows[row:][::-1]
    return ("\n".join(",".join(row) for row in rows) + "\n").encode("utf-8", "surrogatepass")


def as_json(value: Any) -> bytes:
    """A document as JSON, with the words for numbers that JSON does not have."""
    return json.dumps(value, default=str).encode("utf-8", "surrogatepass")
