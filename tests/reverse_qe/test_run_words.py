"""A run in words: the honest lines, and one screen for all of it."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from backtests.evidence.best_stay import BestStay
from backtests.evidence.honest_lines import HonestLines, honest_lines
from backtests.evidence.sharpe_difference import SharpeDifference
from backtests.evidence.table import Verdict
from backtests.evidence.trials import TrialCount
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.evidence.of_run import run_evidence
from backtests.studies.evidence.of_run_alone import evidence_of_run_alone
from data.market.snapshot import Snapshot
from edge_runs import policy
from reverse_qe.pages.run import run_page
from reverse_qe.pages.run_parts.evidence import evidence
from reverse_qe.words.evidence import NO_HINDSIGHT, honest_sentences, rival_rows, rival_sentence
from reverse_qe.words.evidence_table import conclusion
from reverse_qe.words.summary import summary_lines

DAYS = {"run.start": "2023-01-03", "run.end": "2024-06-28"}
STAY = BestStay(
    start=pd.Timestamp("2023-05-02"),
    end=pd.Timestamp("2023-08-31"),
    sessions=85,
    regime="SCARCE",
    gain=0.4,
    whole_gain=0.5,
    share=0.83,
    final_equity_usd=123_456.7,
    sharpe=0.987,
)
LINES = HonestLines(
    luck=SharpeDifference(0.111, -0.222, 0.444, 3),
    rivals={"price_momentum": SharpeDifference(0.5, 0.1, 0.9, 3), "gate_alone": SharpeDifference(-0.1, -0.3, 0.1, 3)},
    unknown="",
    best_stay=STAY,
    names="Chosen in 2026.",
)


@pytest.fixture(scope="module")
def run(sample: Snapshot) -> Backtest:
    return run_backtest(load_spec("sample", DAYS), sample)


def told(run: Backtest, **changed: object) -> tuple[str, str, str]:
    luck, stay, names = honest_sentences(replace(run, evidence=replace(LINES, **changed)))
    return luck, stay, names


def test_what_may_be_luck_says_so(run: Backtest) -> None:
    sharpes = [run.measures.portfolios[name].sharpe for name in ("strategy", "static_mix")]
    own, mix = (f"{sharpe:.2f}" for sharpe in sharpes)
    ratios = f"Luck: Sharpe {own} against {mix} of the static mix"
    assert told(run)[0] == f"{ratios}, +0.11 [-0.22, +0.44]: cannot be told from luck."
    more = SharpeDifference(0.3, 0.1, 0.5, 3)
    assert told(run, luck=more)[0] == f"{ratios}, +0.30 [+0.10, +0.50]: more than luck explains."
    worse = SharpeDifference(-0.3, -0.5, -0.1, 3)
    assert told(run, luck=worse)[0] == f"{ratios}, -0.30 [-0.50, -0.10]: worse, and more than luck explains."
    assert told(run, luck=None, unknown="too short")[0] == "Luck: not measured (too short)."


def test_what_never_traded_is_not_judged(run: Backtest) -> None:
    """Cash is worse than any mix by more than its interval; that says nothing of whoever did nothing."""
    lines = honest_lines(run.returns, ["price_momentum"], run.risk_free, STAY, "Chosen in 2026.", traded=False)
    never = replace(run.counts.orders, total=3, filled=0, reduced=0, unfilled=3)
    idle = replace(run, evidence=lines, counts=replace(run.counts, orders=never))
    assert honest_sentences(idle) == [
        "Luck: not measured (it never traded: all of it stayed cash, and there is nothing to judge).",
        "One stay: none was traded.",
        "Names: Chosen in 2026.",
    ]
    assert (rival_sentence(idle), rival_rows(idle)) == ("", [])
    assert "luck explains" not in " ".join(summary_lines(idle, None, 0))
    for judge in (evidence_of_run_alone, lambda each: run_evidence(each, TrialCount(1, 0.0, 0.0, 0.0))):
        table = judge(idle)
        assert [(row.test, row.verdict) for row in table.rows] == [
            ("sharpe_against_the_mix", Verdict.UNMEASURED),
            ("hindsight", Verdict.OPEN),
        ]
        assert table.rows[0].reason.startswith("it never traded")
        assert "not judged" in conclusion(table)
    part = evidence(idle)
    assert part.body == "<p>It never traded: all of it stayed cash, and there is nothing to judge.</p>"
    assert replace(never, reduced=1).traded


def test_one_stay_is_named_with_what_is_left_without_it(run: Backtest) -> None:
    mix = run.measures.portfolios["static_mix"].final_equity_usd
    assert told(run)[1] == (
        "One stay: SCARCE from 2023-05-02 to 2023-08-31 made 83% of the growth beyond the static mix; without it "
        f"123,457 USD are left (static mix {mix:,.0f}), Sharpe 0.99."
    )
    nothing = replace(STAY, share=None, sharpe=None)
    assert told(run, best_stay=nothing)[1] == (
        "One stay: nothing was gained on the static mix; the best stay, SCARCE from 2023-05-02 to 2023-08-31, made "
        "+40.0% on it."
    )
    assert "lost everything" in told(run, best_stay=None)[1]


def test_names_say_their_hindsight_or_that_none_is_told(run: Backtest) -> None:
    assert told(run)[2] == "Names: Chosen in 2026."
    assert told(run, names="")[2] == f"Names: {NO_HINDSIGHT}."


def test_rivals_stand_with_their_intervals(run: Backtest) -> None:
    lined = replace(run, evidence=LINES)
    momentum = run.measures.portfolios["price_momentum"].sharpe
    assert rival_sentence(lined).endswith(f"in Sharpe: price momentum {momentum:.2f}, +0.50 [+0.10, +0.90].")
    rows = {row[0]: row[2:] for row in rival_rows(lined)}
    assert rows == {
        "static mix": ("+0.11", "-0.22 to +0.44", "no"),
        "price momentum": ("+0.50", "+0.10 to +0.90", "yes"),
        "gate alone": ("-0.10", "-0.30 to +0.10", "no"),
    }
    unknown = replace(run, evidence=replace(LINES, luck=None, rivals={}, unknown="too short"))
    assert (rival_sentence(unknown), rival_rows(unknown)) == ("", [])


def test_a_run_and_its_table_are_twenty_lines_at_most(run: Backtest, call) -> None:
    warned = replace(run, warnings=tuple(f"Warning {number}." for number in range(30)), notes=("a", "b"))
    [few, many] = [summary_lines(warned, None, above) for above in (20, 8)]
    assert few[-2:] == ["! Warning 0.", "! 29 more warnings and 2 notes: result.run.notes"]
    assert len(many) == 12
    shown = sum(line.startswith("! Warning") for line in many)
    assert many[-1] == f"! {30 - shown} more warnings and 2 notes: result.run.notes"
    code, out, err = call("backtest", "--start", "2023-01-03", "--out", "run")
    assert code == 0
    assert len(out.splitlines()) + len(err.splitlines()) <= 20
    assert "static mix" in out
    assert "price momentum" in out
    assert "signal without drain" in out
    for hidden in ("moving average", "inverse rotation", "gate alone", "one switch"):
        assert hidden not in out


def test_notes_that_are_only_counted_are_shown_by_runs_show(call) -> None:
    code, out, _ = call("backtest", "--start", "2023-01-03", "--end", "2024-06-28", "--no-tearsheet", "--out", "run")
    assert code == 0
    assert "! 2 notes: reverse-qe runs show run" in out
    code, shown, _ = call("runs", "show", "run")
    assert code == 0
    assert "! SIM-MEMORY-C can be traded from 2023-03-02 on." in shown
    assert "Orders cut to the cash" in shown


@pytest.mark.slow
def test_a_run_in_cash_while_the_bill_pays_is_called_neither_lucky_nor_skilled(
    sample: Snapshot, tmp_path: Path
) -> None:
    """On the sample the 3-month bill moves: cash has a Sharpe ratio there, and a bad one."""
    idle = run_backtest(load_spec("sample", {**DAYS, **policy(tmp_path, "idle", "pass")}), sample)
    assert (idle.evidence.luck, idle.evidence.rivals) == (None, {})
    page = run_page(idle)
    assert "luck explains" not in page
    assert page.count("it never traded: all of it stayed cash") == 1
    assert page.count("It never traded: all of it stayed cash") == 1
