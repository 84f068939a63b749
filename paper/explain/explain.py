"""Why an account's equity is not its backtest's: one cause after the other, each of them a replay."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.errors import InputError
from paper.config import PaperConfig
from paper.explain.causes import MEANS, Cause
from paper.explain.facts import SAME, Facts, Key, World
from paper.explain.recorded import read_recorded
from paper.explain.replay import Replay
from paper.ledger.reader import LedgerReader
from paper.ledger.records import AccountRecord
from paper.market import MarketVersions, PaperMarket
from paper.overview.status import account_market, ledger_of
from paper.step.requirements import opened_with

UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class CauseRow:
    """What a cause makes of the difference between account and backtest.

    Attributes:
        cause: see `paper.explain.causes.Cause`; a version of the market is one of its own.
        means: what the replay that swaps it does otherwise.
        amount: US dollars that the account has more by it when the days end, and not before they begin.
        share: of the backtest's equity then, as a fraction.
        sessions: on which it acts, within the days.
        orders: client ids of those behind it, within the days.
    """

    cause: str
    means: str
    amount: float
    share: float
    sessions: tuple[date, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """An account beside its backtest.

    Attributes:
        account: its name.
        market: the newest version of its market.
        simulated: whether the market's prices are made by a model.
        first: session from which on differences count.
        last: session up to which they count.
        paper: equity of the account at the end of `last`, US dollars.
        backtest: equity of the backtest then, US dollars.
        difference: of the two, less that before `first`, US dollars.
        causes: in the order of the replays; their amounts and `unexplained` add up to `difference`.
        unexplained: US dollars that no replay gives.
        largest_unexplained: at any close, as a fraction of equity.
        by_session: US dollars by session, one column a cause, as they have gathered since the account was opened.
    """

    account: str
    market: str
    simulated: bool
    first: date
    last: date
    paper: float
    backtest: float
    difference: float
    causes: tuple[CauseRow, ...]
    unexplained: float
    largest_unexplained: float
    by_session: pd.DataFrame

    @property
    def holds(self) -> bool:
        """Whether every cent is explained, to 1e-9 of equity."""
        return self.largest_unexplained <= SAME


def explain(
    config: PaperConfig,
    first: date | None = None,
    last: date | None = None,
    report: Callable[[str], None] = lambda _stage: None,
) -> Explanation:
    """Explain the difference between an account and the backtest of its spec over its sessions, from the same cash.

    Nothing is asked of a broker or a source, and nothing is written.

    Args:
        config: of the account.
        first: day from which on differences count; None: since the account was opened.
        last: day up to which they count; None: the last close that is written.
        report: is told each replay as it begins.

    Raises:
        InputError: the account is not open or has no close in these days, its spec or market is gone, or it trades a
            strategy of the user.
        DamagedLedger: the ledger cannot be read.
    """
    with LedgerReader(ledger_of(config)) as ledger:
        report("market")
        now = account_market(config, ledger)
        if now.strategy is not None:
            raise InputError(
                f"got the account {config.account.name}, which trades a strategy of yours; wanted one of the rotation: "
                "its decisions cannot be played again on another book; compare with: reverse-qe paper status"
            )
        facts = _facts(config, ledger, now)
        equity = ledger.equity()["equity"]
    rows = _days(config, equity, first, last)
    paper = equity.to_numpy()
    backtest = now.backtest_equity(facts.recorded.deposit).reindex(equity.index).to_numpy()
    replays = list(_replays(facts, report))
    values = np.array([each for _, each in replays])
    gathered = {key: values[at] - values[at + 1] for at, (key, _) in enumerate(replays[1:])}
    unexplained = (paper - values[0]) + (values[-1] - backtest)
    names = {key: _name(facts, key) for key, _ in replays[1:]}
    begin, end = rows
    before = slice(begin - 1, begin) if begin else slice(0, 0)

    def within(series: np.ndarray) -> float:
        return float(series[end] - (series[before][0] if begin else 0.0))

    return Explanation(
        account=config.account.name,
        market=now.snapshot.name,
        simulated=now.snapshot.simulated,
        first=equity.index[begin].date(),
        last=equity.index[end].date(),
        paper=float(paper[end]),
        backtest=float(backtest[end]),
        difference=within(paper - backtest),
        causes=tuple(
            _row(facts, key, names[key], within(series), float(backtest[end]), rows) for key, series in gathered.items()
        ),
        unexplained=within(unexplained),
        largest_unexplained=float(
            np.max(np.maximum(np.abs(paper - values[0]), np.abs(values[-1] - backtest)) / np.abs(backtest))
        ),
        by_session=pd.DataFrame({names[key]: series for key, series in gathered.items()}, index=equity.index),
    )


def explained(config: PaperConfig) -> Explanation | None:
    """Explain an account, where that can be done: None for one without a close, or of a strategy of the user."""
    try:
        return explain(config)
    except InputError:
        return None


def _facts(config: PaperConfig, ledger: LedgerReader, now: PaperMarket) -> Facts:
    account = ledger.account()
    assert account is not None
    then = _as_opened(account, now)
    return Facts(
        recorded=read_recorded(ledger, then),
        versions=MarketVersions(config.market, then),
        now=now,
        follows_market=config.broker.entry.replays,
    )


def _as_opened(account: AccountRecord, now: PaperMarket) -> PaperMarket:
    """The newest market with the spec that the account was opened with."""
    spec = opened_with(account)[0]
    spec = spec.model_copy(update={"run": spec.run.model_copy(update={"prices": account.prices})})
    if not spec.differences(now.spec):
        return now
    then = now.with_spec(spec)
    if then.panel.symbols != now.panel.symbols:
        raise InputError(
            f"the spec trades {', '.join(now.panel.symbols)}, the account was opened with "
            f"{', '.join(then.panel.symbols)}; put the spec back, or choose another account.name"
        )
    return then


def _days(config: PaperConfig, equity: pd.Series, first: date | None, last: date | None) -> tuple[int, int]:
    """The first and the last of the account's closes that lie within days."""
    begin = 0 if first is None else int(equity.index.searchsorted(pd.Timestamp(first)))
    end = len(equity) - 1 if last is None else int(equity.index.searchsorted(pd.Timestamp(last), side="right")) - 1
    if equity.empty:
        raise InputError(
            f"the account {config.account.name} has no close yet; wanted one session that has ended: step again when "
            "its bars are there"
        )
    if begin > end:
        opened, newest = equity.index[0].date(), equity.index[-1].date()
        raise InputError(
            f"got the days {first or opened} to {last or newest}, in which the account {config.account.name} has no "
            f"close; wanted days from {opened} to {newest}"
        )
    return begin, end


def _replays(facts: Facts, report: Callable[[str], None]) -> Iterator[tuple[Key | None, np.ndarray]]:
    """The account, then the replay that swaps each cause besides those before."""
    report("the account")
    swapped, gone = frozenset[Cause](), frozenset[str]()
    yield None, Replay(facts, World(swapped)).run()
    _note_times(facts)
    for cause in Cause:
        versions = facts.hashes() if cause == Cause.DATA else []
        for content_hash in versions:
            gone |= {content_hash}
            report(f"{cause} ({_name(facts, content_hash)})")
            yield content_hash, Replay(facts, World(swapped, gone)).run()
        swapped |= {cause}
        if not versions:
            report(cause)
            yield cause, Replay(facts, World(swapped, gone), cause).run()


def _note_times(facts: Facts) -> None:
    """Note which orders filled at another session than that which they were decided for, or on another day."""
    panel, coins = facts.versions.newest.panel, facts.versions.newest.rules.coins
    for (row, place, _), order in facts.recorded.orders.items():
        day = panel.sessions[row].date()
        for fill in order.fills:
            if fill.row != row or (coins[place] and fill.day != day):
                facts.note(Cause.FILL_TIMES, row, order.client_id)


def _name(facts: Facts, key: Key | None) -> str:
    if key is None or isinstance(key, Cause):
        return str(key)
    name = facts.versions.name_of(key)
    return f"{Cause.DATA} {name}" if name else f"{Cause.DATA} (a version not kept, {key[:8]})"


def _row(facts: Facts, key: Key | None, name: str, amount: float, backtest: float, rows: tuple[int, int]) -> CauseRow:
    panel = facts.versions.newest.panel
    cause = key if isinstance(key, Cause) else Cause.DATA
    found = [each for each in facts.found[key] if rows[0] < each[0] <= rows[1] + 1] if key is not None else []
    return CauseRow(
        cause=name,
        means=MEANS[cause],
        amount=amount,
        share=amount / backtest if backtest else 0.0,
        sessions=tuple(panel.sessions[row].date() for row in sorted({row for row, _ in found})),
        orders=tuple(sorted({order for _, order in found if order})),
    )
