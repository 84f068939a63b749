"""The account of `late_world` on a market that tells anything late, otherwise, twice or not at all for a while.

What it must come to is reckoned here, by hand: units and cash by what is true, whatever was told when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, BARS
from data.prices.adjustment import adjusted_close
from hand_made import make_snapshot
from late_world import LateWorld

# Another instrument than MU, which a spin-off gives and a change of symbol leads to, costs so much.
OTHER, OTHER_PRICE = "CRM", 10.0


@dataclass(frozen=True)
class Fact:
    """Something about a unit of MU, and what the market says of it by the steps of some days.

    Attributes:
        kind: of the table of actions.
        on: a calendar day; it takes effect at the first session from it on.
        value: that is true; 0: nothing happened.
        told: by the session from whose step on it is said, the value that is; None: nothing. The last is the true one.
    """

    kind: str
    on: date
    value: float
    told: Mapping[date, float | None]

    def as_told(self, session: date | None) -> float | None:
        """The value by the step of a session; None for all that will be told."""
        found = [value for day, value in sorted(self.told.items()) if session is None or day <= session]
        return found[-1] if found else None


@dataclass
class ToldWorld(LateWorld):
    """An account, all of whose money is in MU from its first session on.

    Attributes:
        facts: of MU.
        unseen: bars that the market lacks for a while: by symbol and day, the steps (from, to) without it.
        revised: closes of MU that are told otherwise from the step of a session on.
    """

    facts: Sequence[Fact] = ()
    unseen: Mapping[tuple[str, date], tuple[date, date]] = field(default_factory=dict)
    revised: Mapping[date, tuple[date, float]] = field(default_factory=dict)

    def market(self, session: date, everything: bool = False) -> Snapshot:
        step = None if everything else session
        bars = self._bars
        if not everything:
            bars = bars[(bars["date"] < pd.Timestamp(session)).to_numpy()]
            away = {key for key, (begin, end) in self.unseen.items() if begin <= session < end}
            if away:
                there = [
                    (symbol, day.date()) not in away for symbol, day in zip(bars["symbol"], bars["date"], strict=True)
                ]
                bars = bars[there]
        actions = self._actions(step)
        of_mu = (bars["symbol"] == "MU").to_numpy()
        bars = bars.copy()
        for day, (since, close) in self.revised.items():
            if everything or since <= session:
                bars.loc[of_mu & (bars["date"] == pd.Timestamp(day)).to_numpy(), ["open", "high", "low", "close"]] = (
                    close
                )
        mine = bars.loc[of_mu]
        bars.loc[of_mu, "adj_close"] = adjusted_close(mine, actions).to_numpy()
        return replace(self._empty, name=f"late.{session:%m%d}", bars=bars, actions=actions)

    def comes_to(self) -> tuple[float, dict[str, float]]:
        """Cash and units after the last session, by what is true."""
        cash, units, other = 0.0, 100_000.0 / self.price, 0.0
        for session in self.sessions[1:]:
            of_day = [fact for fact in self.facts if fact.value and self._session_of(fact) == session]
            for fact in of_day:
                if fact.kind == "split":
                    units *= fact.value
                if fact.kind == "spin_off":
                    other += units * fact.value
                if fact.kind == "symbol_change":
                    units, other = 0.0, other + units * fact.value
                if fact.kind == "delisting":
                    units, cash = 0.0, cash + units * fact.value
            cash += sum(units * fact.value for fact in of_day if fact.kind == "dividend")
        return cash, {symbol: held for symbol, held in {"MU": units, OTHER: other}.items() if held}

    def _session_of(self, fact: Fact) -> date:
        # A delisting names the last day of trading.
        on = fact.on + timedelta(days=1) if fact.kind == "delisting" else fact.on
        return self._after(on - timedelta(days=1))

    @cached_property
    def _empty(self) -> Snapshot:
        day = f"{pd.Timestamp(self.first) - pd.Timedelta(days=10):%Y-%m-%d}"
        made = make_snapshot({"MU": [(day, 1.0, 1.0)], OTHER: [(day, 1.0, 1.0)]}, as_traded=True)
        return replace(made, bars=BARS.empty())

    @cached_property
    def _bars(self) -> pd.DataFrame:
        days = sessions_between(pd.Timestamp(self.first) - pd.Timedelta(days=10), pd.Timestamp(self.last))
        prices = [("MU", day, self._price(day.date())) for day in days if not self._is_gone(day.date())]
        prices += [(OTHER, day, OTHER_PRICE) for day in days]
        table = pd.DataFrame(prices, columns=["symbol", "date", "close"]).sort_values(["symbol", "date"])
        for name in ("open", "high", "low", "adj_close"):
            table[name] = table["close"]
        return BARS.conform(table.assign(volume=1e6))

    def _actions(self, session: date | None) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        for fact in self.facts:
            value = fact.as_told(session)
            if value:
                into = OTHER if fact.kind in ("spin_off", "symbol_change") else ""
                rows.append({"kind": fact.kind, "date": pd.Timestamp(fact.on), "value": value, "into": into})
                rows[-1]["factor"] = self._factor(fact, value) if fact.kind == "spin_off" else float("nan")
        if not rows:
            return ACTIONS.empty()
        known = pd.Timestamp("2020-01-02", tz="UTC")
        table = pd.DataFrame(rows).assign(symbol="MU", known_at=known, source="test")
        return ACTIONS.conform(table.sort_values(["date", "kind"]))

    def _factor(self, fact: Fact, value: float) -> float:
        before = self._price(fact.on - timedelta(days=1))
        return before / (before - value * OTHER_PRICE)

    def _price(self, day: date) -> float:
        price = self.price
        for fact in sorted(self.facts, key=lambda each: (each.on, each.kind != "split")):
            if fact.on > day or not fact.value:
                continue
            if fact.kind == "split":
                price /= fact.value
            elif fact.kind == "dividend":
                price -= fact.value
            elif fact.kind == "spin_off":
                price -= fact.value * OTHER_PRICE
        return self.closes.get(day, price)

    def _is_gone(self, day: date) -> bool:
        return any(
            (each.kind == "delisting" and day > each.on) or (each.kind == "symbol_change" and day >= each.on)
            for each in self.facts
            if each.value
        )
