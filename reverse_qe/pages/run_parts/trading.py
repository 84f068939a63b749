"""The rotations of a run, and its trading: costs, turnover, orders that were cut."""

import pandas as pd

from backtests.measures.pair import HALF_LIFE, VOLATILITY, pair_returns
from backtests.measures.rotations import basket_returns
from backtests.run import Backtest
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.pages.signal_charts import BAND_LEGEND, regime_bands
from reverse_qe.words.run import STRESS_HEAD, order_sentence, rotation_rows, stress_rows, stress_sentence

ROTATION_HEAD = ("", "regime", "speculative", "cash flow", "reserve", "pair", "strategy", "static mix", "why it began")
PAIR = (
    f"The pair, which is measured and not traded, is cash flow less speculative, each scaled to {VOLATILITY:.0%} a "
    f"year by what was known the day before; it begins after {HALF_LIFE} sessions."
)
# The newest of the orders that were cut; orders.csv has all.
CUT_SHOWN = 20


def rotations(run: Backtest) -> Part:
    """Every stay in a regime."""
    stays = [(tag("span", days, class_="days"), *cells) for days, *cells in rotation_rows(run)]
    said = tag("p", f"Every stay in a regime; the baskets are before costs. {PAIR}", class_="soft")
    return Part("Rotations", joined([said, _pair(run), table(ROTATION_HEAD, stays, texts=(1, 8))], "\n"))


def _pair(run: Backtest) -> Html:
    """What the pair has come to, beside the regimes; nothing while it has no value."""
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    returns = pair_returns(basket_returns(run.prepared.rules, tradable, run.spec.universe))
    if returns.notna().sum() < 2:
        return Html()
    growth = (1.0 + returns.fillna(0.0)).cumprod()
    return time_chart(
        TimeChart(
            title="The pair: cash flow less speculative at equal volatility, growth of 1 US dollar, log scale",
            label=f"Growth of 1 US dollar in the pair, before costs: {growth.iloc[-1]:.3g}",
            time=TimeScale.of(run.sessions),
            values=scale_of(growth.to_numpy(), "times", log=True, include=1.0),
            height=150,
            lines=[Line("pair", growth, "c1")],
            bands=regime_bands(run.signal, run.sessions),
            legend=BAND_LEGEND,
        )
    )


def trading(run: Backtest) -> Part:
    """Costs and turnover by instrument, and the orders that were cut."""
    strategy = run.measures.strategy
    said = (
        f"{order_sentence(run)}. Turnover {strategy.turnover:.1%} a year, one-sided; costs, slippage among them, "
        f"{strategy.costs:.2%} of equity a year, {strategy.costs_usd:,.0f} USD in all."
    )
    return Part("Trading", joined([tag("p", said), _by_instrument(run.engine.orders), _cut(run.engine.orders)], "\n"))


def stressed(run: Backtest, table_of_stress: pd.DataFrame) -> Part:
    """The run again with its costs multiplied and its signal late."""
    rows = [(f"costs {row[0]}", *row[1:]) for row in stress_rows(table_of_stress)]
    return Part("Stress", joined([table(("", *STRESS_HEAD[1:]), rows), tag("p", stress_sentence(run))], "\n"))


def _by_instrument(orders: pd.DataFrame) -> Html:
    if orders.empty:
        return tag("p", "There was no order.")
    each = pd.DataFrame(
        {
            "orders": 1,
            "cut": orders["status"].isin(["reduced", "unfilled"]).astype(int),
            "traded": (orders["size"] * orders["price"]).abs().fillna(0.0),
            "commission": orders["commission"],
            "slippage": orders["slippage"],
        }
    )
    sums = each.groupby(orders["symbol"]).sum()
    sums = pd.concat([sums.sort_values("traded", ascending=False), sums.sum().to_frame("all").T])
    rows = [
        (
            symbol,
            f"{row['orders']:.0f}",
            f"{row['cut']:.0f}",
            *(f"{row[key]:,.0f}" for key in ("traded", "commission", "slippage")),
        )
        for symbol, row in sums.iterrows()
    ]
    head = ("", "orders", "cut or not filled", "traded, USD", "commission, USD", "slippage, USD")
    return table(head, rows, caption="Orders and costs by instrument")


def _cut(orders: pd.DataFrame) -> Html:
    cut = orders[orders["status"].isin(["reduced", "unfilled", "rejected"])]
    if cut.empty:
        return Html()
    newest = cut.iloc[::-1].head(CUT_SHOWN)
    rows = [
        (
            str(order["session"].date()),
            str(order["symbol"]),
            str(order["side"]),
            str(order["status"]),
            f"{order['size_wanted']:,.6g}",
            f"{order['size']:,.6g}",
            str(order["reason"] or ""),
        )
        for order in newest.to_dict("records")
    ]
    caption = f"Orders that were cut or not filled: the newest {len(rows)} of {len(cut)}; orders.csv has all"
    head = ("session", "symbol", "side", "status", "units wanted", "units filled", "why")
    return table(head, rows, caption=caption, texts=(1, 2, 3, 6))
