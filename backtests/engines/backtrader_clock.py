"""The time of day that Backtrader asks for, without a warning for each bar.

Bar by bar, Backtrader 1.9.78 measures how long its live feeds may wait, by `datetime.utcnow`, of which Python from 3.12
on warns at each call: thousands of times a run. No feed here is live.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from backtrader import cerebro


class _Moment(datetime.datetime):
    @classmethod
    def utcnow(cls) -> datetime.datetime:  # type: ignore[override]
        return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


@contextmanager
def without_deprecated_calls() -> Iterator[None]:
    """Let Backtrader's loop over bars ask for the time in today's words while inside."""
    found = cerebro.datetime
    cerebro.datetime = SimpleNamespace(**{**vars(found), "datetime": _Moment})
    try:
        yield
    finally:
        cerebro.datetime = found
