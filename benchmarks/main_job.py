"""Where the time of `reverse-qe backtest` on real history goes, stage by stage, and the whole of it beside others.

The other side is `plain_job.py`: plain Backtrader plays the same plan, which it is given, on the same prices, and
QuantStats draws its stock page. Both are whole processes, from start to end, in turn; their final values are near each
other, for the rules of filling are not the same. Wall seconds are what a user waits for, and need a second processor
that is idle; processor seconds do not.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measuring import show, whole_process

from backtests.prepare.prepared import prepare
from backtests.run import Backtest, run_backtest, until_default_end
from backtests.spec.spec import load_spec
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot, load, save
from reverse_qe.pages.run import run_page

ROUNDS = 9
COMMAND = str(Path(sys.executable).with_name("reverse-qe"))
PLAIN = str(Path(__file__).with_name("plain_job.py"))


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


def write_plan(snapshot: Snapshot, path: Path) -> None:
    """The weights of every rebalancing, by the session on whose close they are decided."""
    prepared = until_default_end(prepare(load_spec("history"), snapshot))
    targets = prepared.plan.targets.loc[prepared.plan.rebalance, list(prepared.spec.universe.symbols)]
    before = dict(zip(prepared.panel.decides_for, prepared.panel.sessions, strict=True))
    targets = targets[targets.index.isin(prepared.panel.decides_for)]
    targets.set_axis([before[day] for day in targets.index]).to_csv(path)


def whole_jobs(snapshot: Snapshot, shared: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds of our command and of the plain one, in turn; the first round fills caches."""
    folder = Path(tempfile.mkdtemp(prefix="reverse-qe-benchmark-"))
    write_plan(snapshot, folder / "plan.csv")
    plain = [
        sys.executable,
        PLAIN,
        str(shared / "market" / "prices"),
        str(folder / "plan.csv"),
        str(folder / "page.html"),
    ]
    taken: dict[str, list[tuple[float, float]]] = {"backtest": [], "plain": []}
    for number in range(rounds + 1):
        ours = [COMMAND, "backtest", "--market", snapshot.name, "--out", str(folder / f"run-{number}")]
        for name, command in (("backtest", ours), ("plain", plain)):
            taken[name].append(whole_process(command))
    final = float(subprocess.run(plain, check=True, capture_output=True, text=True).stdout)
    metrics = json.loads((folder / "run-0" / "metrics.json").read_text())
    assert abs(final / metrics["strategy"]["final_equity_usd"] - 1.0) < 0.15, "plain Backtrader has run something else"
    assert len({(folder / f"run-{number}" / "tearsheet.html").read_bytes() for number in range(rounds + 1)}) == 1
    return {name: seconds[1:] for name, seconds in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    snapshot = stored_history(arguments.shared)
    whole = whole_jobs(snapshot, arguments.shared, arguments.rounds)
    one_round(snapshot)  # imports and caches
    rounds = [one_round(snapshot)[1] for _ in range(arguments.rounds)]
    seconds = {stage: median(each[stage] for each in rounds) for stage in rounds[0]}
    run = sum(value for stage, value in seconds.items() if stage != "rendering")

    def over(which: int) -> float:
        return median(one[which] / other[which] for one, other in zip(whole["backtest"], whole["plain"], strict=True))

    show(
        "reverse-qe backtest on real history, medians; stages without imports, whole processes with them",
        {
            "baselines_over_event_run": median(each["baselines"] / each["engine"] for each in rounds),
            "run_over_rendering": run / seconds["rendering"],
            "backtest_over_quantstats_page": over(0),
            "backtest_processor_over_quantstats_page": over(1),
        },
        {
            **seconds,
            "run": run,
            **{f"{name}_process": median(wall for wall, _ in taken) for name, taken in whole.items()},
            **{f"{name}_process_processor": median(cpu for _, cpu in taken) for name, taken in whole.items()},
        },
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
