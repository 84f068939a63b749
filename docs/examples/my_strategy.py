"""A plain Backtrader strategy: nine tenths of the plan's weights, halved while the score says that money is scarce."""

import backtrader as bt


class MyStrategy(bt.Strategy):
    """On the bar of session D-1 `next` decides for session D; its orders fill at the opens of D."""

    def next(self) -> None:
        """Bring every instrument to its weight on the sessions on which the policy rebalances."""
        if not self.data.rebalance[0]:
            return
        share = 0.45 if self.data.score[0] > 0.2 else 0.9
        for data in self.datas:
            price = data.decision_price[0]
            # A comparison with a price that is not known yet is never true.
            if price > 0:
                self.order_target_percent(data, target=share * data.target[0], price=price)
