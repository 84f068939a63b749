"""The signal of a spec, blocks and sources of the user among it."""

import pandas as pd

from backtests.audit.look_ahead import check_blocks
from backtests.spec.extensions import Extensions, read_extensions
from backtests.spec.spec import Spec
from data.clock import FIRST_DAY, sessions_between
from data.market.entries import read_by
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series
from signals.source import read_source, source_signal


def read_signal(
    spec: Spec, snapshot: Snapshot, last: pd.Timestamp, extensions: Extensions | None = None
) -> LiquiditySignal:
    """The regime signal over every session from the first observation of its series to `last`.

    Args:
        spec: signal, and the start of the run, from which on blocks of the user are checked.
        snapshot: series and capex.
        last: session.
        extensions: of the spec; read where they are not given.

    Raises:
        InputError: something of the spec, of its files or of the snapshot is wrong.
        LookAheadError: a block of the user looks ahead.
    """
    given, snapshot = extensions or read_extensions(spec), read_by(spec.catalogue, snapshot)
    sessions = sessions_between(first_session(spec.signal, snapshot), last)
    if given.source is not None:
        return source_signal(read_source(given.source.path, given.source.content), sessions, spec.signal)

    data = SignalData.of(snapshot, sessions, spec.signal)

    def signal_of(part: SignalData) -> LiquiditySignal:
        return liquidity_signal(part, spec.signal, given.block_builders())

    signal = signal_of(data)
    if given.blocks and given.checked:
        check_blocks(signal, signal_of, data, pd.Timestamp(spec.run.start), given.blocks)
    return signal


def first_session(config: SignalConfig, snapshot: Snapshot) -> pd.Timestamp:
    """The day of the first observation of what a signal needs, from which on it is made."""
    used = snapshot.series["series"].isin(required_series(config))
    return max(snapshot.series.loc[used, "date"].min(), FIRST_DAY) if used.any() else FIRST_DAY
