"""The signal at moments of one's own, for engines that are not ours."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from data.clock import decision_times, next_session
from data.errors import InputError

_COLUMNS = ["decided_at", "session", "regime", "score"]


def signal_at(history: pd.DataFrame, moments: Iterable[Any]) -> pd.DataFrame:
    """The newest decision at each moment; see `reverse_qe.results.SignalReading.at`.

    Args:
        history: as `reverse_qe.results.SignalReading.history` gives it, by the moment of the decision (UTC).
        moments: times with an offset from UTC.
    """
    asked = _in_utc(moments)
    due = decision_times(pd.DatetimeIndex([next_session(history["session"].iloc[-1])]))[0]
    if len(asked) and asked.max() >= due:
        raise InputError(
            f"got the moment {asked.max()}, wanted one before {due}, when a decision is due that this market does not "
            "reach: fetch or import newer data, or ask for earlier moments"
        )
    places = history.index.searchsorted(asked, side="right") - 1
    known = history.reset_index()[_COLUMNS]
    # Before the first decision nothing is known: the place -1 has no row.
    return known.reindex(places).set_axis(asked)


def _in_utc(moments: Iterable[Any]) -> pd.DatetimeIndex:
    try:
        times = pd.DatetimeIndex(moments if isinstance(moments, pd.Index | pd.Series) else list(moments))
    except (TypeError, ValueError, OverflowError) as error:
        told = " ".join(str(error).split())
        raise InputError(f"got moments that are no times ({told}), wanted times with an offset from UTC") from error
    if times.hasnans:
        raise InputError(f"got a blank among the {len(times)} moments, wanted times with an offset from UTC")
    if times.tz is None:
        first = f", {times[0]} first" if len(times) else ""
        raise InputError(
            f"got moments without an offset from UTC{first}, wanted them with one, as after tz_localize: a day "
            "alone does not say what was known on it"
        )
    return times.tz_convert("UTC").as_unit("us").rename("moment")
