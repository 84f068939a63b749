"""The stages of a run: how long each took, and who is told that it begins."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def tell_nobody(_stage: str) -> None:
    """Report nothing."""


class Stages:
    """A stopwatch with names.

    Attributes:
        seconds: by stage that has ended, in the order in which they began.
    """

    def __init__(self, report: Callable[[str], None] = tell_nobody) -> None:
        self._report = report
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell that a stage begins, and measure it."""
        self._report(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
