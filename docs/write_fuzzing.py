"""Write the table of `fuzzing.md` from what the last long runs of `tests/fuzz` have kept in `.fuzzing`.

REVERSE_QE_FUZZ_INPUTS=22000 REVERSE_QE_FUZZ_SEED=1 python -m pytest tests/fuzz
python docs/write_fuzzing.py
"""

import json
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "fuzzing.md"
BEGIN, END = "<!-- made by docs/write_fuzzing.py: begin -->", "<!-- end -->"


def main() -> int:
    """Put the counts between the marks of the page."""
    runs = [json.loads(file.read_text()) for file in sorted((DOCS.parent / ".fuzzing").glob("seed-*.json"))]
    if not runs:
        print("nothing is kept in .fuzzing; run: make test-long", file=sys.stderr)
        return 2
    areas = sorted({area for run in runs for area in run["counts"]})
    lines = [
        "| inputs | " + " | ".join(f"seed {run['seed']}" for run in runs) + " |",
        "|---" + "|---:" * len(runs) + "|",
    ]
    for area in areas:
        lines.append(f"| {area} | " + " | ".join(f"{run['counts'].get(area, 0):,}" for run in runs) + " |")
    lines.append("| in all | " + " | ".join(f"{sum(run['counts'].values()):,}" for run in runs) + " |")
    lines.append("| tests that failed | " + " | ".join(str(len(run["failed"])) for run in runs) + " |")
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
