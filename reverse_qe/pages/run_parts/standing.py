"""What a run holds and does next, and what must be known before its numbers are believed."""

from backtests.measures.holdings import held_weights
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.run import Backtest
from reverse_qe.pages.kit import Html, bullets, joined, table, tag, unbroken_days
from reverse_qe.words.run import block_sentence, next_orders_rows, order_sentence, regime_sentences

SIMULATED = "Every price and series on this page is made by a model, none of it was observed: no market did this."


def banners(run: Backtest) -> list[tuple[str, str]]:
    """What must not be overlooked."""
    simulated = [("SIMULATED", SIMULATED)] if run.snapshot.simulated else []
    hindsight = [("HINDSIGHT", run.spec.universe.hindsight)] if run.spec.universe.hindsight else []
    return simulated + hindsight


def standing(run: Backtest) -> Html:
    """The regime in a sentence; beside each other what is held and wanted, and the notes."""
    regime, *states = regime_sentences(run)
    said = tag("p", regime, class_="said")
    holds = joined([_holdings(run), _strategy_note(run)])
    return joined(
        [said, tag("div", tag("div", holds), tag("div", bullets(_notes(run, states))), class_="beside")], "\n"
    )


def _holdings(run: Backtest) -> Html:
    coming = run.panel.decides_for[-1].date()
    equity = run.engine.equity.iloc[-1]
    held = held_weights(run.engine.positions, run.panel.close[1:], run.engine.equity["equity"]).iloc[-1]
    targets = run.plan.targets.iloc[-1]
    orders = {symbol: f"{side} {size}" for symbol, side, size in next_orders_rows(run)}
    plans = run.spec.run.strategy is None
    rows = [
        (
            symbol,
            run.spec.universe.key_of(symbol).removeprefix("universe.").replace("_", " "),
            f"{held[symbol]:.1%}" if held[symbol] else "-",
            *([f"{targets[symbol]:.1%}" if targets[symbol] else "-"] if plans else []),
            orders.get(symbol, "-"),
        )
        for symbol in sorted(held.index, key=lambda each: (-held[each], -targets[each]))
        if held[symbol] or (plans and targets[symbol]) or symbol in orders
    ]
    kept = [f"{1.0 - targets.sum():.1%}"] if plans else []
    rows.append(("cash", "", f"{equity['cash'] / equity['equity']:.1%}", *kept, ""))
    heads = (f"held on {run.sessions[-1].date()}", *([f"target for {coming}"] if plans else []), f"order for {coming}")
    head = ("", "basket", *map(unbroken_days, heads))
    return table(head, rows, caption="What it holds, and what it does next", texts=(1,))


def _strategy_note(run: Backtest) -> Html:
    if run.spec.run.strategy is None:
        return Html()
    return tag("p", f"The orders are those of {run.spec.run.strategy}, a strategy of the user.", class_="soft small")


def _notes(run: Backtest, states: list[str]) -> list[str]:
    said_by_banners = ("SIMULATED", "HINDSIGHT")
    sentences = [
        *states,
        f"{order_sentence(run)}.",
        f"{block_sentence(run).capitalize()}.",
        *run.warnings,
        *_length_notes(len(run.sessions)),
    ]
    return [sentence for sentence in sentences if not sentence.startswith(said_by_banners)]


def _length_notes(sessions: int) -> list[str]:
    if sessions >= SESSIONS_PER_YEAR - 5:  # a calendar year has 248 to 253 sessions
        return []
    unit = "session" if sessions == 1 else "sessions"
    return [f"The run has {sessions} {unit}, less than a year: yearly figures are extrapolated and mean little."]
