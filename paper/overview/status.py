"""How an account stands: positions, regime, steps, and its equity beside the backtest of the same spec."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from data.clock import next_session
from data.errors import InputError
from paper.config import PaperConfig
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.ledger.records import AccountRecord, DecisionRecord, Event, Holdings
from paper.market import PaperMarket, newest_snapshot, read_market
from paper.service.schedule import next_step_at
from paper.step.requirements import spec_of, was_replayed
from paper.step.shadow_book import ShadowBook, shadow_book, unbooked_actions
from signals.explain.sentence import signal_sentence


@dataclass(frozen=True)
class Position:
    """What is held, or wanted, of one instrument.

    Attributes:
        symbol: of the instrument.
        units: held.
        price: US dollars; None where none is known, which the guards do not let pass.
        value: US dollars.
        weight: share of equity.
        target: share of equity that the last decision wanted.
    """

    symbol: str
    units: float
    price: float | None
    value: float
    weight: float
    target: float


@dataclass(frozen=True)
class Comparison:
    """An account's equity beside that of the backtest of its spec.

    Attributes:
        first: session of the account.
        last: session whose close is written.
        sessions: compared.
        paper: equity at the last close, US dollars.
        backtest: equity at the last close, US dollars.
        largest_difference: over all sessions, as a fraction of the backtest's equity.
        on: session of the largest difference.
    """

    first: date
    last: date
    sessions: int
    paper: float
    backtest: float
    largest_difference: float
    on: date


@dataclass(frozen=True)
class Status:
    """How an account stands.

    Attributes:
        account: its name.
        broker: its broker.
        market: name of the snapshot that it is valued by.
        simulated: whether the market's prices are made by a model.
        spec: name of its spec.
        halt: why, and since when, it is halted; None where it is not.
        regime: the sentence of the last decision's session, by the market as it is now.
        decision: the last one; None before the first.
        cash: US dollars.
        equity: cash and positions, US dollars.
        valued_at: which prices positions are valued at; empty before the first.
        positions: what is held or wanted, the largest first.
        open_orders: client ids of what is not sent yet or has not ended.
        last_step: what it came to; None before the first.
        next_step: the moment of the next by the schedule, UTC; None for an account that is replayed.
        next_session: the first that is neither decided for nor over.
        comparison: with the backtest; None before the first close.
        shadow: what the market's actions owe and the broker has not booked, outside cash and equity.
    """

    account: str
    broker: str
    market: str
    simulated: bool
    spec: str
    halt: Event | None
    regime: str
    decision: DecisionRecord | None
    cash: float
    equity: float
    valued_at: str
    positions: tuple[Position, ...]
    open_orders: tuple[str, ...]
    last_step: Event | None
    next_step: datetime | None
    next_session: date
    comparison: Comparison | None
    shadow: ShadowBook

    @property
    def equity_with_shadow(self) -> float:
        """Equity, had the broker booked all actions of the market, US dollars."""
        return self.equity + self.shadow.total


def read_status(config: PaperConfig, now: datetime | None = None) -> Status:
    """Read how an account stands; nothing is asked of a broker or a source, and nothing is written.

    Args:
        config: of the account.
        now: UTC; None: the time now.

    Raises:
        InputError: the account is not open yet; its spec or market is gone.
    """
    with LedgerReader(ledger_of(config)) as ledger:
        account, decision = _opened(config, ledger), ledger.last_decision()
        market = account_market(config, ledger)
        held, close = ledger.holdings(), ledger.last_close()
        valued_at, prices = _prices(market, decision, close)
        positions = _positions(held, prices, decision.targets if decision else {})
        session = pd.Timestamp(decision.session if decision else account.first_session)
        replayed = decision is not None and was_replayed(decision)
        return Status(
            account=account.name,
            broker=account.broker,
            market=market.snapshot.name,
            simulated=market.snapshot.simulated,
            spec=market.spec.run.name,
            halt=ledger.halt(),
            regime=signal_sentence(market.signal, session, market.spec.signal),
            decision=decision,
            cash=held.cash,
            equity=held.cash + sum(each.value for each in positions),
            valued_at=valued_at,
            positions=positions,
            open_orders=tuple(each.client_id for each in [*ledger.unsent_intents(), *ledger.sent_intents()]),
            last_step=next(iter(ledger.events(("step",), newest=1)), None),
            next_step=None if replayed else next_step_at(config.schedule, now or datetime.now(UTC)),
            next_session=_session_after(decision, close) or account.first_session,
            comparison=_compare(equity_beside_backtest(ledger, market)),
            shadow=shadow_book(unbooked_actions(market, ledger), prices),
        )


def _session_after(decision: DecisionRecord | None, close: date | None) -> date | None:
    """The session after the last that was decided for, or that ended while the trader was halted."""
    days = [*([decision.session] if decision else []), *([close] if close else [])]
    return next_session(pd.Timestamp(max(days))).date() if days else None


def ledger_of(config: PaperConfig) -> Path:
    """The path of an account's ledger.

    Raises:
        InputError: the account is not open yet.
    """
    path = config.state_folder / LEDGER_FILE
    if not path.is_file():
        raise _not_open(config)
    return path


def account_market(config: PaperConfig, ledger: LedgerReader) -> PaperMarket:
    """The account's market, on its own basis of prices.

    Raises:
        InputError: the account is not open yet; its spec or market is gone.
    """
    account, decision = _opened(config, ledger), ledger.last_decision()
    spec = spec_of(config, account)
    spec = spec.model_copy(update={"run": spec.run.model_copy(update={"prices": account.prices})})
    reached = decision.session if decision else account.first_session
    return read_market(spec, newest_snapshot(config.market), account.first_session, reached)


def equity_beside_backtest(ledger: LedgerReader, market: PaperMarket) -> pd.DataFrame:
    """Equity at the account's closes, and that of its spec run over the account's sessions from the same cash.

    Returns:
        By session: columns paper and backtest, US dollars; empty before the first close.
    """
    paper = ledger.equity()["equity"]
    if paper.empty:
        return pd.DataFrame({"paper": paper, "backtest": paper})
    backtest = market.backtest_equity(ledger.deposited())
    return pd.DataFrame({"paper": paper, "backtest": backtest.reindex(paper.index)})


def _opened(config: PaperConfig, ledger: LedgerReader) -> AccountRecord:
    account = ledger.account()
    if account is None:
        raise _not_open(config)
    return account


def _not_open(config: PaperConfig) -> InputError:
    return InputError(
        f"the account {config.account.name} is not open yet (no ledger in {config.state_folder}); take a step first: "
        "reverse-qe paper step"
    )


def _prices(market: PaperMarket, decision: DecisionRecord | None, close: date | None) -> tuple[str, dict[str, float]]:
    """The newest prices by symbol that the account has reached, and what they are."""
    panel = market.panel
    if decision is not None and (close is None or close < decision.session):
        prices = panel.decision_price[market.row(decision.session) - 1]
        valued_at = f"the prices known to the decision for {decision.session}"
    elif close is not None:
        prices, valued_at = panel.close[market.row(close)], f"the closes of {close}"
    else:
        return "", {}
    known = zip(panel.symbols, prices.tolist(), strict=True)
    return valued_at, {symbol: price for symbol, price in known if price > 0}


def _positions(held: Holdings, prices: Mapping[str, float], targets: Mapping[str, float]) -> tuple[Position, ...]:
    values = {symbol: units * prices.get(symbol, 0.0) for symbol, units in held.units.items()}
    equity = held.cash + sum(values.values())
    wanted = [symbol for symbol, target in targets.items() if target > 0 and symbol not in held.units]
    positions = [
        Position(
            symbol=symbol,
            units=held.units.get(symbol, 0.0),
            price=prices.get(symbol),
            value=values.get(symbol, 0.0),
            weight=values.get(symbol, 0.0) / equity if equity > 0 else 0.0,
            target=targets.get(symbol, 0.0),
        )
        for symbol in [*held.units, *wanted]
    ]
    return tuple(sorted(positions, key=lambda each: (-each.value, -each.target)))


def _compare(equity: pd.DataFrame) -> Comparison | None:
    if equity.empty:
        return None
    difference = (equity["paper"] / equity["backtest"] - 1.0).abs()
    on = pd.Timestamp(str(difference.idxmax()))
    return Comparison(
        first=equity.index[0].date(),
        last=equity.index[-1].date(),
        sessions=len(equity),
        paper=float(equity["paper"].iloc[-1]),
        backtest=float(equity["backtest"].iloc[-1]),
        largest_difference=float(difference.max()),
        on=on.date(),
    )
