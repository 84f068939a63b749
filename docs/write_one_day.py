"""Write the worked day in docs/architecture.md: `make docs` runs it, a test works the numbers out anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.costs import cost_rates
from backtests.run import Backtest, read_signal, run_backtest
from backtests.span import session_to_come
from backtests.spec import Spec, load_spec
from data.catalogue import series_entry
from data.markets import open_market
from data.panel import listed_bars
from data.snapshot import Snapshot
from signals.block import SignalData
from signals.liquidity import BLOCK_WEIGHT, BLOCKS, LiquiditySignal, raw_contributions
from signals.observations import as_known, series_observations
from signals.price_of_capital import NOMINAL_YIELD, price_of_capital_block
from signals.standardize import nested_weights, trailing_scale, trailing_z
from strategies.order_rules import plan_orders

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- one day: begin -->", "<!-- one day: end -->"
SINCE = pd.Timestamp("2018-01-01")


@dataclass(frozen=True)
class OneDay:
    """The session that is followed, and the run up to it."""

    session: pd.Timestamp
    before: pd.Timestamp
    run: Backtest


def follow() -> OneDay:
    """Run the sample up to the first session since 2018 that turns SCARCE with every block live."""
    market = open_market("sample")
    signal = read_signal(load_spec("sample"), market, session_to_come(market))
    session = first_scarce_session(signal)
    run = run_backtest(load_spec("sample", (), {"run.end": session.date()}), market)
    return OneDay(session, run.sessions[-2], run)


def first_scarce_session(signal: LiquiditySignal) -> pd.Timestamp:
    """Find the first session since 2018 on which the regime becomes SCARCE while all blocks are live."""
    scarce = signal.regime == "SCARCE"
    turns = scarce & ~scarce.shift(fill_value=False) & (signal.live_blocks == len(BLOCKS))
    session: pd.Timestamp = turns[turns].loc[SINCE:].index[0]
    return session


def section(day: OneDay) -> str:
    """The worked day as Markdown."""
    run = day.run
    parts = (
        _setting(day),
        _observation(run.snapshot, run.spec, run.signal, day.session),
        _block(run.snapshot, run.spec, run.signal, day.session),
        _score(run.snapshot, run.spec, run.signal, day),
        _orders(day),
        _fills(day),
        _equity(day),
    )
    return "\n\n".join(parts)


def filled_page(page: str, text: str) -> str:
    """The page with the text between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def _setting(day: OneDay) -> str:
    return (
        f"The session is {_day(day.session)}, the first since {SINCE.year} that turns SCARCE with all four blocks live in\n"
        f"`reverse-qe backtest`, the shipped spec on the built-in sample market. Its prices and series are SIMULATED, its\n"
        f"events are real. The decision is taken at {_day(day.session)} 00:00 UTC; the session before is "
        f"{_day(day.before)}."
    )


def _observation(market: Snapshot, spec: Spec, signal: LiquiditySignal, session: pd.Timestamp) -> str:
    horizon = spec.signal.change_sessions[0]
    observations = series_observations(market.series, NOMINAL_YIELD)
    known = as_known(observations, signal.score.index, series_entry(NOMINAL_YIELD).stale_after_days)
    earlier = signal.score.index[signal.score.index.get_loc(session) - horizon]
    newest, then = known.loc[session], known.loc[earlier]
    waiting = observations[observations["date"] > newest["observed"]].iloc[0]
    rows = (
        (_day(waiting["date"]), f"{waiting['value']:.2f}", _moment(waiting["known_at"]), "not known yet: it waits"),
        (_day(newest["observed"]), f"{newest['value']:.2f}", _moment(newest["known"]), "the newest known"),
        (
            _day(then["observed"]),
            f"{then['value']:.2f}",
            _moment(then["known"]),
            f"the newest known {horizon} sessions before, at the decision for {_day(earlier)}",
        ),
    )
    change = signal.values.loc[session, f"price_of_capital.{NOMINAL_YIELD}_{horizon}"]
    return (
        f"**What is known.** The 10-year yield `{NOMINAL_YIELD}`, percent, as `signals.observations.as_known` finds it:\n\n"
        + _table(("about", "value", "known at (UTC)", "at the decision"), rows)
        + f"\n\nThe input `{NOMINAL_YIELD}_{horizon}` is the change, {newest['value']:.2f} - {then['value']:.2f} = "
        f"{change:+.0f} basis points."
    )


def _block(market: Snapshot, spec: Spec, signal: LiquiditySignal, session: pd.Timestamp) -> str:
    config = spec.signal
    block = price_of_capital_block(SignalData(market.series, market.capex_actuals, signal.score.index), config)
    values = pd.DataFrame({each.name: each.value for each in block.inputs})
    window = values.loc[:session].tail(config.window_sessions)
    z = trailing_z(values, config)
    weights = nested_weights(block.grouping, z.notna())[list(values.columns)]
    mean = (z * weights).sum(axis=1).where(z.notna().any(axis=1))
    scale = trailing_scale(mean, config)[session]
    rows = [
        (
            f"`{name.partition('.')[2]}`",
            f"{values.loc[session, name]:+.0f}",
            f"{window[name].mean():+.3f}",
            f"{window[name].std():.3f}",
            f"{z.loc[session, name]:+.3f}",
            f"{weights.loc[session, name]:.3f}",
        )
        for name in values.columns
    ]
    return (
        f"**z and block.** Every input of the block is compared with its own last {config.window_sessions} sessions\n"
        "(`signals/standardize.py`), and the block is their mean: half sovereign, half credit.\n\n"
        + _table(("input", "value, bp", "mean", "deviation", "z", "weight"), rows)
        + f"\n\nThe weighted mean of z is {mean[session]:+.3f}. Divided by its own trailing deviation, {scale:.3f}, and\n"
        f"multiplied by the block's weight, {BLOCK_WEIGHT:g}, it gives {BLOCK_WEIGHT * mean[session] / scale:+.3f}."
    )


def _score(market: Snapshot, spec: Spec, signal: LiquiditySignal, day: OneDay) -> str:
    config = spec.signal
    data = SignalData(market.series, market.capex_actuals, signal.score.index)
    raw = {
        block.name: BLOCK_WEIGHT * raw_contributions(block, config).sum(axis=1).loc[day.session]
        for block in (build(data, config) for build in BLOCKS)
    }
    share = 1 - 0.5 ** (1 / config.half_life_sessions)
    rows = [
        (
            f"`{name}`",
            f"{signal.blocks.loc[day.before, name]:+.3f}",
            f"{raw[name]:+.3f}",
            f"{signal.blocks.loc[day.session, name]:+.3f}",
        )
        for name in signal.blocks.columns
    ]
    rows.append(
        (
            "score",
            f"{signal.score[day.before]:+.3f}",
            f"{sum(raw.values()):+.3f}",
            f"{signal.score[day.session]:+.3f}",
        )
    )
    return (
        f"**Score.** Smoothing keeps {1 - share:.4f} of yesterday and adds {share:.4f} of today, a half-life of "
        f"{config.half_life_sessions:g} sessions.\n\n"
        + _table(("", "before", "today, unsmoothed", "smoothed"), rows)
        + f"\n\n**Regime.** The score passes the threshold of +{config.enter:g} upwards, and {signal.regime[day.before]} has "
        f"held for at least {config.dwell_sessions} sessions:\nthe regime becomes {signal.regime[day.session]} "
        "(`signals/regime.py`)."
    )


def _orders(day: OneDay) -> str:
    run, spec = day.run, day.run.spec
    panel, symbols = run.panel, run.panel.symbols
    row = panel.decides_for.get_loc(day.session)
    prices, targets = panel.decision_price[row], run.plan.targets.loc[day.session]
    units = run.engine.positions.loc[day.before].to_numpy()
    cash = run.engine.equity.loc[day.before, "cash"]
    equity = cash + np.nansum(units * prices)
    sell_units, buy_money = plan_orders(
        units=units,
        prices=prices,
        targets=targets.to_numpy(),
        costs=np.array(cost_rates(symbols, run.snapshot.instruments, spec.costs)),
        quanta=np.array([run.snapshot.instruments[symbol].quantum for symbol in symbols]),
        cash=cash,
        band=spec.order_rules.band,
        minimum_order=spec.order_rules.minimum_order,
    )
    rows = [
        (
            symbol,
            f"{units[place]:.6f}",
            f"{prices[place]:.4f}",
            _day(_price_date(run.snapshot, symbol, day.session)),
            f"{targets[symbol]:.4f}",
            f"{targets[symbol] * equity - units[place] * prices[place]:,.2f}",
            _order(sell_units[place], buy_money[place]),
        )
        for place, symbol in enumerate(symbols)
        if prices[place] > 0
    ]
    budget = getattr(spec.policy.budgets, str(run.signal.regime[day.session]))
    return (
        f"**Targets and orders.** In {run.signal.regime[day.session]} the budgets are {budget.speculative:.0%} speculative, "
        f"{budget.cash_flow:.0%} cash flow, {budget.reserve:.0%} reserve,\nshared equally inside each basket and capped at "
        f"{spec.policy.instrument_cap:.0%} (`strategies/policy.py`). At the prices known at the\ndecision the book is worth "
        f"{cash:,.2f} in cash and {equity - cash:,.2f} in holdings: {equity:,.2f} US dollars.\n"
        "`strategies.order_rules.plan_orders` turns the gaps into units to sell and money to spend:\n\n"
        + _table(("", "units held", "decision price", "of", "target", "gap, USD", "order"), rows)
    )


def _order(sell_units: float, buy_money: float) -> str:
    if sell_units > 0:
        return f"sell {sell_units:.6f} units"
    return f"spend {buy_money:,.2f} USD" if buy_money > 0 else "none"


def _fills(day: OneDay) -> str:
    run = day.run
    cash = run.engine.equity.loc[day.before, "cash"]
    rows = []
    for order in run.engine.orders[run.engine.orders["session"] == day.session].itertuples():
        coin = run.snapshot.instruments[order.symbol].is_crypto
        value = 0.0 if order.size == 0 else order.size * order.price
        cash += (value if order.side == "sell" else -value) - order.commission
        rows.append(
            (
                "00:00 UTC" if coin else "NYSE open",
                f"{order.side} {order.symbol}",
                f"{order.size:.6f}",
                "-" if order.size == 0 else f"{order.price:.4f}",
                f"{order.commission:,.2f}",
                f"{cash:,.2f}",
                order.status,
            )
        )
    return (
        "**Fills.** Coins fill at the open of their UTC day, stocks at the NYSE open, in each sells before buys\n"
        "(`backtests/event_engine.py`). A buy is cut to the cash that is there at its moment, all buys by one factor.\n\n"
        + _table(("moment", "order", "units", "price", "cost, USD", "cash after, USD", "status"), rows)
    )


def _equity(day: OneDay) -> str:
    run = day.run
    row = run.panel.sessions.get_loc(day.session)
    units = run.engine.positions.loc[day.session]
    cash = run.engine.equity.loc[day.session, "cash"]
    closes = dict(zip(run.panel.symbols, run.panel.close[row], strict=True))
    rows = [
        (symbol, f"{held:.6f}", f"{closes[symbol]:.4f}", f"{held * closes[symbol]:,.2f}")
        for symbol, held in units.items()
        if held > 0
    ]
    rows.append(("cash", "", "", f"{cash:,.2f}"))
    rows.append(("equity", "", "", f"{run.engine.equity.loc[day.session, 'equity']:,.2f}"))
    return (
        "**Equity.** At the close, the coins' at the end of their UTC day:\n\n"
        + _table(("", "units", "close", "value, USD"), rows)
        + "\n\nThe same numbers stand in the run folder: `regime.csv`, `targets.csv`, `orders.csv`, `positions.csv` and\n"
        "`equity.csv` of this session."
    )


def _price_date(market: Snapshot, symbol: str, session: pd.Timestamp) -> pd.Timestamp:
    dates = listed_bars(market, symbol).index
    date: pd.Timestamp = dates[dates < session][-1]
    return date


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _day(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"


def _moment(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    PAGE.write_text(filled_page(PAGE.read_text(encoding="utf-8"), section(follow())), encoding="utf-8")
