"""What a session does to a book keeps to the subset of Python that numba compiles, and compiled gives the same bits."""

import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.engines.compiled import compile_functions
from backtests.execution import records, session
from backtests.execution.records import Orders, Sessions, room_for
from backtests.execution.session import play_session
from strategies import fills, order_rules, trade_terms
from strategies.fills import Hindrance
from strategies.order_rules import OrderRules, SessionOrders, plan_orders
from strategies.trade_terms import TradeTerms, as_lists

MODULES = (trade_terms, fills, order_rules, records, session)
# Between arrays and lists, words for people, and what makes arrays: compiled code has no use for them.
LEFT_OUT = (
    trade_terms.at_places,
    trade_terms.as_lists,
    fills.order_status,
    records.room_for,
    order_rules.plan_orders,
    session.play_session,
    session.change_units,
)
ROWS, INSTRUMENTS = 6, 5


@pytest.fixture(scope="module")
def compiled():
    return compile_functions(MODULES)


def test_threads_that_prepare_at_once_keep_what_is_compiled_where_each_was_told(tmp_path):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda run: compile_functions((trade_terms, fills), tmp_path / str(run)), range(12)))
    finally:
        sys.setswitchinterval(before)
    for run, each in enumerate(made):
        kept = {str(function._cache.cache_path) for function in vars(each).values()}
        assert all(path.startswith(str(tmp_path / str(run))) for path in kept)


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
        room = room_for(len(held), len(orders.place))
        found = compiled.play_session_in(room, cash, held, unsettled, orders, row, sessions)
        # To plain code, a part of an array comes as the whole of it.
        changed, paid = len(played.change), len(played.dividend)
        parts = (room.change[:changed], room.changed_units[:changed], room.change_paid[:changed], room.dividend[:paid])
        assert_same((*found[:6], *parts, found.interest), played)
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
    room = SessionOrders(*np.full((3, INSTRUMENTS), np.nan), np.full(INSTRUMENTS, 99))
    assert_same(compiled.plan_orders_in(room, held, prices, targets, terms, rules, 1_000.0), ours)


@pytest.mark.slow
def test_every_function_was_compiled(compiled):
    """Each of them, for the types that a session gives it: what nobody calls would not have been compiled."""
    rng = np.random.default_rng(0)
    sessions = random_sessions(rng)
    held = np.full(INSTRUMENTS, 5.0)
    for _ in range(3):
        orders = random_orders(rng, held)
        room = room_for(INSTRUMENTS, len(orders.place))
        compiled.play_session_in(room, 1_000.0, held, 0.0, orders, 1, sessions)
    compiled.unsettled_money(np.zeros(ROWS), 3, 2)
    assert compiled.falls_short(Hindrance.CASH)
    compiled.promised_units(100.0, 10.0, sessions.terms, 0)
    planned = SessionOrders(*np.zeros((3, INSTRUMENTS)), np.zeros(INSTRUMENTS, dtype=int))
    compiled.plan_orders_in(planned, held, held, held / 25.0, sessions.terms, OrderRules(0.0, 0.0, 1.0, 0.0), 0.0)
    names = {
        name
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and function not in LEFT_OUT
    }
    assert names == {name for name, function in vars(compiled).items() if function.signatures}
    assert {"sell_fill", "buy_fill", "play_session_in", "plan_orders_in"} <= names


def test_every_hindrance_has_its_words():
    assert set(fills.HINDRANCES) == set(Hindrance)
    assert len(set(fills.HINDRANCES.values())) == len(Hindrance)
