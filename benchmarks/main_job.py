"""Where the time of `reverse-qe backtest` on real history goes, stage by stage."""

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path
from statistics import median

from measuring import show

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot, load, save
from reverse_qe.pages.run import run_page

ROUNDS = 9


def stored_history(shared: Path) -> Snapshot:
    """Import real history into a folder of its own and read it back as a backtest does."""
    os.environ["REVERSE_QE_HOME"] = tempfile.mkdtemp(prefix="reverse-qe-benchmark-")
    snapshot, _ = import_snapshot(
        shared / "market" / "prices", shared / "market" / "macro", shared / "capex", "history"
    )
    save(snapshot)
    return load("history")


def one_round(snapshot: Snapshot) -> tuple[Backtest, dict[str, float]]:
    """One run in memory and its rendering, seconds by stage; garbage is collected before, as `timeit` does it."""
    gc.collect()
    gc.disable()
    try:
        run = run_backtest(load_spec("history"), snapshot)
        begin = time.perf_counter()
        run_page(run)
        return run, {**run.seconds, "rendering": time.perf_counter() - begin}
    finally:
        gc.enable()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    arguments = parser.parse_args()
    snapshot = stored_history(arguments.shared)
    one_round(snapshot)  # imports and caches
    rounds = [one_round(snapshot)[1] for _ in range(ROUNDS)]
    seconds = {stage: median(each[stage] for each in rounds) for stage in rounds[0]}
    run = sum(value for stage, value in seconds.items() if stage != "rendering")
    show(
        "reverse-qe backtest on real history, medians without imports",
        {
            "baselines_over_event_run": median(each["baselines"] / each["engine"] for each in rounds),
            "run_over_rendering": run / seconds["rendering"],
        },
        {**seconds, "run": run},
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
