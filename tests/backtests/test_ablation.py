"""Variants of the signal: against specs that say the same, against sums by hand, and the page of evidence."""

import re
import subprocess
import sys
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

import page_parts
import write_signal_evidence
from backtests.prepare.signal import read_signal
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.ablation import (
    FULL,
    GATE_RATIOS,
    NO_SIGNAL,
    WINDOWS,
    Variant,
    ablation_table,
    ablation_variants,
    gate_variants,
    regime_shares,
    run_variant,
    variant_signal,
    variant_table,
    window_variants,
)
from backtests.studies.choices import reading_choices, setting_choices
from data.errors import InputError
from signals.explain.history import signal_history
from signals.regime import regime_path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "write_signal_evidence.py"
PAGE = ROOT / "docs" / "signal-evidence.md"
BLOCKS = ["drain", "price_of_capital", "level", "pipes"]
# Regimes change in it.
YEAR = {"run.start": "2021-01-04", "run.end": "2021-12-31"}
# The same as settings of a spec.
SETTINGS = {
    "gate off": {"signal.gate.enabled": False},
    "outside funding off": {"signal.outside_funding": False},
    "capex events off": {"signal.capex_events": False},
    "model markov_switching": {"signal.model.name": "markov_switching"},
    "model jump": {"signal.model.name": "jump"},
}


@pytest.fixture(scope="module")
def run(sample):
    return run_backtest(load_spec("sample", YEAR), sample)


def by_name(variants):
    return {variant.name: variant for variant in variants}


def signal_of(run, variant):
    return variant_signal(run.spec, run.snapshot, run.signal.score.index, variant)


@pytest.mark.parametrize("form", [1, 2])
def test_each_variant_changes_one_thing(form):
    """A spec with that one setting says the same."""
    base = {"signal.form": form}
    full = load_spec("sample", base).signal
    variants = by_name(ablation_variants(full, BLOCKS))
    meant = {name: each for name, each in SETTINGS.items() if form == 1 or name != "gate off"}
    assert list(variants) == [*(f"without {block}" for block in BLOCKS), *meant]
    for block in BLOCKS:
        assert (variants[f"without {block}"].config, variants[f"without {block}"].without) == (full, block)
    for name, settings in meant.items():
        assert (variants[name].config, variants[name].without) == (load_spec("sample", base | settings).signal, None)


def test_what_is_off_already_is_no_variant():
    given = load_spec("sample", {"signal.outside_funding": False, "signal.model.name": "jump"}).signal
    names = list(by_name(ablation_variants(given, [])))
    assert names == ["capex events off", "model threshold", "model markov_switching"]


def test_ratios_and_windows_are_those_of_settings():
    full = load_spec("sample").signal
    for ratio, variant in zip(GATE_RATIOS, gate_variants(full), strict=True):
        assert variant.config == load_spec("sample", {"signal.gate.ratio": ratio}).signal
    needed = {252: (84, 42), 504: (168, 84), 756: (252, 126), 1008: (252, 126), 1260: (252, 126)}
    for window, variant in zip(WINDOWS, window_variants(full), strict=True):
        z, scale = needed[window]
        keys = {"window_sessions": window, "min_window_sessions": z, "min_scale_sessions": scale}
        settings = {f"signal.{key}": value for key, value in keys.items()}
        assert variant.config == load_spec("sample", settings).signal
    assert window_variants(full, [756])[0].config == full


@pytest.mark.parametrize("name", ["outside funding off", "capex events off"])
def test_the_signal_of_a_variant_is_that_of_a_spec_that_says_so(run, sample, name):
    variant = by_name(ablation_variants(run.spec.signal, []))[name]
    wanted = read_signal(load_spec("sample", SETTINGS[name] | YEAR), sample, run.panel.decides_for[-1])
    found = signal_of(run, variant)
    pd.testing.assert_frame_equal(signal_history(found), signal_history(wanted), check_exact=True)
    assert not found.score.equals(run.signal.score)


@pytest.mark.parametrize("block", BLOCKS)
def test_without_a_block_the_score_is_the_sum_of_what_the_others_gave(run, block):
    found = signal_of(run, by_name(ablation_variants(run.spec.signal, BLOCKS))[f"without {block}"])
    others = [name for name in BLOCKS if name != block]
    np.testing.assert_allclose(found.score, run.signal.blocks[others].sum(axis=1), rtol=0, atol=1e-12)
    assert (found.blocks[block] == 0).all()
    pd.testing.assert_frame_equal(found.blocks[others], run.signal.blocks[others])
    gone = run.signal.live_blocks - found.live_blocks
    assert set(gone.unique()) == {0, 1}
    # From the first session on which it gives anything, it was live and is no more.
    assert (gone[run.signal.blocks[block].ne(0).idxmax() :].iloc[:5] == 1).all()
    pd.testing.assert_series_equal(found.regime, regime_path(found.score, found.live_blocks, run.spec.signal))


def test_inputs_that_a_spec_adds_to_a_block_go_with_it(run):
    added = {"name": "bill", "block": "level", "series": "DGS3MO", "scarcer_when": "higher"}
    config = load_spec("sample", {"signal.inputs": [added]}).signal
    variants = by_name(ablation_variants(config, BLOCKS))
    assert [len(variants[f"without {block}"].config.inputs) for block in ("drain", "level")] == [1, 0]
    assert "level.bill" in signal_of(run, variants["without drain"]).inputs
    assert (signal_of(run, variants["without level"]).blocks["level"] == 0).all()


def test_what_changes_nothing_is_the_run_itself(run):
    same = run_variant(run, Variant("same", run.spec.signal))
    pd.testing.assert_series_equal(same.returns, run.returns["strategy"], check_exact=True)
    assert same.measures == run.measures.strategy


@pytest.fixture(scope="module")
def stricter(run):
    """The gate at 0.4: another regime in parts of the year."""
    return run_variant(run, gate_variants(run.spec.signal, [0.4])[0])


def test_a_variant_runs_as_a_spec_that_says_so(run, sample, stricter):
    wanted = run_backtest(load_spec("sample", {"signal.gate.ratio": 0.4} | YEAR), sample)
    pd.testing.assert_series_equal(stricter.returns, wanted.returns["strategy"], check_exact=True)
    assert stricter.measures == wanted.measures.strategy
    assert not stricter.returns.equals(run.returns["strategy"])


def test_tables_hold_the_measures_and_differences_of_each(run, stricter):
    table = ablation_table(run, [stricter])
    assert list(table.index) == [FULL, "0.40", NO_SIGNAL]
    assert variant_table(run, [stricter]).equals(table.iloc[:2])
    bill = run.risk_free
    returns = {FULL: run.returns["strategy"], "0.40": stricter.returns, NO_SIGNAL: run.returns["static_mix"]}
    sharpe = {name: empyrical.sharpe_ratio(each, bill) for name, each in returns.items()}
    for name, each in returns.items():
        row = table.loc[name]
        assert row["sharpe"] == pytest.approx(sharpe[name], rel=1e-9)
        assert row["max_drawdown"] == pytest.approx(empyrical.max_drawdown(each), rel=1e-9)
        if name != FULL:
            assert row["difference"] == pytest.approx(sharpe[name] - sharpe[FULL], rel=1e-9)
            assert row["low"] < row["difference"] < row["high"]
    assert table.loc[FULL, ["difference", "low", "high"]].isna().all()
    regimes = ["ABUNDANT", "NEUTRAL", "SCARCE"]
    by_hand = stricter.signal.regime[run.sessions].value_counts() / len(run.sessions)
    assert table.loc["0.40", regimes].to_dict() == pytest.approx(by_hand.reindex(regimes, fill_value=0.0).to_dict())
    assert table.loc[NO_SIGNAL, regimes].isna().all()
    assert table.loc[NO_SIGNAL, "turnover"] == run.measures.portfolios["static_mix"].turnover


def test_a_regime_without_a_session_has_a_share_of_zero(run):
    scarce = run.signal.regime[run.signal.regime == "SCARCE"].index[:3]
    assert regime_shares(run.signal, scarce) == {"ABUNDANT": 0.0, "NEUTRAL": 0.0, "SCARCE": 1.0}


def test_a_source_has_no_parts(run):
    spec = load_spec("sample", {"signal.source": "regimes.csv"})
    with pytest.raises(InputError, match=r"got signal.source regimes.csv, wanted a signal that is made of blocks"):
        variant_signal(spec, run.snapshot, run.signal.score.index, Variant("full", spec.signal))


@pytest.fixture(scope="module")
def script():
    return write_signal_evidence


def section(name):
    """What stands on the page between the marks of a section."""
    return re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", PAGE.read_text(), re.S)[1].strip()


@pytest.mark.real_history
@pytest.mark.slow
def test_the_page_shows_the_dates_and_windows_of_real_history(history, script):
    for name, title in (("form 2", "Form 2"), ("form 1", "Form 1")):
        spec = load_spec("history", script.FORMS[name])
        signal = read_signal(spec, history, script.session_to_come(history))
        told = f"### {title}\n\n{script.dates_section(spec, signal)}"
        assert told in section("dates"), f"run the command that {PAGE.name} names"
        assert f"### {title}\n\n{script.windows_section(spec, history, signal.score.index)}" in section("windows")
    assert f"`{history.content_hash[:12]}`" in section("setting")


def test_the_page_names_its_command_and_every_variant(script, sample):
    text = PAGE.read_text()
    assert f"python docs/{SCRIPT.name} --market history" in text
    full = {name: load_spec("history", settings).signal for name, settings in script.FORMS.items()}
    ablated = [variant for name in ("form 2", "form 1") for variant in ablation_variants(full[name], BLOCKS)]
    gated, chosen = gate_variants(full["form 2"]), setting_choices(full["form 2"])
    read = reading_choices(sample)
    names = [variant.name for variant in (*ablated, *gated, *chosen)]
    for name in (FULL, NO_SIGNAL, *script.FORMS, *names, *read):
        assert f"\n| {name} |" in text, name
    counts = [
        len(script.FORMS),
        len(ablated),
        len(gated) - 1,
        len(chosen) + section("choices").count("\n| ") - 1 - len(chosen),
    ]
    assert f"**{sum(counts)} backtests stand behind this page**" in text
    assert load_spec("history").universe.hindsight in " ".join(text.split())
    marks = re.findall(r"<!-- (\w+): begin -->", text)
    assert len(marks) == 13
    assert script.page_with({name: section(name) for name in marks}) == text


def test_every_form_is_on_the_page_with_its_stays(script):
    text = section("stays")
    for name in ("form 2", "form 1"):
        table = text[text.index(f"| {name} | to |") :].split("\n\n")[0]
        leads = [float(line.split(" | ")[4]) for line in table.splitlines()[2:]]
        shares = [float(line.split(" | ")[5].strip(" |%")) for line in table.splitlines()[2:]]
        assert sum(shares) == pytest.approx(100, abs=len(shares) / 2)
        assert leads[shares.index(max(shares))] == max(leads)


def test_a_missed_expectation_is_told_with_what_the_signal_says(run, script, monkeypatch):
    scarce, abundant = (run.signal.regime[run.signal.regime == name].index[-1] for name in ("SCARCE", "ABUNDANT"))
    monkeypatch.setattr(script, "DAYS", (scarce, abundant))
    monkeypatch.setattr(script, "EXPECTED", {"first": "SCARCE", "second": "SCARCE"})
    text = script.dates_section(run.spec, run.signal)
    assert f"1 of 2 expectations hold. {abundant.date()} was expected to be SCARCE and is ABUNDANT" in " ".join(
        text.split()
    )
    assert "| **no** |" in text
    assert f"- {abundant.date()}: ABUNDANT since " in text


def test_intervals_decide_what_the_page_says():
    bounds = pd.DataFrame({"low": [-0.1, 0.1], "high": [0.2, 0.3]}, index=["this", "that"])
    assert page_parts.verdict(bounds) == (
        "1 of the 2 intervals exclude 0: that. Of 2 changes without any effect, 0.1 would, on average."
    )
    assert page_parts.verdict(bounds[:1]).startswith("Each of the 1 intervals holds 0: none of these changes is shown")


def test_the_command_helps():
    done = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True)
    assert "--market MARKET" in done.stdout


def test_a_market_that_is_not_there_is_one_line_and_leaves_the_page_alone(script, monkeypatch, capsys):
    before = PAGE.read_bytes()
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, "--market", "not-there"])
    assert script.main() == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: ")
    assert "not-there" in told
    assert told.count("\n") == 1
    assert PAGE.read_bytes() == before
