"""Write into docs/evidence.md what the evidence says of the shipped spec on real history.

    python docs/write_evidence.py --market history

It needs a market of real history (`reverse-qe data import`) and the extra `evidence`, and takes some seconds. It is the
same as `reverse-qe backtest history --market history` and `reverse-qe evidence` of that run with `--trials 45`, in a
project in which nothing else was counted. `make docs` does not run it.
"""

import argparse
import re
import sys
from pathlib import Path

from data.errors import InputError
from page_parts import paragraphs, table
from reverse_qe.api import backtest
from reverse_qe.judging.judge import evidence
from reverse_qe.judging.result import EvidenceResult
from reverse_qe.words.evidence_table import conclusion, question_rows, questions

PAGE = Path(__file__).with_name("evidence.md")
SPEC = "history"
# Three forms, 17 ablations, 4 further ratios of the gate and 21 other choices: the runs of docs/signal-evidence.md.
TRIALS = 45
SHIPPED = re.compile(r"(<!-- shipped: begin -->\n).*?(<!-- shipped: end -->)", re.S)


def shipped_section(found: EvidenceResult) -> str:
    """The table, and what it comes to."""
    told = (
        f"{found.title}. The pages of this project show {TRIALS} runs on real history ([Signal](signal-evidence.md)); "
        "so many are reckoned with, as if none resembled another."
    )
    rows = [
        (str(question) if number == 0 else "", test, text, verdict)
        for question in questions(found.table)
        for number, (test, text, verdict) in enumerate(question_rows(found.table, question))
    ]
    head = ("question", "test", "what was found", "verdict")
    return "\n\n".join([paragraphs(told), table(head, rows), paragraphs(conclusion(found.table))])


def main() -> int:
    """Write the page; 2 where the input was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="history", help="name of a market of real history (default: history)")
    try:
        run = backtest(SPEC, parser.parse_args().market, count=False)
        section = shipped_section(evidence(run, trials=TRIALS))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(SHIPPED.sub(lambda found: f"{found[1]}\n{section}\n\n{found[2]}", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
