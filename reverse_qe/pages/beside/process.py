"""The other side of `reverse_qe.pages.beside.worker`: a process that draws one part of a page, and ends."""

import gc
import os
import pickle
import sys
import threading
from queue import SimpleQueue
from types import ModuleType

from reverse_qe.pages.beside.worker import HEAD


def serve() -> None:
    """Import what is needed, wait for what to draw, and write the part; end at once when nobody waits any more."""
    # What is printed on the way is no part of the answer.
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    asked: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    gc.disable()  # it draws once and ends
    # Nothing is downloaded for a page, though QuantStats imports what could.
    sys.modules["yfinance"] = ModuleType("yfinance")
    from reverse_qe.pages.quantstats_part import quantstats_part
    from reverse_qe.pages.quantstats_report import load

    load()
    answer = pickle.dumps(quantstats_part(pickle.loads(asked.get())))
    with os.fdopen(answers, "wb") as output:
        output.write(len(answer).to_bytes(HEAD, "big") + answer)
    os._exit(0)


def _listen(asked: "SimpleQueue[bytes]") -> None:
    """Read one message, then wait for the end of the pipe, which is that of the process that has started this one."""
    try:
        size = int.from_bytes(_read(HEAD), "big")
        asked.put(_read(size))
        _read(1)
    finally:
        os._exit(1)


def _read(size: int) -> bytes:
    """So many bytes of stdin; `EOFError` where it ends before."""
    pieces = b""
    while len(pieces) < size:
        piece = os.read(0, size - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return pieces
