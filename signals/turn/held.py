"""The sessions to come if nothing moved: what is known at a decision, with every series kept at its last level."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from data.catalogue.publication import publication_times
from data.catalogue.series import SeriesEntry
from data.clock import decision_times, next_session, sessions_between
from data.market.tables import CAPEX, SERIES
from signals.block import SignalData

HORIZON = 20
"""Sessions to come that are looked at."""

AT_ONCE = pd.Timedelta(microseconds=1)
"""After the decision, until what should have been there has come."""

# Longest gaps, in days, of what is published every business day and every week.
_DAILY, _WEEKLY, _MONTH = 4.0, 10.0, 30.4


def known_data(data: SignalData, session: pd.Timestamp) -> SignalData:
    """Leave of the tables what was known at the decision for a session, and of the sessions those up to it.

    A series or company of which nothing was known keeps one row, blank: a market that never heard of it is refused.
    """
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    is_known = data.series["known_at"] <= decision
    unheard = ~data.series["series"].isin(data.series.loc[is_known, "series"].unique())
    blank = data.series[unheard].drop_duplicates("series").assign(value=np.nan)
    series = pd.concat([data.series[is_known], blank], ignore_index=True)

    capex = data.capex.copy()
    for figures, known_at in (
        (["capex_usd_bn", "headline_capex_usd_bn"], "capex_known_at"),
        (["ocf_usd_bn"], "ocf_known_at"),
    ):
        later = ~(capex[known_at] <= decision)
        capex.loc[later, figures] = np.nan
        capex.loc[later, known_at] = pd.NaT
    is_told = capex["capex_known_at"].notna() | capex["ocf_known_at"].notna()
    is_first = ~capex["company"].isin(capex.loc[is_told, "company"].unique()) & ~capex.duplicated("company")
    cut = {name: getattr(data, name) for name in ("guidance", "funding", "paces")}
    tables = {name: table[table["known_at"] <= decision] for name, table in cut.items()}
    sessions = data.sessions[data.sessions <= session]
    return replace(data, **tables, series=series, capex=CAPEX.conform(capex[is_told | is_first]), sessions=sessions)


def sessions_to_come(session: pd.Timestamp, count: int = HORIZON) -> pd.DatetimeIndex:
    """The sessions that follow one."""
    return sessions_between(next_session(session), session + pd.Timedelta(days=2 * count + 14))[:count]


def held_data(data: SignalData, session: pd.Timestamp, names: Collection[str], count: int = HORIZON) -> SignalData:
    """Carry what is known at a decision on over the sessions to come: no event, and series at their last level.

    A series is published on as its dates so far and its rule of publication say; what had to be there at the decision
    and is not comes right after it. One that is too old at the decision stays so.

    Args:
        data: of which what became known later is left out.
        session: one of its sessions.
        names: of the series to hold; of those that the market lacks there is none.
        count: sessions to come.
    """
    known = known_data(data, session)
    coming = sessions_to_come(session, count)
    entry_of = data.catalogue.series_entry
    rows = [held_rows(known.series, name, entry_of(name), session, coming[-1]) for name in names]
    sessions = pd.DatetimeIndex(known.sessions.append(coming))
    return replace(known, series=pd.concat([known.series, *rows], ignore_index=True), sessions=sessions)


def held_rows(
    series: pd.DataFrame, name: str, entry: SeriesEntry, session: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    """Observations of one series that become known after the decision for a session, up to that for another.

    What the market lacks although its rule has it known at the decision, as a rate that holds from that day on, becomes
    known right after it: a later file brings it, and without it a mean of the newest values would lack a day for good.

    Args:
        series: `data.market.tables.SERIES`, known at the decision.
        name: of the series.
        entry: of the catalogue: its rule of publication, and when it is too old.
        session: after whose decision they become known.
        last: session by whose decision they have.

    Returns:
        `data.market.tables.SERIES`, all of the newest value known; no row where that is too old, or there is none.
    """
    rows = series[(series["series"] == name) & series["value"].notna()].sort_values(["date", "known_at"])
    if rows.empty or (session - rows["date"].iloc[-1]).days > entry.stale_after_days:
        return SERIES.empty()
    dates = _next_dates(pd.DatetimeIndex(rows["date"].unique()), last)
    after, until = decision_times(pd.DatetimeIndex([session, last]))
    known_at = publication_times(dates, entry.publication)
    known_at = known_at.where(known_at > after, after + AT_ONCE)
    kept = known_at <= until
    return SERIES.conform(
        pd.DataFrame({"series": name, "date": dates[kept], "value": rows["value"].iloc[-1], "known_at": known_at[kept]})
    )


def _next_dates(dates: pd.DatetimeIndex, until: pd.Timestamp) -> pd.DatetimeIndex:
    """The dates on which a series goes on, at the pace of its newest ones."""
    newest = dates[-12:]
    gap = float(np.median(np.diff(newest.to_numpy()) / np.timedelta64(1, "D"))) if len(newest) > 1 else _DAILY
    first = newest[-1]
    if gap <= _DAILY:
        return pd.bdate_range(first + pd.Timedelta(days=1), until)
    if gap <= _WEEKLY:
        return pd.date_range(first + pd.Timedelta(days=7), until, freq="7D")
    months = max(round(gap / _MONTH), 1)
    return pd.DatetimeIndex([first + pd.DateOffset(months=months * place) for place in (1, 2)])
