"""A process that runs probes, each in a fork of its own: what code of a user leaves behind in one reaches no other.

It is started as a plain program and speaks pickled objects over pipes, so that it needs nothing of the program that
asks: no guard in a script, and a notebook will do. Where a system cannot fork, probes share the process.
"""

import gc
import os
import pickle
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from backtests.prepare.span import Span
from backtests.studies.audits.probe import Made, Probe, World, own_span, run_probe
from backtests.studies.audits.rows import Column, Difference, differences
from backtests.studies.audits.watch import Watch
from data.errors import InputError, ReverseQeError
from data.files.user_code import LookAheadError
from data.files.user_world import unheard

_SIZE = struct.Struct("<Q")
_PIECE = 1 << 20
FORKS = hasattr(os, "fork")


@dataclass(frozen=True)
class Begin:
    """What a worker knows of the run itself before it is asked how others differ from it.

    Attributes:
        span: of the run.
        base: what it says; None: nothing is compared yet.
        limit: seconds after which a probe is given up.
    """

    span: Span
    base: Made | None
    limit: float


@dataclass(frozen=True)
class Task:
    """What a worker is asked.

    Attributes:
        probe: to run; None: find the span of the run itself.
        whole: whether all that the run says is wanted, and not only where it differs.
        heard: whether what code of the user prints is to be heard, and what it reads or keeps by itself noted.
        first: session from which on rows are compared; None: all.
        upto: session up to whose decision they are; None: all.
        tolerance: see `backtests.studies.audits.rows.differences`.
        common: likewise.
    """

    probe: Probe | None
    whole: bool = False
    heard: bool = False
    first: pd.Timestamp | None = None
    upto: pd.Timestamp | None = None
    tolerance: float = 0.0
    common: bool = False

    def rows(self, column: Column) -> Column:
        """The rows of a column that are compared."""
        known = column if self.upto is None else column.upto(self.upto)
        return known if self.first is None else known.since(self.first)


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        differences: of the run from that as it is.
        made: what it says; without its columns where these were not asked for.
        span: of the run itself, where that was asked for.
        error: in one line, where it could not be run.
        kind: of the error: "input", "look-ahead", "check", "fault" (of ours), "ended" (the process), "slow"; "": none.
        seconds: that it took.
        reads: files, hosts and programs that code of the user asked for by itself, where that was noted.
        writes: files that it wrote.
    """

    differences: Sequence[Difference] = ()
    made: Made | None = None
    span: Span | None = None
    error: str = ""
    kind: str = ""
    seconds: float = 0.0
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def main() -> None:
    """Serve tasks from stdin until it ends; answers go to stdout, and nothing else does."""
    answers = os.dup(1)
    os.dup2(2, 1)  # What is written to stdout past Python would garble the answers.
    asked = sys.stdin.buffer
    world: World = pickle.load(asked)
    # As on the command line: tables make many objects and hardly a cycle.
    gc.set_threshold(100_000, 20, 20)
    _warm(world)
    gc.collect()
    gc.freeze()
    begin, given = None, world.given
    has_code = bool(given.blocks) or given.policy is not None or given.strategy is not None
    while True:
        try:
            message = pickle.load(asked)
        except EOFError:
            return
        if isinstance(message, Begin):
            begin = message
        else:
            answer = partial(answer_to, world, begin, message)
            # Nothing is left behind where nobody's code but ours is run.
            _send(answers, _apart(answer, begin, answers, message.heard) if has_code and FORKS else answer())


def _warm(world: World) -> None:
    """Run the spec once without what is the user's, so that no fork imports, or reads the calendars, by itself."""
    if not FORKS:
        return
    spec, given = world.spec, world.given
    own = {
        "run": spec.run.model_copy(update={"strategy": None}),
        "policy": spec.policy.model_copy(update={"function": None}),
        "signal": spec.signal.model_copy(update={"blocks": ()}),
    }
    bare = replace(world, spec=spec.model_copy(update=own), given=replace(given, blocks=(), policy=None, strategy=None))
    with suppress(Exception):  # Whatever is wrong is told by the run itself.
        run_probe(bare, own_span(bare), Probe("none", by_engine=True))


def receive(read: Callable[[int], bytes]) -> bytes | None:
    """Return one message of a stream, whose size stands before it; None where the stream ends before it does."""
    head = _exactly(read, _SIZE.size)
    return None if head is None else _exactly(read, _SIZE.unpack(head)[0])


def _exactly(read: Callable[[int], bytes], size: int) -> bytes | None:
    pieces, left = list[bytes](), size
    while left:
        piece = read(min(left, _PIECE))
        if not piece:
            return None
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _send(stream: int, answer: Answer | bytes) -> None:
    content = answer if isinstance(answer, bytes) else pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    content = _SIZE.pack(len(content)) + content
    while content:
        content = content[os.write(stream, content) :]


def answer_to(world: World, begin: Begin | None, task: Task) -> Answer:
    """Run a task, and say how what it makes differs from the run itself."""
    started = time.perf_counter()
    is_first = (task.heard or task.probe is None) and FORKS
    watch = Watch([file.path for file in world.given.files if file.path.suffix == ".py"] if is_first else [])

    def failed(error: Exception, kind: str) -> Answer:
        return Answer(error=" ".join(str(error).split()), kind=kind, seconds=time.perf_counter() - started)

    try:
        with nullcontext() if task.heard else unheard():
            if task.probe is None or begin is None:
                return Answer(span=own_span(world), reads=tuple(watch.reads), writes=tuple(watch.writes))
            made = run_probe(world, begin.span, task.probe)
    except LookAheadError as error:
        return failed(error, "look-ahead")
    except InputError as error:
        return failed(error, "input")
    except ReverseQeError as error:
        return failed(error, "check")
    except Exception as error:
        return failed(RuntimeError(f"{type(error).__name__}: {error}"), "fault")
    found: Sequence[Difference] = ()
    if begin.base is not None:
        money = world.spec.run.initial_cash
        found = differences(begin.base.columns, made.columns, task.rows, task.tolerance, task.common, money)
    if not task.whole:
        made = Made((), made.span, made.returns, made.risk_free, made.still)
    seconds = time.perf_counter() - started
    return Answer(found, made, seconds=seconds, reads=tuple(watch.reads), writes=tuple(watch.writes))


def _apart(answer: Callable[[], Answer], begin: Begin | None, answers: int, heard: bool) -> Answer | bytes:
    """What a function returns, called in a fork of this process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            os.close(answers)
            nothing = os.open(os.devnull, os.O_RDWR)
            # What is to come to stdin is not for code of users; what it writes past Python has been said.
            for stream in (0,) if heard else (0, 1, 2):
                os.dup2(nothing, stream)
            _send(write, answer())
        finally:
            os._exit(0)
    os.close(write)
    ends = time.monotonic() + (begin.limit if begin else float("inf"))

    def piece(size: int) -> bytes:
        left = ends - time.monotonic()
        ready = select.select([read], [], [], None if left == float("inf") else max(left, 0.0))[0]
        return os.read(read, size) if ready else b""

    told = receive(piece)
    is_late = told is None and time.monotonic() >= ends
    if told is None:
        os.kill(child, signal.SIGKILL)
    os.close(read)
    os.waitpid(child, 0)
    if told is not None:
        return told
    if is_late:
        return Answer(error=f"took longer than {begin.limit if begin else 0:,.0f} s", kind="slow")
    return Answer(error="ended the process", kind="ended")
