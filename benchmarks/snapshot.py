"""What a market costs: importing real history with calendars to build and kept ones, loading, showing, verifying."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from measuring import show, time_in_turn

ROUNDS = 5
LIMITS = {"import": 10.0, "load": 0.3, "read_xnys": 0.02}
LIMIT_MB = 500.0

# Each runs in a process of its own, so that its peak memory is its own and its first load is a first one.
IMPORT = """
import json, resource, sys, time
begin = time.perf_counter()
from pathlib import Path
from data.importing.folders import import_snapshot
from data.market.snapshot import save
shared = Path(sys.argv[1])
snapshot, _ = import_snapshot(shared / "market" / "prices", shared / "market" / "macro", shared / "capex", sys.argv[2])
save(snapshot)
seconds = time.perf_counter() - begin
print(json.dumps({"import": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
LOAD = """
import json, time
from statistics import median
import pandas, pyarrow.parquet
from data.market.snapshot import load
def once():
    begin = time.perf_counter()
    load("history")
    return time.perf_counter() - begin
first = once()
again = median(once() for _ in range(5))
print(json.dumps({"load": first, "load_again": again}))
"""


SESSIONS = """
import json, time
import numpy, pandas, platformdirs
import data.clock as clock
begin = time.perf_counter()
clock.calendar_sessions("XNYS", pandas.Timestamp("2001-01-02"), pandas.Timestamp("2026-01-02"))
print(json.dumps({"read_xnys": time.perf_counter() - begin}))
"""


def run(code: str, *words: str) -> dict[str, float]:
    """The JSON that a program prints, run in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    arguments = parser.parse_args()
    os.environ["REVERSE_QE_HOME"] = tempfile.mkdtemp(prefix="reverse-qe-benchmark-")
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="reverse-qe-benchmark-cache-")  # Nothing kept: cold.
    imported = run(IMPORT, str(arguments.shared), "history")
    again = [run(IMPORT, str(arguments.shared), f"again-{turn}") for turn in range(ROUNDS)]
    commands = {word: [sys.executable, "-m", "reverse_qe", "data", word, "history"] for word in ("show", "verify")}
    loads = [run(LOAD) for _ in range(ROUNDS)]
    seconds = {
        "import": imported["import"],
        "import_again": median(each["import"] for each in again),
        "read_xnys": median(run(SESSIONS)["read_xnys"] for _ in range(ROUNDS)),
        "load": median(each["load"] for each in loads),
        "load_again": median(each["load_again"] for each in loads),
        **time_in_turn(commands, ROUNDS),
    }
    ratios = {f"{name}_over_limit": seconds[name] / limit for name, limit in LIMITS.items()}
    show(
        "A market of real history: importing it, loading it, showing and verifying it",
        {**ratios, "import_peak_over_limit": imported["peak_mb"] / LIMIT_MB},
        seconds,
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
