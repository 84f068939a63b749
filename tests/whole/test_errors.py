"""One tree of errors: whatever of ours can be raised is a `ReverseQeError`, and the command line knows how it ends."""

import ast
import builtins
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from data.errors import ReverseQeError
from reverse_qe import cli
from reverse_qe.output import NobodyReadsError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("reverse_qe", "paper", "backtests", "strategies", "signals", "data")
# Statuses that scripts of users may rely on.
STATUSES = {"InputError": 2, "LookAheadError": 1, "BusyError": 1, "SourceError": 1, "BrokerRefused": 1}


def modules() -> Iterator[ModuleType]:
    """Every module of our packages; the one that runs the command line when it is imported apart."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def exceptions_of(module: ModuleType) -> Iterator[type[BaseException]]:
    """The exception classes that a module defines; warnings are no errors."""
    for each in vars(module).values():
        is_ours = inspect.isclass(each) and each.__module__ == module.__name__
        if is_ours and issubclass(each, BaseException) and not issubclass(each, Warning):
            yield each


def tree(root: type[ReverseQeError], depth: int = 0) -> str:
    ours = [each for each in root.__subclasses__() if each.__module__.partition(".")[0] in PACKAGES]
    below = "".join(tree(each, depth + 1) for each in sorted(ours, key=lambda each: each.__name__))
    return f"{'  ' * depth}{root.__name__} {root.exit_status}\n{below}"


@pytest.fixture(scope="module")
def found() -> list[type[BaseException]]:
    return [each for module in modules() for each in exceptions_of(module)]


def test_the_tree_holds_every_exception_of_ours(found):
    printed = tree(ReverseQeError)
    print(printed)
    assert [each for each in found if not issubclass(each, ReverseQeError)] == []
    lines = [line.split() for line in printed.splitlines()]
    assert sorted(each.__name__ for each in found) == sorted(name for name, _ in lines)
    assert {status for _, status in lines} == {"1", "2", "141"}
    assert dict(lines) | {name: str(status) for name, status in STATUSES.items()} == dict(lines)


def test_no_class_is_hidden_from_the_import(found):
    """One inside a function or behind a condition is seen in the source: by what it is derived from, or by its name."""
    names = {each.__name__ for each in found}
    errors = names | {name for name in dir(builtins) if name.endswith(("Error", "Exception"))} | {"BaseException"}
    defined = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                    if bases & errors or node.name.endswith(("Error", "Exception")):
                        defined.add(node.name)
    assert defined == names


def test_nothing_plain_is_raised():
    """`Exception` and `RuntimeError` say nothing: neither to who catches, nor by an exit status."""
    plain = ("Exception", "BaseException", "RuntimeError", "SystemExit")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                    assert ast.unparse(raised) not in plain, f"{path.relative_to(ROOT)}, line {node.lineno}"


def test_the_command_line_ends_with_the_status_of_the_error(found, monkeypatch, capsys):
    def fail(**_options: object) -> None:
        raise error

    monkeypatch.setattr(cli, "cli", fail)
    for kind in found:
        error = kind.__new__(kind)
        ReverseQeError.__init__(error, "what went\nwrong")
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == kind.exit_status
        # Where nobody reads there is nobody to tell.
        assert capsys.readouterr().err == ("" if kind is NobodyReadsError else "Error: what went wrong\n")
