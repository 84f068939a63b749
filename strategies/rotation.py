"""The Backtrader strategy: on the bar of session D-1 it takes the decision for session D."""

import backtrader as bt
import numpy as np

from strategies.order_rules import plan_orders
from strategies.trade_terms import promised_units


class Rotation(bt.Strategy):
    """Bring the book to the plan's targets.

    It reads what the decision knows from the lines of each feed (`target`, `decision_price`, `rebalance`), never from
    ``close[0]``: at the decision, a coin's last close is a later one than the bar's. It plans on a rebalancing session
    and on the session after one on which an order was cut or not filled; targets live on, orders do not.

    Params:
        rules: `strategies.order_rules.OrderRules`.
        terms: `strategies.trade_terms.TradeTerms` of the feeds, in lists.
    """

    params = (("rules", None), ("terms", None))

    def __init__(self) -> None:
        self._plan_again = False

    def notify_order(self, order: bt.Order) -> None:
        """Remember that an order ended short of what it wanted."""
        if not order.alive() and order.info.cut:
            self._plan_again = True

    def next(self) -> None:
        """Decide for the session after this bar and send the orders: sells in units, buys as promises of money."""
        decides = bool(self.data.rebalance[0]) or self._plan_again
        self._plan_again = False
        if not decides:
            return
        terms, prices = self.p.terms, [data.decision_price[0] for data in self.datas]
        sell_units, buy_money, least = plan_orders(
            held=[self.getposition(data).size for data in self.datas],
            prices=prices,
            targets=[data.target[0] for data in self.datas],
            terms=terms,
            rules=self.p.rules,
            cash=self.broker.get_cash(),
        )
        for place in np.flatnonzero(sell_units).tolist():
            self.sell(self.datas[place], size=float(sell_units[place]))
        for place in np.flatnonzero(buy_money).tolist():
            money = float(buy_money[place])
            size = promised_units(money, prices[place], terms, place)
            self.buy(self.datas[place], size=size, money=money, minimum=float(least[place]))
