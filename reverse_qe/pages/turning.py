"""What would turn the regime, the trades that would follow, and what is expected next, on the morning page."""

from collections.abc import Mapping, Sequence

import pandas as pd

from data.events.due import Due
from reverse_qe.pages.kit import Html, bullets, joined, table, tag
from reverse_qe.words.turn import due_texts, nearest_texts, trade_rows, turn_rows
from signals.config import SignalConfig
from signals.turn.turn import Turn, score_ends

HEAD = ("", "as it is", "turns the next session", "turns within 20 sessions", "tried", "due")
NEAREST, NEXT_DUE = 3, 2


def in_short(turn: Turn | None, due: Sequence[Due] | None, config: SignalConfig) -> Html:
    """What would turn the regime and what is expected next, for the head of the page; arguments as for the parts."""
    said = []
    if turn is not None:
        ends = " or ".join(f"{end:+g}" for end in score_ends(turn.regime, config))
        dwells = f", not before {turn.dwells_until.date()}" if turn.dwells_until > turn.coming[0] else ""
        said += [
            tag("p", f"{turn.regime}, score {turn.score:+.2f}, ends at {ends}{dwells}. What would turn it:"),
            bullets(nearest_texts(turn, NEAREST)),
        ]
    if due:
        said += [tag("p", "Due:"), bullets(due_texts(due)[:NEXT_DUE])]
    return joined(said, "\n")


def turning_part(turn: Turn, due: Sequence[Due], trades: Mapping[str, pd.Series]) -> Html:
    """Show all that was tried to turn the regime, the nearest first, and the trades that would follow.

    Args:
        turn: every move.
        due: announcements expected.
        trades: by regime that may come, as `backtests.prepare.turn.trades_by_regime` gives them.
    """
    # The inputs, which the terminal names, stand in a table of their own on this page.
    rows = [row[: len(HEAD)] for row in turn_rows(turn, due)]
    caption = "One figure or event more, everything else as it is; tried as far as it was ever seen to move"
    changed = [
        tag(
            "p",
            f"If {regime} came, shares of the equity: "
            f"{', '.join(f'{symbol} {weight}' for symbol, weight in trade_rows(change)) or 'no trade'}.",
        )
        for regime, change in trades.items()
    ]
    return joined([*changed, table(HEAD, rows, caption=caption, texts=(1, 2, 3, 4, 5))], "\n")


def due_part(due: Sequence[Due]) -> Html:
    """The announcements that are expected next, by day; what is overdue first."""
    return bullets(due_texts(due)) if due else tag("p", "No announcement is known to be due.")
