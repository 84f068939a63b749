"""The regime in nine lines: what holds, why, what changed, what would turn it, what is due, missing and wanted."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from data.events.due import Due
from reverse_qe.words.turn import due_texts, nearest_texts
from signals.config import SignalConfig
from signals.explain.explanation import Explanation, explain
from signals.explain.sentence import Sides
from signals.liquidity import LiquiditySignal
from signals.regime import Regime
from signals.turn.turn import Turn, score_ends

WIDTH = 80
LINES = 9
NEAREST = 3
_TURN_LINES = 2
_BLOCKS_NAMED = 2
_MISSING_WIDTH = 50
# What a reason can do without where it would else be cut.
_SHORTER = (
    (" than usual of late)", " than usual)"),
    ("the interest on reserves", "IORB"),
    ("trailing capex", "capex"),
    ("operating cash flow", "cash flow"),
    (" bn USD", " bn"),
)


@dataclass(frozen=True)
class Change:
    """What changed from one decision to the next.

    Attributes:
        since: session of the decision before.
        was: its regime.
        score: now less then.
        blocks: what each gives, now less then.
        told: what became known between the two, in short.
    """

    since: pd.Timestamp
    was: str
    score: float
    blocks: dict[str, float]
    told: tuple[str, ...]


def change_since_before(signal: LiquiditySignal, session: pd.Timestamp, events: pd.DataFrame) -> Change | None:
    """Compare a session's decision with the one before; None on the first.

    Args:
        signal: over all sessions.
        session: one of them.
        events: as `data.events.timeline.event_timeline` gives them.
    """
    place = signal.score.index.get_indexer(pd.DatetimeIndex([session]))[0]
    if place == 0:
        return None
    since = signal.score.index[place - 1]
    before, now = (explain(signal, each) for each in (since, session))
    was = {block.name: block.contribution for block in before.blocks}
    fresh = events[(events["known_at"] > since.tz_localize("UTC")) & (events["known_at"] <= session.tz_localize("UTC"))]
    told = (
        f"{row.company} {str(row.kind).replace('_', ' ')}{' (yours)' if row.by_user else ''}"
        for row in fresh.itertuples()
    )
    moved = {block.name: block.contribution - was[block.name] for block in now.blocks}
    return Change(since, before.regime, now.score - before.score, moved, tuple(dict.fromkeys(told)))


def answer_lines(
    market: str,
    reasons: Explanation,
    config: SignalConfig,
    sides: Sides,
    change: Change | None,
    turn: Turn | None,
    due: Sequence[Due],
    targets: pd.Series,
    notes: Sequence[str] = (),
) -> list[str]:
    """Answer in at most `LINES` lines of `WIDTH` places; what has no room is counted.

    Args:
        market: its name, with the word that it is simulated where it is.
        reasons: of the session.
        config: of the signal.
        sides: what speaks for either side.
        change: since the decision before; None on the first.
        turn: what would turn it; None where that cannot be told.
        due: announcements expected.
        targets: weights wanted, by symbol.
        notes: what people must know of the signal.
    """
    score = f"score {reasons.score:+.2f}"
    wanted = targets[targets > 0].sort_values(ascending=False, kind="stable")
    wants = [f"{symbol} {weight:.1%}" for symbol, weight in wanted.items()]
    first, second = (
        (sides.looser, sides.scarcer) if reasons.regime == Regime.ABUNDANT else (sides.scarcer, sides.looser)
    )
    labels = ("For scarcity", "For abundance") if reasons.regime == Regime.NEUTRAL else ("Why", "Against")
    live = f"{reasons.live_blocks} of {len(reasons.blocks)} blocks live"
    missing = [
        *([live] if reasons.live_blocks < len(reasons.blocks) else []),
        *sides.missing,
        *([f"{len(notes)} notes, see --turn"] if notes else []),
    ]
    last = [textwrap.shorten(f"Missing: {', '.join(missing)}", _MISSING_WIDTH, placeholder=" ...")] if missing else []
    last += [f"{'Wants: ' if place == 0 else ''}{each}" for place, each in enumerate(wants or ["cash"])]
    return [
        *_fitted("", [f"{market}, {reasons.session.date()}: {reasons.regime} since {reasons.since.date()}, {score}"]),
        *_fitted("", _state(reasons, config, turn)),
        *_fitted(labels[0], first or ["nothing"]),
        *_fitted(labels[1], second or ["nothing"]),
        *_fitted("" if change is None else f"Since {change.since.date()}", _changes(change, reasons.regime)),
        *_fitted("Would turn it", _nearest(turn), _TURN_LINES),
        *_fitted("Due", due_texts(due) or ["nothing that is known of"]),
        *_fitted("", last),
    ]


def _nearest(turn: Turn | None) -> list[str]:
    return nearest_texts(turn, NEAREST) if turn is not None else ["told of regimes by thresholds alone"]


def _state(reasons: Explanation, config: SignalConfig, turn: Turn | None) -> list[str]:
    parts = [reasons.kind] if reasons.kind else []
    if turn is not None:
        ends = " or ".join(
            f"{'above' if _ends_above(reasons.regime, end) else 'below'} {end:+g}"
            for end in score_ends(reasons.regime, config)
        )
        dwells = f", not before {turn.dwells_until.date()}" if turn.dwells_until > turn.coming[0] else ""
        parts.append(f"ends {ends}{dwells}")
    if reasons.probability is not None:
        parts.append(f"probability {reasons.probability[reasons.regime]:.0%}")
    parts = parts or [f"{reasons.live_blocks} of {len(reasons.blocks)} blocks live"]
    return [part[:1].upper() + part[1:] if place == 0 else part for place, part in enumerate(parts)]


def _ends_above(regime: str, end: float) -> bool:
    return (end > 0) if regime == Regime.NEUTRAL else (regime == Regime.ABUNDANT)


def _changes(change: Change | None, regime: str) -> list[str]:
    if change is None:
        return ["No decision before it"]
    largest = sorted(change.blocks.items(), key=lambda item: -abs(item[1]))[:_BLOCKS_NAMED]
    blocks = ", ".join(f"{name.replace('_', ' ')} {_signed(moved)}" for name, moved in largest)
    was = [f"it was {change.was}"] if change.was != regime else []
    return [*was, f"score {_signed(change.score)}", blocks, ", ".join(change.told) if change.told else "no event"]


def _signed(moved: float) -> str:
    """Two digits with their sign; what rounds to nothing has the sign of nothing."""
    return f"{round(moved, 2) + 0.0:+.2f}"


def _fitted(label: str, parts: Sequence[str], lines: int = 1) -> list[str]:
    """As many parts as have room, the others counted; a first part that has none says it in fewer words, or is cut."""
    head = f"{label}: " if label else ""
    for count in range(len(parts), 0, -1):
        more = f" ({len(parts) - count} more)" if count < len(parts) else ""
        wrapped = _wrapped(head + "; ".join(parts[:count]) + more)
        if len(wrapped) <= lines:
            return wrapped
    more = f" ({len(parts) - 1} more)" if len(parts) > 1 else ""
    first = parts[0]
    for words, fewer in _SHORTER:
        first = first.replace(words, fewer)
    return [*_wrapped(textwrap.shorten(head + first, WIDTH - len(more), placeholder=" ...") + more)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
