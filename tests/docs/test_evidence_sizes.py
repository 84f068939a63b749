"""The tests of the evidence, in few of the worlds of its page: they hardly ever find what is not there."""

import re
from pathlib import Path

import pytest
from scipy.stats import binom
from threadpoolctl import threadpool_limits

from evidence_sizes import NULLS, allowed, bounds
from write_evidence_sizes import sizes_section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"
SEEDS = 12


def test_the_bounds_are_those_of_the_binomial():
    for seeds in (40, 1000):
        wanted = tuple(binom.ppf(share, seeds, 0.05) / seeds for share in (0.005, 0.995))
        assert bounds(seeds) == pytest.approx(wanted)
    assert allowed("conservative", 1000) == (0.0, bounds(1000)[1])
    assert allowed("interval", 1000) == (0.0, 0.075)


@pytest.mark.slow
@pytest.mark.parametrize("null", NULLS, ids=lambda each: each.test)
def test_nothing_is_found_where_nothing_is(null):
    """More than this many of the seeds is less likely than one in ten thousand at the highest share that may be."""
    with threadpool_limits(1):  # products this small only wait for further threads
        found = sum(null.finds(seed) for seed in range(5_000, 5_000 + SEEDS))
    assert found <= binom.ppf(1 - 1e-4, SEEDS, 0.075)


@pytest.mark.slow
def test_the_page_is_written_by_its_script():
    with threadpool_limits(1):
        head, *rows = [line for line in sizes_section(1).splitlines() if line.startswith("|")]
    assert head == "| test | its null here | kind | found | may be | holds |"
    assert len(rows) == len(NULLS) + 1


def test_every_null_of_the_page_holds():
    text = PAGE.read_text(encoding="utf-8").partition("<!-- sizes: begin -->")[2].partition("<!-- sizes: end -->")[0]
    told = re.findall(r"^\| (.+?) \|.*\| (yes|no) \|$", text, re.M)
    assert told == [(each.test, "yes") for each in NULLS]
