"""Bars of one instrument on either basis, by hand: an adjustment that divides prices multiplies units."""

from dataclasses import replace

import pandas as pd
import pytest

from data.errors import InputError
from data.market.tables import ACTIONS
from data.prices.actions import adjusted_closes, held_through, listed_bars
from hand_made import make_instrument, make_snapshot

DAYS = pd.DatetimeIndex(["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06"])
TEXTS = [f"{day:%Y-%m-%d}" for day in DAYS]


def actions_of(*rows):
    columns = ["symbol", "date", "kind", "value", "known_at", "source"]
    frame = pd.DataFrame(rows, columns=columns).assign(into="")
    frame = frame[[name for name in ACTIONS.columns if name in frame]]
    return frame.assign(date=pd.to_datetime(frame["date"]), known_at=pd.to_datetime(frame["known_at"], utc=True))


def market(*rows, listed="2000-01-03"):
    """Before a split of four for one a unit costs 400, then 100; 500,000 old units are traded, then 2,000,000."""
    snapshot = make_snapshot(
        {"X": [(TEXTS[0], 396.0, 400.0), (TEXTS[1], 404.0, 400.0), (TEXTS[2], 99.0, 100.0), (TEXTS[3], 101.0, 100.0)]},
        {"X": make_instrument(listed=listed)},
    )
    bars = snapshot.bars.assign(adj_close=100.0, volume=[500_000.0, 500_000.0, 2_000_000.0, 2_000_000.0])
    return replace(snapshot, bars=bars, actions=actions_of(*rows) if rows else snapshot.actions)


SPLIT = ("X", TEXTS[2], "split", 4.0, "2024-06-01 20:00", "made for a test")


def test_on_the_adjusted_basis_prices_are_divided_and_units_multiplied():
    bars = listed_bars(market(SPLIT), "X")
    assert bars["open"].tolist() == [99.0, 101.0, 99.0, 101.0]
    assert bars["high"].tolist() == [100.0, 101.0, 100.0, 101.0]
    assert bars["low"].tolist() == [99.0, 100.0, 99.0, 100.0]
    assert bars["close"].tolist() == bars["adjusted_close"].tolist() == [100.0] * 4
    assert bars["volume"].tolist() == [2_000_000.0] * 4
    assert adjusted_closes(market(SPLIT), "X").tolist() == [100.0] * 4


def test_on_the_raw_basis_both_are_as_they_were_traded():
    bars = listed_bars(market(SPLIT), "X", "raw")
    assert bars["open"].tolist() == [396.0, 404.0, 99.0, 101.0]
    assert bars["close"].tolist() == [400.0, 400.0, 100.0, 100.0]
    assert bars["volume"].tolist() == [500_000.0, 500_000.0, 2_000_000.0, 2_000_000.0]
    assert bars["adjusted_close"].tolist() == [100.0] * 4


def test_bars_begin_with_the_listing_and_end_with_the_last_day():
    gone = ("X", TEXTS[2], "delisting", 90.0, "2024-06-04 20:00", "made for a test")
    renamed = ("X", TEXTS[2], "symbol_change", 1.0, "2024-06-04 20:00", "made for a test")
    assert listed_bars(market(listed=TEXTS[1]), "X").index.tolist() == DAYS[1:].tolist()
    assert listed_bars(market(gone), "X").index.tolist() == DAYS[:3].tolist()
    assert listed_bars(market(renamed), "X").index.tolist() == DAYS[:2].tolist()
    with pytest.raises(InputError, match="symbol Y is not in market"):
        listed_bars(market(), "Y")


def test_what_a_holder_gets_by_hand():
    """A dividend of 0.5 on the second day, four for one on the third: by session, and by the units of before."""
    paid = ("X", TEXTS[1], "dividend", 0.5, "2024-06-01 20:00", "made for a test")
    again = ("X", TEXTS[1], "capital_gain", 0.25, "2024-06-01 20:00", "made for a test")
    held = held_through(market(SPLIT, paid, again), "X", DAYS, DAYS + pd.Timedelta(days=1), "raw")
    assert held.split.tolist() == [1.0, 1.0, 4.0, 1.0]
    assert held.dividend.tolist() == [0.0, 0.75, 0.0, 0.0]
    assert held.units.tolist() == [1.0, 1.0, 4.0, 4.0]
    assert held.units_since(pd.DatetimeIndex(["2024-06-04", "2024-06-05", "2024-07-01"])).tolist() == [1.0, 4.0, 4.0]
    assert not held.leaving.any()
    assert not held.ended.any()
    adjusted = held_through(market(SPLIT, paid, again), "X", DAYS, DAYS + pd.Timedelta(days=1), "adjusted")
    assert adjusted.split.tolist() == adjusted.units.tolist() == [1.0] * 4
    assert adjusted.dividend.tolist() == [0.0] * 4


def test_what_took_effect_on_the_first_session_is_in_its_price():
    first = ("X", TEXTS[0], "dividend", 0.5, "2024-06-01 20:00", "made for a test")
    before = ("X", "2024-05-31", "split", 2.0, "2024-05-01 20:00", "made for a test")
    after = ("X", "2024-06-10", "split", 3.0, "2024-06-01 20:00", "made for a test")
    held = held_through(market(before, first, after), "X", DAYS, DAYS + pd.Timedelta(days=1), "raw")
    assert held.dividend.tolist() == [0.0] * 4
    assert held.split.tolist() == [1.0] * 4
    assert held.units.tolist() == [2.0] * 4


@pytest.mark.parametrize(
    ("known_at", "leaving", "ended"),
    [
        # Known before the decision for the second day, which is taken at its 00:00 UTC: the day after the last pays.
        ("2024-06-03 23:59", [True, True, True, True], [False, False, True, False]),
        ("2024-06-04 00:00", [True, True, True, True], [False, False, True, False]),
        # A minute later it waits for the next decision.
        ("2024-06-04 00:01", [False, True, True, True], [False, False, True, False]),
        # Known long after: paid at the first session that knows of it.
        ("2024-06-05 22:00", [False, False, True, True], [False, False, False, True]),
        # Known too late for the run.
        ("2024-06-07 22:00", [False, False, False, False], [False, False, False, False]),
    ],
)
def test_a_delisting_is_known_when_it_is_and_paid_after_the_last_day(known_at, leaving, ended):
    told = ("X", TEXTS[1], "delisting", 90.0, known_at, "made for a test")
    later = DAYS[1:].append(pd.DatetimeIndex(["2024-06-07"]))
    held = held_through(market(told), "X", DAYS, later, "raw")
    assert held.leaving.tolist() == leaving
    assert held.ended.tolist() == ended
    assert held.payout[held.ended].tolist() == [90.0] * sum(ended)
    assert pd.isna(held.payout[~held.ended]).all()
    # Prices before a later split are a quarter on the adjusted basis: so is what is paid for a unit of then.
    assert held_through(market(told), "X", DAYS, later, "adjusted").payout[held.ended].tolist() == [22.5] * sum(ended)
