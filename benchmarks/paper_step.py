"""Daily steps on paper in one process, with the simulated broker: seconds of a step in the first year and in the last
of ten, the whole replay against the backtest, size of the ledger, memory."""

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
        config = PaperConfig(market=arguments.market, spec=arguments.spec, state={"path": Path(folder)})
        seconds, memory = [], []
        for session in sessions:
            begin = time.perf_counter()
            told = run_step(config, session.date())
            seconds.append(time.perf_counter() - begin)
            memory.append(_memory_mb())
            if told.halt or told.fault:
                parser.exit(1, f"the step for {session.date()} was not ended: {told.halt}{told.fault}\n")
        ledger_mb = (Path(folder) / LEDGER_FILE).stat().st_size / MB
        compared = read_status(config).comparison
    assert compared is not None
    if compared.largest_difference > 1e-9:
        parser.exit(1, f"the replay differs from the backtest by {compared.largest_difference:.1e}\n")
    year = pd.Series(seconds[1 : SESSIONS_A_YEAR + 1]).median()
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
