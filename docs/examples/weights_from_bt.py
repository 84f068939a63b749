"""What bt decides, traded here: its weights carried over, and the difference between both results taken apart.

    python docs/examples/weights_from_bt.py

needs `pip install bt`. The market is the built-in one, which is SIMULATED.
"""

import tempfile
from pathlib import Path

import bt
import pandas as pd

import reverse_qe
from data.markets import open_market

STOCKS = ["SIM-SAAS-A", "SIM-SAAS-B", "SIM-MEMORY-A", "SIM-MEMORY-B"]
FIRST, LAST, CASH = "2019-01-02", "2023-12-29", 100_000.0
SPEC = {
    "run": {"name": "from_bt", "start": FIRST, "end": LAST, "initial_cash": CASH},
    "universe": {"speculative": STOCKS[:2], "cash_flow": STOCKS[2:], "benchmark": "SIM-MARKET"},
    "policy": {"rebalance": "regime"},
    # bt trades however little is off its weight.
    "order_rules": {"band": 0.0, "minimum_order": 0.0},
}
FREE = {f"costs.{name}.commission_bp": 0.0 for name in ("crypto", "us_stock", "us_etf")}


def run_bt(prices, *algos):
    """Run a strategy of bt on prices, without costs, in fractions of a share; its equity."""
    strategy = bt.Strategy("bt", [*algos, bt.algos.Rebalance()])
    test = bt.Backtest(strategy, prices, initial_capital=CASH, commissions=lambda *_: 0.0, integer_positions=False)
    test.run()
    return test.strategy.values


def bars(column):
    """The prices of a column by day and stock."""
    rows = open_market("sample").bars.query("symbol in @STOCKS")
    return rows.pivot(index="date", columns="symbol", values=column).loc["2018-06-01":LAST, STOCKS]


def momentum():
    """bt as its users write it: every month half of the money in each of the two stocks that rose most in six."""
    rows = {}

    def note(target):
        """Keep what is decided, by the day on whose close it is."""
        rows[target.now] = pd.Series(target.temp["weights"])
        return True

    pick = bt.algos.SelectMomentum(2, lookback=pd.DateOffset(months=6))
    start = bt.algos.RunAfterDate(pd.Timestamp(FIRST) - pd.DateOffset(days=2))
    run_bt(bars("close"), start, bt.algos.RunMonthly(), bt.algos.SelectAll(), pick, bt.algos.WeighEqually(), note)
    return pd.DataFrame(rows).T.reindex(columns=STOCKS).fillna(0.0)


def at_next_open(weights):
    """The same weights in bt, traded at the open after the close that decided them: two rows a day, open and close."""
    opens, closes = (bars(column).loc[weights.index[0] :] for column in ("open", "close"))
    opens.index, closes.index = opens.index + pd.Timedelta(hours=14), closes.index + pd.Timedelta(hours=21)
    prices = pd.concat([opens, closes]).sort_index()
    due = [opens.index[opens.index > day + pd.Timedelta(hours=21)][0] for day in weights.index]
    values = run_bt(prices, bt.algos.WeighTarget(weights.set_axis(pd.DatetimeIndex(due))))
    return values[values.index.hour == 21]


def here(weights, settings):
    """The same weights in this project, from a file."""
    with tempfile.TemporaryDirectory() as folder:
        known_at = weights.index.tz_localize("UTC") + pd.Timedelta(hours=22)
        path = Path(folder) / "weights.csv"
        weights.set_axis(known_at).rename_axis("known_at").to_csv(path)
        run = reverse_qe.backtest(SPEC, set={"policy.weights": str(path), **settings}, tearsheet=False)
    return run.equity["equity"]


def results():
    """Equity at the end, step by step from bt's own result to ours."""
    weights = momentum()
    at_the_close = run_bt(bars("close").loc[weights.index[0] :], bt.algos.WeighTarget(weights))
    return {
        "bt, at the close that decides": at_the_close,
        "bt, at the next open": at_next_open(weights),
        "here, without costs": here(weights, FREE),
        "here": here(weights, {}),
    }


if __name__ == "__main__":
    before = None
    for name, equity in results().items():
        last = equity.iloc[-1]
        step = "" if before is None else f"{last / before - 1.0:+9.2%}"
        print(f"{name:<32}{last:>12,.2f}{step}")
        before = last
