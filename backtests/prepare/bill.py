"""The 3-month bill: its yield as known at each decision, and what idle cash brings by it."""

import numpy as np
import pandas as pd

from backtests.spec.cash import interest_rates
from backtests.spec.spec import Spec
from data.catalogue.series import series_entry
from data.market.snapshot import Snapshot
from data.prices.panel import Panel
from signals.observations import as_known, series_observations

BILL = "DGS3MO"


def run_interest(spec: Spec, snapshot: Snapshot, panel: Panel) -> np.ndarray:
    """What a US dollar of cash brings by session of a panel, as the spec has it."""
    if spec.cash.interest == "none":  # which spares the look at the bill
        return np.zeros(len(panel.sessions))
    return interest_rates(spec.cash, bill_yield(snapshot, panel.sessions), panel.sessions)


def bill_yield(snapshot: Snapshot, sessions: pd.DatetimeIndex) -> pd.Series:
    """The 3-month bill's yield in percent, as known at each decision; NaN where it is not known."""
    if not (snapshot.series["series"] == BILL).any():
        return pd.Series(np.nan, index=sessions)
    observations = series_observations(snapshot.series, BILL)
    return as_known(observations, sessions, series_entry(BILL).stale_after_days)["value"]
