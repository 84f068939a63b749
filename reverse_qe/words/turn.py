"""What would turn the regime, and what is due, in words."""

from collections.abc import Sequence
from math import isnan

import pandas as pd

from data.events.due import Due
from reverse_qe.tables import Column
from signals.turn.turn import BLOCK, Move, Turn, Turning

# What turns within some weeks says most, and has room at 80 columns; the next session is the hardest to turn.
TURN_HEAD = (
    Column(""),
    Column("as it is", 1),
    Column("turns the next session", 3),
    Column("turns within 20 sessions"),
    Column("tried", 4),
    Column("due", 2),
    Column("inputs", 5),
)
TRADE_HEAD = ("", "weight")
NOTHING = "nothing in its range"

_SHORT_UNITS = {
    "usd millions": " bn",
    "usd billions": " bn",
    "USD billions": " bn",
    "USD billions a month": " bn",
}

_SERIES = {
    "DGS10": "10-year yield",
    "DFII10": "10-year real yield",
    "BAA10Y": "Baa spread",
    "BAMLH0A0HYM2": "high-yield spread",
    "WALCL": "central-bank assets",
    "WTREGEN": "Treasury account",
    "WDTGAL": "Treasury account",
    "RRPONTSYD": "reverse repo",
    "SOFR": "repo rate",
    "IORB": "interest on reserves",
    "DFF": "federal funds rate",
}


def move_name(move: Move) -> str:
    """What may move, in words, with the code of a series beside them."""
    if move.kind == "series":
        return f"{_SERIES[move.name]} ({move.name})" if move.name in _SERIES else move.name
    if move.kind == BLOCK:
        return f"{move.name.replace('_', ' ')}, moved by"
    if move.kind == "pace":
        return f"announced pace of the {move.name}"
    if move.kind == "funding":
        return f"{move.about} of any spender"
    return f"{move.name} {move.kind} {move.about.replace('year to', 'to')}"


def value_text(move: Move, value: float) -> str:
    """A value of what may move, with its unit."""
    if isnan(value):
        return "-"
    match move.unit:
        case "percent":
            return f"{value:.2f}%"
        case "usd millions":
            return f"{value / 1000:,.3f} bn"
        case "usd billions":
            return f"{value:,.3f} bn"
        case "USD billions":
            return f"{value:,.3f} bn" if move.kind == "result" else f"{value:,.1f} bn"
        case "USD billions a month":
            return f"{value:+,.1f} bn/month"
        case _:
            return f"{value:+,.2f}" if move.kind == BLOCK else f"{value:,.4g} {move.unit}"


def turning_text(move: Move, turning: Turning | None) -> str:
    """The value that turns, the regime and its first session."""
    if turning is None:
        return NOTHING if not isnan(move.held) else "would not count: none expected"
    return f"{value_text(move, turning.value)}: {turning.regime} {turning.session.date()}"


def nearest_texts(turn: Turn, count: int) -> list[str]:
    """The nearest moves that turn the regime, in short; first of all, whether it turns by itself."""
    texts = []
    if turn.turns_by_itself is not None:
        coming = turn.base[turn.coming.get_loc(turn.turns_by_itself)]
        texts.append(f"nothing new: {coming} on {turn.turns_by_itself.date()}")
    for move in turn.nearest[:count]:
        turning = move.next or move.within
        if turning is not None:
            held = "expected " if move.kind in ("result", "guidance") else "now "
            value = f"{_short(move, turning.value)}{_SHORT_UNITS.get(move.unit, '')}"
            is_at = f"{_short_name(move)} {value} ({held}{_short(move, move.held)})"
            # Where the regime would end by itself, to turn it is to make it stay.
            stays = "stays " if turning.regime == turn.regime else ""
            texts.append(f"{is_at}: {stays}{turning.regime} {turning.session:%m-%d}")
    return texts or [f"no one thing, moving as far as ever seen, within {len(turn.coming)} sessions"]


def _short_name(move: Move) -> str:
    if move.kind in ("result", "guidance"):
        return f"{move.name} {move.kind}"
    if move.kind == "funding":
        return "notes"
    return _SERIES.get(move.name, f"{move.name} {move.kind}")


def _short(move: Move, value: float) -> str:
    scale = 1000 if move.unit == "usd millions" else 1
    return f"{value:.2f}%" if move.unit == "percent" else f"{value / scale:,.4g}"


def turn_rows(turn: Turn, due: Sequence[Due]) -> list[tuple[str, ...]]:
    """Everything that may move, one row each under `TURN_HEAD`; the nearest first, blocks last."""
    order = sorted(turn.moves, key=lambda move: (move.kind == BLOCK, move.share, move.kind, move.name, move.about))
    return [
        (
            move_name(move),
            value_text(move, move.held),
            turning_text(move, move.next),
            turning_text(move, move.within),
            "-" if isnan(move.held) else f"{value_text(move, move.low)} to {value_text(move, move.high)}",
            due_day(move, due),
            ", ".join(move.inputs),
        )
        for move in order
    ]


def due_day(move: Move, due: Sequence[Due]) -> str:
    """When an announcement is expected; a dash where no day is known."""
    days = [each.expected for each in due if (each.company, each.kind) == (move.name, move.kind)]
    return str(days[0].date()) if days else "-"


def due_texts(due: Sequence[Due]) -> list[str]:
    """What is expected next, by day; what is overdue first."""
    by_day: dict[tuple[bool, pd.Timestamp], dict[str, list[str]]] = {}
    for each in due:
        kinds = by_day.setdefault((not each.overdue, each.expected), {})
        kinds.setdefault(each.company, []).append("results" if each.kind == "result" else each.kind)
    texts = []
    for (in_time, day), companies in sorted(by_day.items(), key=lambda item: item[0]):
        by_kinds: dict[str, list[str]] = {}
        for company, told_kinds in companies.items():
            by_kinds.setdefault(" and ".join(sorted(set(told_kinds), reverse=True)), []).append(company)
        told = ", ".join(f"{', '.join(names)} {kinds}" for kinds, names in by_kinds.items())
        texts.append(f"{'' if in_time else 'OVERDUE since '}{day.date()} {told}")
    return texts


def trade_rows(change: pd.Series) -> list[tuple[str, str]]:
    """Bought and sold, as shares of the equity, sales first."""
    return [(str(symbol), f"{weight:+.1%}") for symbol, weight in change.items()]
