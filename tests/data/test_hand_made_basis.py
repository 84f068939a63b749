"""On which basis the prices of a market made by hand are: its data tell, or its maker says so; nothing is guessed."""

from dataclasses import replace

import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS
from data.prices.actions import listed_bars
from data.prices.basis import price_basis
from hand_made import make_instrument, make_snapshot

DAYS = [str(day.date()) for day in sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-01"))]


def market() -> Snapshot:
    bars = {"MU": [(day, 100.0, 100.0) for day in DAYS], "COIN": [(day, 5.0, 5.0) for day in DAYS]}
    return make_snapshot(bars, {"COIN": make_instrument("crypto")})


def test_a_close_that_equals_its_adjusted_close_throughout_was_quoted_by_nobody() -> None:
    snapshot = market()

    assert (price_basis(snapshot, "MU"), price_basis(snapshot, "COIN")) == ("adjusted", "as_traded")
    with pytest.raises(
        InputError, match=r"^MU: got adjusted prices \(its close equals its adjusted close throughout\), wanted"
    ):
        listed_bars(snapshot, "MU", "raw")
    assert len(listed_bars(snapshot, "MU", "adjusted")) == len(listed_bars(snapshot, "COIN", "raw")) == len(DAYS)


def test_its_maker_may_know_better() -> None:
    snapshot = replace(market(), bar_units={"MU": BarUnits(prices="as_traded")})

    assert len(listed_bars(snapshot, "MU", "raw")) == len(DAYS)


def test_a_dividend_that_the_adjusted_close_follows_tells_that_the_close_was_quoted() -> None:
    snapshot = market()
    bars = snapshot.bars.copy()
    before = (bars["symbol"] == "MU") & (bars["date"] < DAYS[10])
    bars.loc[before, "adj_close"] = 99.0
    moment = pd.Timestamp(DAYS[10])
    rows = [("MU", moment, "dividend", 1.0, moment.tz_localize("UTC"), "made")]
    paid = replace(snapshot, bars=bars, actions=pd.DataFrame(rows, columns=list(ACTIONS.columns)))

    assert price_basis(paid, "MU") == "as_traded"
    assert set(listed_bars(paid, "MU", "raw")["close"]) == {100.0}
    with pytest.raises(InputError, match=rf"^MU: got an adjustment on {DAYS[10]} \(1 in all\) without a dividend"):
        listed_bars(replace(paid, actions=ACTIONS.empty()), "MU", "raw")
