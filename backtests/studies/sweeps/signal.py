"""The signals of a sweep: each stage is worked out once for all variants that ask the same of it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from backtests.engines.compiled_windows import compiled_windows
from backtests.prepare.prepared import Prepared
from backtests.prepare.signal import first_session
from data.clock import sessions_between
from signals.block import SignalData
from signals.config import SignalConfig
from signals.facts import Facts, T
from signals.liquidity import liquidity_signal, read_blocks, score_parts
from signals.reading import Reading
from signals.regime import Regime

# Numbers of the regimes, as of `backtests.engines.batch`.
NUMBERS = {Regime.ABUNDANT: 0, Regime.NEUTRAL: 1, Regime.SCARCE: 2}


_FIELDS = frozenset(SignalConfig.model_fields)


class SignalPath(NamedTuple):
    """What the regimes of variants are made from, by session up to the last one.

    Attributes:
        score: smoothed; empty where the regimes are given.
        live: live blocks.
        path: numbers of the regimes that follow from no thresholds; empty where thresholds make them.
    """

    score: np.ndarray
    live: np.ndarray
    path: np.ndarray


class Recall:
    """Results of functions by what they were asked; the oldest are forgotten.

    Attributes:
        made: how many were worked out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._keys: dict[Hashable, list[tuple[str, ...]]] = {}
        self.made = 0

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is kept under a key, or make and keep it."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._kept[key] = found = make()
        self.made += 1
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found

    def by_keys_read(self, name: Hashable, config: SignalConfig, make: Callable[[SignalConfig], Any]) -> Any:
        """Return what was made for a configuration that has the same values in every key that was read of it.

        So no list says which key changes which stage: what a stage did not look at cannot change it.
        """
        known = self._keys.setdefault(name, [])
        for keys in known:
            asked = (name, keys, tuple(getattr(config, key) for key in keys))
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        watched = _Watched(config)
        found = make(cast(SignalConfig, watched))
        keys = tuple(sorted(watched.read))
        if keys not in known:
            known.append(keys)
        return self.get((name, keys, tuple(getattr(config, key) for key in keys)), lambda: found)


class _Watched:
    """A configuration that notes which of its keys are read."""

    def __init__(self, config: SignalConfig) -> None:
        self._config = config
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        # Whoever takes the whole of it may have read anything.
        self.read |= {name} if name in _FIELDS else _FIELDS
        found = getattr(self._config, name)
        if name in _FIELDS:
            setattr(self, name, found)  # is asked of it once
        return found


class SweepSignals:
    """The signals of the variants of one market, over sessions that end with one decision."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._last = prepared.panel.decides_for[-1]
        self._windows = compiled_windows()
        self._facts, self._readings, self._days, self._paths = (Recall(count) for count in (8, 32, 32, 64))

    def path(self, config: SignalConfig) -> SignalPath:
        """What the regimes under a configuration are made from; the same object where it is the same.

        Raises:
            InputError: see `signals.liquidity.liquidity_signal`.
        """
        found: SignalPath = self._paths.by_keys_read("path", config, self._path)
        return found

    def _path(self, config: SignalConfig) -> SignalPath:
        prepared, given = self.prepared, self.prepared.extensions
        if given.source is not None:
            return _given(prepared.signal.regime.loc[: self._last])
        if config.model.name != "threshold":
            data = SignalData.of(prepared.snapshot, self.sessions(config), config)
            return _given(liquidity_signal(data, config, given.block_builders()).regime)
        readings = self._readings.by_keys_read("blocks", config, self._read)
        score = score_parts(readings, config.half_life_sessions, self._windows)
        nothing = np.zeros(0, dtype=np.int64)
        return SignalPath(score.total, score.live.sum(axis=1), nothing)

    def _read(self, config: SignalConfig) -> list[Reading]:
        snapshot, sessions = self.prepared.snapshot, self.sessions(config)
        facts = self._facts.by_keys_read(
            sessions[0], config, lambda each: _SharedFacts(SignalData.of(snapshot, sessions, each))
        )
        return read_blocks(facts, config, self.prepared.extensions.block_builders())

    def sessions(self, config: SignalConfig) -> pd.DatetimeIndex:
        """Sessions of the signal under a configuration."""
        snapshot, last = self.prepared.snapshot, self._last
        days: pd.DatetimeIndex = self._days.by_keys_read(
            "days", config, lambda each: sessions_between(first_session(each, snapshot), last)
        )
        return days


class _SharedFacts(Facts):
    """Facts that recall the stages of the signal, and measure windows by compiled code."""

    def __init__(self, data: SignalData) -> None:
        super().__init__(data)
        self.windows, self._stages = compiled_windows(), Recall(64)

    def once(self, stage: str, config: SignalConfig, make: Callable[[SignalConfig], T]) -> T:
        found: T = self._stages.by_keys_read(stage, config, make)
        return found


def _given(regime: pd.Series) -> SignalPath:
    nothing = np.zeros(0)
    path = regime.map({name.value: number for name, number in NUMBERS.items()}).to_numpy(dtype=np.int64)
    return SignalPath(nothing, nothing.astype(np.int64), path)
