"""Inputs, blocks, policies and sources of users: the examples of the docs, by hand, and every refusal."""

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.archive.folder import write_run
from backtests.prepare.signal import read_signal
from backtests.run import run_backtest
from backtests.spec.extensions import copy_user_files, read_extensions
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.files.user_code import UserCallable, read_user_file
from data.prices.known import known_prices
from reverse_qe import cli
from signals.explain.explanation import explain

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
LAST = pd.Timestamp("2024-12-31")
DAYS = {"run.start": "2023-01-03", "run.end": "2023-12-29"}


@pytest.fixture
def mine(tmp_path):
    """Write files and a spec beside them that runs one year of the sample; returns the spec's path."""

    def write(spec, **files):
        for name, text in files.items():
            (tmp_path / name.replace("_DOT_", ".")).write_text(text, encoding="utf-8")
        text = (EXAMPLES / "input.toml").read_text().split("[[signal.inputs]]")[0].replace("2019-01-02", "2023-01-03")
        path = tmp_path / "mine.toml"
        # Keys of the section run come first, where that section is the last.
        path.write_text(text.replace('name = "input"', 'name = "mine"\nend = 2023-12-29') + spec, encoding="utf-8")
        return str(path)

    return write


def run_of(path, sample, settings=None):
    return run_backtest(load_spec(path, settings), sample)


def known_values(sample, name, sessions):
    """The newest observation known at each decision, without any of our functions."""
    rows = sample.series[(sample.series["series"] == name) & sample.series["value"].notna()].sort_values(
        "known_at", kind="stable"
    )
    decided = pd.DataFrame({"known_at": sessions.tz_localize("UTC").as_unit("us")})
    return pd.merge_asof(decided, rows, on="known_at")["value"].set_axis(sessions)


# The examples.


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_runs_on_the_sample_and_the_page_shows_it(path, sample):
    run = run_backtest(load_spec(str(path), DAYS), sample)
    assert run.counts.orders.rejected == 0
    assert run.counts.orders.filled > 5
    page = (EXAMPLES.parent / "extending.md").read_text()
    for file in (path, *(each.path for each in run.user_files)):
        assert file.read_text().split("[universe]")[0].strip() in page, file.name
        assert file.read_text().split('"SIM-MARKET"')[-1].strip() in page, file.name


def test_an_input_joins_the_average_of_its_block(sample):
    signal = read_signal(load_spec(str(EXAMPLES / "input.toml")), sample, LAST)
    plain = read_signal(load_spec("sample"), sample, LAST)
    changes = known_values(sample, "DGS3MO", signal.score.index).diff(20) * 100
    live = signal.values["price_of_capital.bill"].notna()
    assert live.mean() > 0.9
    np.testing.assert_allclose(signal.values["price_of_capital.bill"][live], changes[live], atol=1e-5)
    # The joint move and the bill half each; a change is laid over the usual size of one.
    usual = 1.4826 * changes.round(6).abs().rolling(756, min_periods=252).median()
    bill = (changes.round(6) / usual).clip(-3, 3).where(usual > 0, 0.0)  # a bill that mostly rests says nothing
    joint, both = (
        (each.blocks["price_of_capital"] - 0.5**0.1 * each.blocks["price_of_capital"].shift()) / (1 - 0.5**0.1) * 4
        for each in (plain, signal)
    )
    recent = slice("2021-01-04", None)
    np.testing.assert_allclose(both[recent], (joint + bill)[recent] / 2, rtol=1e-6, atol=1e-9)
    assert plain.blocks["drain"].equals(signal.blocks["drain"])


def test_in_form_1_an_input_joins_the_outermost_average_of_its_block(sample):
    signal = read_signal(load_spec(str(EXAMPLES / "input.toml"), {"signal.form": 1}), sample, LAST)
    plain = read_signal(load_spec("sample", {"signal.form": 1}), sample, LAST)
    # Sovereign, credit and the bill a third each.
    z = {}
    for name in signal.values.columns[signal.values.columns.str.startswith("price_of_capital.")]:
        window = signal.values[name].rolling(756, min_periods=252)
        z[name.partition(".")[2]] = ((signal.values[name] - window.mean()) / window.std()).clip(-3, 3)
    half = (z["DGS10_20"] + z["DGS10_60"] + z["DFII10_20"] + z["DFII10_60"]) / 4
    credit = (z["BAA10Y_20"] + z["BAA10Y_60"]) / 2
    block = (half + credit + z["bill"]) / 3
    scaled = block / block.rolling(756, min_periods=126).std()
    weight = signal.blocks["price_of_capital"] - 0.5**0.1 * signal.blocks["price_of_capital"].shift()
    recent = slice("2021-01-04", None)
    np.testing.assert_allclose(weight[recent], (1 - 0.5**0.1) * scaled[recent] / 4, rtol=1e-6, atol=1e-9)
    assert plain.blocks["drain"].equals(signal.blocks["drain"])


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("", lambda values: values), ('transform = "mean"\nlength = 3', lambda values: values.rolling(3).mean())],
)
def test_a_value_and_a_mean_of_a_daily_series(mine, sample, transform, expected):
    text = f'[[signal.inputs]]\nname = "x"\nblock = "pipes"\nseries = "DFF"\n{transform}\nscarcer_when = "lower"\n'
    signal = read_signal(load_spec(mine(text)), sample, LAST)
    rows = sample.series[(sample.series["series"] == "DFF") & sample.series["value"].notna()]
    by_hand = (
        rows.assign(value=expected(rows["value"]))
        .sort_values("known_at", kind="stable")[["known_at", "value"]]
        .dropna()
    )
    decided = pd.DataFrame({"known_at": signal.score.index.tz_localize("UTC").as_unit("us")})
    wanted = pd.merge_asof(decided, by_hand, on="known_at")["value"].to_numpy()
    got = signal.values["pipes.x"]
    np.testing.assert_allclose(got[got.notna()], wanted[got.notna()], rtol=1e-12)
    assert got.notna().mean() > 0.9
    # Lower means scarcer: what is above its mean takes from the score.
    above = got > got.rolling(756, min_periods=252).mean()
    raw = signal.inputs["pipes.x"] - 0.5**0.1 * signal.inputs["pipes.x"].shift()
    assert (raw[above][raw != 0] < 0).all()


def test_a_fifth_block_weighs_a_fifth(sample):
    signal = read_signal(load_spec(str(EXAMPLES / "block.toml")), sample, LAST)
    plain = read_signal(load_spec("sample"), sample, LAST)
    rises = known_values(sample, "DGS3MO", signal.score.index).diff(63) * 100
    np.testing.assert_allclose(signal.values["money_market.bill_rise"], rises, atol=1e-5)
    for name in plain.blocks:
        np.testing.assert_allclose(signal.blocks[name], plain.blocks[name] * 4 / 5, rtol=1e-9, atol=1e-12)
    window = rises.rolling(756, min_periods=252)
    z = ((rises - window.mean()) / window.std()).clip(-3, 3)
    scaled = (z / z.rolling(756, min_periods=126).std()).fillna(0.0)
    fifth = (scaled / 5).ewm(halflife=10, adjust=False).mean()
    np.testing.assert_allclose(signal.blocks["money_market"], fifth, rtol=1e-6, atol=1e-9)
    assert signal.live_blocks.max() == 5
    reasons = explain(signal, LAST)
    assert [block.name for block in reasons.blocks][-1] == "money_market"


def test_a_run_counts_five_blocks(sample):
    run = run_backtest(load_spec(str(EXAMPLES / "block.toml"), DAYS), sample)
    assert list(run.counts.live_blocks) == [0, 1, 2, 3, 4, 5]
    assert sum(run.counts.live_blocks.values()) == pytest.approx(1.0)


def test_a_policy_makes_the_weights_and_the_baselines_keep_theirs(sample):
    run = run_backtest(load_spec(str(EXAMPLES / "policy.toml"), DAYS), sample)
    plain = run_backtest(load_spec("sample", DAYS), sample)
    symbols = list(run.panel.symbols)
    # The mean of a hundred sessions is whole from the first session on: the bars of the year before are given.
    prices = known_prices(sample, symbols, sessions_between(pd.Timestamp("2022-06-01"), LAST))
    rising = (prices >= prices.rolling(100, min_periods=1).mean()).reindex(run.plan.targets.index)
    assert run.plan.targets[symbols].equals(plain.plan.targets[symbols].where(rising, 0.0))
    assert not run.plan.targets.equals(plain.plan.targets)
    others = [name for name in run.returns.columns if name != "strategy"]
    pd.testing.assert_frame_equal(run.returns[others], plain.returns[others], check_exact=True)


def test_a_signal_reads_a_policy_as_the_run_does(sample):
    from backtests.prepare.decision import decide_from_cash

    run = run_backtest(load_spec(str(EXAMPLES / "policy.toml"), DAYS), sample)
    session = run.panel.decides_for[-1]
    decision = decide_from_cash(run.spec, sample, run.signal, session)
    symbols = list(run.panel.symbols)
    np.testing.assert_allclose(decision.targets[symbols], run.plan.targets.loc[session, symbols], rtol=1e-12)


def test_regimes_of_a_file_hold_from_the_first_decision_after_they_are_known(sample):
    run = run_backtest(load_spec(str(EXAMPLES / "source.toml"), {"run.start": "2020-02-03"}), sample)
    path = run.signal.regime["2018-12-28":"2023-03-01"]
    changes = {f"{day:%Y-%m-%d}": name for day, name in path[path != path.shift()].items()}
    assert changes == {
        "2018-12-28": "NEUTRAL",
        "2019-04-01": "ABUNDANT",
        "2020-03-02": "SCARCE",
        "2020-07-01": "ABUNDANT",
        "2022-02-01": "SCARCE",
        "2023-02-01": "NEUTRAL",
    }
    assert run.signal.score["2020-03-02"] == 1.0
    assert run.signal.score["2020-07-01"] == -1.0
    assert run.counts.live_blocks == {0: 0.0, 1: 1.0}
    assert run.rotations["regime"].tolist() == ["ABUNDANT", "SCARCE", "ABUNDANT", "SCARCE", "NEUTRAL"]
    assert run.rotations["reason"].tolist()[1:3] == ["the source says SCARCE", "the source says ABUNDANT"]
    (block,) = explain(run.signal, pd.Timestamp("2020-03-02")).blocks
    assert (block.name, block.contribution) == ("source", 1.0)
    assert block.inputs[0].known_at == pd.Timestamp("2020-02-28T22:00:00Z")


def test_a_row_known_at_the_very_moment_of_a_decision_counts(mine, sample):
    rows = "known_at,regime\n2023-03-01T00:00:00Z,SCARCE\n2023-04-03T00:00:01Z,ABUNDANT\n"
    signal = read_signal(load_spec(mine('[signal]\nsource = "s.csv"\n', s_DOT_csv=rows)), sample, LAST)
    path = signal.regime["2023-02-01":"2023-05-01"]
    changes = path[path != path.shift()]
    assert changes.index.strftime("%m-%d").tolist() == ["02-01", "03-01", "04-04"]


def test_the_thresholds_make_regimes_of_scores(mine, sample):
    scores = {"03-01": 0.41, "03-02": 0.1, "03-20": 0.3, "04-03": 0.19, "05-01": -0.5}
    rows = "known_at,score\n" + "".join(f"2023-{day}T00:00:00Z,{score}\n" for day, score in scores.items())
    signal = read_signal(load_spec(mine('[signal]\nsource = "s.csv"\n', s_DOT_csv=rows)), sample, LAST)
    path = signal.regime["2023-02-01":"2023-06-01"]
    changes = path[path != path.shift()]
    # SCARCE holds its ten sessions, 1 to 14 March, though the score falls below leave on the second.
    assert list(zip(changes.index.strftime("%m-%d"), changes, strict=True)) == [
        ("02-01", "NEUTRAL"),
        ("03-01", "SCARCE"),
        ("03-15", "NEUTRAL"),
        ("05-01", "ABUNDANT"),
    ]
    assert signal.values.columns.tolist() == ["source.score"]


# What is refused.

BLOCK = (EXAMPLES / "my_block.py").read_text()
POLICY = (EXAMPLES / "my_policy.py").read_text()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('series = "NOWHERE"', "series NOWHERE has no entry in the catalogue"),
        ('series = "DGS2"', r"series DGS2.*(has no entry|got no row)"),
        ('block = "tides"', "got the block tides, wanted one of drain, price_of_capital, level, pipes"),
        ('name = "SOFR_DFF"', "pipes.SOFR_DFF stands twice"),
        ('scarcer_when = "up"', "wanted|should be 'higher' or 'lower'"),
        ('transform = "change"', "got no length"),
        ("length = 3", 'got length 3 for transform "value"'),
    ],
)
def test_wrong_inputs_are_refused_in_one_line(mine, sample, text, wanted):
    entry = {"name": '"x"', "block": '"pipes"', "series": '"DFF"', "scarcer_when": '"higher"'}
    key, _, value = text.partition(" = ")
    lines = "\n".join(f"{name} = {said}" for name, said in (entry | {key: value}).items())
    with pytest.raises(InputError, match=wanted):
        run_of(mine(f"[[signal.inputs]]\n{lines}\n"), sample)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (None, r"b\.py cannot be read: No such file"),
        ("x = 1\n", r"b\.py has no my_block"),
        ("my_block = 3\n", r"my_block is of type int, wanted a function"),
        ("x = 1\ny = x / 0\n", r"b\.py, line 2: ZeroDivisionError: division by zero"),
        ("def my_block(:\n", r"b\.py, line 1: SyntaxError"),
        ("import sys\nsys.exit(0)\n", r"b\.py, line 2: SystemExit: 0"),
        ("import my_helper\n", r"b\.py, line 1: ModuleNotFoundError: No module named 'my_helper'"),
        ("def my_block(data, config):\n    return data.nothing\n", r"b\.py, line 2: AttributeError"),
        ("def my_block(data, config):\n    return 3\n", r"b\.py: got int, wanted a signals\.block\.Block"),
        (BLOCK.replace('name="money_market",', 'name="score",'), r"b\.py: got the block name 'score'"),
        (BLOCK.replace('name="money_market",', 'name="drain",'), r"got the input name 'money_market.bill_rise'"),
        (BLOCK.replace("money_market", "drain"), "two blocks named drain"),
        (BLOCK.replace('"DGS3MO"', '"NOWHERE"'), r"b\.py, line 10: series NOWHERE: got no row"),
        (BLOCK.replace("grouping=rise.name", "grouping=(rise.name, 'x')"), "and each of them once in the grouping"),
        (BLOCK.replace("scarcer_when=+1", "scarcer_when=2"), r"wanted \+1 or -1"),
        (
            BLOCK.replace("grouping=rise.name", "grouping=rise.name, gate=rise.value.to_frame()"),
            "got a gate, wanted none",
        ),
        (BLOCK.replace('known["value"].diff(63)', 'known["value"].diff(63).iloc[1:]'), "wanted value as a Series"),
        (BLOCK.replace('observed=known["observed"]', 'observed=known["value"]'), "got observed of dtype float64"),
        (BLOCK.replace("basis_points(", "1 / (0 * "), "got an infinite value for"),
    ],
)
def test_wrong_code_is_refused_in_one_line_that_names_file_and_line(mine, sample, code, wanted):
    files = {} if code is None else {"b_DOT_py": code}
    with pytest.raises(InputError, match=wanted) as refused:
        run_of(mine('[signal]\nblocks = ["b.py:my_block"]\n', **files), sample)
    assert "\n" not in str(refused.value)
    assert str(refused.value).count("b.py") <= 1


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("    return 3", r"p\.py: got int, wanted target weights as a DataFrame"),
        ("    return wanted.iloc[1:]", "got target weights of shape"),
        ("    return wanted.iloc[:, ::-1]", "got target weights of shape"),
        ("    return wanted.astype(str).replace('0.0', 'x')", "no numbers"),
        (
            "    return wanted.drop(pd.Timestamp('2023-05-01')).reindex(wanted.index)",
            "2023-05-01: got nan for SIM-COIN-A, wanted a number",
        ),
        ("    return wanted - (wanted.index == '2023-05-01')[:, None]", "2023-05-01: got -.* for SIM-COIN-A, wanted 0"),
        ("    return wanted * 2", "for 2021-12-31: .* add up to more than 1"),
        ("    return wanted + 1e-9", "for SIM-MEMORY-C, but it cannot be traded then"),
        ("    return wanted / 0 + nothing", r"p\.py, line 14: NameError"),
    ],
)
def test_wrong_weights_are_refused_by_session_and_symbol(mine, sample, line, wanted):
    code = POLICY.split("    rising")[0] + line + "\n"
    with pytest.raises(InputError, match=wanted):
        run_of(mine('[policy]\nfunction = "p.py:weights"\n', p_DOT_py=code), sample)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ("", r"s\.csv, line 1: got the columns none and 0 rows"),
        ("known_at,regime\n", r"line 1: .* and 0 rows"),
        ("known_at,regime,score\n2023-01-03T00:00:00Z,SCARCE,1\n", "line 1: got the columns known_at,regime,score"),
        (
            "known_at,regime\n2023-01-03T00:00:00,SCARCE\n",
            r"line 2: known_at '2023-01-03T00:00:00', wanted a time with",
        ),
        ("known_at,regime\n2023-01-03,SCARCE\n", r"line 2: known_at '2023-01-03', wanted a time with its offset"),
        ("known_at,regime\nsoon,SCARCE\n", "line 2: known_at 'soon'"),
        (
            "known_at,regime\n2023-01-03T00:00:00Z,SCARCE\n\n2023-01-02T00:00:00Z,NEUTRAL\n",
            "line 4: known_at 2023-01-02T00:00:00Z stands after 2023-01-03T00:00:00",
        ),
        (
            "known_at,regime\n2023-01-03T00:00:00Z,SCARCE\n2023-01-02T19:00:00-05:00,NEUTRAL\n",
            "line 3: .* stands twice",
        ),
        (
            "known_at,regime\n2023-01-03T00:00:00Z,TIGHT\n",
            "line 2: regime 'TIGHT', wanted one of ABUNDANT, NEUTRAL, SC",
        ),
        ("known_at,score\n2023-01-03T00:00:00Z,nan\n", "line 2: score 'nan', wanted a number"),
        ("known_at,score\n2023-01-03T00:00:00Z,\n", "line 2: score '', wanted a number"),
        ("known_at,score\n2023-01-03T00:00:00Z,inf\n", "line 2: score 'inf', wanted a number"),
        ("known_at,score\n2023-01-03T00:00:00Z\n", r"line 2: "),
        ('known_at,score\n2023-01-03T00:00:00Z,"1\n', "wanted a CSV file"),
    ],
)
def test_wrong_sources_are_refused_by_file_line_and_reason(mine, sample, rows, wanted):
    with pytest.raises(InputError, match=wanted) as refused:
        run_of(mine('[signal]\nsource = "s.csv"\n', s_DOT_csv=rows), sample)
    assert "s.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[signal]\nblocks = ["b.py"]\n', "wanted file.py:name"),
        ('[policy]\nfunction = "p:weights"\n', "wanted file.py:name"),
        ('[signal]\nsource = "s.csv"\nblocks = ["b.py:b"]\n', "a source replaces all blocks"),
    ],
)
def test_wrong_references_are_refused_when_the_spec_is_read(mine, text, wanted):
    with pytest.raises(InputError, match=wanted):
        load_spec(mine(text))


# Files: where they are looked for, what they make of the run's identity, how a run is repeated.


def test_paths_begin_at_the_spec_and_those_of_settings_at_the_current_folder(mine, tmp_path, monkeypatch):
    path = mine('[signal]\nblocks = ["b.py:b"]\n[policy]\nfunction = "p.py:p"\n', b_DOT_py="", p_DOT_py="")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "q.py").write_text("")
    monkeypatch.chdir(elsewhere)
    given = read_extensions(load_spec(path, {"policy.function": "q.py:q"}))
    assert [file.path.resolve() for file in given.files] == [tmp_path / "b.py", elsewhere / "q.py"]
    given = read_extensions(load_spec("sample", {"policy.function": "q.py:q"}))
    assert [file.path.resolve() for file in given.files] == [elsewhere / "q.py"]


def test_two_files_of_one_name_are_refused(mine, tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.py").write_text("")
    path = mine('[signal]\nblocks = ["b.py:b"]\n[policy]\nfunction = "deeper/b.py:p"\n', b_DOT_py="")
    with pytest.raises(InputError, match="wanted files of different names"):
        read_extensions(load_spec(path))


def test_a_file_is_loaded_under_a_private_name_and_leaves_no_trace(tmp_path, monkeypatch):
    import data

    (tmp_path / "data.py").write_text(
        "from dataclasses import dataclass\nfrom data.errors import InputError\n"
        "@dataclass\nclass Mine:\n    name: str = __name__\n"
    )
    monkeypatch.chdir(tmp_path)
    loaded = UserCallable(read_user_file(Path("data.py")), "Mine").load()
    assert loaded().name.startswith("_reverse_qe_user_")
    assert data.__file__.endswith("__init__.py")
    assert [path.name for path in tmp_path.iterdir()] == ["data.py"]


def test_the_run_id_follows_the_content_of_the_files(mine, sample):
    spec = '[signal]\nsource = "s.csv"\n'
    rows = "known_at,regime\n2023-01-03T00:00:00Z,SCARCE\n"
    ids = {
        run_of(mine(spec, s_DOT_csv=text), sample).run_id for text in (rows, rows, rows.replace("SCARCE", "NEUTRAL"))
    }
    assert len(ids) == 2


def test_a_run_is_repeated_from_its_folder(mine, sample, tmp_path):
    """As written: the spec beside the copies finds them, also where the first files are gone."""
    path = mine('[policy]\nfunction = "p.py:weights"\n', p_DOT_py=POLICY)
    first = run_of(path, sample)
    folder = write_run(first, tmp_path / "run")
    assert (folder / "user" / "p.py").read_text() == POLICY
    assert tomllib.loads(first.spec.to_toml())["policy"]["function"] == "p.py:weights"
    (tmp_path / "p.py").unlink()
    again = run_of(str(folder / "spec.toml"), sample)
    assert again.run_id == first.run_id
    pd.testing.assert_frame_equal(again.engine.equity, first.engine.equity, check_exact=True)


def test_a_run_without_files_of_the_user_makes_no_folder(tmp_path):
    copy_user_files((), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_says_it_in_one_line_with_status_2(mine, sample, tmp_path, monkeypatch, capsys):
    path = mine(
        '[policy]\nfunction = "p.py:weights"\n', p_DOT_py="def weights(*given):\n    raise ValueError('no\\nway')\n"
    )
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["reverse-qe", "backtest", path, "--out", str(out), "--no-tearsheet"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said == f"Error: {tmp_path / 'p.py'}, line 2: ValueError: no way"
    assert not out.exists()


@pytest.mark.slow
def test_an_example_copied_elsewhere_runs(tmp_path, sample):
    for name in ("block.toml", "my_block.py"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    assert run_backtest(load_spec(str(tmp_path / "block.toml"), DAYS), sample).counts.orders.filled > 0
