"""Any spec that can be run, and a market of a hundred sessions in which everything happens that can."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from backtests.run import Backtest
from backtests.spec.spec import Spec, load_spec
from data.catalogue.instruments import AssetClass
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, BARS, SERIES
from data.prices.adjustment import adjusted_close
from hand_made import make_instrument, make_snapshot
from rebuilt import assert_gains_add_up

SESSIONS = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-06-14"))
FIRST_RUN, LISTED, LATE_ACTION, GONE = (SESSIONS[place] for place in (1, 30, 60, 80))
UNITS = {"COIN": 0.5, "COIN-B": 1e-9, "DEAR": 1.0}  # quanta; 1e-9 for the others
BUDGET = st.lists(st.floats(0, 1), min_size=4, max_size=4).map(
    lambda parts: [part / max(sum(parts), 1.0) for part in parts[:3]]
)
SHARE = st.floats(0, 1)
BP = st.floats(0, 200)


def baskets(*symbols: str, at_least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(symbols), min_size=at_least, unique=True)


# One line a key: what it may be, as far as a market of a hundred sessions can bear it.
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "run.start": st.sampled_from(list(SESSIONS[1:12])).map(lambda day: day.date()),
    "run.end": st.sampled_from(list(SESSIONS[-5:])).map(lambda day: day.date()),
    "run.initial_cash": st.floats(10, 1e9),
    "run.prices": st.sampled_from(["adjusted", "raw"]),
    "universe.speculative": baskets("COIN", "COIN-B", "LATE", "GAPS", at_least=0),
    "universe.cash_flow": baskets("DEAR", "ACTS", "GONE", "BLANK", at_least=0),
    "universe.reserve": baskets("FUND", at_least=0),
    "policy.weighting": st.sampled_from(["equal", "inverse_volatility"]),
    "policy.volatility_sessions": st.integers(20, 60),
    "policy.instrument_cap": st.floats(0.01, 1),
    "policy.asset_class_caps.crypto": SHARE,
    "policy.asset_class_caps.us_stock": SHARE,
    "policy.asset_class_caps.us_etf": SHARE,
    "policy.exposure_ceiling": st.floats(0.01, 1),
    "policy.volatility_target": st.floats(0.01, 1),
    "policy.volatility_half_life": st.integers(5, 30),
    "policy.rebalance": st.sampled_from(["monthly", "weekly", "daily", "regime"]),
    "order_rules.band": st.floats(0, 0.2),
    "order_rules.trade_to": st.sampled_from(["target", "band_edge"]),
    "order_rules.adjustment": st.floats(0.05, 1),
    "order_rules.minimum_order": st.floats(0, 0.1),
    "order_rules.stale_sessions": st.integers(1, 15),
    "order_rules.stale_haircut": SHARE,
    "costs.preset": st.sampled_from(["alpaca", "interactive_brokers"]),
    "costs.settlement_sessions": st.integers(1, 5),
    "cash.interest": st.sampled_from(["none", "bill"]),
    "cash.spread_bp": BP,
}
for regime in ("ABUNDANT", "NEUTRAL", "SCARCE"):
    KEYS[f"policy.budgets.{regime}"] = BUDGET.map(
        lambda parts: dict(zip(("speculative", "cash_flow", "reserve"), parts, strict=True))
    )
for asset_class in ("crypto", "us_stock", "us_etf"):
    KEYS |= {
        f"costs.{asset_class}.commission_bp": BP,
        f"costs.{asset_class}.commission_per_unit": st.floats(0, 0.1),
        f"costs.{asset_class}.minimum_commission": st.floats(0, 20),
        f"costs.{asset_class}.maximum_commission_bp": BP,
        f"costs.{asset_class}.half_spread_bp": BP,
        f"costs.{asset_class}.slippage_bp": BP,
        f"costs.{asset_class}.volume_impact": st.floats(0, 0.5),
        f"costs.{asset_class}.participation": st.floats(1e-6, 1),
        f"costs.{asset_class}.minimum_notional": st.floats(0, 1000),
        f"costs.{asset_class}.units": st.sampled_from(["fractional", "whole"]),
    }
# What stays as it is: names, code of users, and the signal, in whose place a drawn path of regimes stands.
LEFT: tuple[str, ...] = (
    "run.market",  # of commands; the market is given here
    "catalogue.",  # what a market keeps is read
    "run.name",
    "run.idea_known",  # a day that the evidence alone reads
    "run.strategy",
    "run.warmup_sessions",
    "policy.weights",
    "universe.benchmark",
    "universe.hindsight",
    "universe.rule",  # wants lists of names and years of weeks
    "signal.",
    "policy.function",
)
LEFT += ("policy.blend_by_probability",)  # a path of regimes has no probabilities

specs = st.fixed_dictionaries({}, optional=KEYS)
paths = st.lists(st.sampled_from(["ABUNDANT", "NEUTRAL", "SCARCE"]), min_size=12, max_size=12)


def any_market() -> Snapshot:
    """Late listing, missing bars, a blank open, whole and half units, a split, dividends, a delisting; a bill."""
    rng = np.random.default_rng(5)
    days = pd.date_range(SESSIONS[0], SESSIONS[-1])
    bars: dict[str, list[Any]] = {}
    for name in ("COIN", "COIN-B", "LATE", "GAPS", "DEAR", "ACTS", "GONE", "BLANK", "FUND", "MARKET"):
        index = days if name.startswith("COIN") else SESSIONS
        close = (900.0 if name == "DEAR" else 50.0) * np.exp(np.cumsum(rng.normal(0, 0.03, len(index))))
        opens = close * rng.uniform(0.93, 1.07, len(index))
        bars[name] = list(zip(index.strftime("%Y-%m-%d"), opens, close, strict=True))
    bars["LATE"] = bars["LATE"][28:]  # two sessions of when-issued prices
    bars["GAPS"] = [*bars["GAPS"][:20], *bars["GAPS"][23:50], *bars["GAPS"][62:]]
    bars["BLANK"][45] = (bars["BLANK"][45][0], None, bars["BLANK"][45][2])
    bars["GONE"] = bars["GONE"][:81]
    bars["ACTS"] = [
        (day, o / 3, c / 3) if pd.Timestamp(day) >= LATE_ACTION else (day, o, c) for day, o, c in bars["ACTS"]
    ]
    classes: dict[str, AssetClass] = dict.fromkeys(bars, "us_stock")
    classes.update({"COIN": "crypto", "COIN-B": "crypto", "FUND": "us_etf"})
    listed = {"LATE": str(LISTED.date())}
    instruments = {
        name: make_instrument(classes[name], listed.get(name, "2000-01-03"), UNITS.get(name, 1e-9)) for name in bars
    }
    return with_actions(make_snapshot(bars, instruments))


def with_actions(snapshot: Snapshot) -> Snapshot:
    known = pd.Timestamp("2024-01-10", tz="UTC")
    rows = [
        ("ACTS", LATE_ACTION, "split", 3.0, known),
        ("ACTS", SESSIONS[40], "dividend", 0.7, known),
        ("FUND", SESSIONS[70], "dividend", 0.4, known),
        ("GONE", GONE, "delisting", 31.0, GONE.tz_localize("UTC") - pd.Timedelta(days=9)),
    ]
    actions = ACTIONS.conform(pd.DataFrame([(*row, "made for a test") for row in rows], columns=list(ACTIONS.columns)))
    adjusted = [
        each.assign(adj_close=adjusted_close(each, actions[actions["symbol"] == symbol]))
        for symbol, each in snapshot.bars.groupby("symbol")
    ]
    bill = pd.DataFrame({"series": "DGS3MO", "date": SESSIONS, "value": 5.0, "known_at": SESSIONS.tz_localize("UTC")})
    return replace(snapshot, bars=BARS.conform(pd.concat(adjusted)), actions=actions, series=SERIES.conform(bill))


def spec_of(drawn: dict[str, Any], regimes: list[str], folder: Path) -> Spec:
    """A spec of the drawn values, and of a regime for every ten sessions."""
    times = [f"{day:%Y-%m-%d}T00:00:00+00:00" for day in SESSIONS[::10]]
    lines = [f"{time},{regime}" for time, regime in zip(times, regimes, strict=True)]
    (folder / "regimes.csv").write_text("\n".join(["known_at,regime", *lines]) + "\n")
    values = {
        "run": {"name": "any", "start": FIRST_RUN.date()},
        "universe": {"speculative": ["COIN", "GAPS"], "cash_flow": ["ACTS", "GONE"], "benchmark": "MARKET"},
        "signal.source": str(folder / "regimes.csv"),
    }
    if drawn.get("universe.speculative") == drawn.get("universe.cash_flow") == []:  # something must be traded
        drawn = drawn | {"universe.reserve": ["FUND"]}
    if drawn.get("run.prices", "adjusted") == "adjusted":  # which refuses whole units and fees a share by name
        classes = ("us_stock", "us_etf")
        drawn = drawn | {f"costs.{name}.units": "fractional" for name in classes}
        drawn |= {f"costs.{name}.commission_per_unit": 0.0 for name in classes}
    return load_spec("sample", values | drawn)


def assert_whole(run: Backtest) -> None:
    """Nothing but cash and holdings, neither of them below zero."""
    equity, cash = run.engine.equity["equity"].to_numpy(), run.engine.equity["cash"].to_numpy()
    units = run.engine.positions.to_numpy()
    weights = np.where(units > 0, units * run.panel.close[1:], 0.0) / equity[:, np.newaxis]
    np.testing.assert_allclose(weights.sum(axis=1) + cash / equity, 1.0, rtol=1e-9)
    assert (cash >= -1e-9 * equity).all()
    assert (units >= 0).all()
    assert run.counts.orders.rejected == 0
    assert_gains_add_up(run)
