"""The quality report as a page that a person can read: complete in itself, with a small picture for each name."""

import html
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType

import numpy as np
import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot, contents
from data.quality.findings import KINDS, FindingKind
from data.quality.price_checks import SOURCES_TOLERANCE, source_difference
from data.quality.report import QualityReport
from reverse_qe.pages.small_pictures import Frame, line, picture, strip

TEMPLATE = Path(__file__).parent / "quality.html.tmpl"
BLUE, RED = "#1f6fa5", "#a3271d"

INSTRUMENT_LEGEND = (
    "Line: the logarithm of the adjusted close, each on its own scale. Strip, by month: dark where there are bars, "
    "light where some of them lack open, high or low."
)
SERIES_LEGEND = (
    "Line: the values, each on its own scale, from the first bar of the market on. Strip: months with values."
)

MEANINGS: Mapping[FindingKind, tuple[str, str]] = MappingProxyType(
    {
        "blank_cells": ("Blank cells", "The source has no value. A bar without an open fills no order."),
        "missing_sessions": ("Gaps", "The instrument's own exchange was open. The last close is carried, flagged."),
        "unknown_sessions": ("Unknown days", "The calendar knows no session there: a local closure, or a wrong date."),
        "close_outside_range": ("Closes outside high and low", "One of the three is wrong; only the close is used."),
        "split_like_move": ("Moves like a split", "Returns are wrong if it was a split: compare with another source."),
        "outlier": ("Far moves", "Far outside what was usual: true in a panic or on results, else a wrong price."),
        "unexplained_adjustment": (
            "Adjustments without an action",
            "The adjusted close takes out what is not held as a dividend or split; raw prices cannot be used.",
        ),
        "action_not_adjusted": (
            "Actions without adjustment",
            "The adjusted close still has the dividend or split in it.",
        ),
        "bar_not_ended": ("Unfinished bars", "Taken while the day went on: the close is not the close."),
        "sources_differ": ("Two sources differ", "One of the two is wrong, or they close at another moment."),
        "before_listing": ("Before the listing", "When-issued or pre-listing rows: kept, never traded."),
        "short": ("Short", "Less than a year of rows: no trailing window is full."),
        "stale": ("Stale", "It ends before the others do: a run that holds it ends there too."),
        "long_gap": ("Long gaps of a series", "In between its last value is too old to use, and the input drops out."),
    }
)
# What makes returns wrong, not only thin.
SERIOUS: frozenset[FindingKind] = frozenset(
    {"split_like_move", "unexplained_adjustment", "action_not_adjusted", "bar_not_ended"}
)


Told = Mapping[str, Sequence[tuple[FindingKind, str]]]


def write_quality_page(path: Path, snapshot: Snapshot, report: QualityReport) -> None:
    """Write the page aside, then rename it into place; a page that is there is replaced.

    Raises:
        InputError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        aside.write_text(quality_page(snapshot, report), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InputError(f"cannot write the page {path}: {error.strerror}; choose another --page") from error


def quality_page(snapshot: Snapshot, report: QualityReport) -> str:
    """Return the page.

    Args:
        snapshot: what was checked.
        report: what was found in it.
    """
    held, told = contents(snapshot), _told(report)
    made = f", made {snapshot.made_at:%Y-%m-%d %H:%M} UTC" if snapshot.made_at else ""
    label = " (SIMULATED)" if snapshot.simulated else ""
    span = f"bars from {held.first} to {held.last}"
    sections = [
        _summary(report),
        _names("Instruments", INSTRUMENT_LEGEND, _instrument_rows(snapshot, told)),
        _names("Series", SERIES_LEGEND, _series_rows(snapshot, told)),
        _sources(snapshot),
        _notes(report.notes),
    ]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(f"Quality of the market {snapshot.name}{label}"),
        subtitle=html.escape(f"{snapshot.origin}{made}. {held.symbols} instruments, {held.series} series, {span}."),
        verdict=html.escape(_verdict(report)),
        sections="\n".join(section for section in sections if section),
        footer=html.escape(f"Content {snapshot.content_hash}. Kept as it came: nothing was mended or left out."),
    )


def _told(report: QualityReport) -> Told:
    """What was found, in words, by name; what is found of several columns stands together."""
    told: dict[str, list[tuple[FindingKind, str]]] = {}
    for name, kind, text in report.grouped():
        told.setdefault(name, []).append((kind, text))
    return told


def _verdict(report: QualityReport) -> str:
    if not report.findings:
        return "Nothing odd was found."
    names = {finding.name for finding in report.findings}
    serious = sorted({finding.name for finding in report.findings if finding.kind in SERIOUS})
    told = f"Something is odd in {len(names)} of the instruments and series. "
    return told + (
        f"Returns may be wrong in {', '.join(serious)}." if serious else "None of it makes returns wrong by itself."
    )


def _summary(report: QualityReport) -> str:
    rows = []
    for kind in KINDS:
        found = [finding for finding in report.findings if finding.kind == kind]
        if found:
            names = list(dict.fromkeys(finding.name for finding in found))
            title, meaning = MEANINGS[kind]
            grave = ' class="serious"' if kind in SERIOUS else ""
            rows.append(
                f"<tr><td{grave}><strong>{html.escape(title)}</strong></td><td>{html.escape(meaning)}</td>"
                f'<td class="soft">{html.escape(", ".join(names))}</td></tr>'
            )
    if not rows:
        return ""
    head = "<tr><th>What</th><th>What it means</th><th>Where</th></tr>"
    return f"<h2>What was found</h2>\n<table><thead>{head}</thead>\n<tbody>{''.join(rows)}</tbody></table>"


def _names(title: str, legend: str, rows: Sequence[str]) -> str:
    if not rows:
        return ""
    head = "<tr><th>Name</th><th></th><th>Days</th><th>Rows</th><th>What is odd</th></tr>"
    return (
        f"<h2>{title}</h2>\n<p class='subtitle'>{legend}</p>\n<table class='names'><thead>{head}</thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _instrument_rows(snapshot: Snapshot, told: Told) -> list[str]:
    if snapshot.bars.empty:
        return []
    frame = Frame(snapshot.bars["date"].min(), snapshot.bars["date"].max())
    rows = []
    for symbol, bars in snapshot.bars.groupby("symbol"):
        days = pd.DatetimeIndex(bars["date"])
        whole = days[bars[["open", "high", "low", "close"]].notna().all(axis=1)]
        prices = pd.Series(np.log(bars["adj_close"].to_numpy()), index=days)
        rows.append(_row(str(symbol), days, whole, prices, frame, told))
    return rows


def _series_rows(snapshot: Snapshot, told: Told) -> list[str]:
    if snapshot.series.empty:
        return []
    days_of_bars = snapshot.bars["date"]
    # What came long before the first bar would leave no room for the rest.
    first = snapshot.series["date"].min() if days_of_bars.empty else days_of_bars.min()
    frame = Frame(first, snapshot.series["date"].max())
    rows = []
    for name, observations in snapshot.series.groupby("series"):
        newest = observations.drop_duplicates("date", keep="last")
        days = pd.DatetimeIndex(newest["date"])
        values = pd.Series(newest["value"].to_numpy(), index=days)
        # Holidays are blank in most series: a strip of values, not of rows, shows what is there.
        valued = days[newest["value"].notna()]
        rows.append(_row(str(name), valued, valued, values, frame, told))
    return rows


def _row(
    name: str,
    held: pd.DatetimeIndex,
    whole: pd.DatetimeIndex,
    values: pd.Series,
    frame: Frame,
    told: Told,
) -> str:
    label = html.escape(f"{name}, its values over time", quote=True)
    parts = [line(values[values.index >= frame.first], frame, 2, 34, BLUE), strip(held, whole, frame, 38, 6)]
    items = "".join(
        f"<li{' class=serious' if kind in SERIOUS else ''}>{_unbroken_days(html.escape(text))}</li>"
        for kind, text in told.get(name, ())
    )
    span = f"{held[0].date()}<br>{held[-1].date()}" if len(held) else "none"
    return (
        f'<tr><td class="name">{html.escape(name)}</td><td>{picture(parts, frame, label)}</td>'
        f'<td class="days">{span}</td><td class="number">{len(values):,}</td><td><ul>{items}</ul></td></tr>\n'
    )


def _unbroken_days(text: str) -> str:
    """Text whose days do not break at their hyphens."""
    return re.sub(r"\d{4}-\d{2}-\d{2}", r'<span class="day">\g<0></span>', text)


def _sources(snapshot: Snapshot) -> str:
    figures = []
    for symbol in snapshot.bars["symbol"].unique():
        compared = source_difference(snapshot, symbol)
        if compared is None or len(compared[1]) < 2:
            continue
        other, difference = compared
        size = difference.abs()
        frame = Frame(difference.index[0], difference.index[-1], width=1120, height=90)
        label = html.escape(f"closes of {symbol} over those of {other}", quote=True)
        caption = (
            f"{symbol} over {other}, {len(difference):,} days from {difference.index[0].date()} to "
            f"{difference.index[-1].date()}: median {size.median():.2%}, 99 of 100 days within "
            f"{size.quantile(0.99):.1%}, at most {size.max():.1%}; more than {SOURCES_TOLERANCE:.0%} apart on "
            f"{int((size > SOURCES_TOLERANCE).sum())} days"
        )
        drawn = picture([line(size, frame, 4, 86, RED)], frame, label)
        figures.append(f"<figure>{drawn}<figcaption>{html.escape(caption)}</figcaption></figure>")
    if not figures:
        return ""
    head = "<h2>Two sources beside each other</h2>\n<p class='subtitle'>How far their closes lie apart.</p>"
    return head + "".join(figures)


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<h2>Notes</h2>\n<ul>" + "".join(f"<li>{html.escape(note)}</li>" for note in notes) + "</ul>"
