"""Sessions before a run, for code of users that looks back: policies and strategies."""

import pandas as pd

from backtests.spec.spec import Spec
from data.clock import FIRST_DAY, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.panel import Panel, build_panel

YEAR = 252


def warmup_panel(spec: Spec, snapshot: Snapshot, panel: Panel) -> Panel | None:
    """Lay the sessions before those of a panel out, as far as `run.warmup_sessions` says.

    Args:
        spec: of the run; without a number, as many as the market has up to a year.
        snapshot: that the panel is of.
        panel: of the run.

    Returns:
        A panel of the same instruments that ends where the run's begins; None where there is no such session.

    Raises:
        InputError: the spec asks for more than the market has.
    """
    own = snapshot.bars["symbol"].isin(spec.universe.symbols)
    first_bar, day = snapshot.bars.loc[own, "date"].min(), pd.Timedelta(days=1)
    before = sessions_between(max(first_bar, FIRST_DAY), panel.sessions[0] - day)
    asked = spec.run.warmup_sessions
    count = min(YEAR, len(before)) if asked is None else asked
    if count > len(before):
        raise InputError(
            f"run.warmup_sessions: got {count}, wanted at most {len(before)}: so many sessions with bars has market "
            f"{snapshot.name} before the first decision on {panel.sessions[0].date()}"
        )
    if count == 0:
        return None
    # A panel begins with the session before its first day.
    first = before[-count:].append(panel.sessions[:1])[1]
    return build_panel(snapshot, panel.symbols, first, panel.sessions[0], spec.run.prices).upto(panel.sessions[0])
