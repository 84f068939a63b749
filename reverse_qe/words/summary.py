"""A run on one screen: what stands below its table, twenty lines with that."""

import shlex
from pathlib import Path

from backtests.measures.holdings import held_weights
from backtests.run import Backtest
from reverse_qe.words.evidence import honest_sentences, rival_sentence
from reverse_qe.words.run import next_orders_rows, order_sentence, other_warnings, regime_sentences, target_rows

# Baselines and rivals that the page shows, and the screen does not.
NOT_ON_SCREEN = ("inverse_rotation", "moving_average", "gate_alone", "one_switch")
# Lines of a run on one screen, its table among them.
LINES = 20


def summary_lines(run: Backtest, folder: Path | None, above: int) -> list[str]:
    """The regime, what is wanted and sent next, how orders ended, the honest lines, and the warnings.

    Notes cannot change a result; of them, and of the warnings that there is no room for, only the count is told. One
    warning is always shown, the gravest.

    Args:
        run: finished.
        folder: that holds its files; None where none were written.
        above: lines of the screen that are taken already.
    """
    regime, *states = regime_sentences(run)
    lines = [regime, " ".join(states), next_sentence(run), *honest_sentences(run), rival_sentence(run)]
    told = [line for line in lines if line]
    return [*told, *_warning_lines(run, folder, LINES - above - len(told))]


def next_sentence(run: Backtest) -> str:
    """Targets, or what a strategy of the user holds, and orders for the session to come; how orders ended before."""
    coming, last = run.panel.decides_for[-1].date(), run.sessions[-1].date()
    if run.spec.run.strategy is None:
        wanted = f"Targets for {coming}: {', '.join(' '.join(row) for row in target_rows(run))}"
    else:
        weights = held_weights(run.engine.positions, run.panel.close[1:], run.engine.equity["equity"]).iloc[-1]
        held = [f"{symbol} {weight:.1%}" for symbol, weight in weights[weights > 0].items()]
        wanted = f"Held on {last}: {', '.join(held) or 'cash'}"
    sent = ", ".join(f"{side} {symbol} {size}" for symbol, side, size in next_orders_rows(run))
    return f"{wanted}. Orders for {coming}: {sent or 'none'}. Before: {order_sentence(run)}."


def _warning_lines(run: Backtest, folder: Path | None, room: int) -> list[str]:
    warnings, notes = other_warnings(run), len(run.notes)
    # The last line counts the rest.
    counted = 1 if notes or len(warnings) > room else 0
    shown = [f"! {warning}" for warning in warnings[: max(room - counted, 1)]]
    more = [
        f"{count} {kind}{'' if count == 1 else 's'}"
        for count, kind in ((len(warnings) - len(shown), "more warning"), (notes, "note"))
        if count
    ]
    where = f"reverse-qe runs show {shlex.quote(str(folder))}" if folder is not None else "result.run.notes"
    return [*shown, *([f"! {' and '.join(more)}: {where}"] if more else [])]
