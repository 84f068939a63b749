"""Processes that run probes side by side, started for one audit and ended with it."""

import os
import pickle
import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

from backtests.studies.audits.probe import World
from backtests.studies.audits.worker import Answer, Begin, Task, receive
from data.errors import ReverseQeError

_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from backtests.studies.audits.worker import main; main()"
)
# Whoever waits for so many runs that do not end waits for no more of them.
_ENOUGH = 3
# Small calculations side by side: more threads in each would only wait for each other.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WorkersError(ReverseQeError):
    """A process that runs probes could not be started, or ended."""


class Workers:
    """Processes that know one world; to be used in a ``with``."""

    def __init__(self, world: World, jobs: int) -> None:
        """Start them.

        Args:
            world: of the audit.
            jobs: how many.
        """
        self._given_up = 0
        self._processes = [_start() for _ in range(jobs)]
        self._idle: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
        content = pickle.dumps(world, pickle.HIGHEST_PROTOCOL)
        for process in self._processes:
            _write(process, content)
            self._idle.put(process)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all of them, and what they have started."""
        self._end()
        for process in self._processes:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            process.wait()

    def _end(self) -> None:
        for process in self._processes:
            if hasattr(os, "killpg"):
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

    def begin(self, told: Begin) -> None:
        """Tell all of them of the run itself; none of them is at work."""
        content = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
        for process in self._processes:
            _write(process, content)

    def ask(self, tasks: Sequence[Task], done: Callable[[int], None] = lambda _count: None) -> list[Answer]:
        """Return the answers to tasks, in their order.

        Args:
            tasks: any number.
            done: is told how many are done.

        Raises:
            WorkersError: a process ended.
        """
        answers: list[Answer] = []
        with ThreadPoolExecutor(len(self._processes)) as threads:
            try:
                for answer in threads.map(self._one, tasks):
                    answers.append(answer)
                    done(len(answers))
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                self._end()  # Whoever interrupts does not wait for what is under way.
                raise
        return answers

    def _one(self, task: Task) -> Answer:
        if self._given_up >= _ENOUGH:
            return Answer(error=f"was not run: {_ENOUGH} runs before it took too long", kind="slow")
        process = self._idle.get()
        try:
            _write(process, pickle.dumps(task, pickle.HIGHEST_PROTOCOL))
            told = None if process.stdout is None else receive(process.stdout.read)
        finally:
            self._idle.put(process)
        if told is None:
            raise WorkersError(
                "a process of the audit ended; it may have run out of memory: take fewer jobs, or a smaller market"
            )
        answer: Answer = pickle.loads(told)
        self._given_up += answer.kind == "slow"
        return answer


def _start() -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            # Not the current folder: a file there may have the name of one of our packages.
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**_ONE_THREAD, **os.environ},
        )
    except OSError as error:
        raise WorkersError(f"a process of the audit could not be started: {error}") from error
    _write(process, pickle.dumps(sys.path))
    return process


def _write(process: subprocess.Popen[bytes], content: bytes) -> None:
    try:
        assert process.stdin is not None
        process.stdin.write(content)
        process.stdin.flush()
    except OSError as error:
        raise WorkersError(f"a process of the audit ended: {error}; see what it says above") from error
