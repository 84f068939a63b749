"""What the log of trials costs: adding a row to one of 10,000, and reading and verifying all of it.

python benchmarks/trial_log.py [--rows N] [--json]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from backtests.archive.trials.log import add_trial
from backtests.archive.trials.reading import tried_in
from backtests.archive.trials.verify import verify_log
from backtests.evidence.trials import count_trials
from data.clock import sessions_between

NAMES = ("strategy", "benchmark", "static_mix", "price_momentum", "signal_without_drain", "gate_alone", "one_switch")
FIRST, LAST = "2016-01-04", "2026-10-09"


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured(Path(folder), arguments.rows)
    if arguments.json:
        print(json.dumps({"ratios": {}, "seconds": seconds, "peak_mb": {}}))
        return
    print(f"A log of {arguments.rows:,} rows, seven series of ten years each")
    for name, value in seconds.items():
        print(f"  {name:24} {1000 * value:12,.1f} ms")


def measured(folder: Path, count: int) -> dict[str, float]:
    """Seconds of each step."""
    sessions = len(sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST)))
    random = np.random.default_rng(1)
    common = random.standard_normal(sessions) / 100
    took = []
    for number in range(count):
        series = {name: common + random.standard_normal(sessions) / 100 for name in NAMES}
        begin = time.perf_counter()
        add_trial(folder, row_of(number, sessions), series)
        took.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    again = add_trial(folder, row_of(count - 1, sessions), series)
    same = time.perf_counter() - begin
    assert not again.is_new
    begin = time.perf_counter()
    found = verify_log(folder)
    verified = time.perf_counter() - begin
    assert not found.faults
    begin = time.perf_counter()
    count_trials(tried_in(folder, found.rows, False))
    return {
        "first_hundred_rows": median(took[:100]),
        "last_hundred_rows": median(took[-100:]),
        "slowest_of_the_last": max(took[-100:]),
        "same_again": same,
        "verify_all": verified,
        "count_as_independent": time.perf_counter() - begin,
    }


def row_of(number: int, sessions: int) -> dict[str, Any]:
    """A row as long as those of backtests are."""
    return {
        "kind": "backtest",
        "at": "2026-11-28T00:00:00+00:00",
        "project": f"folder-of-somebody/project{number % 3}",
        "simulated": False,
        "market": "history.3",
        "snapshot_hash": f"{number:064x}",
        "key": f"{number:064x}",
        "trials": 1,
        "spec": "history",
        "differs": {f"policy.budgets.SCARCE.speculative{each}": 0.5 for each in range(8)},
        "first_session": FIRST,
        "last_session": LAST,
        "sessions": sessions,
    }


if __name__ == "__main__":
    main()
