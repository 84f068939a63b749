"""What a snapshot holds, in rows for people and machines: its symbols, its series, its events."""

from typing import Any

import pandas as pd

from data.market.entries import held_series_entry
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE, PRICE_COLUMNS
from data.quality.series_checks import largest_gap, newest_values

Row = dict[str, Any]


def symbol_rows(snapshot: Snapshot) -> list[Row]:
    """Return one row an instrument with bars: what it is, the days of its first and last bar, rows and blank cells."""
    rows = []
    for symbol, bars in snapshot.bars.groupby("symbol"):
        instrument = snapshot.instruments[str(symbol)]
        rows.append(
            {
                "symbol": symbol,
                "class": instrument.asset_class,
                "currency": instrument.currency,
                "calendar": instrument.calendar,
                "listed": instrument.listed,
                **_span(bars["date"]),
                "blanks": int(bars[list(PRICE_COLUMNS)].isna().to_numpy().sum()),
            }
        )
    return rows


def series_rows(snapshot: Snapshot) -> list[Row]:
    """Return one row a series: its unit, when it is published, days of its first and last observation, blank values.

    A date that was revised counts once, with its newest value.

    ``largest_gap`` is in days between two observations with a value; 0 where fewer than two have one.
    """
    rows = []
    for series, observations in snapshot.series.groupby("series"):
        entry = held_series_entry(snapshot, str(series))
        observations = newest_values(observations)  # The newest value of each date.
        valued = pd.DatetimeIndex(observations["date"])[observations["value"].notna()]
        rows.append(
            {
                "series": series,
                "unit": entry.unit,
                "published": entry.publication,
                **_span(observations["date"]),
                "blanks": len(observations) - len(valued),
                "largest_gap": largest_gap(valued).days if len(valued) > 1 else 0,
            }
        )
    return rows


def event_rows(snapshot: Snapshot) -> list[Row]:
    """Return one row an event table and kind: days of the first and last event, rows, and how many of them count.

    Of guidance those count that are comparable, of funding those that ``counts`` marks, of results all with a figure.
    """
    results = snapshot.capex_actuals.assign(counts=snapshot.capex_actuals["capex_usd_bn"].notna(), kind="result")
    guidance = snapshot.capex_guidance
    tables = (
        (CAPEX.name, "announced_at", results),
        (GUIDANCE.name, "announced_at", guidance.assign(counts=guidance["comparable"], kind=guidance["event"])),
        (FUNDING.name, "date", snapshot.funding_events),
    )
    return [
        {"table": name, "kind": kind, **_span(events[day]), "count": int(events["counts"].sum())}
        for name, day, table in tables
        for kind, events in table.groupby("kind")
    ]


def _span(days: pd.Series) -> Row:
    return {"first": days.min().date(), "last": days.max().date(), "rows": len(days)}
