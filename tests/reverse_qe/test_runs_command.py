"""`runs`: found by any of its names, told by what made it differ, compared, and let go only where nothing needs it."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from backtests.archive.compared import compare
from backtests.archive.folder import unused, write_run
from backtests.archive.named import find_run, find_runs
from backtests.archive.stored import FORMAT, read_run
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.errors import InputError
from reverse_qe.words.runs.changes import changes_text

DAYS = {"run.start": "2025-01-02", "run.end": "2025-12-31"}
VARIANTS = {
    "20260101T000000Z-sample-{id}": {},
    "20260102T000000Z-sample-{id}": {"policy.instrument_cap": 0.25},
    "mine": {"signal.half_life_sessions": 4},
}
OLD = Path(__file__).resolve().parents[1] / "old" / "0.1.0" / "runs"


@pytest.fixture(scope="module")
def kept(sample, tmp_path_factory):
    """Three runs, written once; the second has a label."""
    root = tmp_path_factory.mktemp("kept") / "runs"
    for place, (name, settings) in enumerate(VARIANTS.items()):
        run = run_backtest(load_spec("sample", {**DAYS, **settings}), sample)
        folder = root / name.format(id=run.run_id)
        write_run(run, folder, label="wary one" if place == 1 else None)
        os.utime(folder / "manifest.json", (1e9 + place, 1e9 + place))
    return root


@pytest.fixture
def runs(kept, tmp_path, monkeypatch):
    """The three below runs/ of an empty folder, in which the commands are called."""
    shutil.copytree(kept, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return sorted((tmp_path / "runs").iterdir())


def ids(runs):
    return [read_run(folder).manifest["run_id"] for folder in runs]


def test_a_run_is_found_by_each_of_its_names(runs):
    first, second, mine = (Path("runs") / folder.name for folder in runs)
    one, two, three = ids(runs)
    for name in (first, runs[0], first.name, one, one[:7], "20260101", f"{first}/"):
        assert find_run(name).resolve() == runs[0].resolve(), name
    assert find_run("wary one") == find_run(two) == second
    assert find_run(three) == find_run("min") == find_run("latest") == mine
    # Written twice it is one run; the last is as good as the first.
    shutil.copytree(first, Path("runs") / f"20260301T000000Z-sample-{one}")
    assert find_run(one).name == f"20260301T000000Z-sample-{one}"


def test_a_folder_that_was_given_the_name_of_another_run_is_not_it(call, runs):
    """As in mlflow, whose runs were moved by hand (its pull request 661)."""
    one, two, _ = ids(runs)
    runs[0].rename(runs[0].with_name("aside"))
    runs[1].rename(runs[0])
    assert f"(run {one})" in call("runs", "show", one)[1]
    assert f"(run {two})" in call("runs", "show", runs[0].name)[1]
    assert f"20260101T000000Z-sample-{one}" in call("runs", "list")[1].split()


def test_a_folder_that_holds_no_run_does_not_hide_a_label(call, runs):
    two = ids(runs)[1]
    Path("wary one").mkdir()
    assert f"(run {two})" in call("runs", "show", "wary one")[1]
    Path("nothing").mkdir()
    assert "nothing is no run folder" in call("runs", "show", "nothing")[2]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2026010", "got the run 2026010, which fits 20260101T000000Z-sample-"),
        ("mime", "got the run mime, and there is none below runs/; the nearest is mine; see: reverse-qe runs list"),
        ("Wary on", "got the run Wary on, and there is none below runs/; the nearest is wary one; see: "),
        (
            "swept/1",
            "the sweep swept keeps no run of a variant, only its row in variants.parquet; make it: reverse-qe ba",
        ),
        ("", "wanted the name of a file or folder"),
        ("a\0b", "without a zero character"),
    ],
)
def test_a_name_of_none_or_of_several_is_one_line(call, runs, name, said):
    Path("swept").mkdir()
    Path("swept/sweep.json").write_text("{}", encoding="utf-8")
    for words in (("show", name), ("compare", name, "mine"), ("remove", name, "--yes")):
        status, out, err = call("runs", *words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert said in err
    assert len(list(Path("runs").iterdir())) == 3


def test_what_is_made_again_in_the_same_second_has_a_folder_and_the_same_id(call, runs):
    again = unused(runs[0])
    assert again.name == f"{runs[0].name}-2"
    shutil.copytree(runs[0], again)
    assert unused(runs[0]).name == f"{runs[0].name}-3"
    one = read_run(runs[0]).manifest["run_id"]
    assert call("runs", "list")[1].split().count(one) == 2
    assert call("runs", "show", again.name)[0] == 0


def test_the_list_tells_what_made_runs_differ_in_percent(call, runs):
    status, out, _ = call("runs", "list")
    assert status == 0
    rows = {line.split()[0]: line for line in out.splitlines()[3:] if line}
    one, two, _ = ids(runs)
    assert set(rows) == {one, two, "mine"}
    assert "wary one: sample with policy.instrument_cap=0.25, run.end=2025-12-31, run.start=2025-01-02" in rows[two]
    assert "signal.half_life_sessions=4.0" in rows["mine"]
    strategy = read_run(runs[0]).metrics["strategy"]
    assert f"{strategy['cagr']:.1%}" in rows[one].split()
    assert f"{strategy['max_drawdown']:.1%}" in rows[one].split()
    said = json.loads(call("runs", "list", "--json")[1])["runs"]
    assert said[1]["changes"]["policy.instrument_cap"] == 0.25
    assert said[1]["label"] == "wary one"
    assert said[0]["metrics"]["strategy"]["cagr"] == strategy["cagr"]


def test_changes_are_told_without_what_a_preset_brings():
    spec = load_spec(
        "sample", {"costs.preset": "alpaca", "universe.reserve": [], "universe.speculative": ["SIM-COIN-A"]}
    )
    base = load_spec("sample")
    changes = {key: spec.by_key().get(key) for key in base.differences(spec)}
    assert len(changes) > 8
    assert changes_text(changes) == "costs.preset=alpaca, universe.reserve=[], universe.speculative=[SIM-COIN-A]"
    more = {**changes, "costs.crypto.half_spread_bp": 9.0, "run.idea_known": None}
    assert "costs.crypto.half_spread_bp=9.0, " in changes_text(more)
    assert changes_text(more).endswith("no run.idea_known")
    assert "half_spread_bp" in changes_text({**changes, "costs.preset": "gone"})


def test_markets_of_one_name_with_other_data_are_told_apart(call, runs):
    path = runs[0] / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "snapshot_hash": "feedc0de" + manifest["snapshot_hash"][8:]}))
    out = call("runs", "list")[1]
    assert "sample #feedc0de (SIMULATED)" in out
    assert f"sample #{manifest['snapshot_hash'][:8]} (SIMULATED)" in out


def test_show_is_in_the_figures_of_the_backtest_and_opens_the_page(call, runs, monkeypatch):
    status, out, _ = call("runs", "show", "latest")
    assert status == 0
    strategy = read_run(runs[2]).metrics["strategy"]
    for text in (f"{strategy['final_equity_usd']:,.0f}", f"{strategy['cagr']:.1%}", f"{strategy['sharpe']:.2f}"):
        assert text in out
    assert "signal.half_life_sessions=4.0, " not in out
    assert "By regime" in out
    status, _, err = call("runs", "show", "latest", "--open")
    assert (status, "got a run without a page" in err, err.count("\n")) == (2, True, 1)
    (runs[2] / "tearsheet.html").write_text("<p>")
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert call("runs", "show", "mine", "--open")[0] == 0
    assert opened == [(runs[2] / "tearsheet.html").resolve().as_uri()]
    monkeypatch.setattr("webbrowser.open", lambda _url: False)
    assert (
        "No browser could be opened; the page is runs/mine/tearsheet.html" in call("runs", "show", "mine", "--open")[2]
    )


def test_a_comparison_says_what_differs_and_what_it_came_to(call, runs, tmp_path):
    one, two, _ = ids(runs)
    status, out, err = call("runs", "compare", one[:8], "wary one", "mine", "--page", "page.html")
    assert (status, err) == (0, "Page: page.html\n")
    lines = out.splitlines()
    assert f"{one}: sample with run.end=2025-12-31, run.start=2025-01-02, on sample (SIMULATED)" in lines[0]
    table = {line.split()[0]: line.split()[1:] for line in lines if line.split()[:1] and "." in line.split()[0]}
    assert table["policy.instrument_cap"] == ["0.3", "0.25", "0.3"]
    assert table["signal.half_life_sessions"] == ["10.0", "10.0", "4.0"]
    assert "run.start" not in table
    said = json.loads(call("runs", "compare", one, two, "mine", "--json")[1])
    assert set(said["spec"]) == {"policy.instrument_cap", "signal.half_life_sessions"}
    assert said["market"] == {}
    assert said["correlation"][0] == pytest.approx(1.0)
    assert said["other_regimes"][:2] == [0, 0]
    assert said["other_regimes"][2] > 0
    for place, folder in enumerate(runs):
        strategy = read_run(folder).metrics["strategy"]
        assert said["measures"]["cagr"][place] == strategy["cagr"]
        trades = pd.read_csv(folder / "trades.csv")
        assert said["trades"][place]["round_trips"] == len(trades)
        assert said["trades"][place]["won"] == (trades["profit"] > 0).sum()
        profit = sum(each["profits"][place] for each in said["profits"])
        assert profit == pytest.approx(strategy["final_equity_usd"] - 100_000, rel=1e-9)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure") == 2
    for text in ("What differs", "policy.instrument_cap", "wary one", "SIMULATED", "SIM-MEMORY-A"):
        assert text in page


def test_correlation_and_other_regimes_by_hand(runs):
    compared = compare(find_runs(["2026010" + "1", "mine"]))
    tables = [pd.read_csv(folder / "returns.csv")["strategy"] for folder in (runs[0], runs[2])]
    assert compared.correlation[1] == pytest.approx(tables[0].corr(tables[1]))
    regimes = [pd.read_csv(folder / "regime.csv").set_index("session")["regime"] for folder in (runs[0], runs[2])]
    assert compared.other_regimes[1] == (regimes[0] != regimes[1]).sum()
    stays = [pd.read_csv(folder / "rotations.csv") for folder in (runs[0], runs[2])]
    keys = [set(zip(each["start"], each["end"], each["regime"], strict=True)) for each in stays]
    assert len(compared.stays) == len(keys[0] | keys[1])
    assert int(compared.stays.notna().all(axis=1).sum()) == len(keys[0] & keys[1])
    growth = (1 + tables[1]).prod()
    assert compared.growth["mine"].iloc[-1] == pytest.approx(growth)


def test_too_few_too_many_or_the_same_are_refused(call, runs):
    one = ids(runs)[0]
    for names, said in (((one,), "got 1 run to compare, wanted 2 to 8"), ((one, one[:9]), "more than once")):
        status, _, err = call("runs", "compare", *names)
        assert (status, said in err) == (2, True)
    with pytest.raises(InputError, match="got 9 runs"):
        compare(find_runs([one]) * 9)
    (runs[2] / "returns.csv").write_text("session\n1")
    status, _, err = call("runs", "compare", one, "mine")
    assert (status, err.count("\n"), "Traceback" in err) == (2, 1, False)
    (runs[2] / "returns.csv").unlink()
    assert "without returns.csv" in call("runs", "compare", one, "mine")[2]


def test_runs_of_version_0_1_0_are_listed_shown_compared_and_removed(call, runs):
    for name in ("sample", "turning"):
        shutil.copytree(OLD / name, Path("runs") / name)
    out = call("runs", "list")[1]
    assert "turning with " in out
    assert call("runs", "show", "turning")[0] == 0
    status, out, _ = call("runs", "compare", "turning", "mine")
    assert status == 0
    assert "A version wrote no profit by instrument" in out
    said = json.loads(call("runs", "compare", "sample", "turning", "--json")[1])
    assert (said["trades"], said["profits"]) == ([None, None], None)
    assert call("runs", "remove", "turning", "--yes")[0] == 0
    assert not Path("runs/turning").exists()


def test_a_run_of_a_later_version_is_refused_in_one_line(call, runs):
    path = runs[2] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    status, _, err = call("runs", "show", "mine")
    assert (status, err.count("\n"), f"a run of format {FORMAT + 1}, wanted one of 1 to {FORMAT}" in err) == (
        2,
        1,
        True,
    )
    assert "of format" in call("runs", "list")[2]


def test_a_run_goes_with_a_yes_alone_and_only_where_nothing_needs_it(call, runs, tmp_path):
    one, two, _ = ids(runs)
    status, _, err = call("runs", "remove", "mine")
    assert (status, "wanted one; say --yes" in err) == (2, True)
    (tmp_path / "paper.toml").write_text('spec = "runs/mine/spec.toml"\n')
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "own.toml").write_text(f'[policy]\nfunction = "../runs/{runs[0].name}/user/p.py:weights"\n')
    status, _, err = call("runs", "remove", two, "mine", "--yes")
    assert (status, "paper.toml uses (spec)" in err, err.count("\n")) == (2, True, 1)
    assert "own.toml uses (policy.function)" in call("runs", "remove", one, "--yes")[2]
    assert len(list(Path("runs").iterdir())) == 3
    (tmp_path / "paper.toml").unlink()
    status, out, _ = call("runs", "remove", two, "mine", "mine", "--yes", "--json")
    assert (status, json.loads(out)["removed"]) == (0, [f"runs/{runs[1].name}", "runs/mine"])
    assert [path.name for path in Path("runs").iterdir()] == [runs[0].name]
    # A part of a sweep goes with the sweep.
    (tmp_path / "sweeps" / "s").mkdir(parents=True)
    (tmp_path / "sweeps" / "s" / "sweep.json").write_text("{}")
    shutil.copytree(runs[0], tmp_path / "sweeps" / "s" / "walk-forward")
    assert "a part of the sweep" in call("runs", "remove", "sweeps/s/walk-forward", "--yes")[2]


def test_what_is_no_run_is_never_removed(call, runs, tmp_path):
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "manifest.json").write_text('{"name": "history"}')
    (tmp_path / "empty").mkdir()
    for name in ("market", "empty", "."):
        status, _, err = call("runs", "remove", name, "--yes")
        assert (status, err.count("\n")) == (2, 1), name
        assert Path(name).is_dir()
    (tmp_path / "link").symlink_to(runs[0])
    assert call("runs", "remove", "link", "--yes")[0] in (0, 2)
    assert runs[0].is_dir()


def test_hostile_folders_among_the_runs_cost_a_line_each(call, runs):
    """No manifest, one that is a folder, a loop of links, names that steer a terminal, a label without end."""
    root = Path("runs")
    (root / "no-manifest").mkdir()
    (root / "folder-as-manifest" / "manifest.json").mkdir(parents=True)
    (root / "loop").symlink_to(root / "loop")
    (root / "broken").mkdir()
    (root / "broken" / "manifest.json").write_text("[" * 100_000)
    shutil.copytree(runs[0], root / "\x1b[2J<b>")
    shutil.copytree(runs[0], root / "labelled")
    (root / "labelled" / "label.txt").write_bytes(b"\x1b[31m" + b"x" * 1_000_000)
    (root / "labelled-2").mkdir()
    shutil.copytree(runs[0], root / "changed")
    manifest = json.loads((runs[0] / "manifest.json").read_text())
    (root / "changed" / "manifest.json").write_text(json.dumps({**manifest, "differs": ["no", "mapping"]}))
    status, out, err = call("runs", "list")
    assert status == 0
    assert "\x1b" not in out + err
    assert err.count("\n") == 1
    assert "broken" in err
    assert max(map(len, out.splitlines())) < 1_000
    assert call("runs", "compare", "labelled", "changed", "--page", "p.html")[0] == 0
    assert call("runs", "show", "latest")[0] == 0
