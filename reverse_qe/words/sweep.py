"""A sweep in words and rows."""

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from backtests.run import Backtest
from backtests.studies.sweeps.confirm import Confirmed
from backtests.studies.sweeps.cross_validation import CrossValidation
from backtests.studies.sweeps.report import Plateau, SweepReport
from backtests.studies.sweeps.walk_forward import WalkForward
from data.events.findings import counted
from reverse_qe.tables import Column


class _Shown(NamedTuple):
    """A column of the best variants: a variant is its keys, and other columns make room for them by their rank."""

    measure: str
    name: str
    rank: int
    form: str


_SHOWN = (
    _Shown("cagr", "CAGR", 1, "{:.1%}"),
    _Shown("volatility", "volatility", 3, "{:.1%}"),
    _Shown("sharpe", "Sharpe", 0, "{:.2f}"),
    _Shown("max_drawdown", "max. drawdown", 2, "{:.1%}"),
    _Shown("turnover", "turnover", 4, "{:.1%}"),
    _Shown("costs", "costs", 5, "{:.2%}"),
    _Shown("orders", "orders", 6, "{:.0f}"),
)
_PERCENT = {"cagr", "volatility", "max_drawdown", "turnover", "costs", "exposure", "exposure_without_reserve"}


def best_head(by: str) -> tuple[Column, ...]:
    """Columns of the best variants; what they are ranked by is always among them."""
    return (Column("variant"), *(Column(each.name, each.rank) for each in _shown(by)), Column("keys", prose=True))


def best_row(variant: int, measured: Mapping[str, Any], settings: Mapping[str, Any], by: str) -> tuple[str, ...]:
    """One of the best variants, under `best_head`."""
    cells = [
        "-" if measured[each.measure] != measured[each.measure] else each.form.format(measured[each.measure])
        for each in _shown(by)
    ]
    return (str(variant), *cells, keys_text(settings))


def _shown(by: str) -> list[_Shown]:
    found = [each._replace(rank=0) if each.measure == by else each for each in _SHOWN]
    if all(each.measure != by for each in found):
        form = "{:.1%}" if by in _PERCENT else "{:,.0f}" if by.endswith("_usd") else "{:.2f}"
        found.insert(0, _Shown(by, by.replace("_", " "), 0, form))
    return found


def keys_text(settings: Mapping[str, Any]) -> str:
    """The keys of a variant as the command line takes them."""
    return " ".join(f"{key}={value_text(value)}" for key, value in settings.items())


def set_options(settings: Mapping[str, Any]) -> str:
    """The keys of a variant as options of ``backtest``."""
    return " ".join(f"--set {shlex.quote(f'{key}={value_text(value)}')}" for key, value in settings.items())


def sentences(report: SweepReport, steadiest: Mapping[str, Any] | None) -> list[str]:
    """What a sweep says beside its best variants.

    Args:
        report: of the sweep.
        steadiest: keys of the variant with the best surroundings; None where there is none.
    """
    told = []
    if report.valid < report.variants:
        told.append(
            f"{report.variants - report.valid:,} of {report.variants:,} variants are no valid spec, or have no "
            f"{report.by}; they are in the table without measures."
        )
    told.append(f"Around the best, one step in one key away: {_surroundings(report.around, report.by)}.")
    if report.steadiest is not None and steadiest is not None:
        told.append(
            f"Variant {report.steadiest.variant} has the best surroundings ({keys_text(steadiest)}): "
            f"{_surroundings(report.steadiest, report.by)}."
        )
    mix = getattr(report.static_mix, report.by)
    told.append(
        f"{report.share_above_static_mix:.1%} of the variants are better than the static mix of the spec itself "
        f"({report.by.replace('_', ' ')} {number_text(report.by, mix)})."
    )
    if report.are_days_theirs:
        told.append(
            "Each variant is measured over days of its own, the static mix and luck over those of the spec: what looks "
            "better may have had better years."
        )
    if report.by_luck is not None and report.by_spread is not None:
        told.append(
            f"The best of {report.valid:,} unrelated strategies without any skill would have a Sharpe ratio of "
            f"{report.by_luck:.2f} over as many sessions; of strategies that lie as close together as these variants "
            f"(standard deviation {report.spread:.2f}), {report.by_spread:.2f}."
        )
    return told


def confirmed_text(each: Confirmed) -> str:
    """A variant in both engines."""
    same = "the same orders" if each.orders == each.orders_event else f"{each.orders_event} orders, not {each.orders}"
    return f"Variant {each.variant} in Backtrader: {same}; the equity differs by {each.difference:.1e} at most."


def walk_sentences(walk: WalkForward, run: Backtest, best: Mapping[str, Any]) -> list[str]:
    """What a walk-forward came to.

    Args:
        walk: its choices.
        run: of the chained tests.
        best: keys of the variant that was the best over all tests.
    """
    count, own, mix = len(walk.choices), run.measures.strategy, run.measures.portfolios["static_mix"]
    first, last = run.sessions[0].date(), run.sessions[-1].date()
    return [
        f"Walk-forward: {count} tests from {first} to {last}, each by the variant that did best before it; the choice "
        f"changed {counted(walk.changes, 'time')}.",
        f"Chained, they have a Sharpe ratio of {number_text('sharpe', own.sharpe)} (CAGR "
        f"{number_text('cagr', own.cagr)}, maximum drawdown {number_text('max_drawdown', own.max_drawdown)}); the "
        f"static mix has {number_text('sharpe', mix.sharpe)}, the median of all variants {walk.median_sharpe:.2f}.",
        f"The best fixed choice, known only afterwards, is variant {walk.best_fixed} ({keys_text(best)}): "
        f"{walk.best_fixed_sharpe:.2f}.",
    ]


def cross_sentences(cross: CrossValidation) -> list[str]:
    """What a cross-validation came to."""
    count = len(cross.sharpes)
    told = [
        f"Cross-validation: {len(cross.splits)} splits, each with {cross.test_groups} of {cross.groups} groups of "
        f"sessions tested by the variant that did best on the others ({cross.chosen} different variants), make "
        f"{len(cross.paths)} paths."
    ]
    if not count:
        return [*told, "No path has a Sharpe ratio."]
    low, median, high = (number_text("sharpe", cross.percentile(percent)) for percent in (5, 50, 95))
    middle = f"The Sharpe ratios of the paths have the median {median}; nine in ten lie from {low} to {high}"
    if cross.share_below_static_mix is None:
        return [*told, f"{middle}."]
    below, mix = cross.share_below_static_mix, number_text("sharpe", cross.static_mix)
    return [*told, f"{middle}, and {below:.0%} are below the static mix ({mix})."]


def _surroundings(plateau: Plateau, by: str) -> str:
    if plateau.median is None:
        return "no variant"
    variants = "variant" if plateau.count == 1 else "variants"
    return (
        f"{plateau.count} {variants}, median {number_text(by, plateau.median)}, worst {number_text(by, plateau.worst)}"
    )


def number_text(name: str, value: float | None) -> str:
    """A measure, as people read it."""
    if value is None:
        return "-"
    return f"{value:.1%}" if name in _PERCENT else f"{value:,.0f}" if name.endswith("_usd") else f"{value:.2f}"


def value_text(value: Any) -> str:
    """A value of a key."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
