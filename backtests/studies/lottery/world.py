"""Everything that a draw may hold, on the sessions of a run: prices, rules and pools, laid out once for all draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules, fill_rules
from backtests.prepare.plans import asset_classes, policy_prices
from backtests.prepare.prepared import Prepared
from backtests.prepare.span import last_bars
from backtests.prepare.traded_units import require_traded_units
from backtests.studies.lottery.pools import (
    OF_AN_INDEX,
    Asked,
    Slot,
    candidates,
    chosen_sectors,
    left_out,
    slots_of,
)
from data.catalogue.instruments import Instrument
from data.clock import decision_times, next_session
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import DELISTING
from data.prices.panel import MAX_SHARE_WITHOUT_OPEN, Panel, build_panel, has_closes_alone

# In fewer sessions the regimes have fewer places to be moved to than `shares.FEWEST`.
MINIMUM_SESSIONS = 400
Drawn = Sequence[tuple[Snapshot, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class World:
    """Columns that a draw takes: those of the spec's universe first, then all else that can be drawn.

    Attributes:
        prepared: the run, as far as all of it has prices.
        rules: how each of M columns is filled.
        tradable: (n, M) whether it may be held at each session decided for.
        prices: known at each decision and before, for volatilities; of the same columns.
        slots: places that something is drawn for, by the day on which each is first held.
        pools: of each of them, the columns that could have been chosen.
        sectors: by basket; empty where names are drawn by class.
        at_close: whether stocks fill at the close of the session.
        cut_by: names whose files end the lottery before the run, with the day on which each ends.
        notes: on what was left out.
    """

    prepared: Prepared
    rules: FillRules
    tradable: np.ndarray
    prices: pd.DataFrame
    slots: tuple[Slot, ...]
    pools: tuple[np.ndarray, ...]
    sectors: Mapping[str, list[str]]
    at_close: bool
    cut_by: Mapping[str, pd.Timestamp]
    notes: tuple[str, ...]

    @property
    def panel(self) -> Panel:
        """Prices of all columns."""
        return self.rules.panel

    @property
    def own(self) -> np.ndarray:
        """(m,) the columns of the spec's universe."""
        return np.arange(len(self.prepared.spec.universe.symbols))

    def names(self, columns: np.ndarray) -> list[str]:
        """What some columns are called."""
        return [self.panel.symbols[column].rpartition(":")[2] for column in columns.tolist()]


def make_world(prepared: Prepared, asked: Asked) -> World:
    """Lay out what can be drawn in the place of a run's names.

    Args:
        prepared: the run.
        asked: what names are drawn from.

    Raises:
        InputError: the spec needs what no draw can give, a sector is unknown, a pool is too small, or there are no
            prices for the span.
    """
    _require_drawable(prepared)
    spec, own = prepared.spec, prepared.snapshot
    universe = own if asked.universe is None else asked.universe
    _require_span(universe, prepared)
    stale = spec.order_rules.stale_sessions
    slots = slots_of(
        spec.universe,
        asset_classes(own, prepared.panel),
        prepared.panel.tradable(stale).to_numpy(dtype=bool),
        spec.universe.symbols,
    )
    days = prepared.panel.decides_for
    sectors = chosen_sectors(asked, universe, slots, days)
    drawn = [candidates(slot, own, asked, sectors, decision_times(days[[slot.row]])[0]) for slot in slots]
    apart = {spec.universe.benchmark, *spec.universe.reserve}
    drawn = [(market, [name for name in names if name not in apart]) for market, names in drawn]
    at_close = has_closes_alone(universe)
    for market, names in drawn:
        if market is universe:  # Before the run's own market: what closes alone cannot give is told as such.
            require_traded_units(spec.costs, market, names, "adjusted")
    prepared, cut_by = _upto_the_first_end(prepared, drawn)
    rules, prices, notes = _columns(prepared, drawn, at_close)
    tradable = rules.panel.tradable(stale).to_numpy(dtype=bool)
    places = {symbol: place for place, symbol in enumerate(rules.panel.symbols)}
    kept, pools = [], []
    for slot, (market, names) in zip(slots, drawn, strict=True):
        if slot.row < len(tradable) - 1:  # What the cut leaves.
            columns = [places[key] for name in names if (key := _key(market, name, own)) in places]
            kept.append(slot)
            pools.append(np.array([each for each in columns if tradable[slot.row, each]], dtype=np.int64))
    _require_enough(kept, pools, days)
    notes += _left_out(kept, drawn, sectors)
    if spec.run.prices == "raw":
        notes.append("the run is on raw prices, the lottery on adjusted ones: dividends are in the prices")
    return World(
        prepared=prepared,
        rules=rules,
        tradable=tradable,
        prices=prices,
        slots=tuple(kept),
        pools=tuple(pools),
        sectors=sectors,
        at_close=at_close,
        cut_by=cut_by,
        notes=tuple(notes),
    )


def _left_out(slots: Sequence[Slot], drawn: Drawn, sectors: Mapping[str, list[str]]) -> list[str]:
    """Notes on names of a class that no draw takes."""
    reasons: dict[str, set[str]] = {}
    for slot, (market, _) in zip(slots, drawn, strict=False):
        if not (sectors and slot.asset_class == OF_AN_INDEX):
            for symbol, reason in left_out(market, slot.asset_class).items():
                reasons.setdefault(reason, set()).add(symbol)
    return [f"left out of the draws, {reason}: {', '.join(sorted(names))}" for reason, names in reasons.items()]


def _require_drawable(prepared: Prepared) -> None:
    """Refuse specs whose weights are made for their own names."""
    spec = prepared.spec
    asked = {
        "run.strategy": spec.run.strategy,
        "policy.function": spec.policy.function,
        "policy.weights": spec.policy.weights,
        "universe.rule": None if spec.universe.rule is None else spec.universe.rule.by,
        "policy.blend_by_probability": spec.policy.blend_by_probability or None,
    }
    for key, value in asked.items():
        if value is not None:
            raise InputError(
                f"{key}: got {value}, wanted names and the built-in policy on regimes, which alone can be played with "
                "other names"
            )


def _require_span(universe: Snapshot, prepared: Prepared) -> None:
    first, last = universe.bars["date"].min(), universe.bars["date"].max()
    sessions = prepared.panel.sessions
    if pd.isna(first) or first > sessions[0] or last <= sessions[1]:
        held = "no prices" if pd.isna(first) else f"prices from {first.date()} to {last.date()}"
        raise InputError(
            f"market {universe.name} holds {held}, wanted those of the run's span, {sessions[0].date()} to "
            f"{sessions[-1].date()}; take another market, or another run"
        )


def _upto_the_first_end(prepared: Prepared, drawn: Drawn) -> tuple[Prepared, dict[str, pd.Timestamp]]:
    """End on the last session for which no file that a draw needs has ended, and say whose files end there.

    A file that ends because its name was delisted has to.
    """
    last = prepared.panel.sessions[-1]
    own = last_bars(prepared.snapshot, prepared.spec.universe)
    ends = {str(name): day for name, day in own.items() if not _is_delisted(prepared.snapshot, str(name))}
    for market in {id(market): market for market, _ in drawn}.values():
        names = {name for each, part in drawn if each is market for name in part}
        ends_of = market.bars.loc[market.bars["symbol"].isin(names)].groupby("symbol")["date"].max()
        ends |= {str(name): day for name, day in ends_of.items() if not _is_delisted(market, str(name))}
    cut = min([last, *ends.values()])
    if cut < last:
        prepared = prepared.upto(next_session(cut))
    if len(prepared.panel.sessions) - 1 < MINIMUM_SESSIONS:
        raise InputError(
            f"got {len(prepared.panel.sessions) - 1} sessions on which all names have prices (to {cut.date()}), wanted "
            f"at least {MINIMUM_SESSIONS}; take a longer run"
        )
    return prepared, {name: day for name, day in ends.items() if cut < last and day == cut}


def _is_delisted(market: Snapshot, symbol: str) -> bool:
    return bool((market.actions_of(symbol)["kind"] == DELISTING).any())


def _columns(prepared: Prepared, drawn: Drawn, at_close: bool) -> tuple[FillRules, pd.DataFrame, list[str]]:
    """How each column fills, what is known of its prices, and notes on names that are left out."""
    own, spec, notes = prepared.snapshot, prepared.spec, []
    markets = {id(own): own} | {id(market): market for market, _ in drawn}
    panels, prices, instruments = [], [], dict[str, Instrument]()
    for market in markets.values():
        mine = list(spec.universe.symbols) if market is own else []
        held = set(market.bars["symbol"].unique())
        wanted = {name for each, names in drawn if each is market for name in names if name in held}
        panel = _panel(prepared, market, [*mine, *sorted(wanted - {*mine})], at_close)
        lacking = _without_opens(panel, mine)
        if lacking:
            notes.append(f"left out of the draws, whose opens are not known: {', '.join(lacking)}")
            panel = panel.select(tuple(symbol for symbol in panel.symbols if symbol not in lacking))
        require_traded_units(spec.costs, market, panel.symbols, "adjusted")
        keys = tuple(_key(market, symbol, own) for symbol in panel.symbols)
        instruments |= {key: market.instruments[symbol] for key, symbol in zip(keys, panel.symbols, strict=True)}
        prices.append(policy_prices(spec, market, panel).set_axis(list(keys), axis=1))
        panels.append(replace(panel, symbols=keys))
    rules = fill_rules(
        panels[0].beside(panels[1:]), instruments, spec.costs, spec.order_rules, prepared.market_rules.interest
    )
    return rules, pd.concat(prices, axis=1), notes


def _panel(prepared: Prepared, market: Snapshot, symbols: Sequence[str], at_close: bool) -> Panel:
    """Prices of some names; where stocks fill at the close, coins still fill at their open."""
    sessions = prepared.panel.sessions
    panel = build_panel(market, symbols, sessions[1], sessions[-1], "adjusted")
    if panel.conversions:
        symbol = panel.conversions[0].symbol
        raise InputError(f"{symbol}: got a name that becomes another in the run, wanted names that stay; take it out")
    if not at_close:
        return panel
    coins = np.array([market.instruments[symbol].is_crypto for symbol in symbols], dtype=bool)
    return panel.filled_at_close(coins)


def _without_opens(panel: Panel, own: Sequence[str]) -> list[str]:
    """Names that could not have been traded on too many of their days; the spec's own have been looked at."""
    share = panel.bars_without_open() / np.maximum(panel.has_bar().sum(axis=0), 1)
    return [
        symbol
        for symbol, part in zip(panel.symbols, share, strict=True)
        if part > MAX_SHARE_WITHOUT_OPEN and symbol not in own
    ]


def _key(market: Snapshot, symbol: str, own: Snapshot) -> str:
    """What a column is called: of two markets one may have the other's symbols."""
    return symbol if market is own else f"{market.name}:{symbol}"


def _require_enough(slots: Sequence[Slot], pools: Sequence[np.ndarray], days: pd.DatetimeIndex) -> None:
    """Refuse a pool that the places before it may have emptied."""
    if not slots:
        raise InputError("got a spec whose baskets are never held, wanted names to draw others for; move run.start")
    others = set()
    for place, (slot, pool) in enumerate(zip(slots, pools, strict=True)):
        # Each place before takes one name at most of this pool.
        before = sum(bool(np.isin(each, pool).any()) for each in pools[:place])
        if len(pool) <= before:
            raise InputError(
                f"{slot.basket}: got {len(pool)} names for the place of {slot.symbol} on {days[slot.row].date()}, "
                f"wanted more than the {before} that are drawn before it; take a wider sector or a larger universe"
            )
        others |= {*pool.tolist()} - {each.column for each in slots if each.basket == slot.basket}
    if not others:
        raise InputError("got no name beside the spec's own to draw, wanted more; take a larger universe")
