"""Regime models: fitted on the past alone, carried forward online; the threshold model as it was."""

import json
import re
import sys
from itertools import pairwise, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from jumpmodels.jump import JumpModel
from jumpmodels.preprocess import DataClipperStd, StandardScalerPD
from pydantic import ValidationError

from backtests.archive.folder import write_run
from backtests.prepare.signal import read_signal
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.files.cache import cache_folder, keep_cached, read_cached
from data.market.snapshot import Snapshot
from reverse_qe.cli import main
from signals.config import SignalConfig
from signals.model_config import RegimeModelConfig
from signals.models.fit_cache import fit_key, kept_fit
from signals.models.jump import JUMP, fit_jump, online_scarce
from signals.models.markov_switching import MARKOV_SWITCHING, filtered_scarce, fit_markov_switching
from signals.models.registry import MODELS, regime_estimate
from signals.models.two_states import ForwardPass, TwoStateModel, _notes, fitted_forward, two_state_estimate
from signals.regime import regime_path

SESSIONS = sessions_between(pd.Timestamp("2015-01-02"), pd.Timestamp("2017-03-31"))
QUICK = RegimeModelConfig(first_fit_sessions=200, refit_sessions=150, jump_penalty=5, jump_starts=2)


def two_levels(seed: int = 1, rows: int = len(SESSIONS)) -> pd.DataFrame:
    """Two blocks about two levels that change every 60 sessions or so, their sum as score, and the true state."""
    random = np.random.default_rng(seed)
    scarce = (random.random(rows) < 1 / 60).cumsum() % 2
    blocks = np.where(scarce, 0.4, -0.3)[:, None] * [0.5, 0.5] + random.normal(0, 0.1, (rows, 2))
    frame = pd.DataFrame(blocks, columns=["drain", "pipes"], index=SESSIONS[:rows])
    return frame.assign(score=frame.sum(axis=1), truth=scarce)


@pytest.fixture(scope="module")
def levels() -> pd.DataFrame:
    return two_levels()


def configured(name: str, **fields: object) -> SignalConfig:
    model = QUICK.model_copy(update={"name": name, **fields})
    return SignalConfig(dwell_sessions=5, model=model)


def estimate(levels: pd.DataFrame, config: SignalConfig, live: int = 2):
    blocks = levels[["drain", "pipes"]]
    return regime_estimate(levels["score"], blocks, pd.Series(live, index=levels.index), config)


# The threshold model.


def test_the_default_is_the_threshold_model_and_it_is_as_it_was(levels):
    config, live = SignalConfig(), pd.Series(4, index=levels.index)
    made = regime_estimate(levels["score"], levels[["drain", "pipes"]], live, config)
    pd.testing.assert_series_equal(made.regime, regime_path(levels["score"], live, config))
    assert (made.probability, made.notes) == (None, ())
    assert SignalConfig().model.name == "threshold"


# Markov switching.


def test_markov_switching_finds_the_parameters_that_made_the_data():
    random = np.random.default_rng(3)
    states = [0]
    for _ in range(3999):
        states.append(1 - states[-1] if random.random() < (0.02, 0.05)[states[-1]] else states[-1])
    values = np.where(states, 0.6, -0.2) + random.normal(0, 0.25, 4000)
    fit = fit_markov_switching(pd.DataFrame({"score": values}), QUICK)
    stay, back, low, high, variance = fit["parameters"]
    center, scale = fit["center"], fit["scale"]
    found = [1 - stay, back, low * scale + center, high * scale + center, np.sqrt(variance) * scale]
    assert found == pytest.approx([0.02, 0.05, -0.2, 0.6, 0.25], rel=0.15)
    scarce = filtered_scarce(pd.DataFrame({"score": values}), fit, QUICK)
    assert ((scarce > 0.5) == np.array(states)).mean() > 0.97


@pytest.mark.parametrize("sign", [1, -1])
def test_the_state_of_the_higher_score_is_the_scarce_one(levels, sign):
    past = levels.assign(score=sign * levels["score"])
    fit = fit_markov_switching(past, QUICK)
    assert fit["parameters"][2] < fit["parameters"][3]
    scarce = filtered_scarce(past, fit, QUICK)
    assert past["score"][scarce > 0.5].mean() > past["score"][scarce < 0.5].mean() + 0.5


def test_filtered_probabilities_are_those_of_every_path_weighed_by_bayes_rule():
    stay, back, low, high, variance = 0.9, 0.2, -1.0, 1.5, 0.7
    fit = {"center": np.array(0.3), "scale": np.array(2.0), "parameters": np.array([stay, back, low, high, variance])}
    values = np.array([0.5, 2.0, -1.0, 4.0, 3.0, -2.0, 0.1])
    z = (values - 0.3) / 2.0
    chance = {(0, 0): stay, (0, 1): 1 - stay, (1, 0): back, (1, 1): 1 - back}
    begin = [back / (1 - stay + back), (1 - stay) / (1 - stay + back)]  # the chances that changes leave as they are

    def scarce_at(row):
        weights = {0: 0.0, 1: 0.0}
        for path in product((0, 1), repeat=row + 1):
            weight = begin[path[0]]
            for before, now in pairwise(path):
                weight *= chance[before, now]
            for state, value in zip(path, z, strict=False):
                weight *= np.exp(-((value - (low, high)[state]) ** 2) / (2 * variance))
            weights[path[-1]] += weight
        return weights[1] / (weights[0] + weights[1])

    made = filtered_scarce(pd.DataFrame({"score": values}), fit, QUICK)
    np.testing.assert_allclose(made, [scarce_at(row) for row in range(len(values))], rtol=1e-9)


def test_a_score_that_does_not_move_cannot_be_fitted():
    assert fit_markov_switching(pd.DataFrame({"score": np.zeros(300)}), QUICK) is None


# The jump model.


def test_the_jump_model_tells_two_levels_apart(levels):
    fit = fit_jump(levels.drop(columns="truth"), QUICK)
    scarce = online_scarce(levels.drop(columns="truth"), fit, QUICK)
    assert (scarce == levels["truth"]).mean() > 0.95
    mirrored = levels.drop(columns="truth").assign(score=-levels["score"])
    assert (online_scarce(mirrored, fit_jump(mirrored, QUICK), QUICK) == 1 - scarce).all()


def test_the_states_are_those_of_the_library_used_as_its_authors_say(levels):
    past, rows = (levels.drop(columns="truth").iloc[:length] for length in (300, 400))
    clip, scaler = DataClipperStd(mul=3.0), StandardScalerPD()
    names = ["drain", "pipes"]
    model = JumpModel(n_components=2, jump_penalty=5.0, cont=False).fit(
        scaler.fit_transform(clip.fit_transform(past[names])), ret_ser=-past["score"], sort_by="cumret"
    )
    theirs = model.predict_online(scaler.transform(clip.transform(rows[names])))  # 1 is the worse state
    ours = online_scarce(rows, fit_jump(past, QUICK), QUICK)
    assert ours.tolist() == theirs.tolist()
    assert 0 < ours.mean() < 1


def test_online_states_are_those_of_the_cheapest_path_up_to_each_session():
    random = np.random.default_rng(11)
    blocks = random.normal(size=(9, 2))
    rows = pd.DataFrame(blocks, columns=["drain", "pipes"]).assign(score=0.0)
    centers = np.array([[-1.0, -0.5], [0.5, 1.0]])
    fit = {
        "lower": np.array([-1.5, -1.5]),
        "upper": np.array([1.5, 1.5]),
        "mean": np.array([0.1, -0.1]),
        "scale": np.array([0.8, 1.2]),
        "centers": centers,
    }
    config = RegimeModelConfig(name="jump", jump_penalty=0.6)
    x = (np.clip(blocks, -1.5, 1.5) - fit["mean"]) / fit["scale"]

    def cost(path):
        distance = sum(0.5 * ((value - centers[state]) ** 2).sum() for value, state in zip(x, path, strict=False))
        return distance + 0.6 * sum(a != b for a, b in pairwise(path))

    cheapest = [min(product((0, 1), repeat=row + 1), key=cost)[-1] for row in range(len(x))]
    made = online_scarce(rows, fit, config)
    assert made.tolist() == cheapest
    whole = min(product((0, 1), repeat=len(x)), key=cost)
    assert made.tolist() != list(whole), "in these rows the future would have told otherwise"


def test_one_state_alone_is_no_fit(levels):
    past = levels.drop(columns="truth").iloc[:100]
    assert fit_jump(past, RegimeModelConfig(name="jump", jump_penalty=1e9, jump_starts=1)) is None


# From states to regimes.


def test_regimes_follow_the_states(levels):
    for name in ("markov_switching", "jump"):
        made = estimate(levels, configured(name))
        assert (made.regime.iloc[:200] == "NEUTRAL").all()
        truth = levels["truth"].map({0: "ABUNDANT", 1: "SCARCE"})
        assert (made.regime == truth).iloc[205:].mean() > 0.85
        assert made.notes == (
            f"The regime model {name} speaks from {SESSIONS[200].date()} on: the regime is NEUTRAL before.",
        )
    assert estimate(levels, configured("jump")).probability is None


def test_probabilities_add_up_and_are_neutral_where_the_model_is_silent(levels):
    live = pd.Series(3, index=levels.index)
    live.iloc[300:310] = 1
    config = configured("markov_switching", certainty=0.9)
    made = regime_estimate(levels["score"], levels[["drain", "pipes"]], live, config)
    assert list(made.probability.columns) == ["ABUNDANT", "NEUTRAL", "SCARCE"]
    np.testing.assert_allclose(made.probability.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    silent = made.probability["NEUTRAL"] == 1
    assert silent.tolist() == [row < 200 or 300 <= row < 310 for row in range(len(levels))]
    assert (made.regime[silent] == "NEUTRAL").all()
    sure = made.probability[["ABUNDANT", "SCARCE"]].gt(0.9)
    began = made.regime[(made.regime != made.regime.shift()) & (made.regime != "NEUTRAL")]
    assert len(began) > 3
    assert all(sure.loc[session, regime] for session, regime in began.items())
    lengths = made.regime.groupby((made.regime != made.regime.shift()).cumsum()).size()
    assert lengths.iloc[1:-1].min() >= 5


def always(probability: float):
    """A model that says one thing."""
    return TwoStateModel(
        "always",
        ("numpy",),
        lambda _blocks: {"x": ()},
        lambda past, config: {"x": np.array(1.0)},
        lambda rows, *_: np.full(len(rows), probability),
        True,
    )


@pytest.mark.parametrize(
    ("probability", "regime"),
    [(0.81, "SCARCE"), (0.8, "NEUTRAL"), (0.5, "NEUTRAL"), (0.21, "NEUTRAL"), (0.19, "ABUNDANT")],
)
def test_a_regime_asks_for_certainty(levels, probability, regime):
    live = pd.Series(2, index=levels.index)
    made = two_state_estimate(always(probability), levels["score"], levels[["drain"]], live, configured("jump"))
    assert set(made.regime.iloc[200:]) == {regime}


def test_rows_before_two_blocks_live_are_not_fitted_on(levels):
    live = pd.Series(2, index=levels.index)
    live.iloc[:50] = 1
    config = configured("markov_switching")
    late = regime_estimate(levels["score"], levels[["drain", "pipes"]], live, config)
    cut = levels.iloc[50:]
    alone = regime_estimate(cut["score"], cut[["drain", "pipes"]], live.iloc[50:], config)
    pd.testing.assert_series_equal(late.regime.iloc[50:], alone.regime)
    assert (late.regime.iloc[:250] == "NEUTRAL").all()


def test_without_sessions_enough_the_regime_is_neutral_and_that_is_said(levels):
    few = estimate(levels.iloc[:200], configured("jump"))
    assert set(few.regime) == {"NEUTRAL"}
    assert few.notes == ("The regime model jump was never fitted: the regime is NEUTRAL throughout.",)
    assert set(estimate(levels, configured("jump"), live=1).regime) == {"NEUTRAL"}


# The schedule.


def recorder(fails: tuple[int, ...] = ()):
    """A model whose probability is the number of its fit over ten; it notes the rows that it was given."""
    fitted, told = [], []

    def fit(past, config):
        fitted.append((past.index[0], past.index[-1]))
        return None if len(fitted) in fails else {"number": np.array(len(fitted) / 10)}

    def scarce(rows, fit, config):
        told.append((rows.index[0], rows.index[-1]))
        return np.full(len(rows), float(fit["number"]))

    # By its name, or the fits of one would be taken for those of another.
    return (
        TwoStateModel(f"recorder{len(fails)}", ("numpy",), lambda _blocks: {"number": ()}, fit, scarce, True),
        fitted,
        told,
    )


@pytest.mark.usefixtures("cache")
def test_every_fit_is_made_of_the_rows_before_the_first_that_it_is_applied_to():
    rows = pd.DataFrame({"score": np.arange(500.0)})
    model, fitted, told = recorder()
    config = RegimeModelConfig(first_fit_sessions=100, refit_sessions=150, window_sessions=300)
    forward = fitted_forward(model, rows, config)
    assert fitted == [(0, 99), (0, 249), (100, 399)]
    assert told == [(0, 249), (0, 399), (100, 499)]
    assert forward.scarce.isna().tolist() == [True] * 100 + [False] * 400
    assert forward.scarce[100:].tolist() == [0.1] * 150 + [0.2] * 150 + [0.3] * 100
    assert (forward.fitted_for, forward.failed) == ((100, 250, 400), ())


@pytest.mark.usefixtures("cache")
def test_after_a_failed_fit_the_parameters_before_stay_and_it_is_said(levels):
    config = configured("jump")
    live = pd.Series(2, index=levels.index)
    model, _, _ = recorder(fails=(2,))
    made = two_state_estimate(model, levels["score"], levels[["drain"]], live, config)
    assert made.probability["SCARCE"].iloc[200:].round(9).tolist() == [0.1] * 300 + [0.3] * (len(levels) - 500)
    assert made.notes[1] == (
        f"1 of 3 fits of recorder1 failed, the first for {SESSIONS[350].date()}: the parameters before stayed."
    )
    model, _, _ = recorder(fails=(1, 3))
    late = two_state_estimate(model, levels["score"], levels[["drain"]], live, config)
    assert late.notes[0].startswith(f"The regime model recorder2 speaks from {SESSIONS[350].date()} on")
    assert (late.regime.iloc[:350] == "NEUTRAL").all()


# The fits that are kept.


def never(past, config):
    raise AssertionError("fitted again")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    return cache_folder()


def test_a_fit_is_made_once_and_comes_back_to_the_bit(levels, cache, monkeypatch):
    past = levels.drop(columns="truth").iloc[:200]
    made = kept_fit("jump", ("jumpmodels",), fit_jump, past, QUICK, JUMP.shapes(2))
    (file,) = cache.iterdir()
    key = fit_key(("jumpmodels",), fit_jump, past, QUICK)
    assert file.name == f"fit-jump-{key}.json"
    monkeypatch.setattr("signals.models.fit_cache.fit_key", lambda *_: key)
    again = kept_fit("jump", ("jumpmodels",), never, past, QUICK, JUMP.shapes(2))
    assert made.keys() == again.keys()
    for name in made:
        np.testing.assert_array_equal(made[name], again[name])


@pytest.mark.usefixtures("cache")
def test_that_a_fit_failed_is_kept_too(levels, monkeypatch):
    past = levels[["score"]] * 0
    assert kept_fit("markov", ("statsmodels",), fit_markov_switching, past, QUICK, MARKOV_SWITCHING.shapes(0)) is None
    key = fit_key(("statsmodels",), fit_markov_switching, past, QUICK)
    monkeypatch.setattr("signals.models.fit_cache.fit_key", lambda *_: key)
    assert kept_fit("markov", ("statsmodels",), never, past, QUICK, MARKOV_SWITCHING.shapes(0)) is None


def test_the_key_follows_everything_that_a_fit_depends_on(levels, monkeypatch):
    past = levels.drop(columns="truth")
    other = past.copy()
    other.iloc[-1, 0] += 1e-15
    keys = [
        fit_key(("numpy",), fit_jump, past, QUICK),
        fit_key(("numpy", "scipy"), fit_jump, past, QUICK),
        fit_key(("numpy",), fit_markov_switching, past, QUICK),
        fit_key(("numpy",), fit_jump, other, QUICK),
        fit_key(("numpy",), fit_jump, past.iloc[1:], QUICK),
        fit_key(("numpy",), fit_jump, past.rename(columns={"pipes": "level"}), QUICK),
        fit_key(("numpy",), fit_jump, past, QUICK.model_copy(update={"jump_penalty": 6.0})),
    ]
    monkeypatch.setattr("signals.models.fit_cache.metadata.version", lambda _: "another")
    keys.append(fit_key(("numpy",), fit_jump, past, QUICK))
    assert len(set(keys)) == len(keys)


def test_a_broken_file_is_made_anew_and_a_folder_that_cannot_be_written_does_no_harm(levels, cache):
    past = levels.drop(columns="truth").iloc[:200]
    made = kept_fit("jump", ("numpy",), fit_jump, past, QUICK, JUMP.shapes(2))
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    for damaged in (whole[:40], whole.replace(b"[", b"{"), whole[:-3] + b"1]}", b""):
        file.write_bytes(damaged)
        again = kept_fit("jump", ("numpy",), fit_jump, past, QUICK, JUMP.shapes(2))
        np.testing.assert_array_equal(again["centers"], made["centers"])
        assert file.read_bytes() == whole
    file.unlink()
    cache.rmdir()
    cache.write_text("a file where the folder should be")
    np.testing.assert_array_equal(
        kept_fit("jump", ("numpy",), fit_jump, past, QUICK, JUMP.shapes(2))["centers"], made["centers"]
    )
    assert cache.read_text() == "a file where the folder should be"


@pytest.mark.parametrize("model", [JUMP, MARKOV_SWITCHING], ids=lambda model: model.name)
def test_a_fit_that_is_no_fit_is_made_anew_though_its_digest_is_right(levels, cache, model):
    past = levels.drop(columns="truth").iloc[:200]
    arguments = (model.name, model.packages, model.fit, past, QUICK, model.shapes(past.shape[1] - 1))
    made = kept_fit(*arguments)
    assert made is not None
    assert {name: each.shape for name, each in made.items()} == model.shapes(past.shape[1] - 1)
    (file,) = cache.iterdir()
    name, whole = file.name, read_cached(file.name)
    first = next(iter(made))
    for other in (
        {},
        [],
        5,
        {key: value.tolist() for key, value in made.items() if key != first},
        {key: value.tolist() for key, value in made.items()} | {"more": 1.0},
        {key: [value.tolist()] for key, value in made.items()},
        {key: np.full_like(value, np.nan).tolist() for key, value in made.items()},
        dict.fromkeys(made, "much"),
    ):
        keep_cached(name, json.dumps(other).encode())
        again = kept_fit(*arguments)
        assert again is not None
        for key, value in made.items():
            np.testing.assert_array_equal(again[key], value)
        assert read_cached(name) == whole


# In a run.

SETTINGS = {"run.start": "2026-06-01", "signal.model.first_fit_sessions": 2000, "signal.model.window_sessions": 2000}


def test_a_run_shows_the_probabilities_the_package_and_what_must_be_known(sample: Snapshot, tmp_path):
    settings = SETTINGS | {"signal.model.name": "markov_switching", "signal.model.refit_sessions": 1000}
    spec = load_spec("sample", settings | {"policy.blend_by_probability": True})
    run = run_backtest(spec, sample)
    folder = write_run(run, tmp_path / "run")
    table = pd.read_csv(folder / "regime.csv", index_col="session")
    names = [f"probability_{name}" for name in ("ABUNDANT", "NEUTRAL", "SCARCE")]
    assert [name for name in table.columns if name.startswith("probability_")] == names
    np.testing.assert_allclose(table[names].sum(axis=1), 1.0, atol=1e-12)
    assert set(table["regime"]) - {"NEUTRAL"}
    written = json.loads((folder / "manifest.json").read_text())
    assert written["packages"]["statsmodels"]
    assert any("The regime model markov_switching speaks from" in warning for warning in written["warnings"])
    assert load_spec(str(folder / "spec.toml")) == spec


def test_without_a_fitted_model_a_run_needs_no_extra(sample: Snapshot, monkeypatch):
    for package in ("statsmodels", "jumpmodels"):
        monkeypatch.setitem(sys.modules, package, None)
    spec = load_spec("sample")
    assert read_signal(spec, sample, pd.Timestamp("2026-10-09")).notes == ()


@pytest.mark.parametrize(("model", "package"), [("markov_switching", "statsmodels"), ("jump", "jumpmodels")])
def test_a_missing_extra_is_one_line(model, package, monkeypatch, capsys):
    loaded = [name for name in sys.modules if name.split(".")[0] == package]
    for name in {*loaded, package}:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"{package} is not installed; install reverse-qe\[evidence\]"):
        estimate(two_levels(), configured(model))
    monkeypatch.setattr(sys, "argv", ["reverse-qe", "signal", "--set", f"signal.model.name={model}"])
    with pytest.raises(SystemExit, match=r"^2$"):
        main()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith(f'Error: got signal.model.name "{model}"')


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "hmm"}, "threshold"),
        ({"first_fit_sessions": 99}, "greater than or equal to 100"),
        ({"window_sessions": 500}, "wanted at least first_fit_sessions, which is 756"),
        ({"refit_sessions": 0}, "greater than or equal to 1"),
        ({"certainty": 0.4}, "greater than or equal to 0.5"),
        ({"certainty": 1.0}, "less than 1"),
        ({"jump_penalty": -1.0}, "greater than or equal to 0"),
        ({"jump_starts": 0}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, reason):
    with pytest.raises(ValidationError, match=reason):
        RegimeModelConfig.model_validate(fields)


def test_a_source_is_not_fitted():
    with pytest.raises(ValidationError, match='got a source beside the model "jump"'):
        SignalConfig(source="regimes.csv", model=RegimeModelConfig(name="jump"))


def test_every_name_has_its_model():
    assert set(MODELS) == {"threshold", "markov_switching", "jump"}


def test_of_several_fits_that_failed_the_first_is_named() -> None:
    days = pd.bdate_range("2024-01-01", periods=6)
    scarce = pd.Series([np.nan, np.nan, 0.5, 0.5, 0.5, 0.5], days)
    failed = ForwardPass(scarce, fitted_for=tuple(days[[0, 2, 3, 4]]), failed=(days[3], days[4]))
    assert _notes(MARKOV_SWITCHING, failed) == (
        "The regime model markov_switching speaks from 2024-01-03 on: the regime is NEUTRAL before.",
        "2 of 4 fits of markov_switching failed, the first for 2024-01-04: the parameters before stayed.",
    )
    assert len(_notes(MARKOV_SWITCHING, ForwardPass(scarce, tuple(days[:2]), ()))) == 1
    silent = _notes(MARKOV_SWITCHING, ForwardPass(scarce * np.nan, tuple(days[:1]), tuple(days[:1])))
    assert silent == ("The regime model markov_switching was never fitted: the regime is NEUTRAL throughout.",)


@pytest.mark.parametrize(
    ("converged", "parameters", "is_fit"),
    [
        (True, [0.9, 0.1, -1.0, 1.0, 0.5], True),
        (False, [0.9, 0.1, -1.0, 1.0, 0.5], False),
        (True, [0.9, 0.1, 1.0, 1.0 + 5e-7, 0.5], False),
        (True, [0.9, 0.1, -1.0, np.nan, 0.5], False),
        (True, [0.9, np.inf, -1.0, 1.0, 0.5], False),
    ],
)
def test_a_fit_is_one_where_the_search_ended_at_two_states(
    monkeypatch: pytest.MonkeyPatch, converged: bool, parameters: list[float], is_fit: bool
) -> None:
    result = SimpleNamespace(mle_retvals={"converged": converged}, params=parameters)
    regression = SimpleNamespace(fit=lambda **_: result)
    monkeypatch.setattr("signals.models.markov_switching._regression", lambda _: regression)
    past = pd.DataFrame({"score": [1.0, 2.0, 4.0, 8.0]})
    fit = fit_markov_switching(past, RegimeModelConfig())
    assert (fit is not None) == is_fit
    if fit is not None:
        assert (float(fit["center"]), float(fit["scale"])) == (3.75, pytest.approx(np.std([1.0, 2.0, 4.0, 8.0])))
        assert fit["parameters"].tolist() == parameters


def test_the_state_of_the_lower_mean_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chances to stay low and to go from high to low, then the means, then the variance: turned round."""
    result = SimpleNamespace(mle_retvals={"converged": True}, params=[0.95, 0.2, 1.5, -0.5, 0.25])
    monkeypatch.setattr(
        "signals.models.markov_switching._regression", lambda _: SimpleNamespace(fit=lambda **_: result)
    )
    fit = fit_markov_switching(pd.DataFrame({"score": [1.0, 2.0]}), RegimeModelConfig())
    assert fit is not None
    assert fit["parameters"].tolist() == pytest.approx([0.8, 0.05, -0.5, 1.5, 0.25])
    assert fit_markov_switching(pd.DataFrame({"score": [1.0, 1.0]}), RegimeModelConfig()) is None


def test_the_key_of_a_fit_is_of_all_that_it_depends_on() -> None:
    past, config = pd.DataFrame({"score": [1.0, 2.0, 4.0]}), RegimeModelConfig()
    key = fit_key(("numpy",), fit_jump, past, config)
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert fit_key(("numpy",), fit_jump, past.copy(), RegimeModelConfig()) == key
    others = {
        fit_key(("numpy", "pandas"), fit_jump, past, config),
        fit_key(("numpy",), fit_markov_switching, past, config),
        fit_key(("numpy",), fit_jump, past.rename(columns={"score": "level"}), config),
        fit_key(("numpy",), fit_jump, past * (1 + 1e-15), config),
        fit_key(("numpy",), fit_jump, past, RegimeModelConfig(jump_starts=3)),
    }
    assert len({key, *others}) == 6
