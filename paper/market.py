"""A market as the paper trader sees it: the panel, signal and plan of its spec, worked out once a snapshot."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from backtests.engines.ledger import run_ledger
from backtests.execution.fill_rules import FillRules
from backtests.prepare.prepared import Prepared, prepare
from backtests.prepare.span import Span, last_bars
from backtests.spec.extensions import Extensions, read_extensions
from backtests.spec.spec import Spec
from data.errors import InputError
from data.files.user_code import UserCallable
from data.files.user_world import unheard
from data.market.snapshot import Snapshot, is_built_in, read_manifest
from data.market.versions import resolve, versions_of
from data.markets import open_market
from data.prices.actions import listed_bars
from data.prices.panel import Panel, has_closes_alone
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class PaperMarket:
    """What decisions, fills and valuations of an account need of a market.

    Rows of a later session never change those of an earlier one, so that a decision for D reads row D of a plan that
    goes on, and finds what a backtest that ends there would.

    Attributes:
        prepared: from the account's first session on, as a backtest prepares its run.
        newest: date of the newest bar, by symbol.
    """

    prepared: Prepared
    newest: pd.Series

    @property
    def spec(self) -> Spec:
        """The account's spec, on its basis of prices."""
        return self.prepared.spec

    @property
    def snapshot(self) -> Snapshot:
        """Bars, series and events."""
        return self.prepared.snapshot

    @property
    def panel(self) -> Panel:
        """Prices of what the spec trades."""
        return self.prepared.panel

    @property
    def signal(self) -> LiquiditySignal:
        """The signal over all sessions."""
        return self.prepared.signal

    @property
    def plan(self) -> Plan:
        """The plan by session decided for."""
        return self.prepared.plan

    @cached_property
    def targets(self) -> np.ndarray:
        """(n, m) target weights of the plan; row i is of the decision that stands there."""
        return self.plan.targets[list(self.panel.symbols)].to_numpy()

    @cached_property
    def rebalance(self) -> np.ndarray:
        """(n,) whether the decision that stands there rebalances."""
        return self.plan.rebalance.to_numpy()

    @property
    def strategy(self) -> UserCallable | None:
        """The user's, which trades in the place of the rotation; None where there is none."""
        return self.prepared.extensions.strategy

    @property
    def rules(self) -> FillRules:
        """The rules of fills."""
        return self.prepared.rules

    def with_spec(self, spec: Spec) -> "PaperMarket":
        """The same snapshot and sessions as another spec has them."""
        sessions = self.panel.sessions
        return _market(spec, self.snapshot, read_extensions(spec), sessions[1], sessions[-1])

    def row(self, session: date) -> int:
        """The row of a session in the panel; the decision for it stands one row above."""
        return int(self.panel.sessions.searchsorted(pd.Timestamp(session)))

    @cached_property
    def kept_hashes(self) -> dict[int, tuple[str, str]]:
        """By row, what a broker has hashed of the sessions up to it, for as long as the market is kept."""
        return {}

    @cached_property
    def _has_bar(self) -> np.ndarray:
        return self.panel.has_bar()

    def has_ended(self, session: date, now: datetime) -> bool:
        """Whether the session's UTC day is over and its bars are there.

        They are where everything that had a bar at the session before has one, or a stock has a later one: what lacks
        its bar then is without it.
        """
        end = pd.Timestamp(session, tz="UTC") + timedelta(days=1)
        if pd.Timestamp(now) < end:
            return False
        row = self.row(session)
        has_bar, gone = self._has_bar, self.panel.leaving[row] | self.panel.ended[row]
        by_session = self.newest[~self.rules.coins] if not self.rules.coins.all() else self.newest
        return bool((~has_bar[row - 1] | has_bar[row] | gone).all() or by_session.max() > pd.Timestamp(session))

    def newest_bars(self, session: date) -> dict[str, date]:
        """Date of the newest bar before a session, of ``stocks`` and of ``coins``; no entry where there is none yet."""
        found: dict[str, date] = {}
        for symbol, is_coin in zip(self.panel.symbols, self.rules.coins, strict=True):
            dates = self.snapshot.bars_of(symbol)["date"]
            upto = int(dates.searchsorted(pd.Timestamp(session)))
            if upto:
                kind, newest = "coins" if is_coin else "stocks", dates.iloc[upto - 1].date()
                found[kind] = max(newest, found.get(kind, newest))
        return found

    def price_moves(self, session: date, since: date | None = None) -> dict[str, float]:
        """Largest change of the price known to a decision against the one before; splits and dividends taken out.

        Args:
            session: of the decision.
            since: the session from which on changes count; None: the last one alone, as where it is too late.
        """
        row = self.row(session) - 1
        first = row - 1 if since is None else min(self.row(since) - 1, row - 1)
        if row == 0:
            return {}
        known = self.panel.adjusted_decision_price[max(first, 0) : row + 1]
        moves = known[1:] / known[:-1] - 1.0
        at = np.abs(np.where(np.isnan(moves), 0.0, moves)).argmax(axis=0)
        largest = moves[at, np.arange(moves.shape[1])].tolist()
        return {symbol: move for symbol, move in zip(self.panel.symbols, largest, strict=True) if move == move}

    def backtest_equity(self, cash: float) -> pd.Series:
        """Equity by session of the spec run from so much cash, US dollars; a strategy's own is the event engine's.

        Raises:
            InputError: what a strategy of the user raises.
        """
        spec, prepared = self.spec, self.prepared
        if self.strategy is None:
            return run_ledger(self.rules, self.plan, spec.order_rules, cash).equity
        from backtests.engines.strategy_run import run_user_strategy

        terms = (self.rules, self.plan, spec.order_rules, cash, prepared.score, prepared.warmup)
        with unheard():
            return run_user_strategy(self.strategy, *terms).equity["equity"]

    def bar(self, symbol: str, day: pd.Timestamp) -> pd.Series | None:
        """The bar of an instrument on a calendar day; None where there is none."""
        bars = listed_bars(self.snapshot, symbol, self.spec.run.prices)
        return next((bar for date, bar in bars.loc[day:day].iterrows()), None)


# One market at a time is kept, so that a day's second step, and a replay's next one, find it worked out.
_SNAPSHOTS: dict[Hashable, Snapshot] = {}
_MARKETS: dict[Hashable, PaperMarket] = {}


def newest_snapshot(market: str) -> Snapshot:
    """Read the snapshot that a market's name stands for now.

    Raises:
        InputError: there is none, or its files were changed.
    """
    name = market if is_built_in(market) else resolve(market)
    content_hash = "" if is_built_in(name) else read_manifest(name).content_hash
    return _kept(_SNAPSHOTS, (name, content_hash), lambda: open_market(name))


def read_market(spec: Spec, snapshot: Snapshot, first: date, session: date) -> PaperMarket:
    """Work out all that an account needs for its sessions up to one.

    Args:
        spec: of the account, on its basis of prices.
        snapshot: bars, series and events.
        first: the account's first session.
        session: that must be in it; it need not have bars.

    Raises:
        InputError: spec and snapshot do not fit together, or files of the spec cannot be read.
    """
    if has_closes_alone(snapshot):
        raise _closes_alone(snapshot)
    extensions = read_extensions(spec)
    last = max(pd.Timestamp(session), snapshot.bars["date"].max())
    contents = tuple(file.content for file in extensions.files)
    key = (spec.to_toml(), contents, snapshot.content_hash, first, last)
    return _kept(_MARKETS, key, lambda: _market(spec, snapshot, extensions, pd.Timestamp(first), last))


class MarketVersions:
    """The versions of a market that an account was stepped on, by the hash of their content; each is read once."""

    def __init__(self, name: str, newest: PaperMarket) -> None:
        """Read nothing yet.

        Args:
            name: of the market.
            newest: the account's market as it is now.
        """
        self.name, self.newest = name, newest
        self._read: dict[str, PaperMarket | None] = {newest.snapshot.content_hash: newest}
        self._names: dict[str, str] | None = None

    def name_of(self, content_hash: str) -> str | None:
        """The name of a version; None where it is not kept."""
        if content_hash == self.newest.snapshot.content_hash:
            return self.newest.snapshot.name
        if self._names is None:
            self._names = {read_manifest(name).content_hash: name for name in versions_of(self.name)}
        return self._names.get(content_hash)

    def of(self, content_hash: str) -> PaperMarket | None:
        """The account's market as a version has it, its rows as those of the newest; None where it is not kept."""
        if content_hash not in self._read:
            name, prepared = self.name_of(content_hash), self.newest.prepared
            self._read[content_hash] = (
                None
                if name is None
                else _market(
                    self.newest.spec,
                    open_market(name),
                    prepared.extensions,
                    self.newest.panel.sessions[1],
                    self.newest.panel.sessions[-1],
                )
            )
        return self._read[content_hash]


def _kept(kept: dict[Hashable, Made], key: Hashable, make: Callable[[], Made]) -> Made:
    if key not in kept:
        made = make()
        kept.clear()
        kept[key] = made
    return kept[key]


def _market(
    spec: Spec, snapshot: Snapshot, extensions: Extensions, first: pd.Timestamp, last: pd.Timestamp
) -> PaperMarket:
    oldest = snapshot.bars_of(spec.universe.benchmark)["date"].min()
    if oldest >= first:
        raise InputError(
            f"got the session {first.date()}, wanted one after {oldest.date()}, the first bar of the benchmark "
            f"{spec.universe.benchmark} in market {snapshot.name}"
        )
    prepared = prepare(spec, snapshot, Span(first, last), extensions)
    if prepared.panel.fills_at_close:
        raise _closes_alone(snapshot)
    newest = last_bars(snapshot, prepared.spec.universe)
    return PaperMarket(prepared, newest[list(prepared.spec.universe.symbols)])


def _closes_alone(snapshot: Snapshot) -> InputError:
    return InputError(
        f"got market {snapshot.name}, which holds closes alone, wanted one with opens, at which an account fills; "
        "fetch or import such a market"
    )
