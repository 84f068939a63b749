"""The parts of an audit: futures of a market and of files, cuts, comparisons, what code reads by itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import futures as oracle
from backtests.prepare.span import Span
from backtests.spec.extensions import Extensions
from backtests.spec.spec import load_spec
from backtests.studies.audits.cuts import BY_ENGINE, choose_cuts
from backtests.studies.audits.foresight import Foresight, foresight_check
from backtests.studies.audits.futures import BARS, FIGURES, Future, another_future
from backtests.studies.audits.given_rows import given_in_another_future
from backtests.studies.audits.inputs import Input, inputs_of, scaled_by_dividends, stopped, without
from backtests.studies.audits.probe import lean
from backtests.studies.audits.report import AuditReport, Check
from backtests.studies.audits.rows import Column, differences
from data.clock import sessions_between
from data.files.user_code import UserFile
from data.market.snapshot import Snapshot
from data.market.tables import TABLES
from reverse_qe import auditing
from reverse_qe.words.audit import audit_json, reach_sentences, verdict

DAY = pd.Timestamp("2024-03-05")
MOMENT = DAY.tz_localize("UTC")
KINDS: tuple[Future, ...] = ("cut", "up", "down", "late")
DAYS = pd.DatetimeIndex(pd.bdate_range("2024-01-01", periods=4)).as_unit("us")


def test_every_table_has_a_future() -> None:
    assert {*FIGURES, BARS, "event_coverage", "memberships"} == {table.name for table in TABLES}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_known_stays_and_what_comes_is_another(kind: Future, sample: Snapshot) -> None:
    made = another_future(sample, MOMENT, kind)
    for table in TABLES:
        frame = made.table(table)
        assert table.conform(frame).equals(frame), table.name
    past = {"bars": lambda market: market.bars[market.bars["date"] < DAY]} | {
        name: lambda market, name=name: _known(getattr(market, name)) for name in ("series", "capex_guidance")
    }
    for name, rows in past.items():
        assert rows(made).reset_index(drop=True).equals(rows(sample).reset_index(drop=True)), name
    later = made.bars[made.bars["date"] >= DAY]
    if kind == "cut":
        assert later.empty
        assert not (made.series["known_at"] > MOMENT)[made.series["value"].notna()].any()
    elif kind == "late":
        assert made.bars.equals(sample.bars)
        news = sample.series["known_at"] > MOMENT
        assert (made.series["known_at"].max() - sample.series["known_at"].max()).days == 5
        assert made.series.loc[~news].equals(sample.series.loc[~news])
    else:
        both = later.merge(sample.bars, on=["symbol", "date"])
        moved = both["close_x"] / both["close_y"]
        assert ((moved > 1.5) if kind == "up" else (moved < 0.7)).all()
        assert (later["high"] >= later[["open", "close", "low"]].max(axis=1)).all()
        assert (later["low"] <= later[["open", "close"]].min(axis=1)).all()
        assert 0 < len(sample.bars) - len(made.bars) < 0.1 * len(later)
        assert (made.bars.groupby("symbol")["date"].max() == sample.bars.groupby("symbol")["date"].max()).all()


def test_what_is_cut_is_what_another_hand_cuts(sample: Snapshot) -> None:
    mine, theirs = another_future(sample, MOMENT, "cut"), oracle.cut(sample, MOMENT)
    assert mine.bars.equals(theirs.bars)
    for name in ("series", "capex_guidance", "funding_events", "balance_sheet_paces"):
        # A series of which nothing is known keeps a row that tells nothing.
        told = getattr(mine, name)
        told = told[told["known_at"] <= MOMENT].reset_index(drop=True)
        assert told.equals(getattr(theirs, name)), name


def test_one_input_alone_is_another(sample: Snapshot) -> None:
    made = another_future(sample, MOMENT, "up", ("series", "DGS10"))
    assert made.bars is sample.bars
    changed = made.series["value"] != sample.series["value"]
    assert set(made.series.loc[changed & made.series["value"].notna(), "series"]) == {"DGS10"}
    bars = another_future(sample, MOMENT, "cut", (BARS, "SIM-COIN-A"))
    assert bars.series is sample.series
    ends = bars.bars.groupby("symbol")["date"].max()
    assert ends["SIM-COIN-A"] < DAY <= ends.drop("SIM-COIN-A").min()


def test_an_instrument_that_is_not_listed_yet_keeps_a_row_that_nobody_may_trade_on(sample: Snapshot) -> None:
    listed = pd.Timestamp(sample.instruments["SIM-MEMORY-C"].listed)
    made = another_future(sample, pd.Timestamp("2022-01-04", tz="UTC"), "cut").bars_of("SIM-MEMORY-C")
    assert len(made) == 1
    assert made["date"].iloc[0] < min(listed, pd.Timestamp("2022-01-04"))


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("cut", "A,0.5\n"),
        ("up", "A,0.5\nB,0.2\nC,0.4\n"),
        ("late", "A,0.5\nB+5,0.4\nC+5,0.8\n"),
    ],
)
def test_rows_of_a_file_have_other_futures(kind: Future, rows: str) -> None:
    times = {"A": "2024-03-01T22:00:00+00:00", "B": "2024-03-05T00:30:00+00:00", "C": "2024-03-06T22:00:00+00:00"}
    text = "known_at,MU\nA,0.5\nB,0.4\nC,0.8\n"
    late = {f"{key}+5": value.replace("-05T", "-10T").replace("-06T", "-11T") for key, value in times.items()}
    for key, value in {**late, **times}.items():
        text, rows = text.replace(f"{key},", f"{value},"), rows.replace(f"{key},", f"{value},")
    given = Extensions(weights=UserFile(Path("weights.csv"), text.encode()))
    made = given_in_another_future(given, MOMENT, kind)
    assert made.weights is not None
    assert made.weights.content.decode() == f"known_at,MU\n{rows}"
    assert given_in_another_future(given, MOMENT, kind, "other.csv") == given


def test_a_regime_that_comes_is_another_one() -> None:
    text = b"known_at,regime\n2024-03-01T22:00:00+00:00,SCARCE\n2024-03-06T22:00:00+00:00,SCARCE\n"
    made = given_in_another_future(Extensions(source=UserFile(Path("r.csv"), text)), MOMENT, "down")
    assert made.source is not None
    assert [line.rpartition(",")[2] for line in made.source.content.decode().split()[1:]] == ["SCARCE", "NEUTRAL"]


def test_inputs_are_named_and_can_be_taken_away(sample: Snapshot) -> None:
    spec = load_spec("sample")
    market = lean(spec, sample)
    assert set(market.bars["symbol"]) == {*spec.universe.symbols, spec.universe.benchmark}
    named = [str(each) for each in inputs_of(spec, market, Extensions())]
    assert {"series DGS10", "results of MSFT", "bars of SIM-COIN-A"} <= set(named)
    gone = without(market, Input("series", "DGS10"))
    mine = gone.series[gone.series["series"] == "DGS10"]
    assert (len(mine), mine["value"].isna().all()) == (1, True)
    ended = stopped(market, Input(BARS, "SIM-COIN-A"), MOMENT)
    assert ended.bars_of("SIM-COIN-A")["date"].max() < DAY


def test_dividends_to_come_scale_adjusted_prices_by_powers_of_two(sample: Snapshot) -> None:
    made = scaled_by_dividends(sample, None)
    factor = (made.bars["adj_close"] / sample.bars["adj_close"]).groupby(made.bars["symbol"]).unique()
    assert all(len(each) == 1 and each[0] in (0.25, 0.5, 1.0) for each in factor)
    assert factor["SIM-COIN-A"][0] == 1.0
    assert (
        scaled_by_dividends(sample, Input(BARS, "SIM-SAAS-A"))
        .bars_of("SIM-COIN-B")
        .equals(sample.bars_of("SIM-COIN-B"))
    )


def test_cuts_are_drawn_once_each_in_turn_and_the_stretch_has_every_session(sample: Snapshot) -> None:
    spec, sessions = load_spec("sample"), sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2023-12-29"))
    cuts = choose_cuts(spec, sample, sessions, 50, seed=3)
    drawn = [probe.session for probe in cuts.drawn]
    assert len(set(drawn)) == 50
    assert drawn == sorted(each for each in drawn if each is not None)
    assert sum(probe.by_engine for probe in cuts.drawn) == BY_ENGINE
    assert [probe.change for probe in cuts.drawn[:6]] == ["cut", "up", "late", "cut", "down", "late"]
    places = sessions.searchsorted(pd.DatetimeIndex(cuts.stretch))
    assert len(cuts.stretch) == 101
    assert np.array_equal(np.diff(places), np.ones(100))
    assert any(place % 100 == 0 for place in places)
    assert sessions[0] not in {*drawn, *cuts.stretch, *cuts.told}
    assert choose_cuts(spec, sample, sessions, 50, seed=3) == cuts
    every = choose_cuts(spec, sample, sessions[:30], 1000, seed=0)
    assert (len(every.drawn), len(every.stretch)) == (29, 29)


def test_earlier_versions_are_the_oldest_the_middle_and_the_newest_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = [f"live.{number}" for number in (1, 2, 5, 6, 7, 9)]
    monkeypatch.setattr("reverse_qe.auditing.versions_of", lambda name: kept if name == "live" else [])
    monkeypatch.setattr("reverse_qe.auditing.open_market", lambda name: name)
    assert auditing._earlier("live.9") == ["live.1", "live.5", "live.7"]
    assert auditing._earlier("live.2") == ["live.1"]
    assert auditing._earlier("live.1") == auditing._earlier("sample") == []


def column(values: list[object], group: str = "target", days: pd.DatetimeIndex = DAYS, lag: int = 0) -> Column:
    return Column(group, "it", days.to_numpy(), np.array(values), lag)  # type: ignore[arg-type]


def test_columns_are_compared_to_the_bit_and_blanks_are_the_same() -> None:
    before = [column([np.nan, 1.0, 2.0, 3.0])]
    assert differences(before, [column([np.nan, 1.0, 2.0, 3.0])]) == []
    [found] = differences(before, [column([np.nan, np.nextafter(1.0, 2.0), 2.0, 4.0])])
    assert (found.session, found.last, found.rows, found.was) == (DAYS[1], DAYS[3], 2, 1.0)
    assert differences(before, [column([np.nan, 1.0 + 1e-9, 2.0, 3.0])], tolerance=1e-8) == []
    [gone] = differences(before, [column([np.nan, 1.0, 2.0], days=DAYS[:3])])
    assert (gone.session, gone.becomes) == (DAYS[3], None)
    assert differences(before, [column([np.nan, 1.0, 2.0], days=DAYS[:3])], common=True) == []
    [text] = differences([column(["a", "b", "c", "d"])], [column(["a", "b", "x", "d"])])
    assert (text.was, text.becomes) == ("c", "x")
    money = [column([100.0, 0.0, 0.0, 0.0], "order")]
    assert differences(money, [column([100.0, 1e-4, 0.0, 0.0], "order")], tolerance=1e-6, money=1e3) == []


def test_a_decision_counts_up_to_its_session_and_what_is_left_behind_up_to_the_one_before() -> None:
    assert len(column([1.0] * 4).upto(DAYS[2]).days) == 3
    assert len(column([1.0] * 4, lag=1).upto(DAYS[2]).days) == 2
    assert len(column([1.0] * 4).since(DAYS[2]).days) == 2


@pytest.mark.parametrize(
    ("own", "changes", "said"), [(6.0, 90, "LEAK"), (3.9, 90, "holds"), (9.0, 19, "not tried"), (-9.0, 90, "holds")]
)
def test_a_file_is_judged_by_what_its_changes_earn(own: float, changes: int, said: str) -> None:
    check = foresight_check(Foresight("w.csv", changes, own, 0.3, 0.01, False))
    assert check is not None
    assert check.verdict == said


@pytest.mark.parametrize(
    ("verdicts", "holds", "said"),
    [
        (["holds", "told", "not tried"], True, "No row that was decided changes with the future."),
        (["holds", "LEAK", "FAILS"], False, "It looks ahead."),
        (["FAILS"], False, "It fails"),
        (["NOT REPEATABLE"], False, "No verdict"),
    ],
)
def test_an_audit_says_in_a_sentence_what_it_found(verdicts: list[str], holds: bool, said: str) -> None:
    checks = tuple(Check("it", "that", 1, each, "so") for each in verdicts)  # type: ignore[arg-type]
    span = Span(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-12-31"))
    report = AuditReport("s", "m", True, span, 5, 0, Span(span.first, pd.Timestamp("2024-01-12")), checks, (), 9, 1.0)
    assert report.holds is holds
    assert verdict(report).startswith(said)
    assert audit_json(report)["holds"] is holds
    assert "comes back within 9 sessions" in reach_sentences(report)[0]
    whole = replace(report, stretch=span)
    assert reach_sentences(whole) == [
        "Every session of the run was cut: what looks ahead on a single one of them was met."
    ]


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    figures = [name for name in ("value", "low_usd_bn", "high_usd_bn") if name in frame]
    return frame[(frame["known_at"] <= MOMENT) & frame[figures].notna().any(axis=1)]
