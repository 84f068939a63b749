"""Which test runs which line of the core, and how long it takes: found out once, kept until a file changes.

A plugin of pytest around coverage.py. What a shared fixture runs is reached by each test that takes it.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

from core import ROOT, core_modules, name_of

IMPORT = ""


class Reach:
    """Counts lines by the test, or the shared fixture, that is running."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seconds: dict[str, float] = {}
        self.takes: dict[str, list[str]] = {}
        self.running = IMPORT
        self.coverage = coverage.Coverage(
            data_file=None, include=[str(path) for path in core_modules()], config_file=False, messages=False
        )
        self.coverage.start()

    def _switch(self, context: str) -> None:
        self.running = context
        self.coverage.switch_context(context)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._switch(item.nodeid)
        begun = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - begun
        self.takes[item.nodeid] = list(getattr(item, "fixturenames", ()))
        self._switch(IMPORT)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        before = self.running
        self._switch(f"fixture:{fixturedef.argname}")
        result = yield
        self._switch(before)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails or is skipped as things are can notice nothing."""
        if report.outcome != "passed":
            self.takes[f"not passed:{report.nodeid}"] = []

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = {}
        for path in core_modules():
            by_context: dict[str, list[int]] = defaultdict(list)
            for line, contexts in data.contexts_by_lineno(str(path)).items():
                for context in contexts:
                    by_context[context].append(line)
            lines[name_of(path)] = by_context
        passed = {test: took for test, took in self.seconds.items() if f"not passed:{test}" not in self.takes}
        takes = {test: self.takes[test] for test in passed}
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(json.dumps({"seconds": passed, "takes": takes, "lines": lines}))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reach", type=Path, default=ROOT / ".mutation" / "reach.json")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Reach(config.getoption("--reach")), "reach of tests")
