"""What the main job is measured against: plain Backtrader plays a plan that is given, QuantStats draws its stock page.

It imports nothing of ours, works out no signal, checks no file and writes nothing but the page. Called as
`python plain_job.py PRICES PLAN PAGE`: a folder of <SYMBOL>.csv, weights by the day on whose close they are decided,
and the page to write. It prints the final value.
"""

import logging
import sys
import warnings
from pathlib import Path

import backtrader as bt
import pandas as pd

CASH = 100_000.0
COMMISSION, COIN_COMMISSION = 0.0005, 0.0025


class Rotation(bt.Strategy):
    """Brings the book to the weights of the day, sells first."""

    params = (("plan", None),)

    def prenext(self) -> None:
        """Trade before the youngest feed begins."""
        self.next()

    def next(self) -> None:
        """Send orders for the next open."""
        weights = self.p.plan.get(self.data.datetime.date(0))
        if weights is None:
            return
        known = [data for data in self.datas if len(data)]  # before a feed begins its close is that of its end
        worth = self.broker.getvalue()
        held = {data: self.getposition(data).size * data.close[0] / worth for data in known}
        for data in sorted(known, key=lambda each: weights.get(each._name, 0.0) - held[each]):
            self.order_target_percent(data, weights.get(data._name, 0.0))


class Fractions(bt.CommInfoBase):
    """Parts of a unit, as coins are traded."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True))

    def getsize(self, price: float, cash: float) -> float:
        """Units for so much money."""
        return cash / price


def prices(path: Path, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Adjusted bars of the days that have one."""
    frame = pd.read_csv(path, index_col="date", parse_dates=True)
    factor = frame["adj_close"] / frame["close"]
    adjusted = frame[["open", "high", "low", "close"]].mul(factor, axis=0).assign(volume=frame["volume"])
    return adjusted[adjusted.index.isin(days)].dropna()


def main() -> None:
    folder, plan_file, page = map(Path, sys.argv[1:])
    plan = pd.read_csv(plan_file, index_col=0, parse_dates=True)
    benchmark = pd.read_csv(folder / "SPY.csv", index_col="date", parse_dates=True)["adj_close"].loc[plan.index[0] :]
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(CASH)
    cerebro.broker.set_checksubmit(False)
    # What every other feed is timed by comes first.
    for symbol in ["SPY", *plan.columns]:
        frame = prices(folder / f"{symbol}.csv", benchmark.index)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
        commission = COIN_COMMISSION if symbol.endswith("-USD") else COMMISSION
        cerebro.broker.addcommissioninfo(Fractions(commission=commission), name=symbol)
    cerebro.addstrategy(Rotation, plan={day.date(): row.to_dict() for day, row in plan.iterrows()})
    cerebro.addanalyzer(bt.analyzers.TimeReturn, _name="returns")
    (strategy,) = cerebro.run()
    returns = pd.Series(strategy.analyzers.returns.get_analysis())
    returns.index = pd.DatetimeIndex(returns.index)

    import matplotlib

    matplotlib.use("agg")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it asks for Arial over and over
    import quantstats

    with warnings.catch_warnings(action="ignore"):
        quantstats.reports.html(returns, benchmark=benchmark.pct_change().dropna(), output=str(page))
    print(cerebro.broker.getvalue())


if __name__ == "__main__":
    main()
