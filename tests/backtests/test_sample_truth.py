"""The run against the truth: kappa by published figures, Sharpe ratios by Backtrader, and the spread over seeds."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.prepare.signal import read_signal
from backtests.run import run_backtest
from backtests.spec.costs import trade_terms
from backtests.spec.spec import load_spec
from backtests.studies.truth import before_costs, cohen_kappa, compare_with_truth
from data.clock import sessions_between
from data.errors import InputError
from data.sample import true_regime

ROOT = Path(__file__).resolve().parents[2]
SHORT = {"run.start": "2022-01-03", "run.end": "2023-12-29"}
SEEDS = 6


def paths(table):
    """Two paths of states that together give a table of counts, one's states by rows, the other's by columns."""
    pairs = [(row, column) for row, counts in enumerate(table) for column, n in enumerate(counts) for _ in range(n)]
    frame = pd.DataFrame(pairs, columns=["one", "other"]).astype(str)
    return frame["one"], frame["other"]


# Kappa


@pytest.mark.parametrize(
    ("table", "kappa", "digits"),
    [
        # Two readers of fifty proposals, the usual worked example: (0.7 - 0.5) / (1 - 0.5).
        ([[20, 5], [10, 15]], 0.4, 12),
        # Three states: printed by SAS PROC FREQ (AGREE), by way of the tests of statsmodels.
        ([[0, 4, 1], [0, 8, 0], [0, 1, 5]], 0.4842, 4),
        # Three states by hand: 0.29 observed; 0.5 * 0.4 + 0.3 * 0.3 + 0.2 * 0.3 = 0.35 by chance.
        ([[25, 13, 12], [12, 2, 16], [3, 15, 2]], (0.29 - 0.35) / 0.65, 12),
    ],
)
def test_kappa_is_the_published_one(table, kappa, digits):
    one, other = paths(table)
    assert cohen_kappa(one, other) == pytest.approx(kappa, abs=0.5 * 10**-digits)
    assert cohen_kappa(other, one) == cohen_kappa(one, other)


def test_kappa_of_agreement_of_opposites_and_of_a_path_that_says_nothing():
    path = pd.Series(["A", "B", "A", "B"])
    assert cohen_kappa(path, path) == 1.0
    assert cohen_kappa(path, pd.Series(["B", "A", "B", "A"])) == -1.0
    assert cohen_kappa(path, pd.Series(["A"] * 4)) == 0.0
    assert cohen_kappa(pd.Series(["A"] * 4), pd.Series(["B"] * 4)) == 0.0


@pytest.mark.parametrize(
    ("one", "other", "complaint"),
    [
        (["A", "A"], ["A", "A"], "got A in both paths throughout"),
        (["A", None], ["A", "B"], "got no state at 1"),
        (["A", "B"], ["A"], "got paths of 2 and 1 sessions"),
        ([], [], "got paths of 0 and 0 sessions"),
    ],
)
def test_kappa_that_means_nothing_is_refused(one, other, complaint):
    with pytest.raises(InputError, match=complaint):
        cohen_kappa(pd.Series(one, dtype="str"), pd.Series(other, dtype="str"))


# The comparison


def test_the_sharpe_ratios_are_those_of_a_run_through_backtrader(sample):
    spec = load_spec("sample", SHORT)
    found = compare_with_truth(spec, sample, true_regime())
    portfolios = run_backtest(spec, sample).measures.portfolios
    assert found.sharpe == pytest.approx(portfolios["strategy"].sharpe, rel=1e-9)
    assert found.static_mix_sharpe == pytest.approx(portfolios["static_mix"].sharpe, rel=1e-9)
    assert found.sharpe_difference == found.sharpe - found.static_mix_sharpe
    assert found.sharpe_difference != 0


def test_the_truth_is_that_of_ten_sessions_before(sample):
    """The decided path itself, told ten sessions sooner, is found again wholly; told at once, it is not."""
    spec = load_spec("sample", SHORT)
    decided = read_signal(spec, sample, pd.Timestamp("2024-03-28")).regime
    assert compare_with_truth(spec, sample, decided.shift(-10).dropna()).kappa == 1.0
    assert compare_with_truth(spec, sample, decided).kappa < 1.0


def test_a_truth_that_does_not_reach_over_the_run_is_refused(sample):
    spec = load_spec("sample", SHORT)
    with pytest.raises(
        InputError, match=r"got no regime of 10 sessions before 2023-06-15, wanted one .* to 2023-12-29"
    ):
        compare_with_truth(spec, sample, true_regime().loc[:"2023-06-14"])


def test_before_costs_a_trade_costs_nothing_and_all_else_is_the_same(sample):
    spec = load_spec("sample", SHORT)
    free = before_costs(spec)
    terms = trade_terms(list(sample.instruments), sample.instruments, free.costs)
    assert not any(column.any() for column in (terms.rate, terms.per_unit, terms.minimum, terms.spread, terms.impact))
    assert free.model_copy(update={"costs": spec.costs}) == spec
    truth = true_regime()
    paid, unpaid = (compare_with_truth(each, sample, truth) for each in (spec, free))
    assert unpaid.sharpe > paid.sharpe
    assert unpaid.kappa == paid.kappa


def test_a_rotation_that_never_moves_has_no_sharpe_ratio(sample):
    still = sample.bars.assign(**dict.fromkeys(("open", "high", "low", "close", "adj_close"), 1.0))
    bill = sample.series[sample.series["series"] != "DGS3MO"]
    sessions = sessions_between(pd.Timestamp("2014-01-02"), pd.Timestamp("2026-10-09"))
    zero = pd.DataFrame({"series": "DGS3MO", "date": sessions, "value": 0.0})
    zero["known_at"] = zero["date"].dt.tz_localize("UTC") + pd.Timedelta(hours=46)
    market = replace(sample, bars=still, series=pd.concat([bill, zero]))
    spec = before_costs(load_spec("sample", SHORT))
    with pytest.raises(InputError, match="the rotation never moved against the bill"):
        compare_with_truth(spec, market, true_regime())


# Over many seeds


def page_table():
    """The table of docs/sample-market.md: by scenario and measure, its five figures."""
    page = (ROOT / "docs" / "sample-market.md").read_text()
    line = re.compile(r"^ *(thesis|null) +(kappa|sharpe difference) +(with|before) +50 +([-\d. ]+)$", re.M)
    return {
        (scenario, measure.replace(" ", "_")): dict(
            zip(
                ["lower_quartile", "median", "upper_quartile", "mean", "standard_error"],
                map(float, figures.split()),
                strict=True,
            )
        )
        for scenario, measure, _, figures in line.findall(page)
    }


def test_the_page_shows_markets_neither_too_easy_nor_too_hard():
    table = page_table()
    assert len(table) == 4
    assert table["thesis", "kappa"]["median"] >= 0.5
    assert 0.2 <= table["thesis", "sharpe_difference"]["median"] <= 1.0
    assert abs(table["null", "kappa"]["median"]) <= 0.1
    difference = table["null", "sharpe_difference"]
    assert abs(difference["mean"]) <= 2 * difference["standard_error"]


@pytest.mark.slow
def test_the_first_seeds_lie_within_the_spread_that_the_page_shows():
    """By the page's spread, six seeds' median lies within three of its standard errors of the page's.

    The standard error of a normal sample's median is sqrt(pi / 2) deviations over the root of its size; a normal
    distribution's quartiles lie 1.349 deviations apart.
    """
    command = [sys.executable, "benchmarks/sample_truth.py", "--seeds", str(SEEDS), "--json"]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert set(told) == {"ratios", "seconds", "peak_mb"}
    for (scenario, measure), page in page_table().items():
        deviation = (page["upper_quartile"] - page["lower_quartile"]) / 1.349
        allowed = 3 * np.sqrt(np.pi / 2) * deviation / np.sqrt(SEEDS)
        median = told["ratios"][f"{scenario}_{measure}_median"]
        assert median == pytest.approx(page["median"], abs=allowed), (scenario, measure)
        quartiles = [told["ratios"][f"{scenario}_{measure}_{name}"] for name in ("lower_quartile", "upper_quartile")]
        assert quartiles[0] < median < quartiles[1]
