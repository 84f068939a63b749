"""The events of a study: their kind, their news, and the session in which an instrument could first answer them."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.clock import next_session, trading_hours
from data.events.completion import CASH_KINDS
from data.events.timeline import GUIDED, PACE, RESULT, event_timeline
from data.market.snapshot import Snapshot
from signals.block import SignalData
from signals.capex.news import KINDS as WITH_NEWS
from signals.capex.spenders import read_spenders
from signals.config import SignalConfig
from signals.facts import Facts

RESULTS, GUIDANCE, FUNDING, COMMITMENTS, POLICY = KINDS = ("results", "guidance", "funding", "commitments", "policy")
_NEW_YORK = ZoneInfo("America/New_York")


def study_events(snapshot: Snapshot, config: SignalConfig, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Every event of a market, once a company, kind and moment.

    Of a result its capex stands for all; the cash flow of the same quarter would be a second event of the same answer.

    Args:
        snapshot: the events.
        config: of the signal, by which news is scored.
        sessions: of the study, naive; an event that no session of it can answer is left out.

    Returns:
        Columns known_at (UTC), company, kind (one of `KINDS`), news (as `signals.capex.news.News.value`, by what was
        known at that moment; NaN where it is not scored), stocks and coins: the place of the session in which a stock,
        and a coin, could first answer.
    """
    events = all_events(snapshot)
    news = _news(snapshot, config, sessions)
    events["news"] = [
        news.get((known, company, kind), np.nan) for known, company, kind in events.itertuples(index=False)
    ]
    events["stocks"] = [_place(sessions, _stock_session(known)) for known in events["known_at"]]
    events["coins"] = [_place(sessions, known.tz_localize(None).normalize()) for known in events["known_at"]]
    inside = (events["stocks"] < len(sessions)) & (events["known_at"].dt.tz_localize(None) >= sessions[0])
    found: pd.DataFrame = events[inside].reset_index(drop=True)
    return found


def all_events(snapshot: Snapshot) -> pd.DataFrame:
    """``known_at``, ``company`` and ``kind`` of every event, whether or not there are prices around it."""
    events = event_timeline(snapshot)
    is_second = (events["kind"] == RESULT) & ~events["about"].str.endswith(" capex")
    events = events[~is_second]
    events = events.assign(kind=[kind_of(kind) for kind in events["kind"]])[["known_at", "company", "kind"]]
    # Several figures of one announcement are one event.
    return events.drop_duplicates(ignore_index=True)


def kind_of(kind: str) -> str:
    """The kind of a study to which that of a time-line belongs."""
    if kind in CASH_KINDS:
        return FUNDING
    if kind.startswith("fed_") or kind == PACE:
        return POLICY
    return {RESULT: RESULTS, GUIDED: GUIDANCE}.get(kind, COMMITMENTS)


def _news(
    snapshot: Snapshot, config: SignalConfig, sessions: pd.DatetimeIndex
) -> dict[tuple[pd.Timestamp, str, str], float]:
    """What each announcement said beyond what could be expected, added up over its figures; without results nothing."""
    if snapshot.capex_actuals.empty:
        return {}
    found = read_spenders(Facts(SignalData.of(snapshot, sessions, config)), config).news
    if found is None:
        return {}
    table = found.table().dropna(subset="value")
    kinds = dict(zip(WITH_NEWS, (RESULTS, GUIDANCE), strict=True))
    keys = zip(table["known_at"], table["company"], table["kind"].map(kinds), strict=True)
    sums: dict[tuple[pd.Timestamp, str, str], float] = {}
    for key, value in zip(keys, table["value"], strict=True):
        sums[key] = sums.get(key, 0.0) + float(value)
    return sums


def _stock_session(known: pd.Timestamp) -> pd.Timestamp:
    """The session by whose close in New York a stock could first answer; the next one of what comes at the close."""
    day = pd.Timestamp(known.astimezone(_NEW_YORK).date())
    session = next_session(day - timedelta(days=1))
    return next_session(session) if session == day and known >= trading_hours(session)[1] else session


def _place(sessions: pd.DatetimeIndex, day: pd.Timestamp) -> int:
    return int(sessions.searchsorted(day))


def weeks_of(sessions: pd.DatetimeIndex, places: Sequence[int]) -> np.ndarray:
    """The calendar week of each session, as a number that grows by one a week."""
    days = sessions[list(places)]
    return np.asarray((days - pd.Timestamp("1970-01-05")).days // 7)
