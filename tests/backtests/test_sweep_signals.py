"""The signals of a sweep are those of single runs, to the bit, whichever stages they were recalled from."""

import numpy as np
import pytest

from backtests.prepare.prepared import prepare
from backtests.spec.spec import load_spec
from backtests.studies.sweeps.signal import SweepSignals
from signals.block import SignalData
from signals.config import SignalConfig
from signals.liquidity import liquidity_signal

ADDED = {"name": "yield", "block": "pipes", "series": "DGS10", "scarcer_when": "higher"}
# Each differs from the one before in one key at least; what was recalled for one must not reach another.
STEPS = [
    {},
    {"clip": 2.0},
    {"window_sessions": 500},
    {"window_sessions": 500, "min_window_sessions": 100},
    {"min_scale_sessions": 60, "clip": 2.0},
    {"change_sessions": (5, 40)},
    {"change_sessions": (5, 40), "clip": 1.5},
    {"capex_events": False},
    {"outside_funding": False},
    {"capex_events": False, "outside_funding": False},
    {"gate": {"ratio": 0.6}},
    {"companies": ("MSFT", "META")},
    {"event_half_life_sessions": 20.0},
    {"level_change_sessions": 30},
    {"pipes_mean_observations": 3},
    {"half_life_sessions": 3.0},
    {"inputs": (ADDED,)},
    {"inputs": (ADDED,), "clip": 1.0},
    {"inputs": ({**ADDED, "transform": "change", "length": 7, "block": "drain"},)},
]


@pytest.mark.parametrize("form", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_the_score_of_a_variant_is_that_of_a_single_run(sample, form):
    prepared = prepare(load_spec("sample", {"run.start": "2022-01-03", "run.end": "2022-12-30"}), sample)
    signals, last = SweepSignals(prepared), prepared.panel.decides_for[-1]
    steps = STEPS if form == 1 else STEPS[::2]
    for values in (*steps, *steps[::-1]):
        config = SignalConfig(form=form, **values)
        path = signals.path(config)
        data = SignalData.of(sample, signals.sessions(config), config)
        assert data.sessions[-1] == last
        found = liquidity_signal(data, config)
        np.testing.assert_array_equal(path.score, found.score.to_numpy(), err_msg=str(values))
        np.testing.assert_array_equal(path.live, found.live_blocks.to_numpy(), err_msg=str(values))
