"""`reverse-qe sweep`: what it prints, what it writes, what it refuses."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

import reverse_qe
from data.errors import InputError
from reverse_qe.grids import read_grid
from reverse_qe.sweeping import Span

DAYS = ("--start", "2022-01-03", "--end", "2022-12-30")
GRID = ("--grid", "signal.enter=0.3,0.4", "--grid", "order_rules.band=0.0,0.05")


def test_variants_of_different_days_say_so(call):
    days = ("--grid", "run.start=2022-01-03,2022-06-01", "--end", "2022-12-30")
    said = "Each variant is measured over days of its own"
    code, out, _ = call("sweep", "sample", *days, "--out", "it")
    assert (code, said in out) == (0, True)


def test_it_prints_the_best_and_what_lies_around_it(call, tmp_path):
    code, out, err = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--confirm", "1")
    assert code == 0
    assert "4 variants of sample on SIMULATED market sample: the best by sharpe" in out
    assert "Around the best, one step in one key away: 2 variants, median" in out
    assert "of the variants are better than the static mix of the spec itself (sharpe " in out
    assert "unrelated strategies without any skill would have a Sharpe ratio of" in out
    assert "in Backtrader: the same orders; the equity differs by" in out
    assert "Sweep folder: it" in err
    as_run = re.search(r"The best as one: reverse-qe (backtest it/spec.toml --set \S+=\S+.*)$", err, re.M)
    assert as_run is not None
    ran = call(*as_run[1].split(), "--no-tearsheet", "--json")
    best = pd.read_parquet(tmp_path / "it" / "variants.parquet")["sharpe"].max()
    assert json.loads(ran[1])["metrics"]["strategy"]["sharpe"] == pytest.approx(best)
    assert "days of its own" not in out
    table = pd.read_parquet(tmp_path / "it" / "variants.parquet")
    assert table["variant"].tolist() == [0, 1, 2, 3]
    assert table["signal.enter"].tolist() == [0.3, 0.3, 0.4, 0.4]
    assert (tmp_path / "it" / "spec.toml").exists()
    again = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--confirm", "1")
    assert again == (0, out, f"{err.rstrip()}, as before\n")


def test_json_is_one_object(call):
    code, out, _ = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--json", "--by", "max_drawdown")
    told = json.loads(out)
    assert code == 0
    assert (told["variants"], told["valid"], told["by"], told["folder"]) == (4, 4, "max_drawdown", "it")
    falls = [each["max_drawdown"] for each in told["best"]]
    assert falls == sorted(falls, reverse=True)
    assert told["best"][0]["order_rules.band"] in (0.0, 0.05)


REFUSED = {
    "no grid": ((), "no key that varies"),
    "unknown key": (("--grid", "signal.entr=1"), "entr"),
    "empty": (("--grid", "signal.enter="), "signal.enter: got no value"),
    "a hole": (("--grid", "signal.enter=0.3,,0.4"), "wanted a value between commas"),
    "no key": (("--grid", "0.3"), "wanted section.key=value,value"),
    "twice": (("--grid", "signal.enter=0.3", "--grid", "signal.enter=0.4"), "got signal.enter twice"),
    "wrong type": (("--grid", "signal.enter=high"), "signal.enter"),
    "cannot vary": (("--grid", "run.strategy=a.py:A"), "run.strategy cannot vary"),
    "a range of all": (("--grid", "signal.clip=2.0..4.0"), "wanted values, or random variants"),
    "a measure": ((*GRID, "--by", "luck"), "got 'luck' to rank by"),
    "threads": ((*GRID, "--jobs", "0"), "got 0 for jobs"),
    "a thread for each star": ((*GRID, "--jobs", "100000"), "got 100000 for jobs, wanted at most 256"),
    "half of a walk": ((*GRID, "--train", "5y"), "got train 5y and test none, wanted both"),
    "more groups than days": ((*GRID, "--cpcv", "100000,2"), "wanted 3 to 1,000 groups"),
    "best": ((*GRID, "--confirm", "-1"), "got -1 for confirm"),
    "market": ((*GRID, "--market", "nowhere"), "nowhere"),
    "code of the user": ((*GRID, "--set", "run.strategy=a.py:A"), "run.strategy: got a.py:A for a sweep"),
    "groups": ((*GRID, "--cpcv", "6"), "--cpcv: got '6', wanted two whole numbers, as in 6,2"),
    "groups of no digits": ((*GRID, "--cpcv", "6,\u0662"), "wanted two whole numbers"),
    "too few groups": ((*GRID, "--cpcv", "2,1"), "got 2 groups of which 1 are tested"),
    "an embargo of nothing": ((*GRID, "--embargo", "5"), "got embargo 5 without tests"),
    "a cluster": ((*GRID, "--cluster", "nowhere"), "got 'nowhere' for the cluster"),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_in_one_line(call, words, says):
    code, out, err = call("sweep", "sample", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_folder_of_another_sweep_is_refused_in_one_line(call):
    assert call("sweep", "sample", "--grid", "signal.enter=0.3", *DAYS, "--out", "it")[0] == 0
    code, out, err = call("sweep", "sample", "--grid", "signal.enter=0.4", *DAYS, "--out", "it")
    assert (code, out) == (2, "")
    assert err == (
        "Error: got it, which is of another sweep: it differs in keys, grid; name another folder, or remove it\n"
    )


@pytest.mark.parametrize(
    ("module", "words", "extra"),
    [
        ("numba", (), "sweep"),
        ("skfolio.model_selection", ("--cpcv", "6,2"), "evidence"),
        ("distributed", ("--cluster", "127.0.0.1:1"), "cluster"),
    ],
)
def test_a_missing_extra_is_one_line(call, monkeypatch, module, words, extra):
    monkeypatch.setitem(sys.modules, module, None)
    code, out, err = call("sweep", "sample", *GRID, *words)
    assert (code, out) == (2, "")
    assert f"pip install '.[{extra}]' in the checkout" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
def test_the_measure_that_is_ranked_by_is_shown(call):
    code, out, _ = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--by", "calmar")
    table = pd.read_parquet("it/variants.parquet").sort_values("calmar", ascending=False, kind="stable")
    assert code == 0
    head, _, first = out.splitlines()[1:4]
    assert head.split()[:3] == ["variant", "calmar", "CAGR"]
    assert first.split()[:2] == [str(table["variant"].iloc[0]), f"{table['calmar'].iloc[0]:.2f}"]
    head = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--by", "volatility")[1].splitlines()[1]
    assert head.split()[:4] == ["variant", "CAGR", "volatility", "Sharpe"]


@pytest.mark.slow
def test_a_cross_validation_is_told(call):
    code, out, _ = call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--cpcv", "6,2", "--purge", "2")
    assert code == 0
    assert "Cross-validation: 15 splits, each with 2 of 6 groups of sessions tested by the variant that did best" in out
    assert "The Sharpe ratios of the paths have the median " in out
    assert "are below the static mix (" in out
    told = json.loads(
        call("sweep", "sample", *GRID, *DAYS, "--out", "it", "--cpcv", "6,2", "--purge", "2", "--json")[1]
    )
    assert told["cpcv"] == json.loads(Path("it/cpcv.json").read_text())
    assert (len(told["cpcv"]["splits"]), len(told["cpcv"]["paths"])) == (15, 5)


def test_a_million_variants_need_a_yes(call):
    many = ",".join(str(number) for number in range(1, 251))
    more = ",".join(f"{number / 1000:.3f}" for number in range(500))
    words = ("--grid", f"order_rules.stale_sessions={many}", "--grid", f"order_rules.band={more}")
    code, _, err = call("sweep", "sample", *words)
    assert code == 2
    assert "got 125,000 variants, wanted at most 100,000" in err


def test_grids_as_they_are_written():
    texts = ['universe.reserve=["A","B"],[]', "policy.rebalance=monthly,weekly", "signal.capex_events=true,false"]
    assert read_grid([*texts, "signal.clip=2.0..4.0", "signal.window_sessions=300..900", "run.start=2020-01-02"]) == {
        "universe.reserve": [["A", "B"], []],
        "policy.rebalance": ["monthly", "weekly"],
        "signal.capex_events": [True, False],
        "signal.clip": Span(2.0, 4.0),
        "signal.window_sessions": Span(300, 900),
        "run.start": [pd.Timestamp("2020-01-02").date()],
    }


def test_the_word_for_python(sample, tmp_path):
    grid = {"signal.enter": [0.3, 0.4]}
    result = reverse_qe.sweep("sample", grid, sample, start="2022-01-03", end="2022-06-30", out=tmp_path / "it")
    assert len(result.variants) == 2
    assert result.settings(1) == {"signal.enter": 0.4}
    assert repr(result).startswith("2 variants of sample in ")
    with pytest.raises(InputError, match="wanted a list of values"):
        reverse_qe.sweep("sample", {"signal.enter": 0.3}, sample, out=tmp_path / "other")
