"""Files of daily returns: what is read of them, and each fault in one line that names it."""

import numpy as np
import pandas as pd
import pytest

from backtests.studies.evidence.between import returns_between
from backtests.studies.evidence.returns_file import chosen_columns, read_returns_file
from data.clock import sessions_between
from data.errors import InputError

DAYS = sessions_between(pd.Timestamp("2022-01-03"), pd.Timestamp("2022-01-31"))


def made(days=DAYS, columns=("mine", "mix")):
    random = np.random.default_rng(1)
    return pd.DataFrame(random.normal(0, 0.01, (len(days), len(columns))), pd.DatetimeIndex(days, name="date"), columns)


def text(rows, header="date,mine,mix"):
    return "\n".join([header, *rows]) + "\n"


def test_both_kinds_of_file_say_the_same(tmp_path):
    table = made(columns=("mine", "mix", "risk_free"))
    table.to_csv(tmp_path / "it.csv")
    table.to_parquet(tmp_path / "index.parquet")
    table.reset_index().to_parquet(tmp_path / "column.parquet")
    table.tz_localize("UTC").to_parquet(tmp_path / "zoned.parquet")
    for name in ("it.csv", "index.parquet", "column.parquet", "zoned.parquet"):
        found = read_returns_file(tmp_path / name)
        np.testing.assert_allclose(found, table, rtol=1e-15)
        assert list(found.index) == list(DAYS)


def test_days_that_are_no_sessions_may_be_daily_too(tmp_path):
    days = pd.date_range("2022-01-01", periods=40)
    made(days).to_csv(tmp_path / "coin.csv")
    assert len(read_returns_file(tmp_path / "coin.csv")) == 40


FAULTS = {
    "text": (text(["2022-01-03,0.01,n/a"]), "line 2: mix: got 'n/a', wanted a return as a number"),
    "a gap in a row": (text(["2022-01-03,0.01,0.0", "2022-01-04,,0.0"]), "line 3: mine: got '', wanted a return"),
    "infinite": (text(["2022-01-03,inf,0.0"]), "line 2: mine: got 'inf'"),
    "no day": (text(["03.01.2022,0.1,0.0"]), "line 2: got '03.01.2022', wanted a day"),
    "twice": (text(["2022-01-03,0.1,0.0", "2022-01-03,0.1,0.0"]), "line 3: got 2022-01-03 after 2022-01-03"),
    "a short row": (text(["2022-01-03,0.1"]), "line 2: got 2 cells, wanted 3"),
    "a session less": (
        text(["2022-01-03,0.01,0.0", "2022-01-05,0.01,0.0"]),
        "got no row for 2022-01-04 and 0 more NYSE sessions",
    ),
    "weeks less": (
        text(["2022-01-01,0.01,0.0", "2022-02-05,0.01,0.0"]),
        "got no row between 2022-01-01 and 2022-02-05",
    ),
    "weekly": (
        text([f"{day.date()},0.01,0.0" for day in pd.date_range("2022-01-02", periods=9, freq="7D")]),
        "got a row every 7.0 days, wanted daily returns",
    ),
    "a bill of a year": (
        text([f"{day.date()},0.01,0.0,0.05" for day in DAYS], "date,mine,mix,risk_free"),
        "risk_free: got 0.05 on average, wanted what the bill brings in one day",
    ),
    "decimal commas": (text(['2022-01-03,"0,01",0.0']), "line 2: mine: got '0,01'"),
    "semicolons": ("date;mine;mix\n2022-01-03;0.01;0.0\n", "got the columns date;mine;mix"),
    "two rows of a day": (text(["2022-01-03T10:00,0.1,0.0", "2022-01-03T16:00,0.1,0.0"]), "ascending days, each once"),
    "percents": (text(["2022-01-03,1.2,0.5"]), "mine: got 1.2, wanted daily returns as fractions"),
    "wild": (text([f"{day.date()},{0.9 * (-1) ** day.day},0.0" for day in DAYS]), "divide percents by 100"),
    "more than all lost": (text(["2022-01-03,-1.5,0.5"]), "mine: got -1.5"),
    "one column": ("date,mine\n2022-01-03,0.01\n", "got 1 column of returns, wanted two at least"),
    "no rival but the bill": ("date,mine,risk_free\n2022-01-03,0.01,0\n", "wanted two at least"),
    "one name twice": ("date,mine,mine\n2022-01-03,0.01,0\n", "each once"),
    "nothing": ("", "got the columns none and 0 rows"),
    "no rows": ("date,mine,mix\n", "and 0 rows"),
    "quotes": ('date,mine,mix\n"2022', "wanted a CSV file in UTF-8"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_a_csv_file(fault, tmp_path):
    content, told = FAULTS[fault]
    (tmp_path / "it.csv").write_text(content)
    with pytest.raises(InputError) as refused:
        read_returns_file(tmp_path / "it.csv")
    assert told in str(refused.value)
    assert str(tmp_path / "it.csv") in str(refused.value)


PARQUET_FAULTS = {
    "text": (made().assign(mix="up"), "mix: got values of the type"),
    "a gap": (made().drop(index=DAYS[3]).reindex(DAYS), f"{DAYS[3].date()}: mine: got no number"),
    "backwards": (made()[::-1], "days that do not ascend"),
    "words": (
        made().set_axis([f"day {each}" for each in range(len(DAYS))]).rename_axis("date").reset_index(),
        "got 'day 0', wanted a day",
    ),
}


@pytest.mark.parametrize("fault", PARQUET_FAULTS)
def test_faults_of_a_parquet_file(fault, tmp_path):
    table, told = PARQUET_FAULTS[fault]
    table.to_parquet(tmp_path / "it.parquet")
    with pytest.raises(InputError) as refused:
        read_returns_file(tmp_path / "it.parquet")
    assert told in str(refused.value)


def test_what_is_no_file_at_all(tmp_path):
    (tmp_path / "it.parquet").write_bytes(b"PAR1 nothing")
    for name in ("it.parquet", "nowhere.csv"):
        with pytest.raises(InputError, match="cannot be read"):
            read_returns_file(tmp_path / name)


def test_columns_are_chosen_by_name():
    table = made(columns=("a", "b", "risk_free", "c"))
    found, main, others = chosen_columns(table, None, None)
    assert (list(found), main, others) == (["strategy", "b", "c"], "b", ["c"])
    found, main, others = chosen_columns(table, "c", "a")
    assert (list(found), main, others) == (["strategy", "a", "b"], "a", ["b"])
    assert found["strategy"].equals(table["c"])
    for names, told in (
        (("d", None), "got d for strategy"),
        ((None, "d"), "got d for rival"),
        (("a", "a"), "two columns"),
    ):
        with pytest.raises(InputError, match=told):
            chosen_columns(table, *names)
    with pytest.raises(InputError, match="got the column strategy as a rival of b"):
        chosen_columns(made(columns=("strategy", "b")), "b", None)


def test_returns_between_days():
    daily = pd.DataFrame({"one": [0.1, 0.2, -0.5, 0.0]}, pd.bdate_range("2022-01-03", periods=4))
    found = returns_between(daily, daily.index[[1, 3]])
    assert found["one"].tolist() == pytest.approx([1.1 * 1.2 - 1, -0.5])
