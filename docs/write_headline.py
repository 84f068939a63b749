"""Put what the rotation has shown on real history into the README: run it after a change of results.

    python docs/write_headline.py --market history

The market is one that was imported or fetched; a test compares where real history lies beside the checkout.
"""

import argparse
import re
from pathlib import Path

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.markets import open_market
from reverse_qe.words.evidence import RIVAL_HEAD, honest_sentences, rival_rows

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"(<!-- headline: begin -->\n).*?(<!-- headline: end -->)", re.S)


def readme_with_headline(run: Backtest) -> str:
    """The README with the honest lines of a run, and its rivals, between its marks."""
    first, last = run.sessions[0].date(), run.sessions[-1].date()
    told = "\n".join(f"- {sentence}" for sentence in honest_sentences(run))
    rule = ("---", *("---:" for _ in RIVAL_HEAD[1:]))
    table = "\n".join(f"| {' | '.join(row)} |" for row in (RIVAL_HEAD, rule, *rival_rows(run)))
    head = f"The shipped spec on real history, {first} to {last}:"
    text = f"{head}\n\n{told}\n\n{table}\n"
    return MARKED.sub(lambda marks: f"{marks[1]}{text}{marks[2]}", README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--market", required=True, help="an imported or fetched market")
    market = open_market(parser.parse_args().market)
    README.write_text(readme_with_headline(run_backtest(load_spec("history"), market)), encoding="utf-8")
