"""What every benchmark shares: commands timed in turn, medians, one table for people or one JSON object."""

import json
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from statistics import median


def time_in_turn(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """Median wall seconds of whole processes, run in turn so that a slow spell of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        whole_process(command)
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(whole_process(command)[0])
    return {name: median(values) for name, values in seconds.items()}


def whole_process(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds of a process from start to end, and processor seconds of it and of all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def peak_so_far() -> float:
    """Most memory that this process, or one child of it, has held so far, MB."""
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(usage) / 1024


def show(
    title: str, ratios: Mapping[str, float], seconds: Mapping[str, float], as_json: bool, peak_mb: float | None = None
) -> None:
    """Print the result: a table, or one JSON object of ratios, seconds and peak_mb.

    Args:
        title: of the table.
        ratios: by name.
        seconds: by name.
        as_json: whether to print JSON.
        peak_mb: of what is measured; None: of the whole process.
    """
    peak_mb = peak_so_far() if peak_mb is None else peak_mb
    if as_json:
        print(json.dumps({"ratios": dict(ratios), "seconds": dict(seconds), "peak_mb": peak_mb}, indent=2))
        return
    print(title)
    for name, value in ratios.items():
        print(f"  {name:<40}{value:>9.3f}")
    for name, value in seconds.items():
        print(f"  {name:<40}{value:>9.3f} s")
    print(f"  {'peak memory':<40}{peak_mb:>9.0f} MB")
