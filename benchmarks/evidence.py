"""What the tests of evidence cost on real history, wall seconds, section by section.

lottery: 1,000 pairs of baskets at the true moments and at 100 moved ones, drawn from the market of the run, and from
the index beside it with both rules for names that die. What is compiled is compiled before.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from main_job import stored_history
from measuring import show

from backtests.prepare.prepared import prepare
from backtests.run import until_default_end
from backtests.spec.spec import load_spec
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from data.importing.universe import read_universe
from data.market.snapshot import Snapshot


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def lottery(snapshot: Snapshot, shared: Path) -> dict[str, float]:
    prepared = until_default_end(prepare(load_spec("history"), snapshot))
    universe_lottery(prepared, Asked(), draws=20)  # compiles, or reads the cache
    seconds = {"lottery_1000": timed(lambda: universe_lottery(prepared, Asked()))}
    folder = shared / "market" / "universe"
    if folder.is_dir():
        index = read_universe(folder, "universe")[0]
        seconds["lottery_1000_of_the_index"] = timed(lambda: universe_lottery(prepared, Asked(index)))
    return seconds


SECTIONS: dict[str, Callable[[Snapshot, Path], dict[str, float]]] = {"lottery": lottery}


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
