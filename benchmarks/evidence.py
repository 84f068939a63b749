"""What the tests of evidence cost on real history, wall seconds, section by section.

run: every test of a run of the shipped spec, from its folder, as the command makes them. sweep: those of a sweep of
10,000 variants, from its folder; its peak memory is that of this process.
audit: the shipped spec at 50 cuts and a stretch of 101, in two processes.
lottery: 1,000 pairs of baskets at the true moments and at 100 moved ones, drawn from the market of the run, and from
the index beside it with both rules for names that die. What is compiled is compiled before.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from main_job import stored_history
from measuring import show
from sweep import GRID

from backtests.prepare.prepared import prepare
from backtests.run import until_default_end
from backtests.spec.spec import load_spec
from backtests.studies.audits.audit import run_audit
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from backtests.studies.sweeps.folder import run_into
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.importing.universe import read_universe
from data.market.snapshot import Snapshot
from reverse_qe.api import backtest
from reverse_qe.judging.judge import evidence


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def audit(snapshot: Snapshot, _shared: Path) -> dict[str, float]:
    report = run_audit(load_spec("history"), snapshot, cuts=50, jobs=2)
    if not report.holds:
        raise SystemExit("the audit of the shipped spec found something")
    return {"audit_50": report.seconds, "audit_50_a_run_of_one_process": 2 * report.seconds / report.runs}


def lottery(snapshot: Snapshot, shared: Path) -> dict[str, float]:
    prepared = until_default_end(prepare(load_spec("history"), snapshot))
    universe_lottery(prepared, Asked(), draws=40)  # compiles, or reads the cache
    seconds = {"lottery_1000": timed(lambda: universe_lottery(prepared, Asked()))}
    folder = shared / "market" / "universe"
    if folder.is_dir():
        index = read_universe(folder, "universe")[0]
        seconds["lottery_1000_of_the_index"] = timed(lambda: universe_lottery(prepared, Asked(index)))
    return seconds


def of_run(snapshot: Snapshot, _shared: Path) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        made = backtest("history", snapshot, out=Path(folder) / "run", tearsheet=False, count=False)
        evidence(made)  # imports, compiles
        return {"evidence_of_a_run": timed(lambda: evidence(Path(folder) / "run", market=snapshot))}


def of_sweep(snapshot: Snapshot, _shared: Path) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        grid = make_grid("history", GRID, yes=True)
        run_into(Path(folder) / "sweep", Sweep(SweepAsked("history", {}, grid, snapshot)), keep_returns=True)
        return {f"evidence_of_a_sweep_{grid.size}": timed(lambda: evidence(Path(folder) / "sweep", market=snapshot))}


SECTIONS: dict[str, Callable[[Snapshot, Path], dict[str, float]]] = {
    "run": of_run,
    "sweep": of_sweep,
    "audit": audit,
    "lottery": lottery,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    arguments = parser.parse_args()
    snapshot = stored_history(arguments.shared)
    seconds: dict[str, float] = {}
    for name in arguments.sections:
        seconds |= SECTIONS[name](snapshot, arguments.shared)
    show("Evidence on real history, wall seconds", {}, seconds, as_json=arguments.json)


if __name__ == "__main__":
    main()
