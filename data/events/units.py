"""Are amounts told in billions of US dollars? A figure in millions, or another currency, is far from all around it."""

import numpy as np
import pandas as pd

from data.events.findings import Findings, named_row
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE, PACES, Table

FAR = 30.0
"""A figure this many times its neighbours is in another unit: the largest step of a shipped one is 2.6."""

_AROUND = 4
_QUARTERS_A_YEAR = 4
# The largest shipped amount is 500 billion, the largest pace 1,575 a month.
_MOST = {FUNDING.name: 1_000.0, PACES.name: 10_000.0}
_REMEDY = "is it in billions of US dollars?"


def unit_findings(snapshot: Snapshot) -> Findings:
    """Find amounts that cannot be in billions of US dollars.

    Capex of a quarter is above 0, at most `FAR` times the largest of the quarters around it, and at least the smallest
    of them over `FAR`; cash flow is at most `FAR` times the largest. Guidance is held against the newest four quarters
    before it.
    """
    found = Findings()
    results = snapshot.capex_actuals.sort_values(["company", "period_end"])
    for _, rows in results.groupby("company"):
        for figure in ("capex_usd_bn", "headline_capex_usd_bn", "ocf_usd_bn"):
            _quarters(found, rows[rows[figure].notna()], figure)
    for company, rows in snapshot.capex_guidance.groupby("company"):
        _guidance(found, rows, results[(results["company"] == company) & results["capex_usd_bn"].notna()])
    for table, column in ((FUNDING, "amount_usd_bn"), (PACES, "pace_usd_bn_month")):
        rows = snapshot.table(table)
        for place in rows.index[rows[column].abs() > _MOST[table.name]]:
            _add(found, table, rows, place, column, f"more than {_MOST[table.name]:,.0f}")
    return found


def _quarters(found: Findings, rows: pd.DataFrame, figure: str) -> None:
    values = rows[figure].to_numpy()
    is_capex = figure != "ocf_usd_bn"
    for place, value in enumerate(values):
        around = np.abs(np.delete(values[max(place - _AROUND, 0) : place + _AROUND + 1], min(place, _AROUND)))
        if is_capex and value <= 0:
            _add(found, CAPEX, rows, rows.index[place], figure, "not above 0")
            continue
        far_above = len(around) and abs(value) / FAR > around.max()
        far_below = is_capex and len(around) and value < around.min() / FAR
        if far_above or far_below:
            _add(found, CAPEX, rows, rows.index[place], figure, f"the quarters around it are {_span(around)}")


def _guidance(found: Findings, rows: pd.DataFrame, results: pd.DataFrame) -> None:
    """Lay guidance of one company beside its newest four quarters that had ended; without four nothing is said."""
    capex, told = results["capex_usd_bn"].to_numpy(), results["period_end"].searchsorted(rows["announced_at"])
    for place, before in zip(rows.index, told, strict=True):
        quarters = capex[max(before - _QUARTERS_A_YEAR, 0) : before]
        year = quarters.sum() if len(quarters) == _QUARTERS_A_YEAR else np.nan
        for column in ("low_usd_bn", "high_usd_bn"):
            value = rows.loc[place, column]
            if value < 0:
                _add(found, GUIDANCE, rows, place, column, "below 0")
            elif value / FAR > year or value < year / _QUARTERS_A_YEAR / FAR:
                _add(found, GUIDANCE, rows, place, column, f"the four quarters before come to {year:g}")


def _span(values: np.ndarray) -> str:
    return f"{values.min():g} to {values.max():g}"


def _add(found: Findings, table: Table, rows: pd.DataFrame, place: int, column: str, beside: str) -> None:
    value = float(rows[column][place])
    found.defects.append(f"{named_row(table, rows, place)}: {column} is {value:g}, {beside}; {_REMEDY}")
