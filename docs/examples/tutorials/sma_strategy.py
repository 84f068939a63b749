"""A moving-average strategy as Backtrader's own tutorials have it, brought over."""

import backtrader as bt


class MovingAverage(bt.Strategy):
    """Hold an equal share of each instrument that closes above its mean of a hundred sessions."""

    params = (("length", 100),)

    def __init__(self) -> None:
        """Make an indicator for every feed, as ever."""
        self.means = {data: bt.indicators.SMA(data.close, period=self.p.length) for data in self.datas}

    def next(self) -> None:
        """Enter and leave at the crossings."""
        for data in self.datas:
            price = data.decision_price[0]
            if not price > 0:
                continue
            held = self.getposition(data).size > 0
            above = data.close[0] > self.means[data][0]
            if above and not held:
                self.order_target_percent(data, target=0.9 / len(self.datas), price=price)
            elif held and not above:
                self.close(data)
