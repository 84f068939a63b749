"""Walk-forward: folds and choices by hand, no choice that knows the future, and a chain that is a run."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reverse_qe
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.sweeps.folder import run_into
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from backtests.studies.sweeps.walk_forward import (
    Fold,
    chain_spec,
    chained_weights,
    make_folds,
    walk_forward,
    write_weights,
)
from data.clock import sessions_between
from data.errors import InputError
from strategies.given_weights import read_weights

DAYS = {"run.start": "2021-01-04", "run.end": "2023-06-30"}


def a_sweep(snapshot, values):
    return Sweep(SweepAsked("sample", DAYS, make_grid("sample", values, DAYS), snapshot))


def test_folds_by_hand():
    sessions = sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2021-02-26"))
    folds = make_folds(sessions, "6m", "3m", purge=2)
    days = [[str(sessions[row].date()) for row in (*fold[:2], fold.test_begin, fold.test_end - 1)] for fold in folds]
    # The end of a train span is the first session that is not in it: two before the test begins.
    assert days == [
        ["2020-01-02", "2020-06-30", "2020-07-02", "2020-10-01"],
        ["2020-04-02", "2020-09-30", "2020-10-02", "2020-12-31"],
        ["2020-07-02", "2020-12-30", "2021-01-04", "2021-02-26"],
    ]


def test_an_embargo_leaves_out_what_follows_earlier_tests_by_hand():
    """The next choice looks at none of a test anyway; those after that leave its first sessions out."""
    sessions = sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2021-02-26"))
    plain, found = (make_folds(sessions, "6m", "3m", purge=2, embargo=embargo) for embargo in (0, 5))
    assert [each._replace(embargoed=()) for each in found] == plain
    # Of the first test's end, 2020-10-01, the five sessions after it; the third train span begins 2020-07-02.
    left_out = [[str(sessions[row].date()) for rows in each.embargoed for row in range(*rows)] for each in found]
    assert left_out == [[], [], ["2020-10-02", "2020-10-05", "2020-10-06", "2020-10-07", "2020-10-08"]]
    assert [
        (sessions[begin].date().isoformat(), sessions[end - 1].date().isoformat()) for begin, end in found[2].train
    ] == [
        ("2020-07-02", "2020-10-01"),
        ("2020-10-09", "2020-12-29"),
    ]


@pytest.mark.parametrize(("purge", "embargo"), [(0, 3), (2, 17), (10, 12)])
def test_no_embargoed_session_is_trained_on_and_all_others_are(purge, embargo):
    sessions = sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2021-12-31"))
    folds = make_folds(sessions, "6m", "1m", purge, embargo)
    for number, fold in enumerate(folds):
        after = {row for each in folds[:number] for row in range(each.test_end, each.test_end + embargo)}
        wanted = [row for row in range(fold.train_begin, fold.train_end) if row not in after]
        assert [row for rows in fold.train for row in range(*rows)] == wanted


def test_a_choice_looks_at_no_embargoed_session(sweep, tmp_path):
    """The variant that owes its past to those sessions is not chosen."""
    returns = noise(sweep)
    sessions = sweep.base.panel.sessions[1:]
    folds = make_folds(sessions, "1y", "3m", embargo=10)
    (rows,) = folds[2].embargoed
    returns += np.array([[-0.001], [0.001], [-0.001]])
    returns[2, rows.begin : rows.end] += 0.2
    table = table_of(returns, tmp_path)
    assert walk_forward(sweep, table, make_folds(sessions, "1y", "3m")).choices[2].variant == 2
    found = walk_forward(sweep, table, folds).choices[2]
    assert found.variant == 1
    excess = (returns - sweep.base.risk_free.iloc[1:].to_numpy())[1]
    looked_at = np.concatenate([excess[begin:end] for begin, end in folds[2].train])
    assert np.isclose(found.train, looked_at.mean() / looked_at.std(ddof=1) * np.sqrt(252), rtol=1e-12)


def table_of(returns, tmp_path):
    path = tmp_path / "variants.parquet"
    pq.write_table(pa.table({"returns": [list(row) if row is not None else None for row in returns]}), path)
    return path


@pytest.fixture(scope="module")
def sweep(sample):
    return a_sweep(sample, {"signal.enter": [0.3, 0.4, 0.5]})


def noise(sweep, seed=0, variants=3):
    return np.random.default_rng(seed).normal(0, 0.01, (variants, len(sweep.base.panel.sessions) - 1))


def test_the_best_of_the_past_is_chosen(sweep, tmp_path):
    returns = noise(sweep)
    folds = [Fold(0, 100, 100, 150), Fold(50, 150, 150, 200)]
    returns[1, :100] += 0.01
    returns[1, 100:150] -= 0.05
    returns[2, 100:150] += 0.02
    bill = sweep.base.risk_free.iloc[1:].to_numpy()
    found = walk_forward(sweep, table_of(returns, tmp_path), folds)
    assert [each.variant for each in found.choices] == [1, 2]
    assert found.changes == 1
    excess = pd.Series((returns - bill)[1, 100:150])
    assert np.isclose(found.choices[0].test, excess.mean() / excess.std() * np.sqrt(252))
    assert found.choices[0].best_test > found.choices[0].test
    over_all = pd.DataFrame((returns - bill)[:, 100:200].T)
    ratios = over_all.mean() / over_all.std() * np.sqrt(252)
    assert found.best_fixed == ratios.argmax()
    assert np.isclose(found.best_fixed_sharpe, ratios.max())
    assert np.isclose(found.median_sharpe, ratios.median())


@pytest.mark.parametrize("seed", range(3))
def test_no_choice_knows_its_test_or_what_comes_after(sweep, tmp_path, seed):
    returns = noise(sweep, seed, 20)
    folds = make_folds(sweep.base.panel.sessions[1:], "1y", "3m")
    before = walk_forward(sweep, table_of(returns, tmp_path), folds)
    for place, fold in enumerate(folds):
        garbled = returns.copy()
        garbled[:, fold.test_begin :] = noise(sweep, seed + 100, 20)[:, fold.test_begin :]
        after = walk_forward(sweep, table_of(garbled, tmp_path), folds)
        chosen = [[each.variant for each in walk.choices[: place + 1]] for walk in (before, after)]
        assert chosen[0] == chosen[1]


def test_a_variant_that_could_not_be_run_is_never_chosen(sweep, tmp_path):
    returns = [None, *noise(sweep, 1, 2)]
    found = walk_forward(sweep, table_of(returns, tmp_path), [Fold(0, 100, 100, 150)])
    assert found.choices[0].variant in (1, 2)


def test_of_one_variant_the_chain_is_its_run(sample, tmp_path):
    """From the first test on: the same weights on the same days, by a file that a spec names, give the same equity."""
    one = a_sweep(sample, {"policy.instrument_cap": [0.25]})
    table = run_into(tmp_path / "it", one, keep_returns=True)
    walk = walk_forward(one, table, make_folds(one.base.panel.sessions[1:], "1y", "6m"))
    write_weights(chained_weights(one, walk), tmp_path / "weights.csv")
    chain = run_backtest(chain_spec(one, walk, tmp_path / "weights.csv"), sample)
    settings = one.settings(0) | {"run.start": chain.sessions[0].date()}
    alone = run_backtest(load_spec("sample", settings), sample)
    assert chain.sessions.equals(alone.sessions)
    np.testing.assert_allclose(chain.engine.equity["equity"], alone.engine.equity["equity"], rtol=1e-9)
    assert len(chain.engine.orders) == len(alone.engine.orders)


def test_the_weights_are_read_as_they_were_written(sweep, tmp_path):
    returns = noise(sweep)
    walk = walk_forward(sweep, table_of(returns, tmp_path), make_folds(sweep.base.panel.sessions[1:], "1y", "6m"))
    weights = chained_weights(sweep, walk)
    write_weights(weights, tmp_path / "weights.csv")
    read = read_weights(tmp_path / "weights.csv", (tmp_path / "weights.csv").read_bytes())
    np.testing.assert_array_equal(read.to_numpy(), weights.to_numpy())
    assert (read.index == weights.index).all()


def test_the_word_writes_a_run_and_its_choices(sample, tmp_path):
    found = reverse_qe.sweep(
        "sample", {"signal.enter": [0.3, 0.4]}, sample, start="2021-01-04", end="2022-12-30", train="1y", test="6m",
        out=tmp_path / "it", tearsheet=False,
    )  # fmt: skip
    folder = tmp_path / "it" / "walk-forward"
    assert {"manifest.json", "equity.csv", "choices.csv", "spec.toml"} <= {path.name for path in folder.iterdir()}
    choices = pd.read_csv(folder / "choices.csv")
    assert choices["test_begin"].tolist() == ["2022-01-04", "2022-07-05"]
    assert choices["variant"].tolist() == [each.variant for each in found.walk.choices]
    assert load_spec(folder / "spec.toml").policy.weights is not None


REFUSED = {
    "a length": ({"train": "5 years", "test": "6m"}, "got '5 years' for train, wanted a length such as 5y"),
    "no length": ({"train": "0y", "test": "6m"}, "got '0y' for train"),
    "beyond the calendar": ({"train": "99999y", "test": "6m"}, "got '99999y' for train, .* up to a century"),
    "a test beyond it": ({"train": "1m", "test": "99999999d"}, "got '99999999d' for test"),
    "one of both": ({"train": "1y"}, "wanted both, or neither"),
    "too long": ({"train": "9y", "test": "6m"}, "wanted sessions left for a test"),
    "all purged": ({"train": "1m", "test": "6m", "purge": 30}, "wanted two sessions in it at least"),
    "all embargoed": (
        {"train": "6m", "test": "1m", "embargo": 30},
        "and an embargo of 30 sessions, wanted two sessions",
    ),
    "an embargo": ({"train": "1m", "test": "6m", "embargo": -1}, "got -1 for embargo"),
    "a purge": ({"train": "1m", "test": "6m", "purge": -1}, "got -1 for purge"),
}


@pytest.mark.parametrize(("how", "says"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_in_one_line(sample, tmp_path, how, says):
    with pytest.raises(InputError, match=says):
        reverse_qe.sweep("sample", {"signal.enter": [0.3]}, sample, start="2022-01-03", out=tmp_path / "it", **how)
    assert not (tmp_path / "it").exists()


def test_keys_of_which_a_run_has_one_value_are_refused(sample, tmp_path):
    with pytest.raises(InputError, match=r"order_rules\.band: varies, but a chain of tests is one run"):
        reverse_qe.sweep("sample", {"order_rules.band": [0.1]}, sample, out=tmp_path / "it", train="1y", test="6m")
