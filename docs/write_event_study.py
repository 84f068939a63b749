"""Write into docs/event-study.md what the event study says of the shipped specs.

    python docs/write_event_study.py --market history

It needs a market of real history (`reverse-qe data import`) and the extra `evidence`, and takes some seconds. It is the
same as `reverse-qe events study` on either market. `make docs` does not run it.
"""

import argparse
import re
import sys
from pathlib import Path

from data.errors import InputError
from data.market.snapshot import Snapshot
from page_parts import table
from reverse_qe.api import event_study
from reverse_qe.words.studies.event_study import (
    SLOPE_HEAD,
    TEST_HEAD,
    sentences,
    slope_rows,
    test_rows,
    title,
    wide_legs,
)

PAGE = Path(__file__).with_name("event-study.md")


def section(market: str | Snapshot) -> str:
    """The tables of a market, and what they come to."""
    found = event_study(market=market)
    legs = wide_legs(found)
    parts = [
        f"{title(found)}.",
        table([column.name for column in TEST_HEAD], test_rows(found, legs)),
        table([column.name for column in SLOPE_HEAD], slope_rows(found, legs)),
        "\n".join(f"- {sentence}" for sentence in sentences(found)),
    ]
    return "\n\n".join(parts)


def put(name: str, made: str) -> None:
    """Put a section between its marks."""
    marks = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.S)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(marks.sub(lambda found: f"{found[1]}\n{made}\n\n{found[2]}", text), encoding="utf-8")


def main() -> int:
    """Write the page; 2 where the input was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="history", help="name of a market of real history (default: history)")
    try:
        put("history", section(parser.parse_args().market))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
