"""What changed between two snapshots: nothing unsaid, nothing said of what is the same."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from data.market.differences import Difference, differences, summary
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, TABLES
from hand_made import make_snapshot


@pytest.fixture
def before() -> Snapshot:
    snapshot = make_snapshot(
        {
            "MU": [("2024-01-02", 10.0, 11.0), ("2024-01-03", 10.0, 12.0), ("2024-01-04", 10.0, 13.0)],
            "WDC": [("2024-01-02", 5.0, 5.0)],
        }
    )
    series = pd.DataFrame(
        {
            "series": ["DGS10", "DGS10", "NFCI"],
            "date": pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-05"]),
            "value": [4.0, 4.1, -0.5],
            "known_at": pd.to_datetime(["2024-01-03 22:00", "2024-01-04 22:00", "2024-01-10 14:00"], utc=True),
        }
    )
    return replace(snapshot, series=series)


def test_two_of_one_content_do_not_differ(before: Snapshot) -> None:
    assert differences(before, replace(before, name="other", origin="elsewhere")) == []


def test_bars_are_compared_by_instrument_and_column(before: Snapshot) -> None:
    bars = before.bars.copy()
    bars.loc[1, "close"] = 12.6
    bars.loc[2, "close"] = 12.74
    bars.loc[0, "volume"] = float("nan")
    later = bars.iloc[[2]].assign(date=pd.Timestamp("2024-01-05"))
    after = replace(before, bars=pd.concat([bars[bars["symbol"] == "MU"], later]))

    assert differences(before, after) == [
        Difference("bars", "MU", "added", "", 1, date(2024, 1, 5), date(2024, 1, 5)),
        # 12 to 12.6 is 5%, 13 to 12.74 is -2%.
        Difference(
            "bars", "MU", "changed", "close", 2, date(2024, 1, 3), date(2024, 1, 4), pytest.approx(0.05), "fraction"
        ),
        # A blank is another value, and no number to compare with.
        Difference("bars", "MU", "changed", "volume", 1, date(2024, 1, 2), date(2024, 1, 2)),
        Difference("bars", "WDC", "removed", "", 1, date(2024, 1, 2), date(2024, 1, 2)),
    ]


def test_a_revised_value_of_a_series_is_told_in_its_unit(before: Snapshot) -> None:
    revised = before.series.iloc[[1, 2]].assign(
        value=[4.35, -0.7], known_at=pd.to_datetime(["2024-02-01", "2024-02-02"], utc=True)
    )
    found = differences(before, replace(before, series=pd.concat([before.series, revised])))

    assert [(each.name, each.column, each.count, str(each.first), each.unit) for each in found] == [
        ("DGS10", "value", 1, "2024-01-03", "percent"),
        ("NFCI", "value", 1, "2024-01-05", "index"),
    ]
    assert [each.largest for each in found] == [pytest.approx(0.25), pytest.approx(-0.2)]
    assert [each.largest_text for each in found] == ["+0.25 percentage points", "-0.2 index"]


def test_another_moment_of_knowledge_is_a_difference(before: Snapshot) -> None:
    series = before.series.assign(known_at=before.series["known_at"] + pd.Timedelta(hours=36))
    found = differences(before, replace(before, series=series))

    assert {(each.name, each.column, each.largest, each.unit) for each in found} == {
        ("DGS10", "first_known_at", 1.5, "days"),
        ("NFCI", "first_known_at", 1.5, "days"),
    }


def test_actions_and_instruments_are_compared_too(before: Snapshot) -> None:
    action = ACTIONS.conform(
        pd.DataFrame(
            {
                "symbol": ["MU"],
                "date": pd.to_datetime(["2024-01-03"]),
                "kind": ["split"],
                "value": [2.0],
                "known_at": pd.to_datetime(["2024-01-03"], utc=True),
                "source": ["hand"],
            }
        )
    )
    entries = {symbol: entry.model_copy(update={"quantum": 1.0}) for symbol, entry in before.instruments.items()}
    after = replace(before, actions=action, instruments={"MU": entries["MU"]})

    assert differences(before, after) == [
        Difference("actions", "MU", "added", "", 1, date(2024, 1, 3), date(2024, 1, 3)),
        Difference("instruments", "MU", "changed", "quantum", 1, None, None),
        Difference("instruments", "WDC", "removed", "", 1, None, None),
    ]


def test_restated_results_are_told_by_company(before: Snapshot) -> None:
    filed = pd.DataFrame(
        {
            "company": ["MSFT"],
            "fiscal_period": ["2024Q1"],
            "figure": ["capex"],
            "version": [2],
            "value_usd_bn": [10.9],
            "known_at": pd.to_datetime(["2024-06-01"], utc=True),
            "filed_at": pd.to_datetime(["2024-05-31"]),
            "accession": ["0000789019-24-000001"],
            "derivation": ["3M"],
        }
    )
    restated = replace(before, filed_results=filed)

    assert differences(before, restated) == [
        Difference("filed_results", "MSFT", "added", "", 1, date(2024, 5, 31), date(2024, 5, 31))
    ]
    assert restated.content_hash != before.content_hash
    assert replace(restated, filed_results=filed[:0]).content_hash == before.content_hash


@pytest.mark.slow
def test_whatever_makes_the_identity_another_is_told(sample: Snapshot) -> None:
    """A change of any column of any table is found, and by its name."""
    instruments = {**sample.instruments, "another": next(iter(sample.instruments.values()))}
    rows = {table.name: sample.table(table).head(5) for table in TABLES}
    base = replace(sample, instruments=instruments, **rows)
    for table in TABLES:
        for column, kind in table.columns.items() if len(rows[table.name]) else ():
            changed = rows[table.name].copy()
            changed.loc[0, column] = {
                "text": "another",
                "number": 123.25,
                "flag": not bool(changed.loc[0, column]) if kind == "flag" else None,
                "date": pd.Timestamp("1999-01-04"),
                "time": pd.Timestamp("1999-01-04", tz="UTC"),
            }[kind]
            after = replace(base, **{table.name: changed})
            assert after.content_hash != base.content_hash
            found = differences(base, after)
            assert found, f"{table.name}.{column}"
            assert {each.table for each in found} == {table.name}


def test_it_speaks_to_machines(before: Snapshot) -> None:
    after = replace(before, bars=before.bars.iloc[:-1])

    assert differences(before, after)[0].as_json() == {
        "table": "bars",
        "name": "WDC",
        "what": "removed",
        "column": "",
        "count": 1,
        "first": "2024-01-02",
        "last": "2024-01-02",
        "largest": None,
        "unit": "",
    }


def test_a_summary_says_how_much_of_what_since_when() -> None:
    days = date(2024, 1, 2), date(2024, 3, 1)
    bars = [Difference("bars", name, "added", "", 2, *days) for name in ("C", "A", "B", "F", "E", "D")]
    found = [
        *bars,
        Difference("series", "DGS10", "added", "", 1, date(2024, 2, 1), date(2024, 2, 1)),
        Difference("capex_actuals", "", "removed", "", 1, date(2024, 1, 1), date(2024, 1, 31)),
        Difference("bars", "A", "changed", "close", 1, *days, 0.5, "fraction"),
        Difference("instruments", "A", "changed", "name", 1, None, None),
        Difference("instruments", "A", "changed", "listed", 1, None, None),
    ]
    assert summary(found) == [
        "bars: 12 rows added in 6 (A, B, C, D, E and 1 more), 2024-01-02 to 2024-03-01.",
        "series: 1 row added in 1 (DGS10), 2024-02-01 to 2024-02-01.",
        "capex actuals: 1 row removed in 1 (-), 2024-01-01 to 2024-01-31.",
        "bars: 1 value changed in 1 (A), 2024-01-02 to 2024-03-01.",
        "instruments: 2 values changed in 1 (A).",
    ]
    assert [each.is_history for each in found[5:9]] == [False, False, True, True]
    assert [each.largest_text for each in (found[0], found[8])] == ["-", "+50.00%"]
    assert Difference("s", "n", "changed", "c", 1, None, None, -1.25, "days").largest_text == "-1.2 days"
    assert (
        Difference("s", "n", "changed", "c", 1, None, None, 0.25, "percent").largest_text == "+0.25 percentage points"
    )
    assert (
        Difference("s", "n", "changed", "c", 1, None, None, 2e9, "usd_millions").largest_text == "+2e+09 usd millions"
    )
