"""The page of a sweep: its figures, read back."""

import re

import numpy as np
import pandas as pd
import pytest

from backtests.engines.batch import COUNTS, MEASURES
from backtests.studies.sweeps.grid import Span, make_grid
from backtests.studies.sweeps.report import report_sweep
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from reverse_qe.pages.charts.heat_map import heat_map
from reverse_qe.pages.charts.parallel import BOTTOM, TOP, Upright, parallel_lines
from reverse_qe.pages.studies.sweep import sweep_page

DAYS = {"run.start": "2022-01-03", "run.end": "2022-06-30"}


def a_page(snapshot, values, measured, by="sharpe", **how):
    """A page of measures that were made up, in the order of the variants."""
    sweep = Sweep(SweepAsked("sample", DAYS, make_grid("sample", values, DAYS, **how), snapshot))
    grid = sweep.asked.grid
    settings = [grid.settings(number) for number in range(grid.size)]
    table = pd.DataFrame(settings).assign(**dict.fromkeys(MEASURES, 0.5), **dict.fromkeys(COUNTS, 1))
    table[by] = measured
    return sweep_page(sweep, report_sweep(grid, table, sweep.base, by), table)


def cells(page):
    return re.findall(r'<text x="[\d.]+" y="[\d.]+" text-anchor="middle" class="heat-text">([^<]*)</text>', page)


def test_a_cell_holds_the_median_of_the_variants_that_share_both_values(sample):
    values = {"signal.enter": [0.3, 0.4], "signal.dwell_sessions": [5, 10], "order_rules.band": [0.0, 0.1, 0.2]}
    measured = np.arange(12.0)
    page = a_page(sample, values, measured)
    # Enter down, dwell across: the median over three bands.
    assert cells(page)[:6] == ["5", "10", "1.00", "4.00", "7.00", "10.00"]
    assert page.count("<figcaption>") == 4
    assert "12 of 12 variants; the 10 best stand out" in page
    assert page.count('class="way marked"') == 10
    assert page.count('class="way"') == 2
    assert "SIMULATED" in page


def test_many_values_stand_in_groups(sample):
    values = {"signal.clip": Span(2.0, 4.0), "signal.enter": [0.3, 0.4]}
    page = a_page(sample, values, np.linspace(0, 1, 120), random=120)
    names = re.findall(r'text-anchor="end" class="heat-text">([^<]*)</text>', page)
    assert len(names) == 12
    assert all(" to " in name for name in names)


def test_what_could_not_be_measured_is_no_cell_and_no_line(sample):
    page = a_page(sample, {"signal.enter": [0.3, 0.4], "order_rules.band": [0.0, 0.1]}, [1.0, np.nan, 2.0, 3.0])
    assert cells(page)[:6] == ["0", "0.1", "1.00", "-", "2.00", "3.00"]
    assert page.count("<polyline") == 3
    assert "1 of 4 variants are no valid spec" in page


@pytest.mark.parametrize(("smaller", "strongest"), [(False, "3"), (True, "1")])
def test_the_best_cell_is_the_strongest(smaller, strongest):
    drawn = heat_map("x", ["a"], ["b", "c", "d"], np.array([[1.0, 2.0, 3.0]]), [["1", "2", "3"]], smaller)
    found = re.findall(r'fill-opacity="([\d.]+)"/><text [^>]*>([^<]*)<', drawn)
    assert {text: float(opacity) for opacity, text in found}[strongest] == 0.5
    assert sorted(float(opacity) for opacity, _ in found) == [0.0, 0.25, 0.5]


def test_a_line_crosses_the_axes_at_its_places():
    axes = [Upright("a", np.array([0.0, 1.0]), "low", "high"), Upright("b", np.array([1.0, np.nan]), "low", "high")]
    drawn = parallel_lines("x", axes, np.array([True, False]))
    assert re.findall(r'points="([^"]*)"', drawn) == [f"70.0,{BOTTOM:.1f} 1030.0,{TOP:.1f}"]


def test_names_of_the_market_are_text(sample):
    from dataclasses import replace

    page = a_page(replace(sample, name="<b>x"), {"signal.enter": [0.3, 0.4]}, [1.0, 2.0])
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page
