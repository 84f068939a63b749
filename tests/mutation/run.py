"""Change the core in many small ways and count how many of the changes a test notices.

    python tests/mutation/run.py --seed 1 --count 300

The seed and the count are also read from REVERSE_QE_MUTATION_SEED and REVERSE_QE_MUTATION_SAMPLE. What was found out is
kept in `.mutation/seed-N.jsonl`; `docs/write_mutation.py` makes the page of it. Ends with 1 where fewer than 97% are
noticed.
"""

import argparse
import json
import os
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from changes import Change, found_again, sample
from choice import Reached
from core import KEPT, KEPT_BY_FILE, ROOT, TESTS
from freshness import refresh
from trial import QUIET, Trials, basetemp, exchanges, run_anew, warm

WANTED = 0.97
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
NOTICED, EQUIVALENT, UNNOTICED = "noticed", "equivalent", "unnoticed"
Try = Callable[[Sequence[str], float], str | None]


def equivalents() -> list[dict[str, str]]:
    """The changes that are known to change nothing."""
    listed: list[dict[str, str]] = tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8")).get("equivalent", [])
    return listed


def reason_of(change: Change, listed: list[dict[str, str]]) -> str | None:
    """Why a change changes nothing; None where it is not listed."""
    for each in listed:
        asked = {key: value for key, value in each.items() if key != "reason"}
        if all(" ".join(str(getattr(change, key)).split()) == " ".join(value.split()) for key, value in asked.items()):
            return each["reason"]
    return None


def noticed_by(tests: Sequence[str], most: float, attempt: Try, unchanged: Try, sound: set[str]) -> str | None:
    """The first test that fails with the change and passes without it."""
    left = list(tests)
    while left:
        told = attempt(left, most)
        if told is None or told in sound or told not in left:
            return told
        if unchanged([told], most) is None:
            sound.add(told)
            return told
        left.remove(told)
    return None


def work(changes: list[Change], most: float, tell: Callable[[Change, str, str], None]) -> None:
    """Try changes, those of functions alone before those that need their module imported anew."""
    reached, listed, sound = Reached(KEPT / "reach.json"), equivalents(), set[str]()
    warm()
    of_functions, of_modules = [], []
    for change in changes:
        reason = reason_of(change, listed)
        if reason is not None:
            tell(change, EQUIVALENT, reason)
            continue
        source, path = change.source(), ROOT / change.module
        codes = (compile(path.read_text(encoding="utf-8"), path, "exec"), compile(source, path, "exec"))
        found = exchanges(*codes)
        choice = reached.choose(change, most)
        limit = 30 + 8 * choice.seconds
        if change.module.startswith(KEPT_BY_FILE):
            limit += 300  # what is kept for the right code is made anew
        if found and not reached.at_import(change):
            of_functions.append((change, found, choice.tests, limit, reached.shared(change)))
            continue
        of_modules.append((change, source, path.read_text(encoding="utf-8"), choice.tests, limit))

    def trials(loop: Trials) -> None:
        for change, found, tests, limit, stale in of_functions:
            by = noticed_by(
                tests,
                limit,
                lambda tests, limit: loop.run(found, tests, limit, stale),  # noqa: B023
                lambda tests, limit: loop.run({}, tests, limit),
                sound,
            )
            tell(change, NOTICED if by else UNNOTICED, by or "")

    def all_trials() -> None:
        files = sorted({test.partition("::")[0] for _, _, tests, *_ in of_functions for test in tests})
        pytest.main([*QUIET, f"--basetemp={basetemp()}", *files], plugins=[Trials(trials)])
        shutil.rmtree(basetemp(), ignore_errors=True)

    if of_functions:
        # In a process of its own: this one stays without our modules.
        process = get_context("fork").Process(target=all_trials)
        process.start()
        process.join()
    for change, source, before, tests, limit in of_modules:
        by = noticed_by(
            tests,
            limit,
            lambda tests, limit: run_anew(change, source, tests, limit),  # noqa: B023
            lambda tests, limit: run_anew(change, before, tests, limit),  # noqa: B023
            sound,
        )
        tell(change, NOTICED if by else UNNOTICED, by or "")
    shutil.rmtree(basetemp(), ignore_errors=True)


def in_processes(changes: list[Change], most: float, processes: int) -> Iterator[dict[str, Any]]:
    """Try changes in a few processes at once, and tell of each as it ends."""
    context = get_context("fork")
    results = context.SimpleQueue()

    def share(place: int) -> None:
        begun = [time.monotonic()]

        def tell(change: Change, outcome: str, by: str) -> None:
            took = round(time.monotonic() - begun[0], 2)
            begun[0] = time.monotonic()
            results.put({**vars(change), "outcome": outcome, "by": by, "seconds": took})

        try:
            work(changes[place::processes], most, tell)
        finally:
            results.put(None)

    workers = [context.Process(target=share, args=(place,)) for place in range(processes)]
    for worker in workers:
        worker.start()
    running = processes
    while running:
        result = results.get()
        if result is None:
            running -= 1
        else:
            yield result
    for worker in workers:
        worker.join()


def main() -> int:
    """Run by hand, or by `make test-long`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("REVERSE_QE_MUTATION_SEED", "1")))
    parser.add_argument("--count", type=int, default=int(os.environ.get("REVERSE_QE_MUTATION_SAMPLE", "300")))
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=30, help="that the tests of one change may take")
    parser.add_argument("--again", action="store_true", help="only those that no test noticed last time")
    parser.add_argument("--keep-reach", action="store_true", help="do not look whether tests or modules have changed")
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    KEPT.mkdir(exist_ok=True)
    if not asked.keep_reach:
        refresh(TESTS)
    file = KEPT / f"seed-{asked.seed}.jsonl"
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    if asked.again:
        known = {key(each): each for each in map(json.loads, file.read_text().splitlines())}
        changes = [found for each in known.values() if each["outcome"] != NOTICED and (found := found_again(each))]
    else:
        changes = sample(asked.seed, asked.count)
    for place, result in enumerate(in_processes(changes, asked.seconds, asked.processes), 1):
        before = known.get(key(result), result)
        known[key(result)] = result | {"first": before.get("first", before["outcome"])}
        change = Change(**{name: result[name] for name in Change.__dataclass_fields__})
        if result["outcome"] == UNNOTICED:
            print(f"[{place}/{len(changes)}] UNNOTICED {change.told()}", flush=True)
        file.write_text("".join(json.dumps(each) + "\n" for each in known.values()))
    outcomes = [each["outcome"] for each in known.values()]
    noticed, missed = outcomes.count(NOTICED), outcomes.count(UNNOTICED)
    share = noticed / max(noticed + missed, 1)
    print(
        f"seed {asked.seed}: {len(outcomes)} changes, {noticed} noticed, {missed} not, "
        f"{outcomes.count(EQUIVALENT)} change nothing: {share:.1%}"
    )
    return 0 if share >= WANTED else 1


def key(of: dict[str, Any]) -> tuple[Any, ...]:
    """What makes a change itself, wherever its line is by now."""
    return of["module"], of["function"], of["was"], of["became"], of["column"]


if __name__ == "__main__":
    sys.exit(main())
