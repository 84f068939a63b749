"""The jump model laid over the S&P 500, by the protocol of Shu, Yu and Mulvey (2024) with a fixed penalty of 50.

Price index 1990 to 2022 of the skfolio package, interest 0. Features: downside deviation of half-life 10, Sortino
ratios of half-lives 20 and 60, from the 61st return on; clipped and standardized on the training window of 3,000
sessions; refitted every 126 sessions, states told online between; out in the state of the lower mean return; 10 bp a
change.

    python benchmarks/jump_overlay.py --json
    python benchmarks/jump_overlay.py --write tests/fixtures/jump_path_sp500.csv

The first form fits anew what $REVERSE_QE_HOME/cache does not hold (minutes); the second also stores the path, by its
changes, for the test of the accounting.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import show
from skfolio.datasets import load_sp500_index

from backtests.studies.overlay import overlay
from signals.model_config import RegimeModelConfig
from signals.models.jump import JUMP
from signals.models.two_states import SCORE, fitted_forward

WARM_UP = 60
CONFIG = RegimeModelConfig(
    name="jump", first_fit_sessions=3000, refit_sessions=126, window_sessions=3000, jump_penalty=50.0, jump_starts=10
)


def features(returns: pd.Series) -> pd.DataFrame:
    """The paper's three, and as score what tells the states apart: the loss of the session."""

    def downside(half_life: float) -> pd.Series:
        return np.sqrt(np.minimum(returns, 0.0).pow(2).ewm(halflife=half_life).mean())

    sortino = {f"sortino_{each}": returns.ewm(halflife=each).mean() / downside(each) for each in (20, 60)}
    return pd.DataFrame({"downside_10": downside(10), **sortino, SCORE: -returns})


if __name__ == "__main__":
    returns = load_sp500_index().iloc[:, 0].pct_change().dropna()
    begin = time.perf_counter()
    out = fitted_forward(JUMP, features(returns).iloc[WARM_UP:], CONFIG).scarce.dropna()
    seconds = time.perf_counter() - begin
    path = (1 - out).astype(int).rename("position").rename_axis("session")
    ratios = {}
    for delay in (1, 5, 10):
        account = overlay(path, returns[path.index], delay_sessions=delay, cost_bp=10.0)
        ratios[f"sharpe_delay_{delay}"] = account.performance.sharpe
        if delay == 1:
            ratios |= {name: getattr(account.performance, name) for name in ("cagr", "volatility", "max_drawdown")}
            ratios["switches"] = float(account.switches)
    show("Jump model over the S&P 500, 2002-02-22 to 2022-12-28", ratios, {"path": seconds}, "--json" in sys.argv[1:])
    if "--write" in sys.argv[1:]:
        file = Path(sys.argv[sys.argv.index("--write") + 1])
        path[path != path.shift()].to_csv(file)
