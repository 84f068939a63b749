"""Combinatorial purged cross-validation: splits and paths as published, choices by plain sums, no look at a test."""

import math
import sys
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reverse_qe
from backtests.studies.sweeps.cross_validation import cross_validate, make_splits
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.spans import Rows, moments_of, sharpe_over, together
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.errors import InputError

DAYS = {"run.start": "2022-01-03", "run.end": "2022-12-30"}


@pytest.fixture(scope="module")
def sweep(sample):
    return Sweep(SweepAsked("sample", DAYS, make_grid("sample", {"signal.enter": [0.3, 0.4, 0.5]}, DAYS), sample))


def noise(sweep, seed=0, variants=3):
    return np.random.default_rng(seed).normal(0, 0.01, (variants, len(sweep.base.panel.sessions) - 1))


def table_of(returns, tmp_path):
    path = tmp_path / "variants.parquet"
    pq.write_table(pa.table({"returns": [list(row) if row is not None else None for row in returns]}), path)
    return path


def sharpe(excess):
    return excess.mean() / excess.std(ddof=1) * math.sqrt(252)


def rows_of(spans):
    return np.concatenate([np.arange(begin, end) for begin, end in spans])


def test_six_groups_two_tested_are_the_splits_and_paths_of_the_book():
    """López de Prado 2018, figures 12.1 and 12.2: 15 splits, 5 paths, and which split each path takes a group from."""
    folds = make_splits(600, 6, 2)
    assert (len(folds.tests), len(folds.paths)) == (15, 5)
    assert list(folds.tests) == list(combinations(range(6), 2))
    assert [split + 1 for split in folds.paths[0]] == [1, 1, 2, 3, 4, 5]
    assert [split + 1 for split in folds.paths[1]] == [2, 6, 6, 7, 8, 9]
    assert [split + 1 for split in folds.paths[4]] == [5, 9, 12, 14, 15, 15]


@pytest.mark.parametrize(("groups", "tested"), [(3, 2), (6, 2), (7, 3), (10, 8)])
def test_each_path_tests_every_group_once_and_each_test_stands_in_one_path(groups, tested):
    folds = make_splits(1234, groups, tested)
    assert len(folds.paths) == math.comb(groups, tested) * tested // groups
    used = Counter((split, group) for path in folds.paths for group, split in enumerate(path))
    assert set(used) == {(split, group) for split, test in enumerate(folds.tests) for group in test}
    assert set(used.values()) == {1}
    assert rows_of(folds.groups).tolist() == list(range(1234))


@pytest.mark.parametrize(("purge", "embargo"), [(0, 0), (3, 0), (0, 7), (3, 7)])
def test_what_is_purged_and_embargoed_by_hand(purge, embargo):
    """Of five groups of twenty: before each test as many as are purged, after it as many as both."""
    folds = make_splits(100, 5, 2, purge, embargo)
    for test, train in zip(folds.tests, folds.trains, strict=True):
        left = {row for row in range(100) if row // 20 not in test}
        for group in test:
            begin, end = 20 * group, 20 * group + 20
            left -= {*range(begin - purge, begin), *range(end, end + purge + embargo)}
        assert rows_of(train).tolist() == sorted(left)


def test_choices_and_paths_by_plain_sums(sweep, tmp_path):
    returns = noise(sweep, 1, 40)
    bill = sweep.base.risk_free.iloc[1:].to_numpy()
    excess = returns - bill
    folds = make_splits(returns.shape[1], 6, 2, purge=3, embargo=5)
    found = cross_validate(sweep, table_of(returns, tmp_path), folds, 0.5)
    for split, train in zip(found.splits, folds.trains, strict=True):
        ratios = [sharpe(row[rows_of(train)]) for row in excess]
        assert split.variant == np.argmax(ratios)
        assert np.isclose(split.train, max(ratios), rtol=1e-12)
        assert split.train_sessions == len(rows_of(train))
    ratios = []
    for path, taken in zip(found.paths, folds.paths, strict=True):
        assert path.variants == tuple(found.splits[split].variant for split in taken)
        daily = np.concatenate(
            [excess[variant, begin:end] for variant, (begin, end) in zip(path.variants, folds.groups, strict=True)]
        )
        ratios.append(sharpe(daily))
        assert np.isclose(path.sharpe, ratios[-1], rtol=1e-12)
    assert found.percentile(50) == pytest.approx(np.median(ratios))
    assert found.percentile(5) == pytest.approx(pd.Series(ratios).quantile(0.05))
    assert found.share_below_static_mix == sum(each < 0.5 for each in ratios) / 5
    assert found.chosen == len({split.variant for split in found.splits})


def test_more_variants_than_are_read_at_once(sweep, tmp_path, monkeypatch):
    returns = noise(sweep, 2, 23)
    table, folds = table_of(returns, tmp_path), make_splits(returns.shape[1], 6, 2)
    whole = cross_validate(sweep, table, folds, None)
    monkeypatch.setattr("backtests.studies.sweeps.spans.BATCH", 4)
    assert cross_validate(sweep, table, folds, None) == whole
    pq.write_table(pq.read_table(table), table, row_group_size=7)
    assert cross_validate(sweep, table, folds, None) == whole
    assert max(split.variant for split in whole.splits) > 4


def test_no_choice_looks_at_its_test_nor_at_what_is_left_out(sweep, tmp_path):
    returns = noise(sweep, 3, 30)
    folds = make_splits(returns.shape[1], 5, 2, purge=4, embargo=6)
    before = cross_validate(sweep, table_of(returns, tmp_path), folds, None)
    for number in (0, 4, 9):
        garbled = noise(sweep, 4, 30) + 0.05 * np.arange(30)[:, np.newaxis]
        train = rows_of(folds.trains[number])
        garbled[:, train] = returns[:, train]
        after = cross_validate(sweep, table_of(garbled, tmp_path), folds, None)
        assert after.splits[number] == before.splits[number]
        assert after.splits != before.splits


def test_of_variants_without_skill_the_paths_have_none(sweep, tmp_path):
    """The best in a sample is chosen of two hundred that are noise: what it makes elsewhere is nothing, in the mean."""
    found = []
    for seed in range(6):
        returns = noise(sweep, seed, 200) + sweep.base.risk_free.iloc[1:].to_numpy()
        folds = make_splits(returns.shape[1], 6, 2)
        result = cross_validate(sweep, table_of(returns, tmp_path), folds, 0.0)
        found += result.sharpes.tolist()
        assert min(split.train for split in result.splits) > 1.5
    # Six years of noise have a standard error of 0.4.
    assert abs(np.mean(found)) < 1.0


def test_one_variant_that_is_better_everywhere_is_chosen_everywhere(sweep, tmp_path):
    returns = noise(sweep, 5, 10)
    returns[7] += 0.02
    found = cross_validate(sweep, table_of(returns, tmp_path), make_splits(returns.shape[1], 6, 2), None)
    assert {split.variant for split in found.splits} == {7}
    assert np.ptp(found.sharpes) < 1e-12
    assert found.share_below_static_mix is None


def test_a_variant_that_could_not_be_run_is_never_chosen(sweep, tmp_path):
    returns = [None, *noise(sweep, 1, 2)]
    found = cross_validate(sweep, table_of(returns, tmp_path), make_splits(len(returns[1]), 6, 2), None)
    assert 0 not in {split.variant for split in found.splits}
    with pytest.raises(InputError, match="no variant has a Sharpe ratio where groups 1, 2 are tested"):
        cross_validate(sweep, table_of([None, None], tmp_path), make_splits(len(returns[1]), 6, 2), None)


@pytest.mark.parametrize("cuts", [[7], [1, 2, 50], [30, 31, 99]])
def test_spans_together_are_the_whole(cuts):
    excess = np.random.default_rng(0).normal(0.5, 0.01, (4, 120))
    ends = [0, *cuts, 120]
    spans = [Rows(begin, end) for begin, end in pairwise(ends)]
    np.testing.assert_allclose(sharpe_over(excess, spans), [sharpe(row) for row in excess], rtol=1e-11)
    assert together([moments_of(excess, rows) for rows in spans]).sessions == 120


def test_variants_of_other_sessions_are_refused(sweep, tmp_path):
    folds = make_splits(noise(sweep).shape[1], 6, 2)
    for returns in ([row[1:] for row in noise(sweep)], [noise(sweep)[0], noise(sweep)[1][5:]]):
        with pytest.raises(InputError, match="got variants of different sessions"):
            cross_validate(sweep, table_of(returns, tmp_path), folds, None)


@pytest.mark.slow
def test_the_word_writes_it_and_the_page_shows_it(sample, tmp_path):
    found = reverse_qe.sweep(
        "sample", {"signal.enter": [0.3, 0.5], "order_rules.band": [0.0, 0.05]}, sample, start="2022-01-03",
        end="2022-12-30", cpcv=(6, 2), purge=2, embargo=3, out=tmp_path / "it",
    )  # fmt: skip
    told = pd.read_json(tmp_path / "it" / "cpcv.json", typ="series")
    assert (told["groups"], told["test_groups"], told["purge"], told["embargo"]) == (6, 2, 2, 3)
    assert (len(told["splits"]), len(told["paths"])) == (15, 5)
    returns = np.array(found.variants["returns"].tolist()) - found.sweep.base.risk_free.iloc[1:].to_numpy()
    (path, *_), folds = found.cross.paths, make_splits(returns.shape[1], 6, 2)
    daily = [returns[variant, begin:end] for variant, (begin, end) in zip(path.variants, folds.groups, strict=True)]
    assert np.isclose(path.sharpe, sharpe(np.concatenate(daily)), rtol=1e-12)
    assert found.cross.static_mix == found.report.static_mix.sharpe
    kept = (tmp_path / "it" / "cpcv.json").read_bytes()
    again = reverse_qe.sweep(
        "sample", {"signal.enter": [0.3, 0.5], "order_rules.band": [0.0, 0.05]}, sample, start="2022-01-03",
        end="2022-12-30", cpcv=(6, 2), purge=2, embargo=3, out=tmp_path / "it",
    )  # fmt: skip
    assert again.cross == found.cross
    assert (tmp_path / "it" / "cpcv.json").read_bytes() == kept
    page = found.page()
    assert "15 splits, each with 2 of 6 groups of sessions tested" in page
    assert page.count('class="mark c1"') == 5
    assert ">static mix</text>" in page


REFUSED = {
    "one group tested": ({"cpcv": (6, 1)}, "got 6 groups of which 1 are tested"),
    "all tested": ({"cpcv": (6, 6)}, "got 6 groups of which 6 are tested"),
    "two groups": ({"cpcv": (2, 2)}, "got 2 groups"),
    "too many": ({"cpcv": (24, 12)}, "2,704,156 splits, wanted at most 5,000"),
    "more groups than sessions": ({"cpcv": (900, 2)}, "wanted at most 5,000"),
    "short groups": ({"cpcv": (90, 2), "purge": 1}, "for groups of 2"),
    "purged away": ({"cpcv": (6, 2), "purge": 30, "embargo": 12}, "for groups of 41"),
    "purge": ({"cpcv": (6, 2), "purge": -1}, "got -1 for purge"),
    "embargo": ({"cpcv": (6, 2), "embargo": True}, "got True for embargo"),
    "no test": ({"embargo": 3}, "got embargo 3 without tests"),
}


@pytest.mark.parametrize(("how", "says"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_in_one_line(sample, tmp_path, how, says):
    with pytest.raises(InputError, match=says):
        reverse_qe.sweep(
            "sample", {"signal.enter": [0.3]}, sample, start="2022-01-03", end="2022-12-30", out=tmp_path / "it", **how
        )
    assert not (tmp_path / "it").exists()


def test_keys_that_change_the_sessions_are_refused(sample, tmp_path):
    grid = {"run.start": ["2022-01-03", "2022-02-01"]}
    with pytest.raises(InputError, match=r"run\.start: varies, but cross-validation wants the same sessions"):
        reverse_qe.sweep("sample", grid, sample, end="2022-12-30", cpcv=(6, 2), out=tmp_path / "it")


def test_without_skfolio_it_is_refused_in_one_line(sample, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skfolio.model_selection", None)
    with pytest.raises(InputError, match=r"pip install '\.\[evidence\]' in the checkout"):
        reverse_qe.sweep("sample", {"signal.enter": [0.3]}, sample, cpcv=(6, 2), out=tmp_path / "it")
