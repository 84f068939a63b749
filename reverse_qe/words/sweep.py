"""A sweep in words and rows."""

from collections.abc import Mapping
from typing import Any

from backtests.run import Backtest
from backtests.studies.sweeps.confirm import Confirmed
from backtests.studies.sweeps.report import Plateau, SweepReport
from backtests.studies.sweeps.walk_forward import WalkForward
from reverse_qe.tables import Column

# A variant is its keys: other columns make room for them.
BEST_HEAD = (
    Column("variant"),
    Column("CAGR", 1),
    Column("volatility", 3),
    Column("Sharpe"),
    Column("max. drawdown", 2),
    Column("turnover", 4),
    Column("costs", 5),
    Column("orders", 6),
    Column("keys", prose=True),
)
_FORMATS = (
    ("cagr", "{:.1%}"),
    ("volatility", "{:.1%}"),
    ("sharpe", "{:.2f}"),
    ("max_drawdown", "{:.1%}"),
    ("turnover", "{:.1%}"),
    ("costs", "{:.2%}"),
    ("orders", "{:.0f}"),
)
_PERCENT = {"cagr", "volatility", "max_drawdown", "turnover", "costs", "exposure", "exposure_without_reserve"}


def best_row(variant: int, measured: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, ...]:
    """One of the best variants, under `BEST_HEAD`."""
    cells = ["-" if measured[name] != measured[name] else style.format(measured[name]) for name, style in _FORMATS]
    return (str(variant), *cells, keys_text(settings))


def keys_text(settings: Mapping[str, Any]) -> str:
    """The keys of a variant as the command line takes them."""
    return " ".join(f"{key}={value_text(value)}" for key, value in settings.items())


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
        f"changed {walk.changes} times.",
        f"Chained, they have a Sharpe ratio of {number_text('sharpe', own.sharpe)} (CAGR "
        f"{number_text('cagr', own.cagr)}, maximum drawdown {number_text('max_drawdown', own.max_drawdown)}); the "
        f"static mix has {number_text('sharpe', mix.sharpe)}, the median of all variants {walk.median_sharpe:.2f}.",
        f"The best fixed choice, known only afterwards, is variant {walk.best_fixed} ({keys_text(best)}): "
        f"{walk.best_fixed_sharpe:.2f}.",
    ]


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
