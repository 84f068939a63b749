"""Why an account differs from its backtest: each cause that is planted is named, and no cent is left over."""

import itertools
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot, save
from late_world import Action, LateWorld
from paper import market
from paper.config import PaperConfig, read_config
from paper.explain.causes import Cause
from paper.explain.explain import Explanation, explain
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.overview import status as overview
from paper.storage import database
from planted_causes import DIVIDEND, MOVED, PAID, PlantedWorld, Plants

OLD = Path(__file__).resolve().parents[1] / "old" / "0.1.0"
World = Callable[..., PlantedWorld]
# Of all pairs of causes, so many are drawn; `make test-long` draws all.
PAIRS = int(os.environ.get("REVERSE_QE_PAIRS", "8"))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    numbers = itertools.count()

    def make(causes: Collection[Cause], **more: int) -> PlantedWorld:
        folder = tmp_path / str(next(numbers))
        monkeypatch.setenv("REVERSE_QE_HOME", str(folder / "home"))
        market._SNAPSHOTS.clear()
        market._MARKETS.clear()
        return PlantedWorld(folder / "account", causes, **more).run()

    yield make
    market._SNAPSHOTS.clear()
    market._MARKETS.clear()


def amounts(told: Explanation) -> dict[str, float]:
    """By cause, what is more than rounding."""
    found: dict[str, float] = {}
    for row in told.causes:
        name = Cause.DATA if row.cause.startswith(Cause.DATA) else row.cause
        found[name] = found.get(name, 0.0) + row.amount
    return {name: amount for name, amount in found.items() if abs(amount) > 1e-9 * told.paper}


def named(told: Explanation) -> set[str]:
    """The causes with sessions behind them."""
    return {Cause.DATA if row.cause.startswith(Cause.DATA) else row.cause for row in told.causes if row.sessions}


def assert_adds_up(told: Explanation) -> None:
    assert told.holds, told.largest_unexplained
    assert abs(told.unexplained) <= 1e-9 * told.paper
    assert sum(row.amount for row in told.causes) == pytest.approx(told.difference, abs=1e-9 * told.paper)


def entries_of(account: PlantedWorld):
    with LedgerReader(account.config.state_folder / LEDGER_FILE) as ledger:
        assert not [each for each in broken_invariants(ledger) if each.startswith("I")]
        return ledger.entries(), ledger.positions(), ledger.orders()


def test_on_an_account_without_any_cause_every_row_is_0(world: World) -> None:
    told = explain(world([]).config)
    assert (amounts(told), named(told)) == ({}, set())
    assert len(told.causes) == len(Cause)
    assert told.paper == pytest.approx(told.backtest, rel=1e-12)
    assert_adds_up(told)


# Accounts so short that a cause can be reckoned by hand: nothing is traded after it.


def test_a_dividend_that_was_not_paid_is_its_units_times_its_value(world: World) -> None:
    account = world([Cause.DIVIDENDS], sessions=7)
    told = explain(account.config)
    _, positions, _ = entries_of(account)
    assert amounts(told) == {Cause.DIVIDENDS: pytest.approx(-DIVIDEND * positions["STX"].iloc[-2], rel=1e-9)}
    assert [row.sessions for row in told.causes if row.sessions] == [(account.days[6],)]
    assert_adds_up(told)


def test_a_deposit_and_units_from_outside_are_what_they_are_worth(world: World) -> None:
    account = world([Cause.DEPOSITS, Cause.MANUAL], sessions=5)
    told = explain(account.config)
    close = market.newest_snapshot("planted").bars_of("BTC-USD").set_index("date")["close"].asof(str(account.days[4]))
    assert amounts(told) == {Cause.DEPOSITS: pytest.approx(5_000.0), Cause.MANUAL: pytest.approx(7.0 * close)}
    assert [row.sessions for row in told.causes if row.sessions] == [
        (account.days[PAID - 1],),
        (account.days[MOVED - 1],),
    ]
    assert_adds_up(told)


@pytest.mark.parametrize(
    ("cause", "factor"),
    [
        (Cause.FEES, None),
        pytest.param(Cause.FILL_PRICES, 0.998, marks=pytest.mark.slow),
        pytest.param(Cause.CUTS, 2.0, marks=pytest.mark.slow),
    ],
)
def test_what_was_bought_at_other_terms_is_worth_what_it_has_become(
    world: World, cause: Cause, factor: float | None
) -> None:
    """All is bought on the first day; the backtest has as many units as the same money buys at the spec's terms."""
    days = 1 if cause == Cause.CUTS else 3  # What was cut is planned for anew.
    account = world([cause], sessions=days)
    told = explain(account.config)
    entries, _, orders = entries_of(account)
    fills = entries[entries["client_id"].notna()]
    closes = market.newest_snapshot("planted").bars.pivot(index="date", columns="symbol", values="close")
    closes = closes.loc[str(account.days[days - 1])]
    more = 0.0
    for fill in fills.to_dict("records"):
        rate = fill["fees"] / (fill["units"] * fill["price"])
        wanted = fill["units"] * (factor or (1.0 + rate) / (1.0 + 2 * rate))
        more += (fill["units"] - wanted) * closes[fill["symbol"]]
        if cause == Cause.CUTS:  # The account has kept the money.
            more -= fill["amount"]
    assert amounts(told) == {cause: pytest.approx(more, rel=1e-9)}
    (row,) = [row for row in told.causes if row.sessions]
    assert set(row.orders) == set(orders["client_id"])
    assert_adds_up(told)


def test_days_are_counted_from_the_close_before_them(world: World) -> None:
    account = world([Cause.DEPOSITS], sessions=5)
    day = account.days[PAID - 1]
    whole, before, after = (
        explain(account.config, first, last)
        for first, last in ((None, None), (None, account.days[2]), (account.days[4], None))
    )
    only = explain(account.config, day, day)
    assert amounts(before) == amounts(after) == {}
    assert amounts(only) == amounts(whole) == {Cause.DEPOSITS: pytest.approx(5_000.0)}
    assert (only.first, only.last, only.difference) == (day, day, pytest.approx(5_000.0))
    with pytest.raises(
        InputError, match=r"^got the days 2025-01-01 to .* has no close; wanted days from 2024-03-04 to"
    ):
        explain(account.config, date(2025, 1, 1))


def test_what_no_cause_gives_is_told_as_unexplained(world: World) -> None:
    """An entry of a kind that no broker books, and a close that does not follow from the entries."""
    account = world([], sessions=3)
    with LedgerReader(account.config.state_folder / LEDGER_FILE) as ledger:
        connection = ledger._database._connection
        connection.execute("DROP TRIGGER closes_no_update")
        connection.execute("UPDATE closes SET equity = equity + 1.0 WHERE session = ?", (str(account.days[1]),))
    told = explain(account.config)
    assert not told.holds
    assert told.largest_unexplained == pytest.approx(1.0 / told.backtest, rel=0.1)
    assert explain(account.config, None, account.days[1]).unexplained == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("cause", Cause)
def test_each_cause_planted_alone_is_named_and_no_other(world: World, cause: Cause) -> None:
    told = explain(world([cause]).config)
    assert named(told) == {cause}
    assert set(amounts(told)) == {cause}
    assert_adds_up(told)


@pytest.mark.slow
def test_causes_planted_in_pairs_are_named(world: World) -> None:
    """And no other; a dividend that was not paid is booked late once the broker hears of an action that was late."""
    tried = set[tuple[Cause, ...]]()

    @settings(max_examples=PAIRS, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(sorted(itertools.combinations(Cause, 2))), st.integers(0, 1000))
    def pairs(causes: tuple[Cause, ...], seed: int) -> None:
        account = world(causes, seed=seed)
        told = explain(account.config)
        assert_adds_up(told)
        wanted = set(causes) - ({Cause.DIVIDENDS} if Cause.LATE_ACTIONS in causes else set())
        assert named(told) == wanted
        assert set(amounts(told)) <= wanted
        tried.add(causes)
        shutil.rmtree(account.folder)

    pairs()
    assert len(tried) > min(PAIRS, len(list(itertools.combinations(Cause, 2)))) // 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "causes",
    [
        (Cause.FILL_PRICES, Cause.STEPS, Cause.HALTS),
        (Cause.FILL_TIMES, Cause.LATE_ACTIONS, Cause.DEPOSITS),
        (Cause.CUTS, Cause.FEES, Cause.MANUAL),
    ],
    ids=" and ".join,
)
def test_a_row_is_what_an_account_without_the_cause_lacks(world: World, causes: tuple[Cause, ...]) -> None:
    """No replay: accounts that step, each with one cause less, at every close."""
    told = explain(world(causes, seed=7).config).by_session
    equity = []
    for gone in range(len(causes) + 1):
        with LedgerReader(world(causes[gone:], seed=7).config.state_folder / LEDGER_FILE) as ledger:
            equity.append(ledger.equity()["equity"])
    for cause, has, lacks in zip(causes, equity, equity[1:], strict=False):
        assert (has - lacks).to_numpy() == pytest.approx(told[cause].to_numpy(), abs=1e-9 * has.iloc[-1])


# An account that trades from day to day, and hears late.

TOLD_LATE = [
    Action("split", 2.0, date(2024, 11, 12), date(2024, 11, 18)),
    Action("dividend", 1.0, date(2024, 11, 14), date(2024, 11, 14)),
    Action("dividend", 4.0, date(2024, 11, 15), date(2024, 11, 19)),
]


@pytest.mark.slow
def test_what_was_told_late_is_named_late(tmp_path: Path) -> None:
    """In between the units of the split were not there, and what they were worth is the difference, to the cent."""
    account = LateWorld(tmp_path / "account", TOLD_LATE, date(2024, 11, 6), date(2024, 11, 20)).run()
    everything = account.market(date(2024, 11, 21), everything=True)
    with mock.patch.object(overview, "newest_snapshot", return_value=everything):
        whole = explain(account.config)
        between = explain(account.config, None, date(2024, 11, 13))
        steps = [each for each in whole.causes if each.cause == Cause.LATE_ACTIONS]
    for told in (whole, between):
        assert_adds_up(told)
        assert set(amounts(told)) <= {Cause.LATE_ACTIONS}
    assert named(whole) == {Cause.LATE_ACTIONS, Cause.HALTS}
    assert {date(2024, 11, 12), date(2024, 11, 15)} <= set(steps[0].sessions)
    # A split of a price of 100: 1,000 units at 50 are there, 1,000 more are not.
    assert amounts(between) == {Cause.LATE_ACTIONS: pytest.approx(-50_000.0)}
    assert whole.difference == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replay", "daily", "alpaca"])
def test_accounts_of_an_old_version_are_explained(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replayed, from day to day, and at the double of Alpaca, which paid no dividend and took no fees of stocks."""
    shutil.copytree(OLD, tmp_path / "old")
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "old" / "home"))
    told = explain(read_config(tmp_path / "old" / "paper" / name / "paper.toml"))
    assert_adds_up(told)
    found = set(amounts(told))
    assert found >= {"replay": {Cause.DATA}, "daily": {Cause.FILL_TIMES}, "alpaca": {Cause.DIVIDENDS, Cause.FEES}}[name]
    assert not found & {Cause.CODE, Cause.DEPOSITS, Cause.MANUAL, Cause.LATE_ACTIONS}


# What can be planted into the steps of an account on any market.
ANYWHERE = (
    (),
    (Cause.STEPS,),
    (Cause.HALTS, Cause.FILL_TIMES),
    (Cause.FILL_PRICES, Cause.CUTS),
    (Cause.FEES, Cause.DEPOSITS),
    (Cause.DIVIDENDS, Cause.MANUAL),
    (Cause.FILL_TIMES, Cause.STEPS),
)
LIMITS = {"largest_order": 10, "largest_position": 10, "largest_turnover_a_day": 10, "drawdown_halt": 1.0}


def assert_explained(folder: Path, on: str, prices: str, first: str, last: str, causes: tuple[Cause, ...]) -> None:
    folder.mkdir()
    rules = {"policy.rebalance": "weekly", "order_rules.band": 0.0, "cash.interest": "bill"}
    spec = load_spec(on, rules | {"run.prices": prices})
    (folder / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    config = PaperConfig(market=on, spec=str(folder / "spec.toml"), state={"path": folder / "state"}, limits=LIMITS)
    days = [day.date() for day in sessions_between(pd.Timestamp(first), pd.Timestamp(last))]
    assert len(list(Plants(causes).steps(config, days))) > 15
    told = explain(config)
    assert_adds_up(told)
    assert named(told) == set(amounts(told)) == set(causes)


@pytest.mark.slow
@pytest.mark.parametrize("causes", ANYWHERE, ids=lambda causes: " and ".join(causes) or "none")
def test_on_the_sample(tmp_path: Path, causes: tuple[Cause, ...]) -> None:
    assert_explained(tmp_path / "account", "sample", "raw", "2021-03-08", "2021-04-09", causes)


@pytest.mark.slow
@pytest.mark.real_history
@pytest.mark.parametrize("causes", ANYWHERE, ids=lambda causes: " and ".join(causes) or "none")
def test_on_real_history(history: Snapshot, tmp_path: Path, causes: tuple[Cause, ...]) -> None:
    save(history)
    assert_explained(tmp_path / "account", "history", "adjusted", "2024-03-04", "2024-04-05", causes)
