"""Work in a child of this process, which can be killed -9."""

import os
import signal
import time
from collections.abc import Callable


def forked(work: Callable[[], object], seconds: float | None = None) -> bool:
    """Run `work` in a child of this warm process, for so many seconds at most; say whether it was killed."""
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # a child that hangs fails the test, not the suite
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the step itself failed: {status}"
    return status == signal.SIGKILL
