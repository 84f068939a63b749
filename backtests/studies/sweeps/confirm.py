"""The best variants of a sweep once more, in Backtrader: what both engines say, and by how much they differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtests.prepare.prepared import prepare
from backtests.run import book_returns, play
from backtests.spec.spec import load_spec
from backtests.studies.sweeps.sweep import Sweep


@dataclass(frozen=True)
class Confirmed:
    """A variant in both engines.

    Attributes:
        variant: its number.
        difference: largest, of the equity of a session, as a fraction of it.
        orders: of the vector engine.
        orders_event: of the event engine.
    """

    variant: int
    difference: float
    orders: int
    orders_event: int


def confirm(sweep: Sweep, variants: Sequence[int], report: Callable[[str], None]) -> list[Confirmed]:
    """Run variants in the event engine and compare, session by session.

    Args:
        sweep: that holds them.
        variants: by number.
        report: is told of each as it begins.
    """
    found = []
    for number, variant in enumerate(variants, start=1):
        report(f"confirming {number} of {len(variants)}")
        spec = load_spec(sweep.asked.spec, sweep.settings(variant))
        engine = play(prepare(spec, sweep.asked.snapshot))
        theirs = np.cumprod(1.0 + book_returns(engine, {}, spec.run.initial_cash)["strategy"].to_numpy())
        row = sweep.run(variant, variant + 1, keep_returns=True).iloc[0]
        ours = np.cumprod(1.0 + np.array(row["returns"]))
        difference = np.max(np.abs(ours / theirs - 1.0), where=theirs > 0, initial=0.0)
        found.append(Confirmed(variant, float(difference), int(row["orders"]), len(engine.orders)))
    return found
