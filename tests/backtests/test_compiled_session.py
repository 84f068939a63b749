"""What a session does to a book keeps to the subset of Python that numba compiles, and compiled gives the same bits."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.execution import session
from backtests.execution.session import Orders, Sessions, play_session
from compiled import compile_functions
from strategies import fills, order_rules, trade_terms
from strategies.fills import Hindrance
from strategies.order_rules import OrderRules, plan_orders
from strategies.trade_terms import TradeTerms, as_lists

MODULES = (trade_terms, fills, order_rules, session)
# Between arrays and lists, and words for people: what compiled code has no use for.
LEFT_OUT = (trade_terms.at_places, trade_terms.as_lists, fills.order_status)
ROWS, INSTRUMENTS = 6, 5


@pytest.fixture(scope="module")
def compiled():
    return compile_functions(MODULES, LEFT_OUT)


def random_sessions(rng: np.random.Generator) -> Sessions:
    """Sessions in which everything happens: gaps, splits, dividends, delistings, close-outs, every cost and limit."""
    shape = (ROWS, INSTRUMENTS)

    def choose(share: float) -> np.ndarray:
        return rng.random(shape) < share

    def some(low: float, high: float, neutral: float = 0.0) -> np.ndarray:
        return np.where(rng.random(INSTRUMENTS) < 0.5, rng.uniform(low, high, INSTRUMENTS), neutral)

    close = rng.uniform(1.0, 100.0, shape)
    split = np.where(choose(0.1), rng.choice([0.1, 2.0, 3.0], shape), 1.0)
    dividend = np.where(choose(0.1), rng.uniform(0.0, 2.0, shape), 0.0)
    ended, stale = choose(0.05), choose(0.05)
    return Sessions(
        open=np.where(choose(0.1), np.nan, close * rng.uniform(0.9, 1.1, shape)),
        close=close,
        volume=np.where(choose(0.1), np.nan, rng.uniform(0.0, 500.0, shape)),
        decision_price=np.where(choose(0.05), np.nan, close),
        split=split,
        dividend=dividend,
        ended=ended,
        payout=np.where(choose(0.5), np.nan, rng.uniform(0.0, 100.0, shape)),
        stale=stale,
        coins=rng.random(INSTRUMENTS) < 0.4,
        terms=TradeTerms(
            rate=some(0.0, 0.01),
            per_unit=some(0.0, 0.05),
            minimum=some(0.0, 2.0),
            maximum=some(0.0, 0.05, np.inf),
            spread=some(0.0, 0.01),
            impact=some(0.0, 0.2),
            participation=some(0.0, 0.5, np.inf),
            notional=some(0.0, 20.0),
            quantum=rng.choice([1.0, 0.01, 1e-6, 1e-9], INSTRUMENTS),
        ),
        interest=np.where(rng.random(ROWS) < 0.5, rng.uniform(0.0, 2e-4, ROWS), 0.0),
        changes_units=np.append(False, ((split[1:] != 1.0) | ended[1:] | stale[:-1]).any(axis=1)),
        pays_dividends=(dividend > 0.0).any(axis=1),
        stale_haircut=0.3,
        settlement_sessions=int(rng.integers(1, 4)),
    )


def random_orders(rng: np.random.Generator, held: np.ndarray) -> Orders:
    """Orders of which some are of one instrument, want too much, or want what nobody knows."""
    count = int(rng.integers(0, 2 * INSTRUMENTS))
    place = rng.integers(0, INSTRUMENTS, count)
    sells = rng.random(count) < 0.5
    known = np.where(rng.random(count) < 0.05, np.nan, 1.0)
    return Orders(
        place=place,
        sells=sells,
        units=np.where(sells, held[place] * rng.choice([0.0, 0.3, 1.0, 1.5], count), 1.0) * known,
        money=np.where(sells, 0.0, rng.uniform(0.0, 2_000.0, count)) * known,
        least=np.where(sells, 0.0, rng.uniform(0.0, 50.0, count)),
    )


def plain(record):
    """The record with lists in the place of its arrays, as plain code takes it."""
    return type(record)._make(column.tolist() for column in record)


def assert_same(one, other):
    if isinstance(one, tuple):
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    else:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_session_compiled_gives_the_same_bits(compiled, seed):
    """Units and cash of a book of which every holding is there at first, over five sessions in a row."""
    rng = np.random.default_rng(seed)
    sessions = random_sessions(rng)
    lists = sessions._replace(terms=as_lists(sessions.terms))
    cash, held = rng.uniform(0.0, 5_000.0), rng.uniform(0.0, 50.0, INSTRUMENTS) * (rng.random(INSTRUMENTS) < 0.7)
    flows = np.zeros(ROWS)
    for row in range(1, ROWS):
        orders = random_orders(rng, held)
        unsettled = session.unsettled_money(flows.tolist(), row, sessions.settlement_sessions)
        assert compiled.unsettled_money(flows, row, sessions.settlement_sessions) == unsettled
        played = play_session(cash, held, unsettled, plain(orders), row, lists)
        assert_same(compiled.play_session(cash, held, unsettled, orders, row, sessions), played)
        assert played.cash >= -1e-9
        assert (played.units >= 0.0).all()
        assert sorted(played.fills.sequence) == list(range(len(orders.place)))
        cash, held, flows[row] = played.cash, played.units, played.stock_flow


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_plan_compiled_gives_the_same_bits(compiled, seed):
    rng = np.random.default_rng(seed)
    terms = random_sessions(rng).terms
    held = rng.uniform(0.0, 50.0, INSTRUMENTS) * (rng.random(INSTRUMENTS) > 0.3)
    prices = np.where(rng.random(INSTRUMENTS) > 0.2, rng.uniform(1.0, 100.0, INSTRUMENTS), np.nan)
    targets = np.where(rng.random(INSTRUMENTS) > 0.1, rng.dirichlet(np.ones(INSTRUMENTS)), np.nan)
    rules = OrderRules(*rng.uniform(0.0, 0.05, 2), rng.uniform(0.1, 1.0), rng.uniform(0.0, 0.01))
    ours = plan_orders(held.tolist(), prices.tolist(), targets.tolist(), as_lists(terms), rules, 1_000.0)
    assert_same(compiled.plan_orders(held, prices, targets, terms, rules, 1_000.0), ours)


@pytest.mark.slow
def test_every_function_was_compiled(compiled):
    """Each of them, for the types that a session gives it: what nobody calls would not have been compiled."""
    rng = np.random.default_rng(0)
    sessions = random_sessions(rng)
    held = np.full(INSTRUMENTS, 5.0)
    for _ in range(3):
        compiled.play_session(1_000.0, held, 0.0, random_orders(rng, held), 1, sessions)
    compiled.unsettled_money(np.zeros(ROWS), 3, 2)
    assert compiled.falls_short(Hindrance.CASH)
    compiled.promised_units(100.0, 10.0, sessions.terms, 0)
    compiled.plan_orders(held, held, held / 25.0, sessions.terms, OrderRules(0.0, 0.0, 1.0, 0.0), 0.0)
    names = {
        name
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and function not in LEFT_OUT
    }
    assert names == {name for name, function in vars(compiled).items() if function.signatures}
    assert {"sell_fill", "buy_fill", "play_session", "plan_orders"} <= names


def test_every_hindrance_has_its_words():
    assert set(fills.HINDRANCES) == set(Hindrance)
    assert len(set(fills.HINDRANCES.values())) == len(Hindrance)
