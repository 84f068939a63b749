"""A process beside that of a command: it imports what QuantStats needs while the run is computed, then draws its part.

What draws takes as long to import as a run takes to compute, and both can be done at once. Nothing depends on it:
where it cannot start, dies, or gives no answer in time, the part is drawn in this process, and an error in the drawing
is told there. It ends with the command, however that ends: the pipe that it was started with closes even when this
process is killed, and it takes that for its end.
"""

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_qe.pages.kit import Part
    from reverse_qe.pages.quantstats_part import ReportInput

# Of a message: how many bytes follow.
HEAD = 8
# Longer than a page takes on the slowest machine at hand by far; then it is drawn here.
PATIENCE_SECONDS = 90.0
# Before it is killed it may finish what it writes, such as a list of fonts that others wait for.
FAREWELL_SECONDS = 2.0
# Ctrl-C reaches every process of a terminal, and is the command's to answer.
_BEGIN = (
    "import sys, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)); "
    "import json, tempfile; sys.path[:] = json.loads(sys.argv[1]); tempfile.tempdir = sys.argv[2]; "
    "from reverse_qe.pages.beside.process import serve; serve()"
)


@contextmanager
def render_worker(wanted: bool) -> Iterator["RenderWorker"]:
    """Yield a worker that is started, where that is wanted and pays, and end it with the block."""
    if not (wanted and _pays()):
        yield HERE
        return
    try:
        # Whatever it leaves, also where it is killed, is taken away.
        kept = TemporaryDirectory(prefix="reverse-qe-", ignore_cleanup_errors=True)
    except OSError:
        yield HERE
        return
    with kept as scratch:
        worker = RenderWorker(_started(scratch))
        try:
            yield worker
        finally:
            worker.end()


def _pays() -> bool:
    """Whether a second process can save time: there is a second processor, and what draws is not imported as yet.

    Where pandas is there before a command begins, the process has a longer life than that of one command, as in a
    notebook or a test. It imports once, and starts none.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return processors > 1 and "pandas" not in sys.modules and bool(sys.executable) and not hasattr(sys, "frozen")


def _started(scratch: str) -> "subprocess.Popen[bytes] | None":
    """The process, which finds what this one finds and nothing of the current folder besides; None: none can be had.

    Args:
        scratch: folder for its temporary files.
    """
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _BEGIN, json.dumps(sys.path), scratch],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
    except (OSError, ValueError):
        return None


class RenderWorker:
    """Draws QuantStats' part of a page, beside this process or in it.

    Args:
        process: that serves, as `_started` gives it; None: all is drawn in this process.
    """

    def __init__(self, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self._process = process
        self._exchange: threading.Thread | None = None
        self._answer = b""

    def ask(self, given: "ReportInput") -> None:
        """Let it begin to draw; the answer is had by a call."""
        if self._process is None:
            return
        message = pickle.dumps(given)
        self._exchange = threading.Thread(
            target=self._talk, args=(self._process, len(message).to_bytes(HEAD, "big") + message), daemon=True
        )
        self._exchange.start()

    def __call__(self, given: "ReportInput") -> "Part":
        """QuantStats' part of the page of a run: what was asked for, where it was, else drawn here."""
        from reverse_qe.pages.quantstats_part import quantstats_part

        return self._answered() or quantstats_part(given)

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(FAREWELL_SECONDS)
        finally:
            process.kill()
            process.wait()
            if self._exchange is not None:
                self._exchange.join()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]

    def _answered(self) -> "Part | None":
        """What the process has drawn; None where it was not asked, or has not answered wholly and in time."""
        if self._exchange is None:
            return None
        self._exchange.join(PATIENCE_SECONDS)
        head, answer = self._answer[:HEAD], self._answer[HEAD:]
        if len(head) < HEAD or len(answer) != int.from_bytes(head, "big"):
            self.end()
            return None
        part: Part = pickle.loads(answer)
        return part

    def _talk(self, process: "subprocess.Popen[bytes]", message: bytes) -> None:
        """Write the whole message, and read all that comes."""
        with suppress(OSError, ValueError):
            _write(process.stdin.write, message)  # type: ignore[union-attr]
            self._answer = process.stdout.read()  # type: ignore[union-attr]


# Draws all in this process.
HERE = RenderWorker()


def _write(write: Callable[[memoryview], int | None], message: bytes) -> None:
    """Write all of a message to a stream that takes as much as it can."""
    rest = memoryview(message)
    while rest:
        rest = rest[write(rest) or 0 :]
