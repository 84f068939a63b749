"""Shipped results beside those that the SEC has: a figure that was filed otherwise is corrected, and it is said."""

import pandas as pd

from data.market.tables import CAPEX

FILED_SOURCE = "SEC XBRL"
"""How the source of a row begins that was made of filings, see `data.sources.edgar_results`."""

_FIRST = "as_first_reported"
# Shipped figures are kept to a thousandth of a billion.
_ROUNDING_USD_BN = 6e-4
# What is first filed later than this after a quarter's end may be restated.
_FIRST_FILED = pd.Timedelta(days=120)
_FIGURES = {"capex": "capex", "ocf": "operating cash flow"}


def corrected_results(shipped: pd.DataFrame, filed: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Correct shipped results by what was filed first, and fill the quarters between them.

    A shipped figure gives way to a filed one of the same quarter where both are as first reported and differ by more
    than rounding: the shipped ones were collected by hand. The row keeps its moments of knowledge. A quarter between
    two shipped ones, of which there is no row, is taken as it was filed.

    Args:
        shipped: `data.market.tables.CAPEX`, of the reference set.
        filed: the same, made of filings; of one quarter of a company one row.

    Returns:
        The shipped table, corrected and filled; and by company what was changed, a line each.
    """
    key = ["company", "fiscal_period"]
    at_first = filed[filed["filed_at"] <= filed["period_end"] + _FIRST_FILED]
    told: dict[str, list[str]] = {}
    table = shipped.copy()
    beside = shipped[key].merge(at_first, on=key, how="left").set_axis(shipped.index)
    for figure, name in _FIGURES.items():
        column, vintage = f"{figure}_usd_bn", f"{figure}_vintage"
        differs = (shipped[column] - beside[column]).abs() > _ROUNDING_USD_BN
        for place in shipped.index[differs & (shipped[vintage] == _FIRST) & (beside[vintage] == _FIRST)]:
            row, was, is_now = table.loc[place], shipped[column][place], beside[column][place]
            source = beside["source"][place]
            line = f"{row['fiscal_period']}: {name} is {is_now:.3f} USD bn by {source}, {was:.3f} as shipped: corrected"
            told.setdefault(row["company"], []).append(line)
            table.loc[place, [column, "source", "note"]] = [
                is_now,
                source,
                f"{name} was shipped as {was:g}. {row['note']}",
            ]
    spans = shipped.groupby("company")["period_end"].agg(["min", "max"]).reindex(at_first["company"])
    ends = at_first["period_end"].to_numpy()
    inside = (spans["min"].to_numpy() < ends) & (ends < spans["max"].to_numpy())
    is_there = pd.MultiIndex.from_frame(at_first[key]).isin(pd.MultiIndex.from_frame(shipped[key]))
    missing = at_first[inside & ~is_there]
    for company, period in missing[key].itertuples(index=False):
        told.setdefault(company, []).append(f"{period}: not shipped, taken as it was filed")
    return CAPEX.conform(pd.concat([table, missing])), told
