"""Daily steps on paper in one process, with the simulated broker: seconds of a step in the first year and in the last
of ten, the whole replay against the backtest, size of the ledger, memory.

A young account takes the steps of its first year in between those of the last one of an account of ten years, so that
both meet the same noise of the machine; seconds are those of the processor."""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pandas as pd
from measuring import show

from data.clock import sessions_between
from paper.config import PaperConfig
from paper.ledger.reader import LEDGER_FILE
from paper.overview.status import read_status
from paper.step.account import run_step

MB = 1024 * 1024
SESSIONS_A_YEAR = 252


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--market", default="sample", help="name of the snapshot")
    parser.add_argument("--spec", default="sample", help="TOML file or shipped spec")
    parser.add_argument("--first", default="2016-01-04", help="first day")
    parser.add_argument("--years", type=int, default=10, help="of steps")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    first = pd.Timestamp(arguments.first)
    sessions = sessions_between(first, first + pd.DateOffset(years=arguments.years, days=-1))
    with tempfile.TemporaryDirectory() as folder:
        config, young = (
            PaperConfig(market=arguments.market, spec=arguments.spec, state={"path": Path(folder) / name})
            for name in ("old", "young")
        )

        def step(account: PaperConfig, session: pd.Timestamp) -> float:
            begin = time.process_time()
            told = run_step(account, session.date())
            if told.halt or told.fault:
                parser.exit(1, f"the step for {session.date()} was not ended: {told.halt}{told.fault}\n")
            return time.process_time() - begin

        seconds, first_year, memory = [], [], []
        for place, session in enumerate(sessions):
            seconds.append(step(config, session))
            memory.append(_memory_mb())
            if (early := place - len(sessions) + SESSIONS_A_YEAR) >= 0:
                first_year.append(step(young, sessions[early]))
        ledger_mb = (config.state_folder / LEDGER_FILE).stat().st_size / MB
        compared = read_status(config).comparison
    assert compared is not None
    if compared.largest_difference > 1e-9:
        parser.exit(1, f"the replay differs from the backtest by {compared.largest_difference:.1e}\n")
    year = pd.Series(first_year[1:]).median()
    last = pd.Series(seconds[-SESSIONS_A_YEAR:]).median()
    show(
        f"{len(sessions)} daily steps of {arguments.spec} on {arguments.market} from {arguments.first}",
        {
            "step_after_ten_years_over_first_year": float(last / year),
            "largest_difference_from_the_backtest": compared.largest_difference,
            "ledger_mb": ledger_mb,
            "memory_growth_mb": memory[-1] - memory[len(memory) // 10],
        },
        {
            "all": sum(seconds),
            "first_step": seconds[0],
            "median_step_of_the_first_year": float(year),
            "median_step_of_the_last_year": float(last),
            "slowest_later_step": max(seconds[1:]),
        },
        as_json=arguments.json,
    )


def _memory_mb() -> float:
    """Peak resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
