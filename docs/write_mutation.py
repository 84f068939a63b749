"""Write `mutation.md`: what `tests/mutation/run.py` has found out, one file of `.mutation/` a seed.

python docs/write_mutation.py
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
KEPT = DOCS.parent / ".mutation"
PAGE = DOCS / "mutation.md"
BEGIN, END = "<!-- made by docs/write_mutation.py: begin -->", "<!-- end -->"
ROOMS = {
    "signals": "signals",
    "strategies": "strategies",
    "backtests/engines": "engines",
    "backtests/execution": "sessions and fills",
    "backtests/prepare": "preparation of a run",
    "backtests/measures": "measures",
    "backtests/evidence": "evidence",
    "data/market": "tables of a market",
    "data/prices": "prices and actions",
    "data/sources": "quarters from filings",
    "paper/step": "paper desk",
}


def row(name: str, results: Sequence[dict[str, Any]]) -> str:
    """One row of a table."""
    outcomes = [each["outcome"] for each in results]
    noticed, missed, same = (outcomes.count(name) for name in ("noticed", "unnoticed", "equivalent"))
    matter = [each for each in results if each["outcome"] != "equivalent"]
    first = sum(each.get("first", each["outcome"]) == "noticed" for each in matter)
    shares = " | ".join(f"{count / len(matter):.1%}" if matter else "-" for count in (first, noticed))
    return f"| {name} | {len(outcomes)} | {same} | {noticed} | {missed} | {shares} |"


def tables(seeds: dict[int, list[dict[str, Any]]]) -> str:
    """The tables, and the changes that no test notices."""
    every = [each for results in seeds.values() for each in results]
    head = "changes | that change nothing | noticed | not noticed | share at first look | share noticed |\n"
    head += "|---" * 7 + "|"
    lines = [f"| seed | {head}", *(row(str(seed), results) for seed, results in seeds.items()), row("all", every), ""]
    lines += [f"| of | {head}"]
    for folder, name in ROOMS.items():
        lines.append(row(name, [each for each in every if each["module"].startswith(f"{folder}/")]))
    missed = sorted({(each["module"], each["was"], each["became"]) for each in every if each["outcome"] == "unnoticed"})
    lines += ["", "Not noticed:", ""] if missed else ["", "None of them is unnoticed."]
    lines += [f"- `{module}`: `` {was} `` to `` {became} ``" for module, was, became in missed]
    return "\n".join(lines)


def main() -> int:
    """Put the tables between the marks of the page."""
    files = sorted(KEPT.glob("seed-*.jsonl"))
    if not files:
        print("nothing is kept in .mutation; run: python tests/mutation/run.py", file=sys.stderr)
        return 2
    seeds = {int(file.stem[5:]): [json.loads(line) for line in file.read_text().splitlines()] for file in files}
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(seeds)}\n\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
