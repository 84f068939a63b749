import json

import hostile


def pytest_terminal_summary(terminalreporter):
    """How many inputs were tried, by area; of a long run they are kept for `docs/write_fuzzing.py`."""
    for area, count in sorted(hostile.COUNTS.items()):
        terminalreporter.write_line(f"{count:>8,}  {area}")
    terminalreporter.write_line(f"{sum(hostile.COUNTS.values()):>8,}  in all, seed {hostile.SEED}")
    if hostile.INPUTS:
        failed = [report.nodeid for report in terminalreporter.stats.get("failed", [])]
        told = {"seed": hostile.SEED, "counts": dict(sorted(hostile.COUNTS.items())), "failed": failed}
        hostile.KEPT.mkdir(exist_ok=True)
        (hostile.KEPT / f"seed-{hostile.SEED}.json").write_text(json.dumps(told, indent=2))
