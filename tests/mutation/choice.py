"""Which tests try a change, and in which order: those that reach it, the quick and the particular first."""

import ast
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from changes import Change
from core import ROOT, module_of

IMPORT = ""
# It looks at the records of every module.
OF_ALL = "tests/whole/test_frozen.py"


@dataclass(frozen=True)
class Choice:
    """Tests of a change, in order, with what they took; those of the sum within the limit come first.

    Attributes:
        tests: node ids.
        seconds: that they took together when they were timed.
    """

    tests: list[str]
    seconds: float


class Reached:
    """What `reach` has found out."""

    def __init__(self, file: Path) -> None:
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.seconds: dict[str, float] = known["seconds"]
        self._takes: dict[str, list[str]] = known["takes"]
        self._lines: dict[str, dict[str, list[int]]] = known["lines"]

    @cached_property
    def _takers(self) -> dict[str, list[str]]:
        """Tests by the context of a shared fixture."""
        takers: dict[str, list[str]] = {}
        for test, fixtures in self._takes.items():
            for fixture in fixtures:
                takers.setdefault(f"fixture:{fixture}", []).append(test)
        return takers

    @cached_property
    def _breadth(self) -> dict[str, int]:
        """How many lines of the core a test runs."""
        count: dict[str, int] = {}
        for contexts in self._lines.values():
            for context, lines in contexts.items():
                count[context] = count.get(context, 0) + len(lines)
        return count

    def at_import(self, change: Change) -> bool:
        """Whether the function is run while modules are imported: then its results may be kept by then."""
        _, function = _spans(ROOT / change.module, change.line)
        return not set(self._lines[change.module].get(IMPORT, ())).isdisjoint(function)

    def shared(self, change: Change) -> list[str]:
        """The shared fixtures that run a line of the changed function, or statement, when they are made."""
        statement, function = _spans(ROOT / change.module, change.line)
        span = {*statement, *function}
        contexts = self._lines[change.module]
        return [
            name[8:] for name, lines in contexts.items() if name.startswith("fixture:") and not span.isdisjoint(lines)
        ]

    def _in_order(self, tests: set[str]) -> list[str]:
        """The quick and the particular first."""
        return sorted(tests, key=lambda each: (self.seconds[each] * (20 + self._breadth.get(each, 0)), each))

    def _names(self, test: str, change: Change) -> bool:
        """Whether the file of a test imports the changed module, or all of the core."""
        file = test.partition("::")[0]
        return file == OF_ALL or f"from {module_of(ROOT / change.module)} import" in _text(file)

    def _tests(self, contexts: list[str]) -> set[str]:
        named = {test for context in contexts for test in self._takers.get(context, [context])}
        return named & self.seconds.keys()

    def choose(self, change: Change, most: float) -> Choice:
        """Tests that run a line of the changed statement; then those of the function, then of the module.

        Args:
            change: to be tried.
            most: seconds that the tests may take together.
        """
        contexts = self._lines[change.module]
        statement, function = _spans(ROOT / change.module, change.line)
        chosen: dict[str, None] = {}
        for span in (statement, function, range(1, 100_000)):
            inside = [each for each, lines in contexts.items() if each and not set(lines).isdisjoint(span)]
            if not function:
                # What a module says when it is imported is asked of those first that import it by name.
                named = self._in_order({test for test in self.seconds if self._names(test, change)})
                chosen |= dict.fromkeys(sorted(named, key=lambda test: not test.startswith(OF_ALL)))
            chosen |= dict.fromkeys(test for test in self._in_order(self._tests(inside)) if test not in chosen)
            if span is not statement and chosen:
                break
        tests, total = [], 0.0
        for test in chosen:
            if total + self.seconds[test] <= most:
                tests.append(test)
                total += self.seconds[test]
        return Choice(tests, total)


@cache
def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def _spans(path: Path, line: int) -> tuple[range, range]:
    """The lines of the innermost statement (of one with a body its head alone), and of the outermost function.

    Outside of functions both are empty: what a module says when it is imported, no test runs by itself.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statement = function = range(0)
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        body = getattr(node, "body", None)
        head = range(node.lineno, max(node.lineno + 1, body[0].lineno) if body else (node.end_lineno or 0) + 1)
        if isinstance(node, ast.FunctionDef):
            whole = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            function = whole if len(whole) > len(function) and line >= whole.start else function
        elif line in head and not isinstance(node, ast.ClassDef):
            statement = head
    return (statement, function) if function else (range(0), range(0))
