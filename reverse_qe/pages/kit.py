"""The HTML of the tearsheet: a page that is complete in itself, around the report that QuantStats renders."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

PAGE_TEMPLATE = Path(__file__).parent / "tearsheet.html.tmpl"

# Each line has its test in tests/reverse_qe/test_tearsheet.py, which fails when QuantStats changes.
DIFFERENCES = (
    "Sharpe and Sortino: ours are over the bill's return of each day, QuantStats' over one rate for the whole run "
    "(its first line); its rolling Sharpe and Sortino charts are over no rate at all.",
    "Time in market counts the days with a return other than zero; our exposure is the share of equity invested.",
    "Win rates and average returns leave out the days without a return.",
    "Value-at-risk and expected shortfall are those of a normal distribution, whatever the tails were.",
    "The information ratio is daily, not annualised; Treynor's ratio divides the total return, not the yearly one.",
    "The recovery factor has no sign: it is positive for a losing run too.",
    "A drawdown that has not recovered shows the last day of the run as its recovery; a series that is below its "
    "start from the first day to the last shows no drawdown at all.",
    "The worst five drawdown periods of the chart are the longest, not the deepest.",
    "3, 5 and 10 years are 35, 59 and 119 months before the last day; a shorter run is taken whole.",
    "Months outside the run stand as 0.00 in the table of monthly returns.",
    "Left out: its charts of summed daily returns, which fall to zero at each weekend, and of return quantiles, which "
    "lose every week, month and year that does not end on a session.",
)


@dataclass(frozen=True)
class PageTable:
    """A table of plain text, ready to print: its title, its head and its rows; the first column is left-aligned."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def page(
    *,
    title: str,
    subtitle: str,
    banners: Sequence[tuple[str, str]],
    benchmark_name: str,
    summary: Sequence[tuple[str, str, str]],
    notes: Sequence[str],
    tables: Sequence[PageTable],
    report: str,
    footer: str,
) -> str:
    """Return the page; everything but `report`, which is HTML, is plain text and escaped here."""
    return Template(PAGE_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        subtitle=html.escape(subtitle),
        banners="\n".join(banner_html(label, text) for label, text in banners),
        summary=_summary(benchmark_name, summary),
        notes=_notes(notes),
        tables="\n".join(table_html(table) for table in tables),
        report=report,
        footer=html.escape(footer),
    )


def quantstats_section(body: str) -> str:
    """Return the section that holds the HTML of QuantStats' report, and how its numbers differ from ours."""
    items = "\n".join(f"<li>{html.escape(line)}</li>" for line in DIFFERENCES)
    return (
        "<section>\n<h2>QuantStats report</h2>\n"
        f"<details><summary>What to know of its numbers and charts</summary>\n<ul>\n{items}\n</ul></details>\n"
        f"{body}\n</section>"
    )


def plain_section(reason: str, chart: str) -> str:
    """Return the section that stands in for QuantStats' report: why it is missing, and our own chart as SVG."""
    return (
        f'<section>\n<h2>Equity and drawdown</h2>\n<p class="missing">The QuantStats report is left out: '
        f"{html.escape(reason)}</p>\n{chart}\n</section>"
    )


def inline_svg(text: str) -> str:
    """Return the text without what belongs to an SVG file and not to an SVG inside a page."""
    return re.sub(r"<\?xml.*?\?>\s*|<!DOCTYPE svg.*?>\s*", "", text, flags=re.DOTALL)


def banner_html(label: str, text: str) -> str:
    """Return one warning that must not be overlooked."""
    return f'<p class="banner" role="note"><strong>{html.escape(label)}</strong>{html.escape(text)}</p>'


def _summary(benchmark_name: str, rows: Sequence[tuple[str, str, str]]) -> str:
    head = _row("th", ("Measure", "Strategy", benchmark_name))
    body = "\n".join(_row("td", row) for row in rows)
    return f'<table class="ours">\n<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def table_html(table: PageTable) -> str:
    """Return a table with its title."""
    body = "\n".join(_row("td", row) for row in table.rows)
    return (
        f'<section>\n<h3>{html.escape(table.title)}</h3>\n<table class="wide">\n<thead>\n{_row("th", table.head)}\n'
        f"</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<h3>Notes</h3>\n<ul>\n" + "\n".join(f"<li>{html.escape(note)}</li>" for note in notes) + "\n</ul>"
