"""An index laid beside a market: the members of the one, the rates and coins of the other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.importing.beside import beside
from data.importing.universe import read_universe
from data.market.snapshot import load, save
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from made_index import write_index

DAYS = sessions_between(pd.Timestamp("2019-01-02"), pd.Timestamp("2019-03-29"))
MEMBERS = [("2018-12-31", symbol, "Tech") for symbol in ("AAA", "BBB", "DEAD")]


@pytest.fixture
def both(tmp_path):
    random = np.random.default_rng(6)
    closes = pd.DataFrame(
        10 * np.exp(random.normal(0, 0.02, (len(DAYS), 3)).cumsum(axis=0)), DAYS, ["AAA", "BBB", "DEAD"]
    )
    closes.loc[DAYS[30] :, "DEAD"] = np.nan
    index, _ = read_universe(write_index(tmp_path / "index", closes, MEMBERS, {"DEAD": "0 on 2019-02-15"}), "index")
    days = pd.date_range(DAYS[0], DAYS[-1])
    bars = {"AAA": [(f"{day:%Y-%m-%d}", 50.0, 51.0) for day in DAYS]}
    bars["COIN"] = [(f"{day:%Y-%m-%d}", 7.0, 8.0) for day in days]
    market = make_snapshot(bars, {"COIN": make_instrument("crypto")})
    return index, market, beside(index, market, "both")


def assert_same_rows(one, other):
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


def test_the_market_keeps_what_it_has_and_the_index_adds_the_rest(both):
    index, market, (made, notes) = both
    assert notes == ["1 names are in both, and have the prices of hand-made: AAA"]
    for symbol in ("AAA", "COIN"):
        assert_same_rows(made.bars_of(symbol), market.bars_of(symbol))
    for symbol in ("BBB", "DEAD"):
        assert_same_rows(made.bars_of(symbol), index.bars_of(symbol))
        assert made.instruments[symbol] == index.instruments[symbol]
    assert made.memberships.equals(index.memberships)
    assert made.actions_of("DEAD")["kind"].tolist() == ["delisting"]
    save(made)
    assert load("both").content_hash == made.content_hash


def test_beside_members_without_opens_stocks_fill_at_the_close_and_coins_at_the_open(both):
    _, _, (made, _) = both
    panel = build_panel(made, ["AAA", "BBB", "COIN"], DAYS[1], DAYS[-1])
    assert panel.fills_at_close
    np.testing.assert_array_equal(panel.open[:, :2], panel.close[:, :2])
    assert (panel.open[:, 2] == 7.0).all()
    alone = build_panel(made, ["AAA", "COIN"], DAYS[1], DAYS[-1])
    assert not alone.fills_at_close
    assert (alone.open[:, 0] == 50.0).all()


def test_two_indices_do_not_lie_beside_each_other(both):
    index, _, (made, _) = both
    with pytest.raises(InputError, match="market both has the members of an index already"):
        beside(index, replace(made), "three")
