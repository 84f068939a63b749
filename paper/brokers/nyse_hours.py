"""What our calendar says of the New York Stock Exchange at a moment."""

from datetime import UTC, datetime

import pandas as pd

from data.clock import next_session, trading_hours
from paper.broker import BrokerClock


def nyse_clock(now: datetime) -> BrokerClock:
    """Whether stocks trade, and when they next open and close.

    Args:
        now: with its time zone.
    """
    session = next_session(pd.Timestamp(now.astimezone(UTC).date()) - pd.Timedelta(days=1))
    opens, closes = trading_hours(session)
    if closes <= now:
        session = next_session(session)
        opens, closes = trading_hours(session)
    is_open = opens <= now
    return BrokerClock(now, is_open, trading_hours(next_session(session))[0] if is_open else opens, closes)
