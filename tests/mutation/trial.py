"""Try a change: a fork of a warm process makes it, runs the tests chosen for it, and ends at the first that fails.

Most changes are of functions alone. Their code is exchanged in a fork of a process that has collected all tests. Any
other change needs its module imported anew: that is done in a fork of a process that has imported everything but ours.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import selectors
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from changes import Change
from core import KEPT, KEPT_BY_FILE, ROOT, core_modules, module_of

BY_TIME = "(took too long)"
BY_CRASH = "(the process died)"
QUIET = ("--quiet", "--exitfirst", "--capture=no", "-p", "no:cacheprovider", "--no-header", "--no-summary")


def nested(code: CodeType) -> list[CodeType]:
    """The code of the functions and classes directly inside."""
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def own_part(code: CodeType) -> tuple[Any, ...]:
    """What a piece of code does by itself, without what is inside of it."""
    constants = tuple(repr(each) for each in code.co_consts if not isinstance(each, CodeType))
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable


def exchanges(old: CodeType, new: CodeType, in_function: bool = False) -> dict[CodeType, CodeType] | None:
    """New code of functions by their old code; None where more differs than the code of functions."""
    found: dict[CodeType, CodeType] = {}
    if own_part(old) != own_part(new) and not in_function:
        return None
    if in_function and old != new:
        found[old] = new
    inside, instead = nested(old), nested(new)
    if len(inside) != len(instead):
        return found if in_function else None
    for each, other in zip(inside, instead, strict=True):
        is_function = in_function or bool(each.co_flags & 0x1)  # CO_OPTIMIZED: a function, no class
        more = exchanges(each, other, is_function)
        if more is None:
            return None
        found |= more
    return found


def living_functions() -> dict[CodeType, list[FunctionType]]:
    """Every function of the core that is there, by its code."""
    files = {str(path) for path in core_modules()}
    functions: dict[CodeType, list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            functions.setdefault(each.__code__, []).append(each)
    return functions


def living_caches() -> list[Any]:
    """Whatever keeps results of a function of the core, or of the sample market, which fixtures make by it."""
    modules = [sys.modules.get(name) for name in (*map(module_of, core_modules()), "data.sample.market")]
    values = [value for module in modules if module is not None for value in vars(module).values()]
    return [value for value in values if callable(getattr(value, "cache_clear", None))]


def in_fork(work: Callable[[int], None], seconds: float) -> str | None:
    """Run this in a fork; it writes what noticed the change to the descriptor it is given.

    Returns:
        What noticed; None where nothing did.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        try:
            work(writes)
        except BaseException as error:
            os.write(writes, f"{type(error).__name__}: {error}".encode()[:200])
        os._exit(0)
    os.close(writes)
    told, until = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        ready.register(reads, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and ready.select(left):
            part = os.read(reads, 4096)
            told += part
            if not part:
                break
        else:
            told = BY_TIME.encode()
    os.close(reads)
    if told == BY_TIME.encode():
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and not told:
        return BY_CRASH
    return told.decode(errors="replace") or None


class Failures:
    """Tells the first test that fails."""

    def __init__(self, writes: int) -> None:
        self.writes = writes
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = True
            os.write(self.writes, report.nodeid.encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = True
            os.write(self.writes, f"{report.nodeid} (cannot be imported)".encode())


def own_cache(files: Iterable[str]) -> None:
    """Let a fork that runs changed code of these files neither read what is kept of the right code nor keep its own."""
    names = {Path(file).resolve().relative_to(ROOT).as_posix() for file in files}
    if any(name.startswith(KEPT_BY_FILE) for name in names):
        empty = basetemp() / "cache"
        shutil.rmtree(empty, ignore_errors=True)
        os.environ["XDG_CACHE_HOME"] = str(empty)


def same_examples() -> None:
    """Hypothesis tries the same examples each time, keeps none, and does not look for a smaller one."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "trial", deadline=None, derandomize=True, database=None, phases=phases, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("trial")


class Trials:
    """Takes the place of pytest's loop over the tests: runs for each change those chosen for it."""

    def __init__(self, trials: Callable[["Trials"], None]) -> None:
        self.trials = trials
        self.items: dict[str, pytest.Item] = {}
        self.functions: dict[CodeType, list[FunctionType]] = {}
        self.caches: list[Any] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        same_examples()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self._warm_up()
        gc.collect()
        self.functions, self.caches = living_functions(), living_caches()
        gc.freeze()
        self.trials(self)
        return True

    def _warm_up(self) -> None:
        """Make what all tests share, by one test of each such fixture: no fork has to make it again."""
        shared = {"sample", "history", "shipped_history"}
        chosen: list[pytest.Item] = []
        for item in self.items.values():
            taken = shared & set(getattr(item, "fixturenames", ()))
            if taken:
                chosen.append(item)
                shared -= taken
        if not chosen:
            return
        # A test of another folder comes last: what all tests share stays, and no more than that.
        after = [item for item in self.items.values() if item.path.parent != chosen[-1].path.parent]
        for item, following in zip(chosen, [*chosen[1:], *after[:1]], strict=False):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def run(
        self, found: dict[CodeType, CodeType], tests: Sequence[str], seconds: float, stale: Sequence[str] = ()
    ) -> str | None:
        """Which test notices that functions have other code; None where none does.

        Args:
            found: new code by the old.
            tests: node ids.
            seconds: after which it has taken too long.
            stale: fixtures that the old code has made, to be made anew.
        """

        def work(writes: int) -> None:
            own_cache(code.co_filename for code in found)
            for cached in self.caches:
                if stale or cached.__module__ != "data.sample.market":
                    cached.cache_clear()
            for old, new in found.items():
                for each in self.functions.get(old, ()):
                    each.__code__ = new
            items = [self.items[test] for test in tests if test in self.items]
            failures = Failures(writes)
            for name in stale:
                for fixture in items[0].session._fixturemanager._arg2fixturedefs.get(name, ()):
                    fixture.cached_result = None
            items[0].config.pluginmanager.register(failures)
            for item, after in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if failures.failed:
                    return

        return in_fork(work, seconds)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from changed text."""

    def __init__(self, path: Path, source: str) -> None:
        self.name, self.path, self.source = module_of(path), path, source

    def find_spec(
        self, name: str, path: Any, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_source(self, fullname: str) -> str:
        return self.source

    def get_filename(self, fullname: str) -> str:
        return str(self.path)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, str(self.path), "exec")


def run_anew(change: Change, source: str, tests: Sequence[str], seconds: float) -> str | None:
    """Which test notices a module that is imported from changed text; None where none does."""

    writable = basetemp()

    def work(writes: int) -> None:
        own_cache([change.module])
        sys.meta_path.insert(0, Changed(ROOT / change.module, source))
        failures = Failures(writes)
        code = pytest.main([*QUIET, f"--basetemp={writable}", *tests], plugins=[failures, _Profile()])
        if code not in (0, 1) and not failures.failed:
            os.write(writes, f"(pytest ended with {int(code)})".encode())

    return in_fork(work, seconds)


class _Profile:
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        same_examples()


def basetemp() -> Path:
    """Where the tests of this process may write."""
    return KEPT / f"temporary-{os.getpid()}"


def warm() -> None:
    """Import what is not ours and takes long."""
    for name in (
        "pandas",
        "pydantic",
        "pyarrow.parquet",
        "exchange_calendars",
        "backtrader",
        "hypothesis.extra.numpy",
        "click",
        "rich",
        "requests",
        "scipy.stats",
        "numba",
        "statsmodels.api",
        "jumpmodels.jump",
    ):
        importlib.import_module(name)
