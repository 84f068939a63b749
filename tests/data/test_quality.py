"""The quality report: every oddity is found and counted, nothing sound is reported, nothing is changed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from data.catalogue.instruments import Instrument
from data.catalogue.publication import publication_times
from data.clock import calendar_sessions, sessions_between
from data.market.snapshot import Snapshot
from data.quality.findings import Finding
from data.quality.ranking import ranked_json
from data.quality.report import quality_report
from data.quality.series_checks import largest_gap
from hand_made import make_instrument, make_snapshot

MakeSnapshot = Callable[..., Snapshot]
MakeInstrument = Callable[..., Instrument]
YEAR = ("2024-01-02", "2024-12-31")  # 252 sessions


def sessions(first: str, last: str) -> list[str]:
    return [str(day.date()) for day in sessions_between(pd.Timestamp(first), pd.Timestamp(last))]


def bars(days: Sequence[str]) -> list[tuple[str, float, float]]:
    return [(day, 10.0, 11.0) for day in days]


def with_series(snapshot: Snapshot, name: str, values: dict[str, float | None]) -> Snapshot:
    days = pd.DatetimeIndex(list(values))
    frame = pd.DataFrame(
        {
            "series": name,
            "date": days,
            "value": pd.Series(list(values.values()), dtype="float64"),
            "known_at": publication_times(days, "next_business_day"),
        }
    )
    return replace(snapshot, series=pd.concat([snapshot.series, frame]))


def findings(snapshot: Snapshot, kind: str) -> list[Finding]:
    return [finding for finding in quality_report(snapshot).findings if finding.kind == kind]


def test_a_sound_market_has_no_findings() -> None:
    year = sessions(*YEAR)
    snapshot = with_series(make_snapshot({"MU": bars(year)}), "DGS10", dict.fromkeys(year, 4.0))

    report = quality_report(snapshot)

    assert report.findings == ()
    assert report.lines() == []
    assert report.newest == date(2024, 12, 31)


def test_an_empty_market_has_none_either() -> None:
    snapshot = make_snapshot({"MU": bars(["2024-01-02"])})

    report = quality_report(replace(snapshot, bars=snapshot.bars.iloc[:0]))

    assert (report.newest, report.findings) == (None, ())


def test_blank_cells_are_counted_by_column() -> None:
    snapshot = make_snapshot({"MU": bars(sessions(*YEAR))})
    frame = snapshot.bars.copy()
    frame.loc[[3, 7], "open"] = float("nan")
    frame.loc[5, "volume"] = float("nan")

    report = quality_report(replace(snapshot, bars=frame))

    blank_open, blank_volume = report.findings
    assert blank_open == Finding(
        "MU", "blank_cells", 2, date(2024, 1, 5), date(2024, 1, 11), "blank open: 2", column="open"
    )
    assert (blank_volume.column, blank_volume.count) == ("volume", 1)
    assert report.lines() == ["MU: blank open: 2, blank volume: 1 (2024-01-05 to 2024-01-11)"]


def test_gaps_are_those_of_the_instruments_own_exchange() -> None:
    # Seoul was closed on Friday, February 9, and Monday, February 12, 2024; New York was not. Coins never rest.
    days = ["2024-02-07", "2024-02-08", "2024-02-13", "2024-02-14"]
    snapshot = make_snapshot(
        {"MU": bars(days), "SAMSUNG": bars(days), "BTC": bars(days)},
        {
            "SAMSUNG": make_instrument().model_copy(update={"calendar": "XKRX"}),
            "BTC": make_instrument("crypto"),
        },
    )

    missing = {finding.name: finding for finding in findings(snapshot, "missing_sessions")}

    assert sorted(missing) == ["BTC", "MU"]
    assert (missing["MU"].count, missing["MU"].first, missing["MU"].last) == (2, date(2024, 2, 9), date(2024, 2, 12))
    assert (missing["BTC"].count, missing["BTC"].first, missing["BTC"].last) == (4, date(2024, 2, 9), date(2024, 2, 12))
    assert missing["MU"].text == "sessions of XNYS without a row: 2"


def test_days_before_and_after_a_file_are_no_gap() -> None:
    year = sessions(*YEAR)
    snapshot = make_snapshot({"MU": bars(year), "NEW": bars(year[100:-3])})

    assert findings(snapshot, "missing_sessions") == []


def test_rows_on_days_that_the_exchange_does_not_know() -> None:
    # Martin Luther King Day and a Saturday.
    snapshot = make_snapshot({"MU": bars(["2024-01-12", "2024-01-15", "2024-01-16", "2024-01-20", "2024-01-22"])})

    (unknown,) = findings(snapshot, "unknown_sessions")

    assert (unknown.count, unknown.first, unknown.last) == (2, date(2024, 1, 15), date(2024, 1, 20))
    assert unknown.text.startswith("rows, kept aside, on days that are no session of XNYS (exchange_calendars ")
    assert snapshot.bars["date"].dt.day.tolist() == [12, 16, 22]


def test_closes_outside_high_and_low_beyond_float_noise() -> None:
    snapshot = make_snapshot({"MU": bars(sessions("2024-01-02", "2024-01-12"))})
    frame = snapshot.bars.copy()
    assert (frame.loc[0, "low"], frame.loc[0, "high"]) == (10.0, 11.0)
    frame.loc[1, "close"] = 11.0000001
    frame.loc[2, "close"] = 11.0 * (1 + 1e-12)
    frame.loc[4, "close"] = 9.9999999
    frame.loc[5, "close"] = 10.0 * (1 - 1e-12)
    frame.loc[6, ["high", "low"]] = float("nan")

    (outside,) = findings(replace(snapshot, bars=frame), "close_outside_range")

    assert (outside.count, outside.first, outside.last) == (2, date(2024, 1, 3), date(2024, 1, 8))


def test_rows_before_the_listing() -> None:
    snapshot = make_snapshot(
        {"SNDK": bars(sessions("2025-02-13", "2025-02-26"))}, {"SNDK": make_instrument(listed="2025-02-24")}
    )

    (early,) = findings(snapshot, "before_listing")

    assert (early.count, early.first, early.last) == (6, date(2025, 2, 13), date(2025, 2, 21))
    assert early.text == "rows before the listing on 2025-02-24 (kept, never traded): 6"
    assert len(snapshot.bars) == 9


def test_short_files() -> None:
    year = sessions(*YEAR)
    assert len(year) == 252
    snapshot = make_snapshot({"LONG": bars(year), "SHORT": bars(year[1:])})
    snapshot = with_series(snapshot, "DGS10", dict.fromkeys(year, 4.0))
    snapshot = with_series(snapshot, "DGS5", dict.fromkeys(year[:-1], 4.0))

    assert [(finding.name, finding.count) for finding in findings(snapshot, "short")] == [("SHORT", 251), ("DGS5", 251)]


def test_prices_that_end_more_than_five_of_their_sessions_early() -> None:
    # The newest bar is of Wednesday, January 31: the sixth session before it is the 23rd, the sixth day the 25th.
    snapshot = make_snapshot(
        {
            "NEWEST": bars(sessions("2024-01-02", "2024-01-31")),
            "FRESH": bars(sessions("2024-01-02", "2024-01-24")),
            "STALE": bars(sessions("2024-01-02", "2024-01-23")),
            "COIN": bars(["2024-01-25"]),
            "FRESH_COIN": bars(["2024-01-26"]),
        },
        {"COIN": make_instrument("crypto"), "FRESH_COIN": make_instrument("crypto")},
    )

    stale = findings(snapshot, "stale")

    assert [(finding.name, finding.count, finding.first) for finding in stale] == [
        ("COIN", 6, date(2024, 1, 25)),
        ("STALE", 6, date(2024, 1, 23)),
    ]
    assert stale[1].text == "stale: it ends 6 sessions of XNYS before the newest bar"


@pytest.mark.parametrize(("last", "stale_days"), [("2024-01-21", None), ("2024-01-20", 11)])
def test_series_older_than_the_catalogue_allows_on_the_newest_day(last: str, stale_days: int | None) -> None:
    # DGS10 may be 10 days old; the newest day is a bar's, January 31. A blank value does not make it younger.
    snapshot = make_snapshot({"MU": bars(sessions("2024-01-02", "2024-01-31"))})
    snapshot = with_series(snapshot, "DGS10", {"2024-01-15": 4.0, last: 4.1, "2024-01-30": None})

    stale = findings(snapshot, "stale")

    assert [finding.count for finding in stale] == ([] if stale_days is None else [stale_days])


def test_the_gaps_of_a_series_between_values() -> None:
    snapshot = make_snapshot({"MU": bars(["2024-03-01"])})
    values: dict[str, float | None] = {"2024-01-02": 4.0, "2024-01-08": None, "2024-01-13": 4.0, "2024-02-29": 4.0}
    snapshot = with_series(snapshot, "DGS10", {**values, "2024-02-20": 4.0})
    snapshot = with_series(snapshot, "DGS5", {"2024-02-18": 4.0, "2024-02-28": 4.0})

    (gap,) = findings(snapshot, "long_gap")

    assert (gap.name, gap.count, gap.first, gap.last) == ("DGS10", 38, date(2024, 1, 2), date(2024, 2, 20))
    assert gap.text == "its largest gap is 38 days, at most 10 may pass; 2 such gaps in all"


def test_a_series_without_any_value_is_reported_as_blank() -> None:
    snapshot = with_series(make_snapshot({"MU": bars(["2024-03-01"])}), "DGS10", {"2024-02-29": None})

    assert [finding.text for finding in findings(snapshot, "blank_cells")] == ["blank value: 1"]


def test_a_date_that_was_revised_counts_once_with_its_newest_value() -> None:
    snapshot = with_series(
        make_snapshot({"MU": bars(["2024-03-01"])}), "DGS10", {"2024-02-28": None, "2024-02-29": 4.0}
    )
    revised = snapshot.series.assign(value=4.1, known_at=snapshot.series["known_at"] + pd.Timedelta(days=1))
    snapshot = replace(snapshot, series=pd.concat([snapshot.series, revised]))

    (short,) = [finding for finding in quality_report(snapshot).findings if finding.name == "DGS10"]
    assert (short.kind, short.count) == ("short", 2)


def test_largest_gap_is_the_earliest_of_equal_ones() -> None:
    gap = largest_gap(pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-08"]))

    assert (gap.days, gap.first, gap.last) == (3, date(2024, 1, 2), date(2024, 1, 5))


def test_the_report_changes_nothing() -> None:
    snapshot = make_snapshot({"MU": bars(["2024-01-12", "2024-01-15"])})
    before = snapshot.bars.copy(deep=True)

    assert quality_report(snapshot).findings
    pd.testing.assert_frame_equal(snapshot.bars, before)


def test_the_report_speaks_to_people_and_to_machines() -> None:
    snapshot = make_snapshot({"MU": bars(["2024-01-12", "2024-01-16"])})
    report = replace(quality_report(snapshot), notes=("not read: README.md",))

    assert report.lines() == ["MU: short: 2 rows, fewer than 252 (2024-01-12 to 2024-01-16)", "not read: README.md"]
    assert json.loads(json.dumps(ranked_json(report))) == {
        "newest": "2024-01-16",
        "findings": [
            {
                "name": "MU",
                "kind": "short",
                "count": 2,
                "first": "2024-01-12",
                "last": "2024-01-16",
                "text": "short: 2 rows, fewer than 252",
                "column": "",
                "size": 0.0,
                "share": 1.0,
                "effect": 0.0,
            }
        ],
        "notes": ["not read: README.md"],
    }


def test_a_calendar_is_built_once_for_all_its_instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def counted(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        built.append(calendar)
        return calendar_sessions(calendar, first, last)

    monkeypatch.setattr("data.quality.report.calendar_sessions", counted)
    quality_report(make_snapshot({"MU": bars(["2024-01-12"]), "WDC": bars(["2024-01-16"])}))

    assert built == ["XNYS"]
