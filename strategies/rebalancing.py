"""When the book is brought back to its targets."""

from typing import Literal

import numpy as np
import pandas as pd

RebalanceCalendar = Literal["monthly", "weekly", "daily", "regime"]

_PERIODS = {"monthly": "M", "weekly": "W", "daily": "D"}


def rebalance_sessions(
    regime: pd.Series, targets: pd.DataFrame, tradable: pd.DataFrame, calendar: RebalanceCalendar
) -> pd.Series:
    """The sessions of the calendar, every change of regime, and whatever must be sold while it still trades.

    An instrument must be sold at the first session on which it is not tradable any more and the session before had a
    target weight for it: a delisting that is known in advance.

    Args:
        regime: by session decided for, NYSE sessions in a row.
        targets: target weights, sessions by symbols.
        tradable: the same sessions by the same symbols.
        calendar: see `period_begins`.

    Returns:
        Booleans by session; the first is always true.
    """
    rebalance = period_begins(pd.DatetimeIndex(regime.index), calendar).to_numpy(copy=True)
    names = regime.to_numpy()
    rebalance[1:] |= names[1:] != names[:-1]
    rebalance[1:] |= ((targets.to_numpy()[:-1] > 0) & ~tradable.to_numpy(dtype=bool)[1:]).any(axis=1)
    return pd.Series(rebalance, index=regime.index)


def period_begins(sessions: pd.DatetimeIndex, calendar: RebalanceCalendar) -> pd.Series:
    """Whether each session is the first of its month, of its week (Monday to Sunday) or of its day.

    Args:
        sessions: NYSE sessions in a row.
        calendar: "regime" has no periods.

    Returns:
        Booleans by session; the first is always true.
    """
    begins = np.zeros(len(sessions), dtype=bool)
    begins[:1] = True
    if calendar != "regime":
        period = sessions.to_period(_PERIODS[calendar])
        begins[1:] = period[1:] != period[:-1]
    return pd.Series(begins, index=sessions)
