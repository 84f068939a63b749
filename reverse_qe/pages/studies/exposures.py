"""Exposures as a page: the slopes, the rankings, and how well they part the baskets over time."""

import numpy as np
import pandas as pd

from backtests.studies.exposures import Exposures
from reverse_qe.pages.charts.dot_rows import Dot, dot_rows
from reverse_qe.pages.charts.scales import TimeScale, ValueScale
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.words.studies import exposures as words
from strategies.exposures import DURATION

# So many names have a row in the charts, half of them from each end; the table has all.
MOST = 40
INTERVAL = 1.96
KINDS = {"speculative": "c3", "cash_flow": "c1"}


def exposures_page(found: Exposures) -> str:
    """Draw the exposures of a spec."""
    simulated = [("SIMULATED", "This market is made up: nothing here was ever traded.")]
    hindsight = found.spec.universe.hindsight
    parts = [
        Part("What each answered to", joined([_slopes(found), _table(found)], "\n")),
        Part("How the rankings part the baskets", table(words.BASKET_HEAD, words.basket_rows(found))),
        Part("How the rankings agree", table(words.AGREEMENT_HEAD, words.agreement_rows(found), texts={1})),
    ]
    if filed := words.filed_rows(found):
        parts.append(Part(words.FILED_TITLE, table(words.FILED_HEAD, filed, texts={1, 6})))
    if len(found.quarters) > 1:
        parts.insert(1, Part("The baskets over time", _chart(found.quarters)))
    return page(
        title=words.title(found),
        heading="Exposures",
        subtitle=words.title(found),
        banners=[*(simulated if found.snapshot.simulated else []), *([("HINDSIGHT", hindsight)] if hindsight else [])],
        lead=bullets(words.sentences(found)),
        parts=parts,
    )


def _table(found: Exposures) -> Html:
    return table([each.name for each in words.slope_head(found)], words.slope_rows(found), texts={1})


def _slopes(found: Exposures) -> Html:
    """A chart for each factor, the longest empirical duration above."""
    assets = [str(asset) for asset in found.ranked.index]
    left_out = len(assets) - MOST
    if left_out > 0:
        assets = assets[: MOST // 2] + assets[-MOST // 2 :]
    said = (
        "The return of a week for so much more of each, the longest empirical duration above: a dot is the slope drawn "
        "towards the mean of all, a whisker the 95% interval of the slope by itself; speculative names orange and "
        "round, those of cash flow blue and square."
    )
    if left_out > 0:
        said += f" {left_out} in the middle are in the table alone."
    charts = [_durations(found, assets), *(_factor(found, name, assets) for name in words.factors(found))]
    return joined([tag("p", said, class_="soft small"), tag("div", *charts, class_="three")], "\n")


def _durations(found: Exposures, assets: list[str]) -> Html:
    values = found.ranked[DURATION].reindex(assets)
    dots = [_dot(found, asset, float(value), np.nan) for asset, value in zip(assets, values, strict=True)]
    label = "Empirical duration, the longest above; the table has all"
    return dot_rows("empirical duration, z(real yield) + z(credit)", label, dots, "number")


def _factor(found: Exposures, factor: str, assets: list[str]) -> Html:
    own = found.slopes.xs(factor, level="factor").reindex(assets) * words.scale_of_factor(factor)
    dots = [
        _dot(found, str(asset), float(row["shrunk"]), float(row["slope"]), INTERVAL * float(row["error"]))
        for asset, row in own.iterrows()
    ]
    known = own["shrunk"].dropna()
    ends = f", from {known.min():+.2%} to {known.max():+.2%}" if len(known) else ""
    return dot_rows(words.factor_name(factor), f"Slopes on {words.factor_name(factor)}{ends}; the table has all", dots)


def _dot(found: Exposures, asset: str, value: float, slope: float, reach: float = np.nan) -> Dot:
    basket = str(found.ranked["basket"][asset])
    return Dot(asset, value, slope - reach, slope + reach, KINDS.get(basket, "c2"), basket == "cash_flow")


def _chart(quarters: pd.Series) -> Html:
    days = pd.DatetimeIndex(quarters.index)
    return time_chart(
        TimeChart(
            title="Share of pairs in which the speculative name has the longer empirical duration",
            label=f"Between {quarters.min():.0%} and {quarters.max():.0%}, {quarters.mean():.0%} on average",
            time=TimeScale.of(days),
            values=ValueScale(0.0, 1.0, unit="percent"),
            height=190,
            lines=[Line("share of pairs", quarters, "c1")],
            guides=[(0.5, "by chance")],
            named=False,
        )
    )
