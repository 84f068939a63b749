"""Regime and score as lines of a feed in one's own Cerebro, and a rotation that reads them.

    python docs/examples/engine_cerebro.py

The market is the built-in one, which is SIMULATED.
"""

import backtrader as bt
import pandas as pd

import reverse_qe

# Shares of equity by regime: a share in software and a share in memory makers; the rest stays in cash.
SHARES = {"ABUNDANT": (0.8, 0.1), "NEUTRAL": (0.45, 0.45), "SCARCE": (0.0, 0.9)}
STOCKS = ("SIM-SAAS-A", "SIM-MEMORY-A")
FIRST, LAST, CASH = "2019-01-02", "2023-12-29", 100_000.0
NUMBERS = {"ABUNDANT": -1.0, "NEUTRAL": 0.0, "SCARCE": 1.0}  # a line holds numbers; as in a score, + means scarcer


class Feed(bt.feeds.PandasData):
    """Bars with the signal that is known when the order of a bar goes out."""

    lines = ("regime", "score")
    params = (("regime", -1), ("score", -1))  # columns of that name


def with_signal(bars, reading):
    """Bars by session, with regime and score as known before the open after each: there their orders fill."""
    fills = bars.index[1:].append(bars.index[-1:] + pd.Timedelta("1D"))
    known = reading.at(fills.tz_localize("UTC") + pd.Timedelta("13h"))  # before the NYSE opens, summer and winter
    return bars.assign(regime=known["regime"].map(NUMBERS).to_numpy(), score=known["score"].to_numpy())


class Rotation(bt.Strategy):
    """Every change of regime is traded at the next open, what is sold first."""

    def __init__(self):
        """Nothing was traded yet."""
        self.held, self.trades = None, []

    def next(self):
        """Bring the stocks to the shares of the regime, sized by the close."""
        regime = self.data.regime[0]
        if regime == self.held:
            return
        self.held, worth = regime, self.broker.getvalue()
        shares = next(SHARES[name] for name, number in NUMBERS.items() if number == regime)
        wanted = zip(self.datas, shares, strict=True)
        sizes = [(share * worth / data.close[0] - self.getposition(data).size, data) for data, share in wanted]
        for size, data in sorted(sizes, key=lambda each: each[0]):
            self.buy(data, size=size) if size > 0 else self.sell(data, size=-size)

    def notify_order(self, order):
        """Keep what was filled, and hide no order that was not."""
        if order.status in (order.Margin, order.Rejected):
            raise RuntimeError(f"an order of {order.data._name} was refused: {order.getstatusname()}")
        if order.status == order.Completed:
            self.trades.append((bt.num2date(order.executed.dt), order.data._name, order.executed.size))


def run(market):
    """Run the rotation from the open of FIRST on; its equity by session, and its trades."""
    reading, cerebro = reverse_qe.signal(market=market), bt.Cerebro(stdstats=False)
    for name in STOCKS:
        bars = market.bars.query("symbol == @name").set_index("date")[["open", "high", "low", "close", "volume"]]
        before = bars.index[bars.index < FIRST][-1]
        cerebro.adddata(Feed(dataname=with_signal(bars, reading).loc[before:LAST]), name=name)
    cerebro.broker.setcash(CASH)
    cerebro.addstrategy(Rotation)
    cerebro.addanalyzer(bt.analyzers.TimeReturn, _name="returns")
    (done,) = cerebro.run()
    returns = pd.Series(done.analyzers.returns.get_analysis())
    return CASH * (1.0 + returns).cumprod(), done.trades


if __name__ == "__main__":
    equity, trades = run(reverse_qe.open_market("sample"))
    print(f"{len(trades)} trades, {equity.iloc[-1]:,.2f} USD")
