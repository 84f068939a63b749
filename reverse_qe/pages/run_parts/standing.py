"""What a run holds and does next, and what must be known before its numbers are believed."""

import pandas as pd

from backtests.measures.data_findings import GRAVE
from backtests.measures.holdings import held_weights
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.measures.warnings import cut_sentences
from backtests.run import Backtest
from reverse_qe.pages.kit import Html, Part, bullets, joined, table, tag, unbroken_days
from reverse_qe.words.evidence import honest_sentences
from reverse_qe.words.run import block_sentence, next_orders_rows, order_sentence, other_warnings, regime_sentences
from strategies.universe import BASKETS

SIMULATED = "Every price and series on this page is made by a model, none of it was observed: no market did this."
# So many holdings and orders are named at the head of the page; the table by name has all.
NAMED = 6
# So many findings in the data stand in the banner; the notes have all. Charts shall be seen without scrolling.
FINDINGS = 1


def banners(run: Backtest) -> list[tuple[str, str]]:
    """What must not be overlooked."""
    simulated = [("SIMULATED", SIMULATED)] if run.snapshot.simulated else []
    hindsight = [("HINDSIGHT", run.spec.universe.hindsight)] if run.spec.universe.hindsight else []
    return simulated + hindsight + _data_banner(run)


def _data_banner(run: Backtest) -> list[tuple[str, str]]:
    """The end that a file has cut, and what in the data can move the result most."""
    grave = [each.warning for each in run.findings if each.effect >= GRAVE]
    rest = len(grave) - FINDINGS
    more = [f"{rest} more {'stands' if rest == 1 else 'stand'} among the notes."] if rest > 0 else []
    told = [*cut_sentences(run.prepared), *grave[:FINDINGS], *more]
    return [("DATA", " ".join(told))] if told else []


def standing(run: Backtest) -> Html:
    """The regime in a sentence, the honest lines; beside each other what is held and wanted, and how it came to it."""
    regime, *states = regime_sentences(run)
    # Beside the table, not below it: the first chart is seen at once.
    said = joined([tag("p", _orders(run)), tag("div", bullets(_in_short(run, states)), class_="small")])
    beside = tag("div", tag("div", _baskets(run), _strategy_note(run)), tag("div", said), class_="beside")
    return joined([tag("p", regime, class_="said"), bullets(honest_sentences(run)), beside], "\n")


def names_table(run: Backtest) -> Html:
    """What is held and wanted of each instrument, largest first."""
    held, targets, orders = _held(run), _targets(run), _orders_by_name(run)
    rows = [
        (
            symbol,
            basket_of(run, symbol),
            _share(held[symbol]),
            _share(targets.get(symbol, 0.0)),
            orders.get(symbol, "-"),
        )
        for symbol in sorted(held.index, key=lambda each: (-held[each], -targets.get(each, 0.0)))
        if held[symbol] or targets.get(symbol) or symbol in orders
    ]
    coming = run.panel.decides_for[-1].date()
    heads = (f"held on {run.sessions[-1].date()}", f"target for {coming}", f"order for {coming}")
    caption = "By name, what is held, wanted and ordered"
    return table(("", "basket", *map(unbroken_days, heads)), rows, caption=caption, texts=(1,)) if rows else Html()


def basket_of(run: Backtest, symbol: str) -> str:
    """The basket of an instrument, for people."""
    return run.spec.universe.key_of(symbol, run.panel.decides_for[-1]).removeprefix("universe.").replace("_", " ")


def _baskets(run: Backtest) -> Html:
    """A row for each basket: what is held and wanted of it, and its largest holdings."""
    held, targets, universe = _held(run), _targets(run), run.spec.universe
    wants = ["target"] if len(targets) else []
    rows: list[tuple[object, ...]] = []
    for basket in BASKETS:
        own = universe.part(basket, held.to_frame().T).iloc[0].sort_values(ascending=False, kind="stable")
        names = [f"{symbol} {_share(weight)}" for symbol, weight in own[own > 0].items()]
        more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
        wanted = [_share(universe.part(basket, targets.to_frame().T).iloc[0].sum())] if wants else []
        rows.append((basket.replace("_", " "), _share(own.sum()), *wanted, ", ".join([*names[:NAMED], *more]) or "-"))
    cash = run.engine.equity["cash"].iloc[-1] / run.engine.equity["equity"].iloc[-1]
    rows.append(("cash", _share(cash), *([_share(1.0 - targets.sum())] if wants else []), ""))
    caption = f"What it holds on {run.sessions[-1].date()}, and wants for {run.panel.decides_for[-1].date()}"
    return table(("", "held", *wants, "largest holdings"), rows, caption=caption, texts=(2 + len(wants),))


def _orders(run: Backtest) -> str:
    coming = run.panel.decides_for[-1].date()
    told = [
        f"{order} {'of ' if order.endswith('USD') else ''}{symbol}" for symbol, order in _orders_by_name(run).items()
    ]
    if not told:
        return f"No orders for {coming}."
    more = f" and {len(told) - NAMED} more, listed below" if len(told) > NAMED else ""
    return f"Orders for {coming}: {', '.join(told[:NAMED])}{more}."


def _orders_by_name(run: Backtest) -> dict[str, str]:
    return {symbol: f"{side} {size}" for symbol, side, size in next_orders_rows(run)}


def _held(run: Backtest) -> pd.Series:
    weights = held_weights(run.engine.positions, run.panel.close[1:], run.engine.equity["equity"])
    return weights.iloc[-1]


def _targets(run: Backtest) -> pd.Series:
    """Targets for the session to come; none where a strategy of the user decides."""
    return run.plan.targets.iloc[-1] if run.spec.run.strategy is None else pd.Series(dtype=float)


def _share(weight: float) -> str:
    return f"{weight:.1%}" if weight else "-"


def _strategy_note(run: Backtest) -> Html:
    if run.spec.run.strategy is None:
        return Html()
    return tag("p", f"The orders are those of {run.spec.run.strategy}, a strategy of the user.", class_="soft small")


def notes(run: Backtest) -> list[Part]:
    """All that was odd on the way, the gravest first; no part where nothing was."""
    told = [*other_warnings(run), *run.notes]
    return [Part("Notes", bullets(told))] if told else []


def _in_short(run: Backtest, states: list[str]) -> list[str]:
    count = len(other_warnings(run)) + len(run.notes)
    stand = "warning or note stands" if count == 1 else "warnings and notes stand"
    below = [f"{count} {stand} below, under Notes."] if count else []
    return [
        *states,
        f"{order_sentence(run)}.",
        f"{block_sentence(run).capitalize()}.",
        *below,
        *_length_notes(len(run.sessions)),
    ]


def _length_notes(sessions: int) -> list[str]:
    if sessions >= SESSIONS_PER_YEAR - 5:  # a calendar year has 248 to 253 sessions
        return []
    unit = "session" if sessions == 1 else "sessions"
    return [f"The run has {sessions} {unit}, less than a year: yearly figures are extrapolated and mean little."]
