"""When `paper run` takes its steps: at the decision, before the open, after the open; sooner where work is left."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd

from data.clock import next_session, previous_session, trading_hours
from paper.config import ScheduleSection

# A long sleep is cut into pieces: a machine that was suspended, or whose clock was set, is noticed in time.
LONGEST_WAIT = timedelta(minutes=1)
# A clock that is kept right is moved by less.
SET_BACK = timedelta(seconds=30)


def next_step_at(schedule: ScheduleSection, now: datetime, work_is_left: bool = False) -> datetime:
    """The moment of the next step after one.

    Args:
        schedule: of the configuration.
        now: UTC.
        work_is_left: orders are open or unsent, or the step could not be ended.
    """
    # From yesterday on: a session's last moment may fall on the UTC day after it.
    planned = min(moment for moment in _moments(schedule, now) if moment > now)
    return min(planned, now + timedelta(minutes=schedule.repeat)) if work_is_left else planned


def keep_stepping(
    schedule: ScheduleSection,
    step: Callable[[], bool],
    now: Callable[[], datetime],
    wait: Callable[[float], bool],
    say: Callable[[str], None],
) -> None:
    """Step now and at every planned moment, until told to stop.

    A clock that is set back moves the next step with it: it is planned anew.

    Args:
        schedule: of the configuration.
        step: takes one; returns whether work is left.
        now: the time, UTC.
        wait: so many seconds; True ends it all, at once.
        say: is told when the next step is.
    """
    while True:
        work_is_left = step()
        moment = _plan(schedule, now(), work_is_left, say)
        # Also where the next moment has passed meanwhile, a step begins only if nobody wants it to end.
        if wait(0.0):
            return
        seen = now()
        while (left := moment - seen) > timedelta():
            if wait(min(left, LONGEST_WAIT).total_seconds()):
                return
            if (time := now()) < seen - SET_BACK:
                say(f"! the clock was set back, from {seen:%Y-%m-%d %H:%M:%S} to {time:%Y-%m-%d %H:%M:%S} UTC")
                moment = _plan(schedule, time, work_is_left, say)
            seen = time


def _plan(schedule: ScheduleSection, now: datetime, work_is_left: bool, say: Callable[[str], None]) -> datetime:
    moment = next_step_at(schedule, now, work_is_left)
    say(f"next step {moment:%Y-%m-%d %H:%M} UTC")
    return moment


def _moments(schedule: ScheduleSection, now: datetime) -> Iterator[datetime]:
    """The planned moments of the sessions around now."""
    session = previous_session(pd.Timestamp(now.date()))
    for _ in range(3):
        opens = trading_hours(session)[0]
        yield session.to_pydatetime().replace(tzinfo=UTC) + timedelta(minutes=schedule.decide_after)
        yield opens - timedelta(minutes=schedule.before_open)
        yield opens + timedelta(minutes=schedule.after_open)
        session = next_session(session)
