"""Are two rows one event told twice? The keys of tables hold words of a source, so that one event may have two."""

import numpy as np
import pandas as pd

from data.events.findings import Findings, named_row
from data.events.refusals import row_name
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE, Table

_SAME_QUARTER = pd.Timedelta(days=45)
_SAME_CALL = pd.Timedelta(days=3)
_SAME_DEAL = pd.Timedelta(days=10)
_SAME_AMOUNT = 0.02


def rows_alike(table: Table, row: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Find rows that tell of what another row tells.

    Results of one company whose quarters end within 45 days of each other; guidance of one company, period, basis and
    range within three days; funding of one company and kind within ten days whose amounts differ by at most 2%, unless
    one of them is a part. No row of another table is like one with another key.

    Args:
        table: that the rows belong to.
        row: one of it, as a table of one row.
        others: of it, without that row.
    """
    near: pd.DataFrame = others[others["company"] == row["company"].iloc[0]]
    return near.loc[_alike(table, row.iloc[np.zeros(len(near), dtype=int)], near)]


def likeness_findings(snapshot: Snapshot) -> Findings:
    """Note pairs of rows that may be one event told twice."""
    found = Findings()
    for table in (CAPEX, GUIDANCE, FUNDING):
        rows = snapshot.table(table)
        company = rows["company"].to_numpy()
        first, second = np.triu_indices(len(rows), k=1)
        same = company[first] == company[second]
        first, second = first[same], second[same]
        alike = _alike(table, rows.iloc[first], rows.iloc[second])
        for one, other in zip(first[alike], second[alike], strict=True):
            name = named_row(table, rows, rows.index[one])
            found.notes.append(f"{name} is like {row_name(table, rows.iloc[other])}; are they one event?")
    return found


def _alike(table: Table, one: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """Whether each row is like the one beside it in another frame of equal length; both are of one company."""

    def apart(name: str) -> np.ndarray:
        return np.asarray(np.abs(one[name].to_numpy() - other[name].to_numpy()))

    def equal(name: str) -> np.ndarray:
        left, right = one[name].to_numpy(), other[name].to_numpy()
        return np.asarray((left == right) | (pd.isna(left) & pd.isna(right)))

    if table is CAPEX:
        return np.asarray(apart("period_end") <= _SAME_QUARTER)
    if table is GUIDANCE:
        columns = ("period_start", "period_end", "basis", "low_usd_bn", "high_usd_bn")
        said_together = apart("announced_at") <= _SAME_CALL
        return np.asarray(said_together & np.logical_and.reduce([equal(name) for name in columns]))
    if table is FUNDING:
        whole = (one["part_of"].to_numpy() == "") & (other["part_of"].to_numpy() == "")
        near = apart("amount_usd_bn") <= _SAME_AMOUNT * np.abs(one["amount_usd_bn"].to_numpy())
        return np.asarray(equal("kind") & (apart("date") <= _SAME_DEAL) & near & whole)
    return np.zeros(len(one), dtype=bool)
