"""The rules of filling, cut to some instruments or sessions, are those laid out for these alone."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from backtests.execution.fill_rules import FillRules, fill_rules
from backtests.spec.costs import Costs
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig

COSTS = Costs.model_validate({"preset": "alpaca", "settlement_sessions": 2})
RULES = OrderRulesConfig(stale_sessions=3, stale_haircut=0.1)
DAYS = pd.date_range("2024-04-05", "2024-05-31")


@pytest.fixture
def lay_out():
    """The rules for some symbols up to a day: a coin, and stocks of which B ends early and C misses a few bars."""
    sessions = DAYS[DAYS.day_of_week < 5]
    days = {"COIN": DAYS, "A": sessions, "B": sessions[:15], "C": sessions[::2]}
    bars = {
        name: [(f"{day:%Y-%m-%d}", 10.0 + place, 11.0 + place) for place, day in enumerate(held)]
        for name, held in days.items()
    }
    snapshot = make_snapshot(bars, {"COIN": make_instrument("crypto", quantum=0.01)})

    def build(symbols: tuple[str, ...], end: str) -> FillRules:
        panel = build_panel(snapshot, symbols, pd.Timestamp("2024-04-09"), pd.Timestamp(end))
        interest = np.linspace(0.0, 1e-4, 60)[: len(panel.sessions)]
        return fill_rules(panel, snapshot.instruments, COSTS, RULES, interest)

    return build


def assert_same(one: object, other: object) -> None:
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    else:
        assert (one == other) if not isinstance(one, pd.Index) else one.equals(other)


@pytest.mark.parametrize("symbols", [("A", "B"), ("COIN",), ("C", "COIN", "A")])
def test_some_instruments_have_the_rules_of_these_alone(lay_out, symbols):
    whole = lay_out(("COIN", "A", "B", "C"), "2024-05-31")
    own = lay_out(symbols, "2024-05-31")
    assert_same(whole.select(symbols), own)
    assert own.sessions.coins.tolist() == [symbol == "COIN" for symbol in symbols]


def test_rules_up_to_a_decision_are_those_of_a_shorter_run(lay_out):
    whole, shorter = lay_out(("COIN", "A", "B"), "2024-05-31"), lay_out(("COIN", "A", "B"), "2024-04-26")
    assert_same(whole.upto(shorter.panel.decides_for[-1]), shorter)
    assert whole.sessions.changes_units.any()
    assert not shorter.sessions.changes_units.any()


def test_all_instruments_are_the_rules_themselves(lay_out):
    whole = lay_out(("COIN", "A"), "2024-05-31")
    assert whole.select(("COIN", "A")) is whole
