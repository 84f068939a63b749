"""The folder of an index: members and sectors as they were known, and names that die."""

import math

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.importing.universe import read_universe
from data.market.memberships import members_known, newest_labels
from data.market.snapshot import load, save
from data.prices.panel import build_panel
from made_index import write_index

DAYS = sessions_between(pd.Timestamp("2019-01-02"), pd.Timestamp("2019-12-31"))
MEMBERS = [
    *(("2018-12-31", symbol, "Tech") for symbol in ("AAA", "BBB", "OLD")),
    ("2018-12-31", "CCC", "Other"),
    ("2018-12-31", "GONE", "Tech"),
    *(("2019-01-31", symbol, "Tech") for symbol in ("AAA", "CCC", "OLD")),
]


def closes():
    rng = np.random.default_rng(4)
    moves = pd.DataFrame(rng.normal(0, 0.02, (len(DAYS), 5)), DAYS, ["AAA", "BBB", "CCC", "DEAD", "OLD"])
    moves["NEW"] = moves["OLD"]
    prices = 10 * np.exp(moves.cumsum())
    prices.loc[DAYS[100] :, "DEAD"] = np.nan
    prices.loc[DAYS[120] :, "OLD"] = np.nan
    prices.loc[: DAYS[9], "BBB"] = np.nan
    return prices


@pytest.fixture
def folder(tmp_path):
    dead = {"DEAD": "0 on 2019-05-30", "OLD": ""}
    return write_index(tmp_path / "index", closes(), MEMBERS, dead, industries={"AAA": "Systems Software"})


def known(market, day):
    return members_known(market, pd.Timestamp(day, tz="UTC"))["sector"].to_dict()


def test_a_table_of_members_is_known_in_the_evening_of_the_session_after_its_day(folder):
    market, notes = read_universe(folder, "index")
    assert known(market, "2019-01-02 23:59") == {}
    # 22:00 in New York, five hours behind.
    assert known(market, "2019-01-03 02:59") == {}
    assert known(market, "2019-01-03 03:00") == {"AAA": "Tech", "BBB": "Tech", "CCC": "Other", "OLD": "Tech"}
    assert known(market, "2019-02-02 02:59") == known(market, "2019-01-03 03:00")
    assert known(market, "2019-02-02 03:00") == {"AAA": "Tech", "CCC": "Tech", "OLD": "Tech"}
    assert notes[0] == "sp500_ivv_monthly.csv.gz: 1 of 8 rows are of members without closes, and left out"


def test_an_industry_that_has_no_day_is_known_from_the_newest_close_on(folder):
    market, _ = read_universe(folder, "index")
    evening = pd.Timestamp("2020-01-01 03:00", tz="UTC")
    assert members_known(market, evening - pd.Timedelta("1min"))["industry"]["AAA"] == ""
    assert members_known(market, evening)["industry"]["AAA"] == "Systems Software"
    assert newest_labels(market)["industry"]["AAA"] == "Systems Software"
    # What has left keeps what was told last.
    assert newest_labels(market)["sector"]["BBB"] == "Tech"


@pytest.mark.parametrize("perturb", ["cut", "garble", "delay"])
def test_the_future_changes_no_membership_that_was_known(folder, perturb):
    market, _ = read_universe(folder, "index")
    moment = pd.Timestamp("2019-01-20", tz="UTC")
    before, table = members_known(market, moment), market.memberships.copy()
    later = (table["known_at"] > moment).to_numpy()
    assert later.sum() > 2
    if perturb == "cut":
        table = table[~later]
    elif perturb == "garble":
        table.loc[later, ["sector", "industry"]] = "Garbled"
        table.loc[later, "member"] = ~table.loc[later, "member"]
    else:
        table.loc[later, "known_at"] += pd.Timedelta(days=5)
    object.__setattr__(market, "memberships", table)
    pd.testing.assert_frame_equal(members_known(market, moment), before)


def test_names_that_die_end_at_their_mark_as_the_company_that_goes_on_or_at_no_known_price(folder):
    market, _ = read_universe(folder, "index")
    actions = market.actions.set_index("symbol")
    assert list(actions.index) == ["DEAD", "OLD"]
    assert (actions["kind"] == "delisting").all()
    assert actions["value"]["DEAD"] == 0.0
    assert actions["date"]["DEAD"] == DAYS[99]
    assert actions["known_at"]["DEAD"] == pd.Timestamp("2019-05-31 02:00", tz="UTC")
    # Its last sixty closes are those of a name that goes on: nobody has lost anything.
    assert actions["value"]["OLD"] == closes()["OLD"].loc[DAYS[119]]
    assert actions["source"]["OLD"] == "goes on as NEW"


def test_a_name_that_dies_without_a_word_ends_at_no_known_price(tmp_path):
    market, _ = read_universe(write_index(tmp_path / "i", closes(), MEMBERS, {"DEAD": ""}), "index")
    assert math.isnan(market.actions["value"].iloc[0])
    told = write_index(tmp_path / "j", closes(), MEMBERS, {"DEAD": ""}, {"DEAD": "same company continues as AAA"})
    market, _ = read_universe(told, "index")
    assert market.actions["value"].iloc[0] == closes()["DEAD"].loc[DAYS[99]]


def test_a_market_of_closes_alone_fills_at_the_close_of_the_session_that_was_decided_for(folder):
    market, _ = read_universe(folder, "index")
    panel = build_panel(market, ["AAA", "DEAD"], DAYS[50], DAYS[110])
    told = closes()[["AAA", "DEAD"]].loc[DAYS[49] : DAYS[110]].to_numpy()
    np.testing.assert_array_equal(panel.open, told)
    # The decision for a session knows the close before it, and not the one that it fills at.
    np.testing.assert_array_equal(panel.decision_price[:50, 0], told[:50, 0])
    assert panel.fills_at_close
    assert panel.select(("AAA",)).upto(DAYS[60]).fills_at_close


def test_it_is_kept_and_read_back(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "home"))
    market, _ = read_universe(folder, "index")
    save(market)
    read = load("index")
    pd.testing.assert_frame_equal(read.memberships, market.memberships)
    assert read.content_hash == market.content_hash


def test_who_the_members_were_belongs_to_the_identity(folder):
    market, _ = read_universe(folder, "index")
    before = market.content_hash
    other, _ = read_universe(folder, "index")
    object.__setattr__(other, "memberships", other.memberships.assign(sector="Other"))
    assert other.content_hash != before


def broken(folder, how):
    prices = folder / "prices_adj_close.parquet"
    frame = pd.read_parquet(prices)
    symbols = pd.read_csv(folder / "symbols.csv", dtype=str, keep_default_na=False)
    if how == "no members":
        (folder / "sp500_ivv_monthly.csv.gz").unlink()
    elif how == "no parquet":
        prices.write_bytes(b"PAR1 no more")
    elif how == "below zero":
        frame.iloc[3, 0] = -1.0
    elif how == "out of order":
        frame = frame.iloc[::-1]
    elif how == "no session":
        frame = frame.rename(index={"2019-01-04": "2019-01-05"})
    elif how == "text":
        frame = frame.astype(str)
        frame.iloc[0, 0] = "ten"
    elif how == "unnamed":
        symbols = symbols[symbols["symbol"] != "AAA"]
    elif how == "no column":
        symbols = symbols.drop(columns="note")
    elif how == "mark":
        symbols["final_mark"] = symbols["final_mark"].replace("0 on 2019-05-30", "worthless")
    elif how == "no day":
        pd.DataFrame([("yesterday", "AAA", "T")], columns=["date", "panel_column", "sector"]).to_csv(
            folder / "sp500_ivv_monthly.csv.gz", index=False
        )
    if how != "no parquet":
        frame.to_parquet(prices)
    symbols.to_csv(folder / "symbols.csv", index=False)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("no members", "holds no sp500_ivv_monthly.csv.gz, wanted the folder of an index"),
        ("no parquet", "prices_adj_close.parquet: cannot be read"),
        ("below zero", "AAA 2019-01-07: close -1, wanted a price above 0"),
        ("out of order", "got no day, or days twice or out of order"),
        ("no session", "got the day 2019-01-05, which is no NYSE session"),
        ("text", "cannot be read"),
        ("unnamed", "got AAA not, or twice"),
        ("no column", "got no column note"),
        ("mark", "DEAD: got the final mark 'worthless'"),
        ("no day", "wanted days as 2016-12-30"),
    ],
)
def test_a_fault_is_one_line(folder, how, told):
    broken(folder, how)
    with pytest.raises(InputError) as refused:
        read_universe(folder, "index")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.real_history
def test_the_index_beside_the_checkout(shared):
    folder = shared / "market" / "universe"
    if not folder.is_dir():
        pytest.skip(f"no index is there: no folder {folder}")
    market, _ = read_universe(folder, "universe")
    assert len(market.instruments) == 785
    actions = market.actions.set_index("symbol")["value"]
    assert len(actions) == 169
    assert sorted(actions.index[actions == 0.0]) == ["FRC", "SBNY", "SIVB"]
    members = members_known(market, pd.Timestamp("2017-01-04", tz="UTC"))
    assert len(members) == 505
    assert {"YHOO", "RHT", "SYMC"} <= {*members.index[members["sector"] == "Information Technology"]}
    # Sandisk of then left in 2016, that of now came in 2025.
    assert "SNDK" not in members.index
