"""The quality report as a page that a person can read: complete in itself, with a small picture for each name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from data.market.snapshot import Snapshot, contents
from data.quality.findings import FindingKind, Scope
from data.quality.price_checks import SOURCES_TOLERANCE, source_difference
from data.quality.ranking import RankedLine, ranked_lines
from data.quality.report import QualityReport
from reverse_qe.pages.charts.sparklines import Frame, line, picture, strip
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag, unbroken_days

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
        "unknown_sessions": (
            "Kept aside",
            "The exchange held no session on that day: the row is a fault, and nothing uses it.",
        ),
        "unknown_closing": (
            "Closings that the calendar does not know",
            "No instrument of the exchange has a bar: orders of that day do not fill. A newer exchange_calendars may "
            "know.",
        ),
        "unknown_opening": (
            "Sessions that the calendar does not know",
            "All instruments of the exchange have a bar, and nothing is decided for it. A newer exchange_calendars may "
            "know.",
        ),
        "close_outside_range": ("Closes outside high and low", "One of the three is wrong; only the close is used."),
        "split_like_move": ("Moves like a split", "Returns are wrong if it was a split: compare with another source."),
        "implausible": ("In no likely unit", "Far outside what the unit can hold: wrong, or in another unit."),
        "outlier": ("Far moves", "Far outside what was usual: true in a panic or on results, else a wrong price."),
        "far_cell": (
            "Cells far from the closes",
            "Beyond the closes before and after: an open fills orders, highs and lows are for code of yours.",
        ),
        "standing": ("Standing prices", "The source repeats its last price: what happened meanwhile comes at once."),
        "alike": ("Closes of another", "Two instruments have the same closes: one of the two is not its own."),
        "unexplained_adjustment": (
            "Adjustments without an action",
            "The adjusted close takes out what is not held as a dividend or split; raw prices cannot be used.",
        ),
        "action_not_adjusted": (
            "Actions without adjustment",
            "The adjusted close still has the dividend or split in it.",
        ),
        "action_denied": (
            "Actions set aside",
            "The adjusted close denies the dividend or split: nothing uses it. One of the two is wrong.",
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
    {"split_like_move", "implausible", "alike", "unexplained_adjustment", "action_not_adjusted", "bar_not_ended"}
)


Row = tuple[object, ...]
Told = Mapping[str, Sequence[RankedLine]]


def quality_page(
    snapshot: Snapshot,
    report: QualityReport,
    stakes: Mapping[str, float] | None = None,
    scope: Scope | None = None,
) -> str:
    """Return the page; what was found stands in the order of what it can move of a result.

    Args:
        snapshot: what was checked.
        report: what was found in it.
        stakes: of a spec, whose use is marked with a star, as for `data.quality.ranking.ranked`; None: no spec.
        scope: what the spec reads; None: everything.
    """
    lines = ranked_lines(report, stakes, scope)
    held, told = contents(snapshot), _told(lines)
    made = f", made {snapshot.made_at:%Y-%m-%d %H:%M} UTC" if snapshot.made_at else ""
    label = " (SIMULATED)" if snapshot.simulated else ""
    span = f"bars from {held.first} to {held.last}"
    parts = [
        _found(lines, stakes is not None),
        _meanings(lines),
        _names("Instruments", INSTRUMENT_LEGEND, _instrument_rows(snapshot, told)),
        _names("Series", SERIES_LEGEND, _series_rows(snapshot, told)),
        _sources(snapshot),
        Part("Notes", bullets(report.notes)) if report.notes else None,
    ]
    name = f"Quality of the market {snapshot.name}{label}"
    return page(
        title=f"{name}, {span} - Reverse QE",
        heading=name,
        subtitle=f"{snapshot.origin}{made}. {held.symbols} instruments, {held.series} series, {span}.",
        lead=tag("p", _verdict(report), class_="said"),
        parts=[part for part in parts if part is not None],
        footer=f"Content {snapshot.content_hash}. Nothing was mended; what is kept aside is told above.",
    )


def _told(lines: Sequence[RankedLine]) -> Told:
    """What was found by name, in the order of the lines."""
    told: dict[str, list[RankedLine]] = {}
    for each in lines:
        told.setdefault(each.name, []).append(each)
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


def _found(lines: Sequence[RankedLine], has_spec: bool) -> Part | None:
    rows = [
        (
            tag("span", f"* {each.name}" if has_spec and each.is_used else each.name, class_="name"),
            f"{each.effect:.1%}" if each.effect else "-",
            _words(each),
        )
        for each in lines
    ]
    legend = "By what it can move of a result, the most first" + (
        "; * used by the spec." if has_spec else "; without a spec everything stands on each name."
    )
    head = ("Name", "Can move", "What is odd")
    shown = joined([tag("p", legend, class_="soft"), table(head, rows, texts=(2,))])
    return Part("What was found", shown) if rows else None


def _meanings(lines: Sequence[RankedLine]) -> Part | None:
    rows = []
    for kind in dict.fromkeys(each.kind for each in lines):
        names = dict.fromkeys(each.name for each in lines if each.kind == kind)
        title, meaning = MEANINGS[kind]
        rows.append((tag("strong", title, class_=_grave(kind)), meaning, ", ".join(names)))
    head = ("What", "What it means", "Where")
    return Part("What it means", table(head, rows, texts=(1, 2))) if rows else None


def _names(title: str, legend: str, rows: Sequence[Row]) -> Part | None:
    head = ("Name", "Values over time", "Days", "Rows", "What is odd")
    return Part(title, joined([tag("p", legend, class_="soft"), table(head, rows, texts=(1, 4))])) if rows else None


def _instrument_rows(snapshot: Snapshot, told: Told) -> list[Row]:
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


def _series_rows(snapshot: Snapshot, told: Told) -> list[Row]:
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
) -> Row:
    parts = [line(values[values.index >= frame.first], frame, 2, 34), strip(held, whole, frame, 38, 6)]
    odd = [_words(each) for each in told.get(name, ())]
    span = [tag("span", day.date(), class_="days") for day in (held[0], held[-1])] if len(held) else ["none"]
    drawn = picture(parts, frame, f"{name}, its values over time")
    return (tag("span", name, class_="name"), drawn, joined(span, tag("br")), f"{len(values):,}", bullets(odd))


def _words(each: RankedLine) -> Html:
    return tag("span", unbroken_days(each.words), class_=_grave(each.kind))


def _grave(kind: FindingKind) -> str | None:
    return "grave" if kind in SERIOUS else None


def _sources(snapshot: Snapshot) -> Part | None:
    figures = []
    for symbol in snapshot.bars["symbol"].unique():
        compared = source_difference(snapshot, symbol)
        if compared is None or len(compared[1]) < 2:
            continue
        other, difference = compared
        size = difference.abs()
        frame = Frame(difference.index[0], difference.index[-1], width=1120, height=90)
        caption = (
            f"{symbol} over {other}, {len(difference):,} days from {difference.index[0].date()} to "
            f"{difference.index[-1].date()}: median {size.median():.2%}, 99 of 100 days within "
            f"{size.quantile(0.99):.1%}, at most {size.max():.1%}; more than {SOURCES_TOLERANCE:.0%} apart on "
            f"{int((size > SOURCES_TOLERANCE).sum())} days"
        )
        drawn = picture([line(size, frame, 4, 86, "grave")], frame, f"Closes of {symbol} over those of {other}")
        figures.append(tag("figure", drawn, tag("figcaption", caption)))
    if not figures:
        return None
    said = tag("p", "How far their closes lie apart.", class_="soft")
    return Part("Two sources beside each other", joined([said, *figures]))
