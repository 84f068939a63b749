import json

import engines
import hostile


def pytest_terminal_summary(terminalreporter):
    """How many inputs were tried, by area; of long runs they are kept for `docs/write_fuzzing.py`.

    A long run may be made file by file, or again for one test: what it did takes the place of what was kept of that.
    """
    for area, count in sorted(hostile.COUNTS.items()):
        terminalreporter.write_line(f"{count:>8,}  {area}")
    terminalreporter.write_line(f"{sum(hostile.COUNTS.values()):>8,}  in all, seed {hostile.SEED}")
    for what, difference in engines.LARGEST.items():
        terminalreporter.write_line(f"{difference:8.1e}  largest difference of {what}, of the equity")
    if hostile.INPUTS:
        file = hostile.KEPT / f"seed-{hostile.SEED}.json"
        kept = json.loads(file.read_text()) if file.exists() else {"counts": {}, "failed": []}
        passed, failed = (
            {report.nodeid for report in terminalreporter.stats.get(outcome, [])} for outcome in ("passed", "failed")
        )
        told = {
            "seed": hostile.SEED,
            "counts": dict(sorted({**kept["counts"], **hostile.COUNTS}.items())),
            "failed": sorted({*kept["failed"], *failed} - passed),
        }
        hostile.KEPT.mkdir(exist_ok=True)
        file.write_text(json.dumps(told, indent=2))
