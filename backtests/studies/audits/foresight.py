"""Does a file of regimes or weights know the session that it decides for? No other future can be put to it, so it is
judged by what its changes earn between the open at which they are filled and the close that nobody has seen then.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.prepare.prepared import Prepared
from backtests.studies.audits.report import Check
from strategies.given_weights import read_weights, rows_in_force

FEWEST = 20
TOO_GOOD = 4.0
"""A t statistic that chance gives once in thirty thousand files."""


@dataclass(frozen=True)
class Foresight:
    """What the changes of a file earn.

    Attributes:
        file: its name.
        changes: sessions for which the target weights change.
        own: t statistic of what a change earns from the open to the close of the session that it is decided for.
        next: the same in the session after it.
        own_mean: mean of what it earns in its own session, a fraction of the equity.
        at_midnight: whether every row is known at 00:00 UTC: a date, perhaps, that was taken for a time.
    """

    file: str
    changes: int
    own: float
    next: float
    own_mean: float
    at_midnight: bool


def foresight_of(prepared: Prepared) -> Foresight | None:
    """Measure it; None where the user gives no file of regimes or weights.

    Args:
        prepared: of the run.
    """
    given, panel = prepared.extensions, prepared.panel
    file = given.weights or given.source
    if file is None:
        return None
    if given.weights is not None:
        rows = read_weights(file.path, file.content)
        states, moments = rows_in_force(rows, panel.decides_for), pd.DatetimeIndex(rows.index)
    else:
        states = prepared.signal.regime.reindex(panel.decides_for)
        moments = pd.DatetimeIndex(prepared.signal.known.iloc[:, 0].dropna().unique())
    targets = prepared.plan.targets[list(panel.symbols)].to_numpy()
    moved = targets[1:] - targets[:-1]
    # The row of the decision for a session stands on the session before it.
    within = np.nan_to_num(panel.adjusted_close / panel.adjusted_open - 1.0)
    changes = np.flatnonzero((states != states.shift()).to_numpy()[1:] & (moved != 0.0).any(axis=1)) + 1
    changes = changes[changes + 2 < len(within)]
    own = (moved[changes - 1] * within[changes + 1]).sum(axis=1)
    after = (moved[changes - 1] * within[changes + 2]).sum(axis=1)
    midnight = bool(len(moments)) and bool((moments == moments.normalize()).all())
    mean = float(own.mean()) if len(own) else 0.0
    return Foresight(file.path.name, len(changes), _t(own), _t(after), mean, midnight)


def foresight_check(found: Foresight | None) -> Check | None:
    """The row of it; None where there is no file."""
    if found is None:
        return None
    key, tried = "foresight", f"What changes of {found.file} earn in their own session"
    dates = "; every known_at is 00:00 UTC: are they dates?" if found.at_midnight else ""
    if found.changes < FEWEST:
        return Check(
            key, tried, 0, "not tried", f"{found.changes} changes are too few to tell, {FEWEST} are wanted{dates}"
        )
    told = (
        f"{found.own_mean:+.2%} of the equity each between open and close (t {found.own:+.1f}), in the session after "
        f"it t {found.next:+.1f}, of {found.changes} changes"
    )
    if found.own > TOO_GOOD:
        text = f"{told}: more than what is known at the open can earn; are its rows known only after that close?{dates}"
        return Check(key, tried, 1, "LEAK", text)
    return Check(key, tried, 1, "holds", told + dates)


def _t(values: np.ndarray) -> float:
    if len(values) < 2 or values.std(ddof=1) == 0:
        return 0.0
    return float(values.mean() / values.std(ddof=1) * np.sqrt(len(values)))
