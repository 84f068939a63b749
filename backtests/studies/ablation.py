"""Ablation: the run again with one part of the signal taken away or changed, everything else as it was.

It says what a part is worth, and how sure that is. It chooses nothing: the best of many variants is the one that was
luckiest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import pandas as pd

from backtests.evidence.sharpe_difference import sharpe_difference
from backtests.measures.run_measures import PortfolioMeasures
from backtests.run import Backtest
from backtests.spec.extensions import Extensions, read_extensions
from backtests.spec.spec import Spec
from backtests.studies.rerun import rerun
from data.errors import InputError
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal
from signals.model_config import ModelName
from signals.regime import Regime

FULL = "the full signal"
NO_SIGNAL = "no signal: the static mix"
GATE_RATIOS = (0.40, 0.45, 0.50, 0.55, 0.60)
WINDOWS = (252, 504, 756, 1008, 1260)
MEASURES = ("sharpe", "cagr", "max_drawdown", "turnover")
COLUMNS = (*MEASURES, "difference", "low", "high", *(str(regime) for regime in Regime))


@dataclass(frozen=True)
class Variant:
    """The signal with one thing changed.

    Attributes:
        name: for people.
        config: of the signal.
        without: block that is taken away; None where all stay.
    """

    name: str
    config: SignalConfig
    without: str | None = None


@dataclass(frozen=True)
class VariantRun:
    """What a variant came to over the sessions of the run that it is a variant of.

    Attributes:
        variant: that was run.
        signal: over the sessions of the run's signal.
        returns: of the strategy by session, fractions.
        measures: of the strategy.
    """

    variant: Variant
    signal: LiquiditySignal
    returns: pd.Series
    measures: PortfolioMeasures


def ablation_variants(config: SignalConfig, blocks: Sequence[str]) -> tuple[Variant, ...]:
    """Each block removed, each part of the drain switched off, each other regime model.

    What the configuration has switched off already is left out, as is the gate of form 2, which is the drain itself.

    Args:
        config: of the full signal.
        blocks: names of its blocks.
    """
    changes: dict[str, dict[str, Any]] = {
        "outside funding off": {"outside_funding": False},
        "capex events off": {"capex_events": False},
    }
    if config.form == 1:
        off = config.gate.model_copy(update={"enabled": False, "level": False})
        changes = {"gate off": {"gate": off}, **changes}
    for name in get_args(ModelName):
        changes[f"model {name}"] = {"model": config.model.model_copy(update={"name": name})}
    changed = [Variant(name, config.model_copy(update=change)) for name, change in changes.items()]
    return (
        *(_without_block(config, block) for block in blocks),
        *(variant for variant in changed if variant.config != config),
    )


def gate_variants(config: SignalConfig, ratios: Sequence[float] = GATE_RATIOS) -> tuple[Variant, ...]:
    """The gate in the middle of its transition at each of some ratios of capex to operating cash flow."""
    return tuple(
        Variant(f"{ratio:.2f}", config.model_copy(update={"gate": config.gate.model_copy(update={"ratio": ratio})}))
        for ratio in ratios
    )


def window_variants(config: SignalConfig, windows: Sequence[int] = WINDOWS) -> tuple[Variant, ...]:
    """Trailing windows of some lengths.

    The values that a z-score and a scale need stay what they are, so that a longer window makes no block come alive
    later; where the window is short they are a third and a sixth of it at most.
    """
    return tuple(
        Variant(
            f"{window:,}",
            config.model_copy(
                update={
                    "window_sessions": window,
                    "min_window_sessions": min(config.min_window_sessions, window // 3),
                    "min_scale_sessions": min(config.min_scale_sessions, window // 6),
                }
            ),
        )
        for window in windows
    )


def variant_signal(
    spec: Spec, snapshot: Snapshot, sessions: pd.DatetimeIndex, variant: Variant, extensions: Extensions | None = None
) -> LiquiditySignal:
    """Compute the signal of a variant.

    A block that is removed counts as one without data: it gives 0 and is not live, and the others, whose weights are
    equal, are not raised. So the score is the sum of what the other blocks gave to it before.

    Args:
        spec: whose blocks, the user's too, are used.
        snapshot: that is read.
        sessions: those of the full signal.
        variant: of the spec's signal.
        extensions: of the spec; read where they are not given.

    Raises:
        InputError: the spec has a source in the place of all blocks; what the variant needs is missing.
    """
    if (source := spec.signal.source) is not None:
        raise InputError(f"got signal.source {source}, wanted a signal that is made of blocks: a source has no parts")
    further = (extensions or read_extensions(spec)).block_builders()
    return liquidity_signal(SignalData.of(snapshot, sessions, variant.config), variant.config, further, variant.without)


def run_variant(run: Backtest, variant: Variant, reads: Snapshot | None = None) -> VariantRun:
    """Run a spec again with a variant of its signal: the same sessions, prices, policy, order rules and costs.

    Args:
        run: of the full signal.
        variant: of its signal.
        reads: market that the signal reads; that of the run where none is given.

    Raises:
        InputError: see `variant_signal`.
    """
    sessions = pd.DatetimeIndex(run.signal.score.index)
    signal = variant_signal(run.spec, reads or run.snapshot, sessions, variant, run.prepared.extensions)
    return VariantRun(variant, signal, *rerun(run.prepared.with_signal(signal)))


def variant_table(run: Backtest, variants: Sequence[VariantRun]) -> pd.DataFrame:
    """Lay variants beside the full signal.

    Args:
        run: of the full signal.
        variants: of it.

    Returns:
        Indexed by name of the variant, the full signal first: `MEASURES` as `metrics.json` has them; ``difference``,
        the Sharpe ratio less that of the full signal, with the bounds ``low`` and ``high`` of its interval (NaN for the
        full signal itself; see `backtests.evidence.sharpe_difference.sharpe_differences`); and the share of the run's
        sessions by name of `Regime`.
    """
    rows = {FULL: {**asdict(run.measures.strategy), **regime_shares(run.signal, run.sessions)}}
    for each in variants:
        difference = _difference(run, each.returns)
        rows[each.variant.name] = {**asdict(each.measures), **difference, **regime_shares(each.signal, run.sessions)}
    return pd.DataFrame.from_dict(rows, orient="index")[[*COLUMNS]]


def ablation_table(run: Backtest, variants: Sequence[VariantRun]) -> pd.DataFrame:
    """`variant_table` and, as its last row, the static mix, which needs no signal and has no regimes (NaN)."""
    mix = {**asdict(run.measures.portfolios["static_mix"]), **_difference(run, run.returns["static_mix"])}
    row = pd.DataFrame.from_dict({NO_SIGNAL: mix}, orient="index").reindex(columns=COLUMNS)
    return pd.concat([variant_table(run, variants), row])


def regime_shares(signal: LiquiditySignal, sessions: pd.DatetimeIndex) -> dict[str, float]:
    """The share of some sessions that each regime has, a fraction; 0 for one that has none."""
    shares = signal.regime.reindex(sessions).value_counts(normalize=True)
    return {str(regime): float(shares.get(str(regime), 0.0)) for regime in Regime}


def _difference(run: Backtest, returns: pd.Series) -> dict[str, float]:
    found = sharpe_difference(returns, run.returns["strategy"], run.risk_free)
    return {"difference": found.value, "low": found.low, "high": found.high}


def _without_block(config: SignalConfig, block: str) -> Variant:
    # Inputs that a spec adds to a block go with it.
    left = tuple(each for each in config.inputs if each.block != block)
    return Variant(f"without {block}", config.model_copy(update={"inputs": left}), block)
