"""The evidence of a sweep: what it reads, and what it makes of hand-made returns."""

import json

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.equal_volatility import at_equal_volatility
from backtests.evidence.table import Question, Row, Verdict
from backtests.evidence.trials import TrialCount
from backtests.studies.evidence.of_sweep import SweptReturns, read_rows, rows_json, sweep_evidence

ONE = TrialCount(1, 1.0, None, None)


def made(variants, edge=0.0, sessions=600):
    random = np.random.default_rng(11)
    mix = random.normal(0.0003, 0.01, sessions)
    excess = mix + random.normal(0.0, 0.004, (variants, sessions))
    excess -= (excess - mix).mean(axis=1, keepdims=True)
    excess[3] += edge
    days = pd.bdate_range("2020-01-01", periods=sessions)
    return SweptReturns("made", days, excess, np.arange(variants) + 100, variants + 2, mix, np.zeros(sessions))


def test_nothing_is_found_where_nothing_is(tmp_path):
    found = sweep_evidence(made(15), tmp_path, ONE)
    raw = found.row("superior", "as they are")
    assert raw.verdict in (Verdict.OPEN, Verdict.AGAINST)
    assert (raw.values["variants"], raw.values["not_run"]) == (15, 2)
    assert found.row("deflated_sharpe", "static_mix").values["trials"] == 15
    assert found.row("cross_validation").reason.startswith("the sweep was not cross-validated")
    assert found.is_skill is False


def test_an_edge_is_found_and_the_variant_named(tmp_path):
    told = []
    found = sweep_evidence(made(15, edge=0.0012), tmp_path, ONE, told.append)
    for of in ("as they are", "at equal volatility"):
        row = found.row("superior", of)
        assert (row.verdict, row.values["variant"]) == (Verdict.FOR, 103)
    assert found.row("overfitting").verdict is Verdict.FOR
    assert found.row("overfitting").values["ways"] == 12_870
    assert found.row("deflated_sharpe", "static_mix").values["variant"] == 103
    assert found.is_skill is True
    assert "superior as they are, 15 of 15 variants" in told


def test_more_trials_than_variants_count(tmp_path):
    many = TrialCount(5_000, 4_000.0, 0.2, 0.01)
    row = sweep_evidence(made(12, edge=0.0004), tmp_path, many).row("deflated_sharpe", "static_mix")
    assert (row.values["trials"], row.values["effective_trials"]) == (5_000, 4_000.0)


def test_what_is_too_short_says_so(tmp_path):
    found = sweep_evidence(made(12, sessions=90), tmp_path, ONE)
    assert {row.verdict for row in found.rows} == {Verdict.UNMEASURED}
    assert found.is_skill is None


def test_the_scale_is_that_of_the_sessions_before():
    random = np.random.default_rng(5)
    excess, mix = random.normal(0, 0.02, (3, 40)), random.normal(0, 0.01, 40)
    excess[2, :] = 0.0
    excess[1, :12] *= 1e-3
    found = at_equal_volatility(excess, mix, window=10)
    assert found.shape == (3, 30)
    for session in range(10, 40):
        before = slice(session - 10, session)
        scale = np.std(mix[before]) / np.std(excess[0, before])
        assert found[0, session - 10] == pytest.approx(min(scale, 5.0) * excess[0, session])
    assert (found[2] == 0).all()
    # One that hardly moved before is raised fivefold at most.
    assert found[1, 0] == pytest.approx(5.0 * excess[1, 10])
    changed = excess.copy()
    changed[:, 30:] *= 7.0
    np.testing.assert_allclose(at_equal_volatility(changed, mix, window=10)[:, :20], found[:, :20])


def test_cross_validation_is_read_from_its_file(tmp_path):
    told = {"median_sharpe": 1.1, "p5_sharpe": 0.9, "p95_sharpe": 1.2, "static_mix_sharpe": 1.3}
    told |= {"share_below_static_mix": 0.8, "paths": [{}] * 5, "splits": [{}] * 15, "chosen_variants": {"3": {}}}
    (tmp_path / "cpcv.json").write_text(json.dumps(told))
    row = sweep_evidence(made(12), tmp_path, ONE).row("cross_validation", "static_mix")
    assert (row.verdict, row.values["paths"], row.values["splits"]) == (Verdict.AGAINST, 5, 15)
    (tmp_path / "cpcv.json").write_text("[1")
    assert "cannot be read" in sweep_evidence(made(12), tmp_path, ONE).row("cross_validation").reason


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [Row(Question.SWEEP, "superior", Verdict.OPEN, "as they are", {"p_value": 0.25}, "")]
    (tmp_path / "evidence.json").write_text(rows_json(rows))
    assert read_rows(tmp_path) == rows
    (tmp_path / "evidence.json").write_text('[{"question": "what?"}]')
    assert read_rows(tmp_path) == []
    assert read_rows(tmp_path / "nowhere") == []
