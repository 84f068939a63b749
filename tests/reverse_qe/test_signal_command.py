"""`reverse-qe signal`: what it prints, the files that it makes, and what it refuses."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from markupsafe import escape

from backtests.prepare.decision import decide_from_cash
from backtests.prepare.signal import read_signal
from backtests.spec.spec import load_spec
from data.clock import decision_times
from data.events.timeline import event_timeline
from data.market.snapshot import Snapshot
from reverse_qe.pages.signal import signal_page
from reverse_qe.words.answer import LINES, WIDTH
from signals.explain.explanation import explain
from signals.explain.history import signal_history
from signals.explain.sentence import input_words
from signals.explain.switches import regime_switches

Call = Callable[..., tuple[int, str, str]]
DAY = "2025-06-02"


@pytest.mark.slow
def test_the_sentence_is_printed_and_in_json(call: Call) -> None:
    status, out, _ = call("signal", "--date", DAY)
    said = json.loads(call("signal", "--date", DAY, "--json")[1])
    assert status == 0
    assert said["sentence"].startswith(f"{said['regime']} since {said['since'][:10]}: ")
    assert f"{said['sentence']}." not in out.splitlines()
    assert f"{said['sentence']}." in call("signal", "--date", DAY, "--turn")[1].splitlines()
    assert "judged" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--date", DAY),
        ("--date", "2016-01-04"),
        ("--date", "2022-03-15"),
        ("--set", "signal.form=1"),
        ("--set", "signal.form=1", "--set", "signal.model.name=jump"),
    ],
)
def test_the_answer_has_at_most_nine_lines_of_eighty_places(call: Call, arguments: tuple[str, ...]) -> None:
    status, out, _ = call("signal", *arguments)
    lines = out.splitlines()
    assert status == 0
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    regime = json.loads(call("signal", *arguments, "--json")[1])["regime"]
    assert lines[0].startswith("SIMULATED market sample, ")
    assert regime in lines[0]
    assert re.search(r", score [+-]\d\.\d\d$", lines[0])
    assert "..." not in "".join(lines[:2])
    labels = ("For scarcity", "For abundance") if regime == "NEUTRAL" else ("Why", "Against")
    for label in (*labels, "Since ", "Would turn it", "Due", "Wants"):
        assert sum(label in line for line in lines) == 1


@pytest.mark.slow
def test_the_first_reason_says_what_it_is_in_fewer_words_before_it_is_cut(call: Call) -> None:
    _, out, _ = call("signal", "--date", "2026-08-05")
    (why,) = [line for line in out.splitlines() if line.startswith("Why: ")]
    assert why.startswith("Why: repo -0.2 bp from IORB (tighter than usual) (")


@pytest.mark.slow
def test_the_answer_is_what_json_tells(call: Call) -> None:
    arguments = ("signal", "--date", "2022-03-15")
    out, said = call(*arguments)[1], json.loads(call(*arguments, "--json")[1])
    assert said["regime"] == "SCARCE"
    assert said["ends_at"] == [0.2]
    assert out.splitlines()[0].endswith(f": SCARCE since {said['since'][:10]}, score {said['score']:+.2f}")
    assert f"{said['kind'].capitalize()}; ends below +0.2" in out.splitlines()
    assert f"Since 2022-03-14: score {said['changed']['score']:+.2f}; " in out
    moves = sorted((each for each in said["turn"]["moves"] if each["kind"] != "block"), key=_share)
    for each in moves[:3]:
        turning = each["next"] or each["within"]
        assert f"{turning['value']:.4g}" in out
        assert turning["regime"] in out
    assert {each["kind"] for each in said["turn"]["moves"]} == {
        *("series", "result", "guidance", "funding", "pace", "block")
    }
    assert {each["name"] for each in said["turn"]["moves"] if each["kind"] == "result"} == {
        *("MSFT", "GOOGL", "AMZN", "META", "ORCL")
    }
    inputs = {name for each in said["turn"]["moves"] for name in each["inputs"]}
    assert inputs == {each["name"] for block in said["blocks"] for each in block["inputs"]}
    assert [each["expected"][:10] for each in said["due"]] == sorted(each["expected"][:10] for each in said["due"])
    change = said["changed"]["blocks"]
    assert sum(change.values()) == pytest.approx(said["changed"]["score"], abs=1e-12)


def _share(move: dict[str, object]) -> float:
    share = move["share"]
    return float("inf") if share is None else float(str(share))


@pytest.mark.slow
def test_the_table_of_turns_holds_every_move_and_the_trades_that_would_follow(call: Call, sample: Snapshot) -> None:
    arguments = ("signal", "--date", "2022-03-15")
    out, said = call(*arguments, "--turn")[1], json.loads(call(*arguments, "--json")[1])
    for name in (
        "repo rate (SOFR)",
        "10-year yield (DGS10)",
        "META result 2022Q1",
        "announced pace of the Fed",
        "drain, moved by",
    ):
        assert f"\n{name}" in out
    assert "nothing in its range" in out
    reached = {
        turning["regime"]
        for each in said["turn"]["moves"]
        for turning in (each["next"], each["within"])
        if turning is not None
    } - {"SCARCE"}
    assert set(said["trades"]) == reached == {"NEUTRAL"}
    assert "Trades that NEUTRAL would bring" in out
    # What NEUTRAL wants is what the policy wants of a market on which it holds.
    spec = load_spec("sample")
    signal = read_signal(spec, sample, pd.Timestamp("2022-03-15"))
    neutral = replace(signal, regime=signal.regime.mask(signal.regime.index == signal.regime.index[-1], "NEUTRAL"))
    wanted = decide_from_cash(spec, sample, neutral, pd.Timestamp("2022-03-15")).targets
    for symbol, weight in wanted.items():
        assert said["targets"][symbol] + said["trades"]["NEUTRAL"].get(symbol, 0.0) == pytest.approx(weight)
    assert sum(said["trades"]["NEUTRAL"].values()) == pytest.approx(0.0, abs=1e-12)


def test_of_a_source_nothing_is_told_to_turn_it(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("known_at,regime\n2020-01-01T00:00:00Z,SCARCE\n")
    status, out, _ = call("signal", "--set", "signal.source=mine.csv")
    assert (status, "Would turn it: told of regimes by thresholds alone" in out) == (0, True)
    said = json.loads(call("signal", "--set", "signal.source=mine.csv", "--json")[1])
    assert (said["turn"], said["ends_at"], said["trades"]) == (None, None, {})


def test_history_is_the_signal_of_every_session_up_to_the_date(call: Call, sample: Snapshot, tmp_path: Path) -> None:
    status, _, err = call("signal", "--date", DAY, "--history", "made/history.csv")
    assert status == 0
    assert "History: made/history.csv" in err
    written = pd.read_csv(tmp_path / "made" / "history.csv", index_col="session", parse_dates=["session"])
    told = ["turned_by", "kind", "young_blocks"]
    written[told] = written[told].fillna("")
    spec = load_spec("sample")
    signal = read_signal(spec, sample, pd.Timestamp(DAY))
    switches = regime_switches(signal, event_timeline(sample), spec.signal)
    history = signal_history(signal, switches)
    assert (history["turned_by"] != "").sum() == len(switches) > 10
    pd.testing.assert_frame_equal(written, history, check_exact=True, check_freq=False, check_index_type=False)
    assert written.index[-1] == pd.Timestamp(DAY)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["history.csv"]


@pytest.mark.slow
def test_the_plot_is_one_page_that_needs_nothing_else(call: Call, tmp_path: Path) -> None:
    settings = ("--set", "run.start=2024-01-02")
    for name in ("one.html", "two.html"):
        assert call("signal", "--date", DAY, "--page", name, *settings)[0] == 0
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "two.html").read_text(encoding="utf-8")
    fetched = re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']*)|url\((?!#)([^)]*)\)|@import""", page)
    assert not fetched
    assert page.count("<script") == 1  # that of the kit
    for word in ("SIMULATED", "made by a model", "SCARCE", "enter +0.4", "price of capital", DAY, "2024-01-02"):
        assert word in page
    HTMLParser().feed(page)


def test_the_page_shows_what_was_known_and_nothing_later(sample: Snapshot) -> None:
    spec = load_spec("sample", {"run.start": "2024-01-02"})
    day = pd.Timestamp(DAY)
    page = signal_page(spec, sample, read_signal(spec, sample, day), day)
    events = event_timeline(sample)
    (decision,) = decision_times(pd.DatetimeIndex([day]))
    shown = events["known_at"].between(pd.Timestamp("2024-01-02", tz="UTC"), decision)
    shown &= ~events["about"].str.endswith("cash flow")
    rows = re.findall(
        r'<tr id="(event-\d+)"><th scope="row">([^<]*)</th><td class="text">([^<]*)</td><td class="text">([^<]*)</td>',
        page,
    )
    marks = re.findall(r'<a href="#(event-\d+)" tabindex="-1"><title>([^<]*)</title>', page)
    assert len(rows) == shown.sum() > 50
    assert sorted(marks) == sorted((name, text) for name, _, _, text in rows)
    assert [when for _, when, _, _ in rows][::-1] == events["known_at"][shown].dt.strftime("%Y-%m-%d %H:%M").tolist()
    assert {lane for _, _, lane, _ in rows} == {"results", "guidance", "funding", "commitments", "policy"}
    assert "2025-03-19 Fed, fed balance sheet: announced, effective 2025-04-01, -40 bn USD" in page
    later = events[events["known_at"] > decision]
    garbled = sample.funding_events.assign(
        company=sample.funding_events["company"].mask(sample.funding_events["known_at"] > decision, "NOBODY")
    )
    assert not later.empty
    other = replace(sample, funding_events=garbled)
    assert "NOBODY" not in signal_page(spec, other, read_signal(spec, other, day), day)


def test_the_page_of_a_day_does_not_depend_on_later_prices(sample: Snapshot) -> None:
    spec, day = load_spec("sample", {"run.start": "2024-01-02"}), pd.Timestamp(DAY)
    reading = read_signal(spec, sample, day)
    page = signal_page(spec, sample, reading, day)
    later = sample.bars["date"] >= day
    prices = ["open", "high", "low", "close", "adj_close"]
    garbled = sample.bars.assign(**{name: sample.bars[name].mask(later, sample.bars[name] * 3) for name in prices})
    assert later.any()
    assert signal_page(spec, replace(sample, bars=garbled), reading, day) == page
    earlier = sample.bars.assign(adj_close=sample.bars["adj_close"].mask(sample.bars["date"] < "2025-01-02", 1.0))
    assert signal_page(spec, replace(sample, bars=earlier), reading, day) != page


def test_the_page_tells_what_changed_and_how_old_each_input_is(sample: Snapshot) -> None:
    spec, day = load_spec("sample", {"run.start": "2024-01-02"}), pd.Timestamp(DAY)
    reading = read_signal(spec, sample, day)
    page = signal_page(spec, sample, reading, day)
    before, now = (explain(reading, session) for session in (pd.Timestamp("2025-05-30"), day))
    assert f"Since the decision before, when it was {before.regime}" in page
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)</td></tr>', page)
    told = {name: (was, is_now, change) for name, was, is_now, change in rows}
    score = (before.score, now.score, now.score - before.score)
    assert told["score"] == tuple(f"{each:+.3f}" for each in score)
    assert set(told) == {"score", *(block.name.replace("_", " ") for block in now.blocks)}
    inputs = [each for block in now.blocks for each in block.inputs]
    assert len(inputs) > 10
    for each in inputs:
        assert escape(input_words(each, now.gate, spec.signal)) in page
        assert f"<td>{(day - each.observed).days}</td>" in page


@pytest.mark.slow
def test_the_page_tells_what_would_turn_it_and_what_comes_next(call: Call, tmp_path: Path) -> None:
    arguments = ("signal", "--date", "2022-03-15")
    assert call(*arguments, "--page", "morning.html", "--set", "run.start=2022-01-03")[0] == 0
    page = (tmp_path / "morning.html").read_text(encoding="utf-8")
    said = json.loads(call(*arguments, "--json")[1])
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>((?:<td class="text">[^<]*</td>){5})</tr>', page)
    assert len(rows) == len(said["turn"]["moves"]) > 20
    assert "SCARCE, score +0.26, ends at +0.2" in page
    for move in said["turn"]["moves"]:
        for turning in (move["next"], move["within"]):
            if turning is not None:
                assert f"{turning['regime']} {turning['session'][:10]}" in page
    assert "If NEUTRAL came, shares of the equity: " in page
    # In short at the head, whole below the charts.
    assert page.index("What would turn it:") < page.index("Due:") < page.index("<svg")
    assert page.rindex("<svg") < page.index("One figure or event more")
    for each in said["due"]:
        assert each["expected"][:10] in page


def test_a_page_of_the_first_session_has_no_decision_before(sample: Snapshot) -> None:
    spec, reading = load_spec("sample"), read_signal(load_spec("sample"), sample, pd.Timestamp(DAY))
    first = reading.score.index[0]
    page = signal_page(spec, sample, reading, first)
    assert "Since the decision before" not in page
    assert "The gauge:" not in page


def test_a_market_that_was_observed_is_not_called_simulated(sample: Snapshot) -> None:
    spec, day = load_spec("sample", {"run.start": "2025-05-01"}), pd.Timestamp(DAY)
    observed = replace(sample, name="observed", simulated=False)
    page = signal_page(spec, observed, read_signal(spec, observed, day), day)
    assert "SIMULATED" not in page
    assert "market observed" in page


@pytest.mark.slow
def test_the_gauge_is_printed_and_in_json(call: Call) -> None:
    status, out, _ = call("signal", "--judge")
    assert status == 0
    for word in ("Gauge:", "to the score", "speculative less cash flow", "never an input", "weeks"):
        assert word in out
    gauge = json.loads(call("signal", "--judge", "--json")[1])["judged"]
    assert {row["leg"] for row in gauge["responses"]} == {"crypto", "speculative", "cash_flow", "reserve"}
    assert {row["regime"] for row in gauge["partings"]} == {"ABUNDANT", "NEUTRAL", "SCARCE"}
    assert gauge["first"] == "2016-01-04"
    (crypto,) = [row for row in gauge["responses"] if (row["leg"], row["driver"]) == ("crypto", "score")]
    assert f"{crypto['slope']:+.2%} [{crypto['low']:+.2%}, {crypto['high']:+.2%}]" in out


@pytest.mark.slow
def test_what_is_judged_is_printed_written_and_drawn(call: Call, tmp_path: Path) -> None:
    status, out, _ = call("signal", "--judge", "--cells", "cells.csv", "--page", "page.html")
    assert status == 0
    written = pd.read_csv(tmp_path / "cells.csv")
    cells, regime = written[written["kind"] != "regime"], written[written["kind"] == "regime"]
    tested = int(cells["p"].notna().sum())
    assert f"{tested:,} cells were tested" in out
    assert f"{int((cells['p_holm'] < 0.05).sum()):,} are told from nothing" in out
    assert set(cells["kind"]) == {"score", "block", "input"}
    assert set(regime["year"]) > {"all", "2020"}
    whole = regime[(regime["year"] == "all") & (regime["leg"] == "crypto") & (regime["horizon"] == 20)]
    assert f"{whole[whole['lag'] == 0]['balanced_accuracy'].iloc[0]:.0%}, p" in out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "The signal judged" in page
    assert f"{tested:,} cells were tested" in page
    assert page.count('class="heat-map"') == 2


@pytest.mark.slow
def test_a_gauge_of_few_weeks_says_nothing_of_them(call: Call) -> None:
    said = json.loads(call("signal", "--judge", "--set", "run.start=2026-08-03", "--json")[1])["judged"]
    assert all(row["slope"] is None for row in said["responses"])
    assert "-" in call("signal", "--judge", "--set", "run.start=2026-08-03")[1]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--set", "signal.credit_spread=BAMLH0A0HYM2"), "series BAMLH0A0HYM2: got no row"),
        (("--set", "signal.credit_spread=BAMLH0A0HYM2_else_BAA10Y"), "series BAMLH0A0HYM2: got no row"),
        (("--set", "signal.form=1", "--set", "signal.credit_spread=BAMLH0A0HYM2"), "series BAMLH0A0HYM2: got no row"),
        (("--set", "signal.policy_rate=IORB"), "got policy_rate IORB in form 2, wanted DFF"),
        (("--set", "signal.credit_spread=HYG"), "signal.credit_spread: got 'HYG'"),
        (("--set", "signal.mark_joint_rises=often"), "signal.mark_joint_rises: got 'often'"),
        (("--history", "there.csv"), "got --history there.csv, which exists"),
        (("--page", "there.csv/below.html"), "there.csv is a file"),
        (("--history", "new.csv", "--page", "new.csv"), "for --history and --page, wanted two files"),
        (("--history", "new.csv", "--page", "there.csv"), "got --page there.csv, which exists"),
        (("--judge", "--set", "run.start=2026-10-08"), "got no week of 5 sessions"),
        (("--gauge",), "got --gauge, which is now --judge"),
        (("--cells", "new.csv"), "got --cells without --judge"),
        (("--judge", "--cells", "there.csv"), "got --cells there.csv, which exists"),
        (("--judge", "--cells", "new.csv", "--page", "new.csv"), "for --page and --cells, wanted two files"),
    ],
)
def test_bad_input_is_one_line_and_exit_2_and_leaves_nothing(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    status, out, err = call("signal", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Error: ")
    assert wanted in err
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]


def test_two_values_of_one_series_for_one_day_are_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "home"))
    for folder, name, rows in (
        ("macro", "DGS10", "date,value\n2024-01-02,4.0\n2024-01-03,4.1\n2024-01-03,4.2\n"),
        ("prices", "SPY", "date,open,high,low,close,adj_close,volume\n2024-01-02,1,1,1,1,1,1\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.csv").write_text(rows)
    status, out, err = call("data", "import", "--prices", "prices", "--macro", "macro", "--name", "twice")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "DGS10.csv" in err
    assert "2024-01-03" in err


def test_a_source_of_regimes_has_no_number_that_is_none(call: Callable[..., tuple[int, str, str]]) -> None:
    """It says a regime alone: no move stands behind it, and JSON knows no NaN."""
    status, out, _ = call("signal", Path(__file__).parents[2] / "docs/examples/source.toml", "--json")
    assert status == 0
    assert json.loads(out)["turned_by"]["cause"].startswith("the source says")
