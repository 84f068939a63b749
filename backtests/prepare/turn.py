"""What would turn the regime of a spec on a market, and the trades that would follow."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import pandas as pd

from backtests.prepare.decision import decide_from_cash
from backtests.prepare.stages import tell_nobody
from backtests.spec.extensions import read_extensions
from backtests.spec.spec import Spec
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.liquidity import LiquiditySignal
from signals.turn.turn import Turn, what_would_turn


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
    data = SignalData.of(snapshot, pd.DatetimeIndex(signal.score.index), spec.signal)
    builders = read_extensions(spec).block_builders()
    return what_would_turn(data, session, spec.signal, builders, report, nearest)


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
