"""Why the signal says what it says on one session: blocks, inputs, the values behind them and their dates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal
from signals.regime import Regime


@dataclass(frozen=True)
class InputReason:
    """What one input gives to the score.

    Attributes:
        name: "block.input".
        contribution: to the score, smoothed as the score is; + means scarcer.
        value: at the decision, in `unit`; None where missing or too old.
        unit: for people.
        observed: the date that the newest observation is about; None where there is none.
        known_at: when it was public, UTC; None where there is none.
    """

    name: str
    contribution: float
    value: float | None
    unit: str
    observed: pd.Timestamp | None
    known_at: pd.Timestamp | None


@dataclass(frozen=True)
class BlockReason:
    """What one block gives to the score, and its inputs."""

    name: str
    contribution: float
    inputs: tuple[InputReason, ...]


@dataclass(frozen=True)
class GateState:
    """How near the spenders are to the end of idle money; None where the figures are missing.

    Attributes:
        ratio: trailing capex over operating cash flow.
        g: from 0, idle money abounds, to 1, it is gone.
        multiplier: by which the growth of capex counts.
    """

    ratio: float | None
    g: float | None
    multiplier: float | None


@dataclass(frozen=True)
class Explanation:
    """The signal's decision for one session.

    Attributes:
        session: decided for, at 00:00 UTC of it.
        regime: on that session.
        since: first session of its unbroken stay.
        score: sum of the blocks' contributions.
        live_blocks: number of blocks with a value.
        blocks: reasons, in the signal's order.
        gate: of idle money; None where there is none.
        probability: of each regime; None where the regime model has none.
        kind: of scarcity, see `signals.scarcity.Scarcity`; None where there is none, or in form 1.
        young_blocks: in the first year of their values; none in form 1.
    """

    session: pd.Timestamp
    regime: str
    since: pd.Timestamp
    score: float
    live_blocks: int
    blocks: tuple[BlockReason, ...]
    gate: GateState | None
    probability: dict[str, float] | None
    kind: str | None = None
    young_blocks: tuple[str, ...] = ()


def explain(signal: LiquiditySignal, session: pd.Timestamp) -> Explanation:
    """Take one session's decision apart.

    Args:
        signal: over all sessions.
        session: one of its sessions.

    Raises:
        KeyError: the session is none of the signal's.
    """
    return Explanation(
        session=session,
        regime=str(signal.regime[session]),
        since=stay_begins(signal.regime, session),
        score=float(signal.score[session]),
        live_blocks=int(signal.live_blocks[session]),
        blocks=_block_reasons(signal, session),
        gate=None if signal.gate is None else GateState(**_row(signal.gate, session)),
        probability=None if signal.probability is None else _row(signal.probability, session),
        kind=None if signal.kind is None else str(signal.kind[session]) or None,
        young_blocks=_young_blocks(signal, session),
    )


def _young_blocks(signal: LiquiditySignal, session: pd.Timestamp) -> tuple[str, ...]:
    if signal.young is None:
        return ()
    return tuple(str(name) for name, young in signal.young.loc[session].items() if young)


def stay_begins(regime: pd.Series, session: pd.Timestamp) -> pd.Timestamp:
    """The first session of the unbroken stay of the regime that holds at `session`."""
    path = regime.loc[:session]
    names = path.to_numpy(dtype=object)
    changes = np.flatnonzero(names[1:] != names[:-1])
    began: pd.Timestamp = path.index[changes[-1] + 1 if len(changes) else 0]
    return began


def change_reason(signal: LiquiditySignal, session: pd.Timestamp, config: SignalConfig) -> str:
    """Why the regime of a session began there: the threshold passed, or the model's word; what moved it; its kind.

    Named is the live block which has moved most in the direction of the change since the stay before began.

    Args:
        signal: over all sessions.
        session: the first of a stay, not the first of the signal.
        config: the signal's thresholds and regime model.
    """
    if signal.is_given:
        return f"the source says {signal.regime[session]}"
    if signal.live_blocks[session] < signal.needed_blocks:
        return f"fewer than {signal.needed_blocks} blocks are live"
    regime, before = (Regime(name) for name in signal.regime.loc[:session].iloc[[-1, -2]])
    scarcer, threshold = {
        Regime.SCARCE: (True, config.enter),
        Regime.ABUNDANT: (False, -config.enter),
        Regime.NEUTRAL: (False, config.leave) if before is Regime.SCARCE else (True, -config.leave),
    }[regime]
    moved = _what_moved(signal, session, scarcer)
    if signal.kind is not None and signal.kind[session]:
        moved += f"; {signal.kind[session]}"
    if config.model.name != "threshold":
        return f"the model {config.model.name} says {signal.regime[session]}; {moved}"
    direction = "above" if scarcer else "below"
    return f"score {_beside(signal.score[session], threshold)} {direction} {threshold:+g}; {moved}"


def _what_moved(signal: LiquiditySignal, session: pd.Timestamp, scarcer: bool) -> str:
    """The live block that moved most in one direction since the stay before a session began, and by how much."""
    began = stay_begins(signal.regime, signal.regime.loc[:session].index[-2])
    known = signal.values.columns[signal.values.loc[session].notna().to_numpy()]
    speaking = {str(name).partition(".")[0] for name in known}
    live = [name for name in map(str, signal.blocks.columns) if name in speaking]
    moves = (signal.blocks.loc[session] - signal.blocks.loc[began])[live]
    leader = str(moves.idxmax() if scarcer else moves.idxmin())
    return f"most from {leader}, {moves[leader]:+.2f} since {began.date()}"


def _beside(score: float, threshold: float) -> str:
    """A score with as many digits, two at the least, as tell it from a threshold."""
    digits = 2
    while digits < 16 and round(score, digits) == threshold:
        digits += 1
    return f"{score:+.{digits}f}"


def _block_reasons(signal: LiquiditySignal, session: pd.Timestamp) -> tuple[BlockReason, ...]:
    given, values, observed, known = (
        _row(frame, session) for frame in (signal.inputs, signal.values, signal.observed, signal.known)
    )
    reasons = [
        InputReason(name, contribution, values[name], signal.units[name], observed[name], known[name])
        for name, contribution in given.items()
    ]
    return tuple(
        BlockReason(block, contribution, tuple(each for each in reasons if each.name.startswith(f"{block}.")))
        for block, contribution in _row(signal.blocks, session).items()
    )


def _row(frame: pd.DataFrame, session: pd.Timestamp) -> dict[str, Any]:
    """One session's values by column, blanks as None."""
    return {str(name): None if pd.isna(value) else value for name, value in frame.loc[session].items()}
