"""A sweep as a page: its best variants, heat maps of its keys, and all of them as lines across their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from backtests.measures.warnings import CLOSES_ALONE
from backtests.studies.sweeps.cross_validation import CrossValidation
from backtests.studies.sweeps.grid import Axis
from backtests.studies.sweeps.report import SweepReport, is_ordered
from backtests.studies.sweeps.sweep import Sweep, plain
from reverse_qe.pages.charts.distribution import Compared, distribution
from reverse_qe.pages.charts.heat_map import heat_map
from reverse_qe.pages.charts.parallel import Upright, parallel_lines
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.words.sweep import best_head, best_row, cross_sentences, number_text, sentences, value_text

# Of the keys, so many are laid against each other; of their values, so many groups stand on a side.
KEYS, GROUPS = 4, 12
LINES, MARKED = 200, 10
SMALLER_IS_BETTER = ("volatility", "turnover", "costs", "costs_usd")


@dataclass(frozen=True)
class _Grouped:
    """The values of a key in few groups: of each variant the group, and the names of the groups."""

    key: str
    group: np.ndarray
    names: tuple[str, ...]


def sweep_page(
    sweep: Sweep,
    report: SweepReport,
    variants: pd.DataFrame,
    cross: CrossValidation | None = None,
    judged: Sequence[str] = (),
) -> str:
    """Draw a sweep.

    Args:
        sweep: that was run.
        report: what it says.
        variants: a row a variant, in their order.
        cross: what cross-validation came to, where it was asked for.
        judged: sentences of the evidence, where there is some.
    """
    snapshot, grid = sweep.asked.snapshot, sweep.asked.grid
    rows = [best_row(each, dict(variants.iloc[each]), grid.settings(each), report.by) for each in report.best]
    steadiest = None if report.steadiest is None else grid.settings(report.steadiest.variant)
    days = sweep.base.panel.sessions
    first, last = days[1].date(), days[-1].date()
    head = best_head(report.by)
    parts = [Part("The best", table([column.name for column in head], rows, texts={len(head) - 1}))]
    grouped = [_grouped(axis, variants[axis.key]) for axis in grid.axes if len(axis.values) > 1][:KEYS]
    if len(grouped) > 1:
        parts.append(Part("Two keys at a time", _maps(grouped, variants[report.by].to_numpy(float), report.by)))
    if grouped:
        parts.append(Part("All keys at once", _lines(grid.axes, variants, report)))
    if cross is not None:
        parts.append(Part("Cross-validation", _paths(cross, variants["sharpe"].to_numpy(float), days[1:])))
    return page(
        title=f"Sweep of {sweep.spec.run.name}",
        heading=f"{report.variants:,} variants of {sweep.spec.run.name}",
        subtitle=f"Market {snapshot.name}, {first} to {last}, by {report.by.replace('_', ' ')}.",
        banners=_banners(sweep),
        lead=bullets([*sentences(report, steadiest), *judged]),
        parts=parts,
    )


def _banners(sweep: Sweep) -> list[tuple[str, str]]:
    """What must not be overlooked of the market."""
    snapshot = sweep.asked.snapshot
    told = [("SIMULATED", "This market is made up: nothing here was ever traded.")] if snapshot.simulated else []
    if sweep.base.market.fills_at_close:
        label, _, text = CLOSES_ALONE.format(name=snapshot.name).partition(": ")
        told.append((label, text[0].upper() + text[1:]))
    return told


def _maps(grouped: Sequence[_Grouped], measured: np.ndarray, by: str) -> Html:
    """A heat map for each pair of keys: the median of all variants that share both values."""
    told = tag("p", "In each cell the median of all variants with both values; a plateau is worth more than a peak.")
    pieces = []
    for one, other in combinations(grouped, 2):
        frame = pd.DataFrame({"one": one.group, "other": other.group, "value": measured})
        medians = frame.pivot_table(index="one", columns="other", values="value", aggfunc="median")
        values = medians.reindex(index=range(len(one.names)), columns=range(len(other.names))).to_numpy(dtype=float)
        texts = [["-" if np.isnan(value) else number_text(by, value) for value in row] for row in values.tolist()]
        label = f"{by.replace('_', ' ')}: {one.key} down, {other.key} across"
        pieces.append(heat_map(label, one.names, other.names, values, texts, by in SMALLER_IS_BETTER))
    return joined([told, tag("div", *pieces, class_="beside")])


def _lines(axes: Sequence[Axis], variants: pd.DataFrame, report: SweepReport) -> Html:
    """A line for each of some variants, from the worst to the best; the best stand out."""
    measured = variants[report.by].to_numpy(dtype=float)
    order = np.flatnonzero(np.isfinite(measured))
    order = order[np.argsort(measured[order], kind="stable")]
    even = order[np.unique(np.linspace(0, len(order) - 1, min(LINES, len(order))).astype(int))]
    shown = np.unique([*even, *report.best[:MARKED]])
    uprights = [_upright(axis, variants[axis.key].iloc[shown]) for axis in axes if len(axis.values) > 1]
    low, high = float(measured[order].min()), float(measured[order].max())
    places = (measured[shown] - low) / (high - low) if high > low else np.full(len(shown), 0.5)
    ends = (number_text(report.by, low), number_text(report.by, high))
    uprights.append(Upright(report.by.replace("_", " "), places, *ends))
    label = f"{len(shown):,} of {report.variants:,} variants; the {min(MARKED, len(report.best))} best stand out"
    return parallel_lines(label, uprights, np.isin(shown, report.best[:MARKED]))


def _paths(cross: CrossValidation, sharpes: np.ndarray, sessions: pd.DatetimeIndex) -> Html:
    """The Sharpe ratios of the paths, and which variants were chosen how often."""
    told = bullets(
        [
            *cross_sentences(cross),
            "A choice is made on sessions after its tests too: nobody could have traded a path. They say how far the "
            "outcome of choosing hangs on the years that it was made on.",
        ]
    )
    pieces: list[Html] = [told]
    if len(cross.sharpes):
        low, median, high = (float(np.percentile(cross.sharpes, percent)) for percent in (5, 50, 95))
        mix = [] if cross.static_mix is None else [Compared("static mix", cross.static_mix)]
        best = sharpes[np.isfinite(sharpes)].max()
        label = f"Sharpe ratios of {len(cross.sharpes)} paths, the box over nine in ten of them, the median in it"
        others = [*mix, Compared("best of all variants", float(best))]
        pieces.append(distribution(label, cross.sharpes, (low, median, high), others))
    pieces.append(tag("p", "Of each path the variant that was chosen for each group of sessions:"))
    return joined([*pieces, _choices(cross, sessions)])


def _choices(cross: CrossValidation, sessions: pd.DatetimeIndex) -> Html:
    """A row a path: its Sharpe ratio, and the variant that was chosen for each group of sessions."""
    ends = np.linspace(0, cross.groups, cross.groups + 1) * (len(sessions) // cross.groups)
    names = [f"from {sessions[int(begin)]:%Y-%m}" for begin in ends[:-1]]
    rows = [
        (str(number), number_text("sharpe", each.sharpe), *(str(variant) for variant in each.variants))
        for number, each in enumerate(cross.paths[:LINES], start=1)
    ]
    return table(["path", "Sharpe", *names], rows)


def _upright(axis: Axis, values: pd.Series) -> Upright:
    place = {_key(value): at for at, value in enumerate(axis.values)}
    places = np.array([place[_key(value)] for value in values.tolist()], dtype=float) / (len(axis.values) - 1)
    return Upright(axis.key.partition(".")[2], places, value_text(axis.values[0]), value_text(axis.values[-1]))


def _grouped(axis: Axis, values: pd.Series) -> _Grouped:
    """Each value for itself, or of many numbers groups of as many values."""
    place = {_key(value): at for at, value in enumerate(axis.values)}
    places = np.array([place[_key(value)] for value in values.tolist()])
    count = len(axis.values)
    if count <= GROUPS or not is_ordered(axis):
        return _Grouped(axis.key, places, tuple(value_text(value) for value in axis.values))
    ends = np.linspace(0, count, GROUPS + 1).astype(int)
    names = [
        f"{value_text(axis.values[low])} to {value_text(axis.values[high - 1])}"
        for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    return _Grouped(axis.key, np.searchsorted(ends, places, side="right") - 1, tuple(names))


def _key(value: Any) -> Any:
    """A value as the table keeps it."""
    return plain(value)
