"""A paper account at Alpaca.

What is known to go wrong there, and what is done about it:

- Parts of a share trade at the market and for the day only, and crypto refuses orders for the day: orders are market
  orders, ``day`` for stocks, ``gtc`` or ``ioc`` for coins (`paper.config`).
- A sell adds nothing to what can be spent before it is executed: buys are sent when the sells of their moment have
  ended, and are cut to the cash then present by one factor. Coins are paid with settled cash, and nothing on margin.
- A market order of unknown units may be valued above the quote: buys name US dollars instead (``notional``).
- Refusals of business, too little buying power, a wash trade and the like, whatever their number: the order ends as
  refused with Alpaca's words, which are told, and the next session plans anew.
- "qty must be integer" (paper accounts of before 2022), or any other refusal: the order is rejected, and the trader
  halts with Alpaca's words.
- A request that got no answer may have been acted upon: an order is looked up by its client id before it is sent again,
  and one that Alpaca has already ("client_order_id must be unique") is taken for sent.
- Coins are not bought for less than 10 US dollars (403, "cost basis must be >= minimal amount of order 10"): the order
  ends as too small.
- Paper accounts book neither dividends nor splits: `paper.step.shadow_book`.
- A coin that was bought comes less its fee, which is posted a day later: `paper.brokers.alpaca.fees`. A sell is cut to
  what is there. Dust, less than Alpaca's smallest order, is not sent: it stays in the ledger as in the account.
- Positions vanish, or change by hand; an account is reset: every step compares, and the trader halts.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from paper.broker import Account, BrokerClock, Fill, Intent, Movement, OrderState
from paper.brokers.alpaca.answers import (
    Raw,
    coin_fee_of,
    fill_of,
    flag,
    from_alpaca,
    is_coin,
    moment,
    movement_of,
    number,
    order_state,
    posted_at,
    to_alpaca,
    understood,
    units_of,
)
from paper.brokers.alpaca.fees import POSTED_WITHIN, unposted_fees
from paper.brokers.alpaca.orders import TOO_SMALL, Asset, Order, sized_buys, sized_sells
from paper.brokers.alpaca.requests import AlpacaRequests, RequestRefused
from paper.brokers.nyse_hours import nyse_clock
from paper.config import PaperConfig
from paper.errors import BrokerRefused
from paper.market import PaperMarket
from strategies.fills import OrderStatus

# Seconds: market orders fill within moments, so a step waits for them, but not for ever.
FILL_WAIT = 20.0
POLL = 1.0
# A fill must not be stamped before its intent; the other way there is the time that a step has taken so far.
CLOCK_BEHIND = timedelta(seconds=30)
CLOCK_AHEAD = timedelta(minutes=30)
A_MOMENT = timedelta(minutes=1)
# US dollars: half a cent a fill, over hundreds of fills.
CASH_ROUNDING = 1.0

# Alpaca's words for an order below its smallest: "cost basis must be >= minimal amount of order 10".
MINIMAL = "minimal amount of order"
# Its words for refusals that the next session may not meet: the order is at fault, or the moment, and nobody need look.
BUSINESS = (
    *("insufficient buying power", "insufficient balance", "insufficient qty", "wash trade", "day trading"),
    *("is not tradable", "not currently tradable", "trading is halted", "asset is not active"),
)
# US dollars of equity below which a pattern day trader may be refused.
PATTERN_DAY_TRADER = 25_000.0
# The newest orders; one that is older is looked up by its id.
NEWEST_ORDERS = 500


class AlpacaBroker:
    """A paper account at Alpaca; a `paper.broker.Broker`."""

    name = "alpaca"
    fills_by_stamp = False

    def __init__(
        self,
        config: PaperConfig,
        now: datetime,
        requests: AlpacaRequests | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the account.

        Args:
            config: endpoint, names of the keys, time in force.
            now: the time by our clock.
            requests: None: those of the configuration.
            wait: for so many seconds.

        Raises:
            InputError: a key is missing, or alpaca-py is not installed.
        """
        self._requests = requests or AlpacaRequests(config.broker)
        self._now, self._started, self._wait = now, time.monotonic(), wait
        self._coin_time_in_force = config.orders.crypto.time_in_force
        self._assets: dict[str, Asset] = {}

    def close(self) -> None:
        """Close the connections."""
        self._requests.close()

    def send(self, intents: Sequence[Intent]) -> list[OrderState]:
        """Send orders of one side and one moment, and wait a little for them to end."""
        known = self._orders([intent.client_id for intent in intents])
        missing = [intent for intent in intents if intent.client_id not in known]
        if not missing:
            return []
        is_open = self.clock().is_open
        ended = []
        for order in self._sized(missing):
            state = order if isinstance(order, OrderState) else self._place(order)
            if state is not None:
                ended.append(state)
        if is_open or missing[0].is_coin:
            self._wait_for([intent.client_id for intent in missing], len(missing) - len(ended))
        return ended

    def states(self, client_ids: Collection[str]) -> list[OrderState]:
        """Say what became of orders; one that is not at Alpaca is left out."""
        with understood("an order"):
            return [order_state(order) for order in self._orders(client_ids).values()]

    def fills(self, client_ids: Collection[str]) -> list[Fill]:
        """All fills of these orders so far, by time; each once."""
        orders = self._orders(client_ids)
        if not orders:
            return []
        with understood("an order"):
            since = min(moment(order["submitted_at"]) for order in orders.values())
            clients = {order["id"]: client_id for client_id, order in orders.items()}
        activities = self._activities("/account/activities/FILL", since)
        with understood("a fill"):
            ours = [each for each in activities if each["order_id"] in clients]
            fills = [
                fill_of(each, client_id, orders[client_id])
                for each in ours
                for client_id in [clients[each["order_id"]]]
            ]
        return sorted(fills, key=lambda fill: (fill.at, fill.fill_id))

    def movements(self, since: datetime | None) -> list[Movement]:
        """Fees, dividends, interest and whatever else moved without an order, by time of posting; each once."""
        activities = self._activities("/account/activities", since, category="non_trade_activity")
        with understood("an activity"):
            booked = [movement_of(each) for each in activities if since is None or posted_at(each) >= since]
        return sorted(booked, key=lambda movement: (movement.at, movement.movement_id))

    def notices(self) -> list[str]:
        """What Alpaca says of the account that stops nothing yet."""
        account = self._requests.get("/account")
        with understood("an account"):
            return [sentence for sentence in _standing(account) if sentence]

    def account(self) -> Account:
        """Cash and positions as they are now, and what fees may still be taken from them.

        Raises:
            BrokerRefused: the account may not trade.
        """
        account, positions = self._requests.get("/account"), self._requests.get("/positions")
        with understood("an account"):
            _require_active(account)
            cash = number(account["cash"])
            settled = min(cash, number(account["non_marginable_buying_power"]))
            if account.get("currency", "USD") != "USD":
                raise BrokerRefused(f"the account at Alpaca is in {account['currency']!r}, wanted one in USD")
            held = {from_alpaca(each["symbol"], is_coin(each["symbol"])): number(each["qty"]) for each in positions}
            if len(held) < len(positions):
                raise ValueError(f"got several positions of one instrument: {sorted(held)}")
            accrued = sum(number(account.get(name)) for name in ("accrued_fees", "pending_reg_taf_fees"))
        at = self._time()
        since = at - 3 * POSTED_WITHIN
        fills = self._activities("/account/activities/FILL", since)
        with understood("a fill"):
            of_coins = [fill_of(each, "") for each in fills if is_coin(each["symbol"])]
        posted = self._activities("/account/activities/CFEE", since) if of_coins else []
        with understood("a fee"):
            unposted = unposted_fees(of_coins, [coin_fee_of(each) for each in posted], at.date())
        tolerance = CASH_ROUNDING + unposted.cash + accrued
        return Account(cash, max(settled, 0.0), held, at, unposted.units, tolerance)

    def clock(self) -> BrokerClock:
        """Alpaca's clock.

        Raises:
            BrokerRefused: it is not ours, or its stocks open and close at other times than our calendar has it.
        """
        raw = self._requests.get("/clock")
        with understood("a clock"):
            told = BrokerClock(
                moment(raw["timestamp"]), flag(raw["is_open"]), moment(raw["next_open"]), moment(raw["next_close"])
            )
        ours = self._time()
        if not ours - CLOCK_BEHIND <= told.now <= ours + CLOCK_AHEAD:
            raise BrokerRefused(f"Alpaca's clock says {told.now:%Y-%m-%d %H:%M:%S} UTC, ours {ours:%Y-%m-%d %H:%M:%S}")
        # At the very open and close the two may be a moment apart.
        ours_then = [
            replace(nyse_clock(told.now + shift), now=told.now) for shift in (timedelta(), A_MOMENT, -A_MOMENT)
        ]
        if told not in ours_then:
            raise BrokerRefused(f"Alpaca's calendar says {_hours(told)}, ours {_hours(ours_then[0])}")
        return told

    def cancel(self, client_ids: Collection[str]) -> None:
        """Ask for open orders to end."""
        for order in self._orders(client_ids).values():
            with understood("an order"):
                is_over, path = order_state(order).status != OrderStatus.OPEN, f"/orders/{order['id']}"
            if is_over:
                continue
            try:
                self._requests.delete(path)
            except RequestRefused as error:
                # It has ended in between.
                if error.status not in (404, 422):
                    raise

    def _orders(self, client_ids: Collection[str]) -> dict[str, Raw]:
        """Those of these orders that are at Alpaca, by client id, in this order."""
        if not client_ids:
            return {}
        query = {"status": "all", "limit": str(NEWEST_ORDERS), "direction": "desc"}
        newest = self._requests.get("/orders", query)
        with understood("a list of orders"):
            listed = {order["client_order_id"]: order for order in newest}
        found = {client_id: listed.get(client_id) or self._requests.order(client_id) for client_id in client_ids}
        return {client_id: order for client_id, order in found.items() if order is not None}

    def _place(self, order: Order) -> OrderState | None:
        """Send an order; None where it has arrived, else what became of it."""
        try:
            self._requests.place(order)
        except RequestRefused as error:
            # What its smallest order is Alpaca may change; such an order is none, as one of less than a cent.
            if MINIMAL in error.message:
                return OrderState(order.client_id, OrderStatus.UNFILLED, 0.0, TOO_SMALL)
            if any(words in error.message.lower() for words in BUSINESS):
                return OrderState(order.client_id, OrderStatus.UNFILLED, 0.0, f"refused by {error}")
            return OrderState(order.client_id, OrderStatus.REJECTED, 0.0, f"rejected by {error}")
        return None

    def _sized(self, intents: Sequence[Intent]) -> list[Order | OrderState]:
        assets = {intent.symbol: self._asset(intent) for intent in intents}
        if intents[0].side == "sell":
            positions = self._requests.get("/positions")
            with understood("a position"):
                free = {
                    from_alpaca(each["symbol"], is_coin(each["symbol"])): units_of(
                        each.get("qty_available") or each["qty"]
                    )
                    for each in positions
                }
            return sized_sells(intents, assets, free, self._coin_time_in_force)
        return sized_buys(intents, assets, self._spendable(intents[0].is_coin), self._coin_time_in_force)

    def _asset(self, intent: Intent) -> Asset:
        symbol = to_alpaca(intent.symbol, intent.is_coin)
        if symbol not in self._assets:
            raw = self._requests.get(f"/assets/{symbol.replace('/', '%2F')}")
            with understood("an asset"):
                self._assets[symbol] = Asset.of(raw)
        return self._assets[symbol]

    def _spendable(self, on_coins: bool) -> float:
        """US dollars that nothing is promised of: settled ones for coins, and never borrowed ones."""
        account = self._requests.get("/account")
        waiting = self._requests.get("/orders", {"status": "open", "limit": str(NEWEST_ORDERS), "side": "buy"})
        with understood("an account"):
            _require_active(account)
            promised = sum(
                number(order["notional"]) - number(order["filled_qty"]) * number(order["filled_avg_price"])
                for order in waiting
                if order["notional"] is not None
            )
            # What other orders hold back is missing from buying power, whatever they are.
            limits = [number(account["cash"]) - promised, number(account["buying_power"])]
            if on_coins:
                limits.append(number(account["non_marginable_buying_power"]))
        return max(min(limits), 0.0)

    def _wait_for(self, client_ids: Collection[str], orders: int) -> None:
        """Wait until orders have ended, or for long enough: the next step goes on."""
        for _ in range(int(FILL_WAIT / POLL)):
            if sum(state.status != OrderStatus.OPEN for state in self.states(client_ids)) >= orders:
                return
            self._wait(POLL)

    def _activities(self, path: str, since: datetime | None, **query: str) -> list[Raw]:
        """Activities booked since a moment, and some before it; each once."""
        if since is not None:
            # Some are stamped with their day alone, and are booked later.
            query["after"] = f"{since - POSTED_WITHIN:%Y-%m-%dT00:00:00Z}"
        return self._requests.pages(path, query)

    def _time(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._started)


def open_account(
    config: PaperConfig, _folder: Path, _market: PaperMarket, _initial_cash: float, clock: Callable[[], datetime]
) -> AlpacaBroker:
    """Open a paper account at Alpaca; see `paper.brokers.opener.open_broker`."""
    return AlpacaBroker(config, clock())


def _require_active(account: Mapping[str, object]) -> None:
    blocks = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
    found = [name for name in blocks if account.get(name)]
    if account["status"] != "ACTIVE":
        found.append(f"status {account['status']!r}")
    if found:
        raise BrokerRefused(f"the account at Alpaca may not trade: {', '.join(found)}")


def _standing(account: Mapping[str, object]) -> list[str]:
    """Sentences on what may stop orders later; the same as long as it stays so."""
    coins = account.get("crypto_status", "ACTIVE")
    return [
        "Alpaca marks the account as that of a pattern day trader: with less than 25,000 USD it may refuse orders"
        if account.get("pattern_day_trader") is True and number(account.get("equity")) < PATTERN_DAY_TRADER
        else "",
        f"Alpaca says that coins are {coins!r} for this account: orders of coins will be refused"
        if coins != "ACTIVE"
        else "",
    ]


def _hours(clock: BrokerClock) -> str:
    state = "open" if clock.is_open else "closed"
    return f"{state}, next open {clock.next_open:%Y-%m-%d %H:%M} UTC, next close {clock.next_close:%Y-%m-%d %H:%M} UTC"
