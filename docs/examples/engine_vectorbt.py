"""The regime in vectorbt: every change of it is traded at the open before which it was decided.

    python docs/examples/engine_vectorbt.py

needs `pip install vectorbt`. The market is the built-in one, which is SIMULATED.
"""

import pandas as pd
import vectorbt

import reverse_qe

# Shares of equity by regime: a share in software and a share in memory makers; the rest stays in cash.
SHARES = {"ABUNDANT": (0.8, 0.1), "NEUTRAL": (0.45, 0.45), "SCARCE": (0.0, 0.9)}
STOCKS = ["SIM-SAAS-A", "SIM-MEMORY-A"]
FIRST, LAST, CASH = "2019-01-02", "2023-12-29", 100_000.0


def run(market):
    """Run the rotation, without costs, in parts of a share; vectorbt's portfolio."""
    bars = market.bars.query("symbol in @STOCKS").pivot(index="date", columns="symbol").loc[FIRST:LAST]
    opens, closes = bars["open"][STOCKS], bars["close"][STOCKS]
    # A row fills at its own open: what is asked for is known before.
    known = reverse_qe.signal(market=market).at(opens.index.tz_localize("UTC") + pd.Timedelta("13h"))
    regime = known["regime"].set_axis(opens.index)
    weights = pd.DataFrame([SHARES[name] for name in regime], opens.index, STOCKS)
    return vectorbt.Portfolio.from_orders(
        closes,
        size=weights[regime != regime.shift()].reindex(opens.index),  # a blank is no order
        size_type="targetpercent",
        price=opens,
        init_cash=CASH,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",  # what is sold first, or a buy finds no cash
        freq="1D",
    )


if __name__ == "__main__":
    portfolio = run(reverse_qe.open_market("sample"))
    print(f"{len(portfolio.orders.records)} trades, {portfolio.value().iloc[-1]:,.2f} USD")
