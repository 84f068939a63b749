"""The 3-month bill: its yield as known at each decision."""

import numpy as np
import pandas as pd

from data.catalogue.series import series_entry
from data.market.snapshot import Snapshot
from signals.observations import as_known, series_observations

BILL = "DGS3MO"


def bill_yield(snapshot: Snapshot, sessions: pd.DatetimeIndex) -> pd.Series:
    """The 3-month bill's yield in percent, as known at each decision; NaN where it is not known."""
    if not (snapshot.series["series"] == BILL).any():
        return pd.Series(np.nan, index=sessions)
    observations = series_observations(snapshot.series, BILL)
    return as_known(observations, sessions, series_entry(BILL).stale_after_days)["value"]
