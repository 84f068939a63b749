"""What would turn the regime of a spec on a market, and the trades that would follow."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtests.identity import ROOT, source_hash
from backtests.prepare.decision import decide_from_cash
from backtests.prepare.stages import tell_nobody
from backtests.spec.extensions import read_extensions
from backtests.spec.spec import Spec
from data.clock import calendars_version
from data.files.cache import keep_cached, read_cached
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.liquidity import LiquiditySignal
from signals.turn.turn import Move, Turn, Turning, what_would_turn

_FIELDS = ("name", "kind", "about", "unit", "inputs", "held", "low", "high", "step")


def is_told(spec: Spec) -> bool:
    """Whether what would turn the regime can be told: of thresholds, not of a model that is fitted, nor of a source."""
    return spec.signal.source is None and spec.signal.model.name == "threshold"


def read_turn(
    spec: Spec,
    snapshot: Snapshot,
    signal: LiquiditySignal,
    session: pd.Timestamp,
    nearest: int | None = None,
    report: Callable[[str], None] = tell_nobody,
) -> Turn:
    """Find what would turn the regime of a session, see `signals.turn.turn.what_would_turn`.

    The nearest moves of a market, spec and session are kept in the user's cache folder, but for those of a spec with
    blocks of the user: what they read is not known.

    Args:
        spec: signal, and blocks of the user.
        snapshot: series and events; what became known later is not looked at.
        signal: of the spec, over all sessions up to that one.
        session: of the decision.
        nearest: moves that are asked for; None: all.
        report: is told what is under way.

    Raises:
        InputError: see `is_told`.
    """
    builders = read_extensions(spec).block_builders()
    data = SignalData.of(snapshot, pd.DatetimeIndex(signal.score.index), spec.signal)
    if nearest is None or builders:
        return what_would_turn(data, session, spec.signal, builders, report, nearest)
    name = _name(spec, snapshot, signal, session, nearest)
    kept = read_cached(name)
    if kept is not None:
        return _turn_of(json.loads(kept))
    turn = what_would_turn(data, session, spec.signal, builders, report, nearest)
    keep_cached(name, json.dumps(_kept(turn)).encode())
    return turn


def _name(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, session: pd.Timestamp, nearest: int) -> str:
    """Everything on which the nearest moves depend, as the name of a cached file."""
    parts = (
        spec.to_toml(),
        snapshot.content_hash,
        f"{signal.score.index[0]} {session} {nearest} {calendars_version()} {np.__version__} {pd.__version__}",
        source_hash(ROOT, ("data", "signals")),
    )
    return f"turn-2-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def _kept(turn: Turn) -> dict[str, Any]:
    """The nearest moves as JSON has them; levers are left out, for only tables need them."""
    moves = [{name: getattr(move, name) for name in _FIELDS} for move in turn.moves]
    return {
        "session": str(turn.session),
        "regime": turn.regime,
        "score": turn.score,
        "dwells_until": str(turn.dwells_until),
        "coming": [str(day) for day in turn.coming],
        "base": turn.base,
        "moves": [
            {**move, **{key: _kept_turning(getattr(each, key)) for key in ("next", "within")}}
            for move, each in zip(moves, turn.moves, strict=True)
        ],
    }


def _kept_turning(turning: Turning | None) -> list[Any] | None:
    return None if turning is None else [turning.value, turning.before, str(turning.session), turning.regime]


def _turn_of(kept: dict[str, Any]) -> Turn:
    def turning(values: list[Any] | None) -> Turning | None:
        return None if values is None else Turning(values[0], values[1], pd.Timestamp(values[2]), values[3])

    moves = [
        Move(
            **{
                **move,
                "inputs": tuple(move["inputs"]),
                "next": turning(move["next"]),
                "within": turning(move["within"]),
            }
        )
        for move in kept["moves"]
    ]
    return Turn(
        session=pd.Timestamp(kept["session"]),
        regime=kept["regime"],
        score=kept["score"],
        dwells_until=pd.Timestamp(kept["dwells_until"]),
        coming=pd.DatetimeIndex(kept["coming"]).as_unit("us"),
        base=tuple(kept["base"]),
        moves=tuple(moves),
    )


def trades_by_regime(
    spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, session: pd.Timestamp, regimes: Collection[str]
) -> Mapping[str, pd.Series]:
    """What a decision would buy and sell if another regime held, from the weights that are wanted now.

    Args:
        spec: universe and policy.
        snapshot: prices.
        signal: reaches `session`.
        session: decided for.
        regimes: that may come.

    Returns:
        By regime and symbol the weight wanted then less the weight wanted now; what does not change is left out.
    """
    now = decide_from_cash(spec, snapshot, signal, session).targets
    changes: dict[str, pd.Series] = {}
    for name in regimes:
        regime = signal.regime.mask(signal.regime.index == session, name)
        other = decide_from_cash(spec, snapshot, replace(signal, regime=regime), session).targets - now
        changes[name] = other[other.abs() > 1e-9].sort_values(kind="stable")
    return changes
