"""Results beside others: those of one market beside those of another, and capex beside published sums."""

from functools import cache
from pathlib import Path

import pandas as pd

from data.events.editions import REFERENCE_DIR

REFERENCE = "reference"
"""Name of the shipped reference events, where a market is named to compare with."""

COMPARISON_COLUMNS = (
    "company",
    "fiscal_period",
    "figure",
    "ours_usd_bn",
    "theirs_usd_bn",
    "difference_usd_bn",
    "difference",
    "ours_known_at",
    "theirs_known_at",
    "status",
)
PUBLISHED_COLUMNS = (
    "calendar_quarter",
    "companies",
    "gross_usd_bn",
    "proceeds_usd_bn",
    "net_usd_bn",
    "published_usd_bn",
    "difference_usd_bn",
    "explanation",
)

# The figures are told in millions.
ROUNDING_USD_BN = 0.0005

_FIGURES = ("capex", "ocf")
# Sums of billions are rounded to thousands of dollars, far below what is told, to drop the dust of addition.
_DIGITS = 6


def compare_results(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Lay two tables of results side by side, figure by figure.

    Args:
        ours: `data.market.tables.CAPEX`.
        theirs: likewise.

    Returns:
        `COMPARISON_COLUMNS`, a row for each figure that either of them has, by company, fiscal quarter and figure.
        ``difference_usd_bn`` is ours less theirs, ``difference`` that over theirs (fraction; NaN over 0). ``status``:
        ``alike`` (within half a million dollars, and known at the same moment), ``differs``, ``only ours``,
        ``only theirs``; what a side lacks is NaN and NaT.
    """
    key = ["company", "fiscal_period", "figure"]
    # pandas cannot merge texts of two tables that have none.
    texts, untyped = dict.fromkeys(key, "str"), dict.fromkeys(key, object)
    sides = _figures(ours, "ours").astype(untyped), _figures(theirs, "theirs").astype(untyped)
    both = sides[0].merge(sides[1], on=key, how="outer").astype(texts).sort_values(key)
    gap = both["ours_usd_bn"] - both["theirs_usd_bn"]
    same = (gap.abs() < ROUNDING_USD_BN) & (both["ours_known_at"] == both["theirs_known_at"])
    status = pd.Series("differs", index=both.index).mask(same, "alike")
    status = status.mask(both["theirs_usd_bn"].isna(), "only ours").mask(both["ours_usd_bn"].isna(), "only theirs")
    share = gap / both["theirs_usd_bn"].where(both["theirs_usd_bn"] != 0)
    compared = both.assign(difference_usd_bn=gap, difference=share, status=status)
    return compared[list(COMPARISON_COLUMNS)].reset_index(drop=True)


def one_sided(compared: pd.DataFrame) -> list[str]:
    """Tell, a line for each company and figure, which quarters only one side has.

    Args:
        compared: of `compare_results`.
    """
    single = compared[compared["status"].str.startswith("only")]
    return [
        f"{status}: {company} {figure}, quarters held: {len(periods)}, from {periods.min()} to {periods.max()}"
        for (status, company, figure), periods in single.groupby(["status", "company", "figure"])["fiscal_period"]
    ]


def compare_with_published(results: pd.DataFrame) -> pd.DataFrame:
    """Lay capex, summed over companies, beside the published sums that are shipped (data/events/reference).

    A company counts in a calendar quarter with the fiscal quarter that ends in it. What has been published is net of
    the proceeds from sales of property and from incentives; results are gross, so the proceeds that are known are taken
    off first.

    Args:
        results: `data.market.tables.CAPEX`.

    Returns:
        `PUBLISHED_COLUMNS`, a row for each published sum, in USD billions. ``difference_usd_bn`` is net less published;
        ``explanation`` says what the gross difference is made of. Sums are NaN where a company's quarter is missing.
    """
    published, proceeds = _read(REFERENCE_DIR / "published_capex.csv"), _read(REFERENCE_DIR / "capex_proceeds.csv")
    known = results.dropna(subset=["capex_usd_bn"])
    known = known.assign(calendar_quarter=known["period_end"].dt.to_period("Q").astype(str))
    known = known.merge(proceeds[["company", "fiscal_period", "proceeds_usd_bn"]], how="left")
    columns = published[["calendar_quarter", "companies", "capex_usd_bn"]].to_numpy()
    rows = [_beside(quarter, companies.split(), value, known) for quarter, companies, value in columns]
    return pd.DataFrame(rows, columns=list(PUBLISHED_COLUMNS))


def _figures(results: pd.DataFrame, side: str) -> pd.DataFrame:
    """One row a figure that is there: company, fiscal_period, figure, and value and moment under the side's name."""
    parts = [
        pd.DataFrame(
            {
                "company": results["company"],
                "fiscal_period": results["fiscal_period"],
                "figure": figure,
                f"{side}_usd_bn": results[f"{figure}_usd_bn"],
                f"{side}_known_at": results[f"{figure}_known_at"],
            }
        )
        for figure in _FIGURES
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=[f"{side}_usd_bn"])


def _beside(quarter: str, companies: list[str], published: float, known: pd.DataFrame) -> dict[str, object]:
    """One row of `compare_with_published`."""
    rows = known[(known["calendar_quarter"] == quarter) & known["company"].isin(companies)]
    told = {"calendar_quarter": quarter, "companies": " ".join(companies), "published_usd_bn": published}
    if missing := [company for company in companies if (rows["company"] == company).sum() != 1]:
        return told | {"explanation": f"no single quarter of {', '.join(missing)} ends in it"}
    gross, proceeds = rows["capex_usd_bn"].sum(), rows["proceeds_usd_bn"].sum()
    left = round(gross - proceeds - published, _DIGITS) + 0.0  # never a negative zero
    taken_off = rows.dropna(subset=["proceeds_usd_bn"])[["company", "proceeds_usd_bn"]].to_numpy()
    reasons = [f"{company}: {amount:.3f} of proceeds" for company, amount in taken_off]
    if abs(left) >= ROUNDING_USD_BN:
        reasons.append(f"{left:+.3f} not explained")
    return told | {
        "gross_usd_bn": round(gross, _DIGITS),
        "proceeds_usd_bn": round(proceeds, _DIGITS),
        "net_usd_bn": round(gross - proceeds, _DIGITS),
        "difference_usd_bn": left,
        "explanation": ", ".join(reasons),
    }


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)
