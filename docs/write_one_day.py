"""Write the day that docs/architecture.md follows: `make docs` runs it, a test works its numbers out anew."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.run import Backtest, run_backtest
from backtests.spec.costs import trade_terms
from backtests.spec.spec import load_spec
from data.catalogue.series import series_entry
from data.markets import open_market
from data.prices.actions import listed_bars
from page_parts import paragraphs, table
from signals.block import SignalData
from signals.blocks.price_of_capital import NOMINAL_YIELD, price_of_capital_series, rate_changes
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.price_of_capital import joint_move
from signals.form_2.scales import NORMAL, change_over_usual, root_mean_square
from signals.liquidity import BLOCKS, LiquiditySignal, read_blocks
from signals.observations import as_known, series_observations
from signals.standardize import clipped, nested_mean
from strategies.order_rules import plan_orders

PAGE = Path(__file__).with_name("architecture.md")
MARKED = re.compile(r"(<!-- one day: begin \(make docs\) -->\n).*?(<!-- one day: end -->)", re.S)
SINCE = pd.Timestamp("2018-01-01")
BLOCK_WEIGHT = 1 / len(BLOCKS)
*SOVEREIGN, _SPREAD = price_of_capital_series(SignalConfig())
CREDIT = [_SPREAD]


def page_with_one_day() -> str:
    """The page on the architecture with a freshly followed day between its marks."""
    day = OneDay(_run_up_to_the_day())
    parts = (day.setting(), day.observation(), day.block(), day.score(), day.orders(), day.fills(), day.equity())
    text = "\n\n".join(parts)
    return MARKED.sub(lambda marks: f"{marks[1]}\n{text}\n\n{marks[2]}", PAGE.read_text(encoding="utf-8"))


def first_turn_to_scarce(signal: LiquiditySignal) -> pd.Timestamp:
    """Find the first session since 2018 on which the regime becomes SCARCE while all blocks are live."""
    scarce = signal.regime == "SCARCE"
    turns = scarce & ~scarce.shift(fill_value=False) & (signal.live_blocks == len(BLOCKS))
    session: pd.Timestamp = turns[turns].loc[SINCE:].index[0]
    return session


def _run_up_to_the_day() -> Backtest:
    market = open_market("sample")
    session = first_turn_to_scarce(read_signal(load_spec("sample"), market, session_to_come(market)))
    return run_backtest(load_spec("sample", {"run.end": session.date()}), market)


class OneDay:
    """The last session of a run, step by step as Markdown."""

    def __init__(self, run: Backtest) -> None:
        self.run, self.spec, self.market, self.signal = run, run.spec, run.snapshot, run.signal
        self.session, self.before = run.sessions[-1], run.sessions[-2]
        self.data = SignalData.of(self.market, pd.DatetimeIndex(self.signal.score.index), self.spec.signal)
        self.regime = str(self.signal.regime[self.session])
        self.cash_before = float(run.engine.equity.loc[self.before, "cash"])

    def setting(self) -> str:
        """Which day it is."""
        return paragraphs(
            f"The session is {_day(self.session)}, the first since {SINCE.year} that turns {self.regime} with all four "
            "blocks live, in `reverse-qe backtest`: the shipped spec on the built-in sample market. Its prices and "
            f"series are SIMULATED, its events are real. The decision is taken at {_day(self.session)} 00:00 UTC; the "
            f"session before is {_day(self.before)}."
        )

    def observation(self) -> str:
        """From observations with their `known_at` to the value of one input."""
        horizon = self.spec.signal.change_sessions[0]
        observations = series_observations(self.market.series, NOMINAL_YIELD)
        known = as_known(observations, self.data.sessions, series_entry(NOMINAL_YIELD).stale_after_days)
        place = self.data.sessions.get_loc(self.session)
        newest, earlier = known.iloc[place], known.iloc[place - horizon]
        waiting = observations[observations["date"] > newest["observed"]].iloc[0]
        rows = [
            (_day(newest["observed"]), f"{newest['value']:.2f}", _moment(newest["known"]), "the newest known"),
            (_day(waiting["date"]), f"{waiting['value']:.2f}", _moment(waiting["known_at"]), "not known yet, not used"),
            (
                _day(earlier["observed"]),
                f"{earlier['value']:.2f}",
                _moment(earlier["known"]),
                f"the newest known at the decision {horizon} sessions before, for {_day(earlier.name)}",
            ),
        ]
        change = self.signal.values.loc[self.session, f"price_of_capital.{NOMINAL_YIELD}_{horizon}"]
        return "\n\n".join(
            (
                paragraphs(
                    f"**1. What is known.** The 10-year yield, series `{NOMINAL_YIELD}`, in percent, as "
                    "`signals.observations.as_known` looks it up:"
                ),
                table(("about", "value", "known at (UTC)", "at the decision"), rows),
                paragraphs(
                    f"The input `{NOMINAL_YIELD}_{horizon}` is the change: {newest['value']:.2f} less "
                    f"{earlier['value']:.2f} is {change:+.0f} basis points."
                ),
            )
        )

    def block(self) -> str:
        """From the inputs of one block to what it gives to the score."""
        config, facts = self.spec.signal, Facts(self.data)
        place = self.data.sessions.get_loc(self.session)
        rows, halves = [], []
        for series in (SOVEREIGN, CREDIT):
            of_series = [rate_changes(facts, config, name) for name in series]
            inputs = [each for changes in of_series for each in changes]
            grouping = tuple(tuple(each.name for each in changes) for changes in of_series)
            readings = np.column_stack([clipped(change_over_usual(each.value, config), config) for each in inputs])
            mean = nested_mean(grouping, tuple(each.name for each in inputs), readings)
            usual = root_mean_square(mean, config, config.min_scale_sessions)
            halves.append((mean[place], usual[place], mean / usual))
            for each, reading in zip(inputs, readings[place], strict=True):
                size = np.abs(each.value[place - config.window_sessions + 1 : place + 1])
                middle = float(np.nanmedian(size))
                name = each.name.partition(".")[2]
                rows.append((f"`{name}`", f"{each.value[place]:+.0f}", f"{middle:.1f}", f"{reading:+.3f}"))
        (sovereign, sovereign_usual, _), (credit, credit_usual, _) = halves
        joint, _ = joint_move(halves[0][2], halves[1][2])
        usual = root_mean_square(joint, config, config.min_scale_sessions)[place]
        said = min(max(joint[place] / usual, -config.clip), config.clip)
        return "\n\n".join(
            (
                paragraphs(
                    "**2. Readings and block.** Each input of the block `price_of_capital` is laid over the usual size "
                    f"of such a change, {NORMAL} times the median of sizes in {config.window_sessions} sessions "
                    "(`signals/form_2/scales.py`); values are basis points."
                ),
                table(("input", "value", "median size", "reading"), rows),
                paragraphs(
                    f"The yields read {sovereign:+.3f} on average and the credit spread {credit:+.3f}. Each half is "
                    f"divided by its own root mean square, {sovereign_usual:.3f} and {credit_usual:.3f}: "
                    f"{sovereign / sovereign_usual:+.3f} and {credit / credit_usual:+.3f}. {_joint(joint[place])} "
                    f"Divided by its own root mean square, {usual:.3f}, and multiplied by the block's weight, "
                    f"{BLOCK_WEIGHT:g}, it is {BLOCK_WEIGHT * said:+.3f}."
                ),
            )
        )

    def score(self) -> str:
        """From the blocks to the score and the regime."""
        config, smoothed = self.spec.signal, self.signal.blocks
        place = smoothed.index.get_loc(self.session)
        raw = {
            reading.name: BLOCK_WEIGHT * reading.parts[place].sum() for reading in read_blocks(Facts(self.data), config)
        }
        share = 1 - 0.5 ** (1 / config.half_life_sessions)
        lines = {name: (smoothed.loc[self.before, name], raw[name], smoothed.loc[self.session, name]) for name in raw}
        lines["score"] = (self.signal.score[self.before], sum(raw.values()), self.signal.score[self.session])
        rows = [(f"`{name}`", *(f"{value:+.3f}" for value in values)) for name, values in lines.items()]
        return "\n\n".join(
            (
                paragraphs(
                    f"**3. Score and regime.** The score takes on {share:.4f} of the new value each session, a "
                    f"half-life of {config.half_life_sessions:g} sessions; + means scarcer."
                ),
                table(("", "session before", "unsmoothed", "smoothed"), rows),
                paragraphs(
                    f"It passes the threshold of +{config.enter:g} and {self.signal.regime[self.before]} has held for "
                    f"at least {config.dwell_sessions} sessions: the regime becomes {self.regime} "
                    "(`signals/regime.py`)."
                ),
            )
        )

    def orders(self) -> str:
        """From the regime to target weights and orders."""
        panel = self.run.panel
        prices = panel.decision_prices().loc[self.session]
        targets = self.run.plan.targets.loc[self.session]
        units = self.run.engine.positions.loc[self.before]
        equity = self.cash_before + (units * prices).sum()
        planned = plan_orders(
            held=units.to_numpy(),
            prices=prices.to_numpy(),
            targets=targets.to_numpy(),
            terms=trade_terms(panel.symbols, self.market.instruments, self.spec.costs),
            rules=self.spec.order_rules.rules,
            cash=self.cash_before,
        )
        rows = [
            (
                symbol,
                f"{units[symbol]:.6f}",
                f"{prices[symbol]:.4f}",
                _day(self._price_date(symbol)),
                f"{targets[symbol]:.4f}",
                f"{targets[symbol] * equity - units[symbol] * prices[symbol]:,.2f}",
                _order(sell, money),
            )
            for symbol, sell, money in zip(panel.symbols, planned.sell_units, planned.buy_money, strict=True)
            if prices[symbol] > 0
        ]
        budget = getattr(self.spec.policy.budgets, self.regime)
        return "\n\n".join(
            (
                paragraphs(
                    f"**4. Targets and orders.** {self.regime} gives {budget.speculative:.0%} of equity to the "
                    f"speculative basket, {budget.cash_flow:.0%} to cash flow and {budget.reserve:.0%} to the reserve, "
                    "shared equally inside a basket; what the cap of "
                    f"{self.spec.policy.instrument_cap:.0%} an instrument leaves goes to the reserve "
                    "(`strategies/policy.py`). Everything is sized at the last price known at the decision. There the "
                    f"book is worth {equity:,.2f} US dollars, {self.cash_before:,.2f} of it cash, and "
                    "`strategies.order_rules.plan_orders` turns the gaps into units to sell and money to spend:"
                ),
                table(("", "units held", "price known", "of", "target", "gap, USD", "order"), rows),
                paragraphs("The money to spend is what the sales should bring after costs, shared by one factor."),
            )
        )

    def fills(self) -> str:
        """From orders to fills, in the order of the clock."""
        cash, rows = self.cash_before, []
        orders = self.run.engine.orders
        for order in orders[orders["session"] == self.session].itertuples():
            coin = self.market.instruments[order.symbol].is_crypto
            value = order.size * order.price if order.size else 0.0
            cash += (value if order.side == "sell" else -value) - order.commission
            rows.append(
                (
                    "00:00 UTC" if coin else "NYSE open",
                    f"{order.side} {order.symbol}",
                    f"{order.size:.6f}",
                    f"{order.price:.4f}" if order.size else "-",
                    f"{order.commission:,.2f}",
                    f"{cash:,.2f}",
                    order.status,
                )
            )
        return "\n\n".join(
            (
                paragraphs(
                    "**5. Fills.** Coins fill at the open of their UTC day, stocks hours later at the NYSE open, in "
                    "each sells before buys (`backtests/execution/session.py`). A buy gets the units that its "
                    "money pays for at the open, costs included, and never spends cash that is not there yet."
                ),
                table(("moment", "order", "units", "open", "cost, USD", "cash after, USD", "status"), rows),
            )
        )

    def equity(self) -> str:
        """What the book is worth at the close."""
        engine = self.run.engine
        closes = dict(zip(self.run.panel.symbols, self.run.panel.close[-1], strict=True))
        rows = [
            (symbol, f"{held:.6f}", f"{closes[symbol]:.4f}", f"{held * closes[symbol]:,.2f}")
            for symbol, held in engine.positions.loc[self.session].items()
            if held > 0
        ]
        rows.append(("cash", "", "", f"{engine.equity.loc[self.session, 'cash']:,.2f}"))
        rows.append(("equity", "", "", f"{engine.equity.loc[self.session, 'equity']:,.2f}"))
        return "\n\n".join(
            (
                paragraphs("**6. Equity** at the close of the session:"),
                table(("", "units", "close", "value, USD"), rows),
                paragraphs(
                    "The same numbers stand in the run's `regime.csv`, `targets.csv`, `orders.csv`, `positions.csv` "
                    "and `equity.csv` ([the files of a run](run-files.md))."
                ),
            )
        )

    def _price_date(self, symbol: str) -> pd.Timestamp:
        dates = listed_bars(self.market, symbol).index
        date: pd.Timestamp = dates[dates < self.session][-1]
        return date


def _order(sell_units: float, buy_money: float) -> str:
    if sell_units > 0:
        return f"sell {sell_units:.6f} units"
    return f"spend {buy_money:,.2f} USD" if buy_money > 0 else "none"


def _joint(value: float) -> str:
    if value == 0:
        return "They do not move the same way, so their joint move is 0."
    which = "rise, and the smaller" if value > 0 else "fall, and the smaller in size"
    return f"Both {which} is their joint move, {value:+.3f}."


def _day(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"


def _moment(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    PAGE.write_text(page_with_one_day(), encoding="utf-8")
