"""Runs at the edge of what a page has to show: short, long, wide, empty, ruined, and with hostile names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import BARS
from hand_made import make_instrument, make_snapshot

HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e{{metrics}}$title"
POLICY = "\n".join(
    (
        "def weights(regime, tradable, prices, universe, config):",
        "    wanted = tradable.astype(float) * 0.0",
        "    {rule}",
        "    return wanted",
    )
)
STRATEGY = "\n".join(
    (
        "import backtrader as bt",
        "",
        "class Own(bt.Strategy):",
        "    def next(self):",
        "        if len(self) == 5:",
        "            data = self.datas[0]",
        "            self.buy(data, size=10)",
    )
)


def waves(sessions: pd.DatetimeIndex, symbols: int, drift: float = 0.0003) -> dict[str, np.ndarray]:
    """Closes that look like some, without a random number, by symbol."""
    angles = np.arange(len(sessions))
    return {
        f"NAME-{number:02d}": 100.0
        * np.exp(
            np.cumsum(drift + 0.01 * np.sin(angles * (1.1 + 0.13 * number)) + 0.004 * np.cos(angles * angles + number))
        )
        for number in range(symbols)
    }


def market(first: str, last: str, closes: int = 4, name: str = "hand-made", drift: float = 0.0003) -> Snapshot:
    """A market of waves, without a series and without an event."""
    sessions = sessions_between(pd.Timestamp(first), pd.Timestamp(last))
    frames = [
        pd.DataFrame(
            {"symbol": symbol, "date": sessions, "open": values, "high": values, "low": values, "close": values}
            | {"adj_close": values, "volume": 1e9}
        )
        for symbol, values in waves(sessions, closes, drift).items()
    ]
    base = make_snapshot({"X": [("2024-01-02", 1.0, 1.0)]}, name=name)
    bars = BARS.conform(pd.concat(frames, ignore_index=True))
    return replace(base, bars=bars, instruments={symbol: make_instrument() for symbol in bars["symbol"].unique()})


def spec_of(snapshot: Snapshot, start: str, folder: Path, set: Mapping[str, Any] | None = None) -> Spec:
    """A spec whose regimes come from a file: a basket for each half of the instruments, the first as benchmark."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "regimes.csv").write_text(
        "known_at,regime\n2000-01-03T22:00:00+00:00,NEUTRAL\n"
        + "".join(
            f"{year}-0{month}-15T22:00:00+00:00,{regime}\n"
            for year in range(2001, 2027)
            for month, regime in ((2, "SCARCE"), (6, "ABUNDANT"), (9, "NEUTRAL"))
        )
    )
    symbols = list(snapshot.instruments)
    half = len(symbols) // 2
    values: dict[str, Any] = {
        "run": {"name": "edge", "start": start},
        "universe": {"speculative": symbols[1:half], "cash_flow": symbols[half:], "benchmark": symbols[0]},
        "signal": {"source": str(folder / "regimes.csv")},
    }
    return load_spec(values, set)


def edge_runs(folder: Path) -> dict[str, Backtest]:
    """One run of each kind, by its name."""
    short = market("2023-01-03", "2024-06-28")
    runs = {
        "one day": _run(market("2024-01-02", "2024-02-01"), "2024-02-01", folder),
        "two days": _run(market("2024-01-02", "2024-02-02"), "2024-02-01", folder),
        "never in one regime": _run(market("2024-02-01", "2024-05-31"), "2024-03-01", folder),
        "25 years": _run(market("2001-01-02", "2026-06-30", 6), "2001-02-01", folder),
        "60 instruments": _run(
            market("2022-01-03", "2024-06-28", 60), "2022-02-01", folder, {"policy.instrument_cap": 0.1}
        ),
        "all cash": _run(short, "2023-02-01", folder, policy(folder, "idle", "pass")),
        "user strategy": _run(short, "2023-02-01", folder, _strategy(folder)),
        "loss of everything": _run(market("2023-01-03", "2024-06-28", 4, drift=-0.12), "2023-02-01", folder),
        "hostile names": _hostile(short, folder),
    }
    assert runs["all cash"].engine.orders.empty
    assert runs["loss of everything"].measures.strategy.final_equity_usd < 0.1
    return runs


def _run(snapshot: Snapshot, start: str, folder: Path, set: Mapping[str, Any] | None = None) -> Backtest:
    return run_backtest(spec_of(snapshot, start, folder, set), snapshot)


def policy(folder: Path, name: str, rule: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(POLICY.format(rule=rule))
    return {"policy.function": f"{path}:weights"}


def _strategy(folder: Path) -> dict[str, Any]:
    path = folder / "own <b>.py"
    path.write_text(STRATEGY)
    return {"run.strategy": f"{path}:Own"}


def _hostile(plain: Snapshot, folder: Path) -> Backtest:
    """Every name that a market and a spec may give, made to be read as markup."""
    names = {symbol: f"{HOSTILE}{number}" for number, symbol in enumerate(plain.instruments)}
    snapshot = replace(
        plain,
        name=f"market {HOSTILE}",
        simulated=True,
        bars=plain.bars.assign(symbol=plain.bars["symbol"].map(names)),
        instruments={names[symbol]: instrument for symbol, instrument in plain.instruments.items()},
    )
    return _run(snapshot, "2023-02-01", folder, {"universe.hindsight": f"Chosen {HOSTILE}"})
