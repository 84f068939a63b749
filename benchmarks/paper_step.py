"""A year of daily steps on paper in one process, with the simulated broker: seconds, size of the ledger, memory."""

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
from paper.step.account import run_step

MB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--market", default="sample", help="name of the snapshot")
    parser.add_argument("--spec", default="sample", help="TOML file or shipped spec")
    parser.add_argument("--year", type=int, default=2021)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    sessions = sessions_between(pd.Timestamp(arguments.year, 1, 1), pd.Timestamp(arguments.year, 12, 31))
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
    show(
        f"{len(sessions)} daily steps of {arguments.spec} on {arguments.market}, {arguments.year}",
        {"ledger_mb": ledger_mb, "memory_growth_mb": memory[-1] - memory[len(memory) // 10]},
        {
            "year": sum(seconds),
            "first_step": seconds[0],
            "median_step": float(pd.Series(seconds[1:]).median()),
            "slowest_later_step": max(seconds[1:]),
        },
        as_json=arguments.json,
    )


def _memory_mb() -> float:
    """Peak resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
