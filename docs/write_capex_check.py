"""Write the figures of docs/capex-check.md from what `reverse-qe events validate --json` says: `make docs` runs it."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from data.events.comparison import REFERENCE
from data.markets import results_of
from reverse_qe.cli import cli

PAGE = Path(__file__).with_name("capex-check.md")
MARKED = re.compile(r"(<!-- figures: begin \(make docs\) -->\n).*?(<!-- figures: end -->)", re.S)
SUMS = ("gross", "proceeds", "net", "published", "difference")


def page_with_figures() -> str:
    """The page with fresh figures between its marks."""
    told = json.loads(CliRunner().invoke(cli, ["events", "validate", "--json"], catch_exceptions=False).stdout)
    text = f"{_sums(told['published'])}\n\nWhat the gross sums are made of:\n\n{_parts(told['published'])}"
    return MARKED.sub(lambda marks: f"{marks[1]}\n{text}\n\n{marks[2]}", PAGE.read_text(encoding="utf-8"))


def _sums(published: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("calendar quarter", *SUMS, "explanation"),
        (
            (row["calendar_quarter"], *(f"{row[f'{name}_usd_bn']:.3f}" for name in SUMS), row["explanation"])
            for row in published
        ),
    )


def _parts(published: Sequence[dict[str, Any]]) -> str:
    results = results_of(REFERENCE)
    quarters = results["period_end"].dt.to_period("Q").astype(str)
    companies = published[0]["companies"].split()
    lines = []
    for row in published:
        held = results[quarters == row["calendar_quarter"]].set_index("company").loc[companies]
        cells = zip(held["capex_usd_bn"], held["fiscal_period"], held["capex_known_at"], strict=True)
        lines.append(
            (row["calendar_quarter"], *(f"{value:.3f} ({period}, {known:%Y-%m-%d})" for value, period, known in cells))
        )
    return _table(("calendar quarter", *companies), lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page_with_figures(), encoding="utf-8")
