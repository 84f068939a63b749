"""Exposures as a page: the slopes, the rankings, and how well they part the baskets over time."""

import pandas as pd

from backtests.studies.exposures import Exposures
from reverse_qe.pages.charts.scales import TimeScale, ValueScale
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, bullets, page, table
from reverse_qe.words.studies import exposures as words


def exposures_page(found: Exposures) -> str:
    """Draw the exposures of a spec."""
    simulated = [("SIMULATED", "This market is made up: nothing here was ever traded.")]
    hindsight = found.spec.universe.hindsight
    parts = [
        Part(
            "What each answered to",
            table([each.name for each in words.slope_head(found)], words.slope_rows(found), texts={1}),
        ),
        Part("How the rankings part the baskets", table(words.BASKET_HEAD, words.basket_rows(found))),
        Part("How the rankings agree", table(words.AGREEMENT_HEAD, words.agreement_rows(found), texts={1})),
    ]
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


def _chart(quarters: pd.Series) -> Html:
    days = pd.DatetimeIndex(quarters.index)
    return time_chart(
        TimeChart(
            title="Share of pairs in which the speculative name has the longer empirical duration; half by chance",
            label=f"Between {quarters.min():.0%} and {quarters.max():.0%}, {quarters.mean():.0%} on average",
            time=TimeScale.of(days),
            values=ValueScale(0.0, 1.0, unit="percent"),
            height=190,
            lines=[Line("share of pairs", quarters, "c1")],
            wide=True,
        )
    )
