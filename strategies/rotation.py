"""The Backtrader strategy: on the bar of session D-1 it takes the decision for session D."""

import math

import backtrader as bt
import numpy as np

from strategies.fills import Hindrance
from strategies.order_rules import plan_orders
from strategies.trade_terms import promised_units


class Rotation(bt.Strategy):
    """Bring the book to the plan's targets.

    It reads what the decision knows from the lines of each feed (`target`, `decision_price`, `rebalance`), never from
    ``close[0]``: at the decision, a coin's last close is a later one than the bar's. It plans on a rebalancing session
    and, for the instruments that fell short for want of cash or volume, on the session after; targets live on, orders
    do not.

    Attributes:
        unsent: row of the decision, place of the instrument and `Hindrance` of every order that a rebalancing did not
            send because it could not be filled even at the decision's own price.

    Params:
        rules: `strategies.order_rules.OrderRules`.
        terms: `strategies.trade_terms.TradeTerms` of the feeds, in lists.
    """

    params = (("rules", None), ("terms", None))

    def __init__(self) -> None:
        self.unsent: list[tuple[int, int, Hindrance]] = []
        self._short: set[bt.feed.DataBase] = set()

    def notify_order(self, order: bt.Order) -> None:
        """Remember whose order ended short of what it wanted, and may have it at the next session."""
        if not order.alive() and order.info.short:
            self._short.add(order.data)

    def next(self) -> None:
        """Decide for the session after this bar and send the orders: sells in units, buys as promises of money."""
        is_due, short = bool(self.data.rebalance[0]), self._short
        if not (is_due or short):
            return
        self._short = set()
        terms, prices = self.p.terms, [data.decision_price[0] for data in self.datas]
        sell_units, buy_money, least, unsent = plan_orders(
            held=[self.getposition(data).size for data in self.datas],
            prices=prices,
            targets=[data.target[0] if is_due or data in short else math.nan for data in self.datas],
            terms=terms,
            rules=self.p.rules,
            cash=self.broker.get_cash(),
        )
        if is_due:
            row = len(self) - 1
            self.unsent += [(row, place, Hindrance(unsent[place])) for place in np.flatnonzero(unsent).tolist()]
        for place in np.flatnonzero(sell_units).tolist():
            self.sell(self.datas[place], size=float(sell_units[place]))
        for place in np.flatnonzero(buy_money).tolist():
            money = float(buy_money[place])
            size = promised_units(money, prices[place], terms, place)
            self.buy(self.datas[place], size=size, money=money, minimum=float(least[place]))
