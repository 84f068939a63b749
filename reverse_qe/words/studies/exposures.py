"""Exposures in words: what instruments answered to, and whether that ranks them as the baskets do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtests.prepare.weeks import NET_LIQUIDITY, RATES, SCORE
from backtests.studies.exposures import IMPLIED, YIELD, Exposures
from data.catalogue.filed import FILED_SOURCE, STALE_DAYS
from reverse_qe.tables import Column
from strategies.exposures import DURATION, WINDOW_WEEKS

_UNITS = {
    "real_yield": "real yield",
    "breakeven": "breakeven",
    "credit_spread": "credit",
    NET_LIQUIDITY: "liquidity",
    SCORE: "score",
}
# Of the factors that are rates, what a change of a tenth of a point does.
TENTH = 0.1
BASKET_HEAD = ("ranking", "pairs", "speculative", "cash flow", "apart by", "p")
AGREEMENT_HEAD = ("ranking", "with", "correlation", "assets")
FILED_TITLE = "What filings tell: implied duration in years, free cash flow over market value"
FILED_HEAD = ("asset", "basket", "duration", "yield", "figures to", "days old", "source")
CHANCE = 0.05
_APART = (
    "Apart by: how much more the speculative basket answers as the idea has it than the cash flow one, with an "
    "interval of 95%, in the units of the slopes; its returns less those of the other are one row a week, so that "
    "names of a basket that move together count once."
)


def title(found: Exposures) -> str:
    """What was measured, on one line."""
    kind = "SIMULATED market" if found.snapshot.simulated else "market"
    return (
        f"Exposures of {found.spec.run.name} on {kind} {found.snapshot.name}, known for {found.session.date()}: "
        f"{WINDOW_WEEKS} weeks before {found.weeks.date()}"
    )


def slope_head(found: Exposures) -> list[Column]:
    """Columns of the slopes."""
    names = factors(found)
    return [
        Column("asset"),
        Column("basket"),
        Column("duration"),
        *(Column(_UNITS[name], place) for place, name in enumerate(names, start=1)),
        Column("weeks", len(names) + 1),
    ]


def slope_rows(found: Exposures) -> list[tuple[str, ...]]:
    """Shrunk slopes with their errors, the longest empirical duration first."""
    rows = []
    for asset in found.ranked.index:
        own = found.slopes.xs(asset, level="asset")
        cells = [_slope(own["shrunk"][name], own["error"][name], name) for name in factors(found)]
        weeks = f"{int(own['weeks'].max())}"
        duration = found.ranked[DURATION][asset]
        rows.append((str(asset), _basket(found.ranked["basket"][asset]), _number(duration, "+.2f"), *cells, weeks))
    return rows


def basket_rows(found: Exposures) -> list[tuple[str, ...]]:
    """How each ranking parts the baskets."""
    return [
        (
            _basket(row["ranking"]),
            _number(row["share"], ".0%"),
            str(row["speculative"]),
            str(row["cash_flow"]),
            _apart(row),
            _chance(row["p_value"]),
        )
        for row in found.baskets.to_dict("records")
    ]


def agreement_rows(found: Exposures) -> list[tuple[str, ...]]:
    """Rank correlations of the rankings."""
    return [
        (_basket(row["one"]), _basket(row["other"]), _number(row["correlation"], "+.2f"), str(row["assets"]))
        for row in found.agreement.to_dict("records")
    ]


def filed_rows(found: Exposures) -> list[tuple[str, ...]]:
    """What filings tell, the longest implied duration first; none where they tell nothing."""
    known = found.ranked[found.ranked["figures_to"].notna()].sort_values(IMPLIED, ascending=False, kind="stable")
    return [
        (
            str(asset),
            _basket(row["basket"]),
            _number(row[IMPLIED], ".1f"),
            _number(row[YIELD], "+.1%"),
            f"{row['figures_to']:%Y-%m-%d}",
            f"{row['days_old']:.0f}",
            str(row["source"]),
        )
        for asset, row in known.iterrows()
    ]


def sentences(found: Exposures) -> list[str]:
    """What the tables say, and what is not in them."""
    told = [
        "Slopes are returns of a week for +10 bp of the real yield, the breakeven or the Baa spread, +1% of net "
        "liquidity, +1 of the score, the benchmark held fixed, drawn towards their mean; in brackets the standard "
        "error (Newey and West) before that. Nothing of this is read by the signal.",
        _of_baskets(found),
        *_of_quarters(found),
        _of_filings(found),
    ]
    if found.lacking:
        told.append(f"The market has no series for: {', '.join(found.lacking)}.")
    return told


def factor_name(factor: str) -> str:
    """A factor, and the change of it that a slope is of."""
    per = "+10 bp" if factor in RATES else "+1%" if factor == NET_LIQUIDITY else "+1"
    return f"{_UNITS[factor]}, {per}"


def scale_of_factor(factor: str) -> float:
    """What a slope is multiplied by before it is shown."""
    return TENTH if factor in RATES else 1.0


def factors(found: Exposures) -> Sequence[str]:
    """Those that have slopes, in their order."""
    return [name for name in _UNITS if name in found.slopes.index.unique("factor")]


def _of_baskets(found: Exposures) -> str:
    known = found.baskets.dropna(subset=["p_value"])
    if known.empty:
        return "Only one basket has names that are ranked: nothing can be said of how the baskets part."
    first, others = (known[(known["ranking"] == DURATION) == asked] for asked in (True, False))
    told = [_of_duration(row) for row in first.to_dict("records")]
    if not others.empty:
        below = others.loc[others["p_value"] < CHANCE / len(others), "ranking"]
        names = ", ".join(_basket(name) for name in below) or "none"
        told.append(f"Of the {len(others)} other rankings, with all of them counted (Bonferroni, 5%): {names}.")
    return " ".join((*told, _APART))


def _of_duration(row: dict[Any, Any]) -> str:
    """What is asked first, and is no part of the count of the others."""
    return (
        f"By empirical duration a speculative name ranks above a cash flow one in {row['share']:.0%} of pairs (50% by "
        f"chance), and the baskets are {'' if row['p_value'] < CHANCE else 'not '}apart beyond chance (5%); "
        f"{row['detectable']:.1f} would be found in four of five cases."
    )


def _of_quarters(found: Exposures) -> list[str]:
    quarters = found.quarters
    if quarters.empty:
        return []
    above = int((quarters > 0.5).sum())
    return [
        f"Over {len(quarters)} quarters since {quarters.index[0].date()} the speculative basket was the longer one in "
        f"{above} ({above / len(quarters):.0%}); the mean share of pairs is {quarters.mean():.0%}. Neighbouring "
        "quarters share most of their weeks."
    ]


def _of_filings(found: Exposures) -> str:
    table = found.ranked
    told = [f"{int(table[name].notna().sum())} of {len(table)} have {_basket(name)}" for name in (IMPLIED, YIELD)]
    old = [f"{asset} ({words})" for asset, words in table["stale"].items() if words]
    stale = f" Older than {STALE_DAYS} days and not used: {', '.join(old)}." if old else ""
    return f"Of filings: {', '.join(told)}{_not_told(table)}.{stale}{_hint(table)}"


def _not_told(table: pd.DataFrame) -> str:
    """What filings do not tell: by name where they tell something, else in a word."""
    lacking = table.loc[table["missing"] != "", "missing"]
    if lacking.empty:
        return ""
    if table["figures_to"].isna().all():
        names = sorted({each for row in lacking for each in row.split(", ")})
        return f"; what the market does not tell: {', '.join(names)}"
    groups = [f"{what} of {', '.join(map(str, rows.index))}" for what, rows in lacking.groupby(lacking, sort=False)]
    return f"; what the market does not tell: {'; '.join(groups)}"


def _hint(table: pd.DataFrame) -> str:
    asked = table["source"].str.contains(FILED_SOURCE).any() or bool((table["missing"] == "").all())
    return "" if asked else " `data fetch --filings` asks the SEC."


def _slope(shrunk: float, error: float, factor: str) -> str:
    if np.isnan(shrunk):
        return "-"
    scale = scale_of_factor(factor)
    return f"{shrunk * scale:+.2%} ({error * scale:.2%})"


def _apart(row: dict[Any, Any]) -> str:
    ends = [row[name] for name in ("difference", "low", "high")]
    if np.isnan(ends[0]):
        return "-"
    if row["ranking"] == DURATION:
        return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*ends)
    scale = 100 * (TENTH if row["ranking"] in RATES else 1.0)
    return "{:+.1f}% [{:+.1f}, {:+.1f}]".format(*(scale * each for each in ends))


def _chance(value: float) -> str:
    return "-" if np.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float, form: str) -> str:
    return "-" if np.isnan(value) else format(value, form)


def _basket(name: str) -> str:
    return str(name).replace("_", " ")
