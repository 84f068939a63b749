"""How a run grew and fell beside its baselines, with regimes and events on the same time line."""

import pandas as pd

from backtests.measures.holdings import drawdowns
from backtests.run import Backtest
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, Span, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.pages.market_events import HINT, event_chart
from reverse_qe.pages.signal_charts import BAND_LEGEND, regime_bands
from reverse_qe.words.evidence import RIVAL_HEAD, rival_rows
from reverse_qe.words.run import performance_rows, portfolio_rows
from reverse_qe.words.runs.figures import PORTFOLIO_HEAD

RIVAL_CAPTION = (
    "Sharpe ratios that the strategy must beat, at the same budgets and costs; one switch is known afterwards"
)
# Drawn beside the strategy, in this order, where the run has them: what the signal is held against first.
DRAWN = ("static_mix", "benchmark", "price_momentum", "signal_without_drain")

DRAWN_KINDS = dict(zip(("strategy", *DRAWN), ("c1", "c3", "c2", "c4", "c5"), strict=True))


def growth(run: Backtest, events: pd.DataFrame) -> Part:
    """Growth on a log scale, drawdowns, events."""
    time, bands = TimeScale.of(run.sessions), regime_bands(run.signal, run.sessions)
    names = ["strategy", *(name for name in DRAWN if name in run.returns.columns)]
    kinds = {name: DRAWN_KINDS[name] for name in names}
    charts = [
        _growth(run, time, bands, kinds),
        _drawdown(run, time, bands, kinds),
        event_chart(events, time, bands),
        tag("p", HINT, class_="soft small"),
    ]
    return Part("Growth", joined(charts, "\n"))


def headline(run: Backtest) -> Part:
    """The measures beside the benchmark, beside every baseline, and how far the rivals are beaten."""
    head = ("Measure", _name(run, "strategy").capitalize(), run.spec.universe.benchmark)
    tables = [
        table(head, performance_rows(run)),
        table(PORTFOLIO_HEAD, portfolio_rows(run), caption="Beside the baselines and rivals, which pay the same costs"),
    ]
    if rivals := rival_rows(run):
        tables.append(table(RIVAL_HEAD, rivals, caption=RIVAL_CAPTION, texts=(3, 4)))
    return Part("Headline", joined(tables, "\n"))


def _growth(run: Backtest, time: TimeScale, bands: list[Span], kinds: dict[str, str]) -> Html:
    # A book that lost everything has no place on a log scale: its line ends.
    wealth = (1.0 + run.returns[list(kinds)]).cumprod()
    last = ", ".join(f"{_name(run, name)} {wealth[name].iloc[-1]:.3g}" for name in kinds)
    return time_chart(
        TimeChart(
            title="Growth of 1 US dollar, log scale",
            label=f"Growth of 1 US dollar from {run.sessions[0].date()} to {run.sessions[-1].date()}: {last}",
            time=time,
            values=scale_of(wealth.to_numpy().ravel(), "times", log=True, include=1.0),
            height=300,
            lines=_lines(run, wealth, kinds),
            bands=bands,
            legend=BAND_LEGEND,
        )
    )


def _drawdown(run: Backtest, time: TimeScale, bands: list[Span], kinds: dict[str, str]) -> Html:
    shown = [name for name in kinds if name in ("strategy", "static_mix", "benchmark")]
    fallen = pd.DataFrame({name: drawdowns(run.returns[name]) for name in shown})
    deepest = ", ".join(f"{_name(run, name)} {fallen[name].min():.1%}" for name in shown)
    return time_chart(
        TimeChart(
            title="Drawdown",
            label=f"Drawdowns over time; the deepest: {deepest}",
            time=time,
            values=scale_of(fallen.to_numpy().ravel(), "percent", include=0.0),
            height=150,
            lines=_lines(run, fallen, {name: kinds[name] for name in shown}),
            bands=bands,
        )
    )


def _lines(run: Backtest, values: pd.DataFrame, kinds: dict[str, str]) -> list[Line]:
    return [Line(_name(run, name), values[name], kind) for name, kind in kinds.items()]


def _name(run: Backtest, name: str) -> str:
    return run.spec.universe.benchmark if name == "benchmark" else name.replace("_", " ")
