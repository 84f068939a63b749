"""On which basis closes are, by hand: what the adjusted closes, the actions and the ticks of a file tell."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.market.manifest import BarUnits
from data.market.tables import ACTIONS
from data.prices.basis import is_unadjusted, price_basis, told_actions, told_basis, unexplained_steps
from hand_made import make_instrument, make_snapshot

DAYS = pd.DatetimeIndex(["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06"])
STOCK = make_instrument()
QUOTED, COMPUTED = [10.01, 10.25, 9.99, 10.5], [10.0137, 10.2519, 9.9931, 10.5073]


def bars(close, adjusted=None):
    return pd.DataFrame({"date": DAYS, "close": close, "adj_close": close if adjusted is None else adjusted})


def actions(*rows):
    frame = pd.DataFrame(rows, columns=["date", "kind", "value"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


SPLIT = ("2024-06-05", "split", 2.0)
HALVED = bars([20.0, 20.0, 10.0, 10.0], [10.0, 10.0, 10.0, 10.0])


def test_an_adjustment_is_explained_by_an_action_of_its_day():
    assert unexplained_steps(HALVED, actions(SPLIT)).empty
    assert unexplained_steps(HALVED, actions()).tolist() == [DAYS[2]]
    assert unexplained_steps(HALVED, actions(("2024-06-04", "split", 2.0))).tolist() == [DAYS[2]]
    assert unexplained_steps(HALVED, actions(("2024-06-05", "delisting", 2.0))).tolist() == [DAYS[2]]
    # An action after the last bar explains nothing, and what never moves asks for nothing.
    assert unexplained_steps(HALVED, actions(("2024-07-05", "split", 2.0))).tolist() == [DAYS[2]]
    assert unexplained_steps(bars(QUOTED), actions(SPLIT)).empty
    first = bars([20.0, 10.0, 10.0, 5.0], [10.0, 10.0, 10.0, 10.0])
    assert unexplained_steps(first, actions()).tolist() == [DAYS[1], DAYS[3]]
    assert unexplained_steps(first, actions(("2024-06-06", "dividend", 1.0))).tolist() == [DAYS[1]]
    # On a day without a bar it counts from the next one.
    weekend = bars([20.0, 20.0, 10.0, 10.0], [10.0] * 4).assign(
        date=pd.DatetimeIndex(["2024-06-06", "2024-06-07", "2024-06-10", "2024-06-11"])
    )
    assert unexplained_steps(weekend, actions(("2024-06-08", "split", 2.0))).empty


@pytest.mark.parametrize(
    ("held", "told", "market_has_actions", "by_ticks", "basis"),
    [
        (HALVED, actions(SPLIT), False, False, "as_traded"),
        (HALVED, actions(), True, True, None),
        # Never adjusted, with a split inside: the split is in the closes.
        (bars(QUOTED), actions(SPLIT), True, False, "adjusted"),
        (bars(QUOTED), actions(SPLIT), False, False, "adjusted"),
        (bars(QUOTED), actions(("2024-06-06", "dividend", 0.1)), False, False, "adjusted"),
        # On the first day, or after the last, it would change nothing.
        (bars(QUOTED), actions(("2024-06-03", "split", 2.0)), True, False, "as_traded"),
        (bars(QUOTED), actions(("2024-06-07", "split", 2.0)), True, False, "as_traded"),
        (bars(QUOTED), actions(("2024-06-05", "delisting", 2.0)), True, False, "as_traded"),
        # Without any of its own, those of others tell that they were collected.
        (bars(QUOTED), actions(), True, False, "as_traded"),
        (bars(QUOTED), actions(), False, False, None),
        (bars(QUOTED), actions(), True, True, "as_traded"),
        (bars(QUOTED), actions(), False, True, None),
        # Adjusted closes do not lie on cents, where ticks are asked for.
        (bars(COMPUTED), actions(), True, True, "adjusted"),
        (bars(COMPUTED), actions(), True, False, "as_traded"),
        (bars(COMPUTED), actions(), False, True, None),
    ],
)
def test_the_basis_by_its_data(held, told, market_has_actions, by_ticks, basis):
    assert told_basis(held, told, STOCK, market_has_actions, by_ticks) == basis
    assert told_basis(held, told, make_instrument("crypto"), market_has_actions, by_ticks) == "as_traded"


def test_the_same_throughout_is_unadjusted():
    assert is_unadjusted(bars(QUOTED))
    assert is_unadjusted(bars(QUOTED, np.array(QUOTED) * (1 + 5e-10)))
    for place in range(4):
        moved = np.array(QUOTED)
        moved[place] *= 0.99
        assert not is_unadjusted(bars(QUOTED, moved))
    assert not is_unadjusted(bars(QUOTED, np.array(QUOTED) * 1.01))


def test_actions_are_those_of_the_instrument():
    market = make_snapshot({"X": [("2024-06-03", 1.0, 1.0)], "Y": [("2024-06-03", 1.0, 1.0)]})
    columns = {name: "" if kind == "text" else None for name, kind in ACTIONS.columns.items()}
    row = {**columns, "symbol": "X", "date": DAYS[1], "kind": "dividend", "value": 0.5}
    frame = pd.DataFrame([row, row | {"symbol": "Y", "date": DAYS[2]}])
    frame = frame.assign(known_at=pd.Timestamp("2024-06-01", tz="UTC"))
    held = replace(market, actions=ACTIONS.conform(frame.assign(source="made")))
    assert told_actions(held, "X")["date"].tolist() == [DAYS[1]]
    assert told_actions(held, "Y")["date"].tolist() == [DAYS[2]]


def test_what_the_market_keeps_of_it_counts_and_what_came_without_word_is_adjusted():
    made = make_snapshot({"X": [(f"{day:%Y-%m-%d}", 10.01, 10.25) for day in DAYS]})
    assert price_basis(made, "X") == "adjusted"
    for prices in ("as_traded", "adjusted"):
        assert price_basis(replace(made, bar_units={"X": BarUnits(prices=prices)}), "X") == prices
    came = replace(made, bar_units={"X": BarUnits()})
    assert price_basis(came, "X") == "adjusted"
    split = pd.DataFrame([{name: "" if kind == "text" else None for name, kind in ACTIONS.columns.items()}])
    split = split.assign(
        symbol="Z", date=DAYS[2], kind="split", value=2.0, known_at=pd.Timestamp("2024-06-01", tz="UTC")
    )
    assert price_basis(replace(came, actions=ACTIONS.conform(split)), "X") == "as_traded"
    off_cents = make_snapshot({"X": [(f"{day:%Y-%m-%d}", 10.0137, 10.2519) for day in DAYS]})
    off_cents = replace(off_cents, actions=ACTIONS.conform(split))
    assert price_basis(off_cents, "X") == "as_traded"
    assert price_basis(replace(off_cents, bar_units={"X": BarUnits()}), "X") == "adjusted"
