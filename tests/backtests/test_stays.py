"""The table of the stays, worked out by hand: what the legs made in each, and what its trades cost."""

import numpy as np
import pandas as pd
import pytest

from backtests.execution.book import Book, Notes
from backtests.execution.fill_rules import fill_rules
from backtests.measures.rotations import IN_FORCE, basket_returns, rotation_table
from backtests.spec.costs import Costs
from data.prices.panel import build_panel
from hand_made import make_snapshot
from signals.config import SignalConfig
from signals.source import source_signal
from strategies.order_rules import OrderRulesConfig
from strategies.universe import Universe

DAYS = pd.DatetimeIndex(["2024-02-05", "2024-02-06", "2024-02-07", "2024-02-08", "2024-02-09"])
CONFIG = SignalConfig(source="given.csv")


def given_regimes(*rows):
    times = pd.to_datetime([known for known, _ in rows], utc=True)
    return source_signal(pd.DataFrame({"known_at": times, "regime": [name for _, name in rows]}), DAYS, CONFIG)


def stays(signal, columns, paid, days=DAYS):
    frame = pd.DataFrame(columns, days)
    baskets = frame[["speculative", "cash_flow", "reserve"]]
    table = rotation_table(signal, CONFIG, frame[["strategy", "static_mix"]], baskets, pd.Series(paid, days))
    return table.to_dict("records")


def test_two_stays_by_hand():
    """Growth of a stay is the product of its sessions, its costs their sum; each session is of one stay."""
    signal = given_regimes(("2024-02-01", "SCARCE"), ("2024-02-07", "ABUNDANT"))
    first, second = stays(
        signal,
        {
            "speculative": [-0.1, 0.2, 0.5, -0.5, 0.1],
            "cash_flow": [0.1, 0.1, 0.0, 0.0, 0.0],
            "reserve": [0.01, 0.0, 0.0, 0.0, 0.02],
            "strategy": [0.0, -0.05, 0.1, 0.1, -0.1],
            "static_mix": [0.02, 0.03, 0.04, 0.05, -0.5],
        },
        [10.5, 0.25, 3.0, 0.0, 7.0],
    )
    assert (first["start"], first["end"], first["sessions"]) == (DAYS[0], DAYS[1], 2)
    assert (second["start"], second["end"], second["sessions"]) == (DAYS[2], DAYS[4], 3)
    assert (first["regime"], second["regime"]) == ("SCARCE", "ABUNDANT")
    assert first["speculative"] == pytest.approx(0.9 * 1.2 - 1)
    assert first["cash_flow"] == pytest.approx(0.21)
    assert first["reserve"] == pytest.approx(0.01)
    assert first["strategy"] == pytest.approx(-0.05)
    assert first["static_mix"] == pytest.approx(1.02 * 1.03 - 1)
    assert second["speculative"] == pytest.approx(1.5 * 0.5 * 1.1 - 1)
    assert second["cash_flow"] == 0.0
    assert second["reserve"] == pytest.approx(0.02)
    assert second["strategy"] == pytest.approx(1.1 * 1.1 * 0.9 - 1)
    assert second["static_mix"] == pytest.approx(1.04 * 1.05 * 0.5 - 1)
    assert (first["costs"], second["costs"]) == (10.75, 10.0)


def test_the_pair_of_a_stay_is_of_the_sessions_that_have_one():
    signal = given_regimes(("2024-02-01", "SCARCE"), ("2024-02-07", "ABUNDANT"))
    none = pd.DataFrame(0.0, DAYS, ["strategy", "static_mix"])
    for given, wanted in (
        ([np.nan, np.nan, np.nan, 0.1, 0.2], [np.nan, 0.32]),
        ([np.nan, 0.5, -0.5, 1.0, 0.0], [0.5, 0]),
    ):
        table = rotation_table(signal, CONFIG, none, pd.DataFrame({"pair": given}, DAYS), pd.Series(0.0, DAYS))
        assert table["pair"].tolist() == pytest.approx(wanted, nan_ok=True)


def test_a_stay_that_the_run_begins_in_has_no_reason_of_its_own():
    signal = given_regimes(("2024-02-01", "SCARCE"), ("2024-02-08", "ABUNDANT"), ("2024-02-09", "SCARCE"))
    nothing = dict.fromkeys(["speculative", "cash_flow", "reserve", "strategy", "static_mix"], 0.0)
    inside = stays(signal, nothing, 0.0, DAYS[1:])
    assert [each["regime"] for each in inside] == ["SCARCE", "ABUNDANT", "SCARCE"]
    assert [each["reason"] == IN_FORCE for each in inside] == [True, False, False]
    # A run that begins with the change has a reason for it.
    at_the_change = stays(signal, nothing, 0.0, DAYS[3:])
    assert [each["reason"] == IN_FORCE for each in at_the_change] == [False, False]


def test_a_basket_earns_the_mean_of_those_of_its_members_that_are_tradable():
    """A from 100 to 110 to 99, B from 20 to 20 to 30; the close before the run begins its first return."""
    days = [f"{day:%Y-%m-%d}" for day in DAYS]
    market = make_snapshot(
        {
            "A": list(zip(days, [100.0] * 5, [100.0, 110.0, 99.0, 99.0, 99.0], strict=True)),
            "B": list(zip(days, [20.0] * 5, [20.0, 20.0, 30.0, 30.0, 15.0], strict=True)),
            "C": [(days[0], 1.0, 1.0), (days[1], 1.0, 3.0)] + [(day, 1.0, 3.0) for day in days[2:]],
        }
    )
    universe = Universe(speculative=("A", "B"), cash_flow=("C",), benchmark="C")
    panel = build_panel(market, universe.symbols, DAYS[1], DAYS[-1], "adjusted")
    rules = fill_rules(panel, market.instruments, Costs(), OrderRulesConfig())
    allowed = panel.tradable(10)
    earned = basket_returns(rules, allowed, universe)
    assert earned.index.equals(DAYS[1:])
    assert earned["speculative"].tolist() == pytest.approx([0.05, 0.2, 0.0, -0.25])
    assert earned["cash_flow"].tolist() == pytest.approx([2.0, 0.0, 0.0, 0.0])
    assert earned["reserve"].tolist() == [0.0] * 4
    without = allowed.copy()
    without.loc[DAYS[1], "B"] = False
    assert basket_returns(rules, without, universe)["speculative"].iloc[0] == pytest.approx(0.1)
    assert np.isfinite(earned.to_numpy()).all()


def test_a_new_book_has_traded_nothing():
    book = Book(100.0, np.zeros(2), [0.0])
    assert (book.traded, book.costs) == (0.0, 0.0)
    notes = Notes()
    assert (notes.trades, notes.movements) == ([], [])
