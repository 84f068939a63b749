"""The regime in bt: every change of it is traded at the open before which it was decided.

    python docs/examples/engine_bt.py

needs `pip install bt`. The market is the built-in one, which is SIMULATED.
"""

import bt
import pandas as pd

import reverse_qe

# Shares of equity by regime: a share in software and a share in memory makers; the rest stays in cash.
SHARES = {"ABUNDANT": (0.8, 0.1), "NEUTRAL": (0.45, 0.45), "SCARCE": (0.0, 0.9)}
STOCKS = ["SIM-SAAS-A", "SIM-MEMORY-A"]
FIRST, LAST, CASH = "2019-01-02", "2023-12-29", 100_000.0


def run(market):
    """Run the rotation, without costs, in parts of a share; bt's backtest."""
    # bt fills at the price of the row on which it decides: the rows are opens, and what is asked for is known before.
    opens = market.bars.query("symbol in @STOCKS").pivot(index="date", columns="symbol", values="open")
    opens = opens.loc[FIRST:LAST, STOCKS]
    known = reverse_qe.signal(market=market).at(opens.index.tz_localize("UTC") + pd.Timedelta("13h"))
    known = known.set_axis(opens.index)  # an algo finds it as target.get_data("known").loc[target.now]
    weights = pd.DataFrame([SHARES[name] for name in known["regime"]], opens.index, STOCKS)
    changes = bt.algos.WeighTarget(weights[known["regime"] != known["regime"].shift()])
    strategy = bt.Strategy("rotation", [changes, bt.algos.Rebalance()])
    free = {"commissions": lambda *_: 0.0, "integer_positions": False}
    test = bt.Backtest(strategy, opens, initial_capital=CASH, additional_data={"known": known}, **free)
    test.run()
    return test


if __name__ == "__main__":
    test = run(reverse_qe.open_market("sample"))
    print(f"{len(test.strategy.get_transactions())} trades, {test.strategy.values.iloc[-1]:,.2f} USD at the last open")
