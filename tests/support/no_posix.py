"""A plugin of pytest that takes away what Windows does not have: `pytest -p no_posix`.

It stands in for a system that is not at hand, as far as Python code goes: modules of POSIX cannot be imported, and
`os` has no fork. Whether files, paths and processes behave as there it cannot say.
"""

import os
import sys

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
FUNCTIONS = ("fork", "forkpty", "getpgid", "killpg", "mkfifo", "nice", "setsid", "setuid", "wait3", "wait4")


def pytest_load_initial_conftests() -> None:
    """Take it away before any conftest or test is imported; importing this module alone takes away nothing."""
    for module in MODULES:
        # An import of it fails from here on, and whoever has it already keeps it.
        sys.modules[module] = None  # type: ignore[assignment]
    for function in FUNCTIONS:
        if hasattr(os, function):
            delattr(os, function)
