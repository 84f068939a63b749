"""The heart of the suite where there is neither fcntl nor fork, as on Windows: as far as can be told from here."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import no_posix

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("reverse_qe", "paper", "backtests", "strategies", "signals", "data")
HEART = (
    "tests/data/test_atomic.py",
    "tests/data/test_snapshot.py",
    "tests/backtests/test_event_engine.py",
    "tests/backtests/test_spec_versions.py",
    "tests/paper/test_account_spec.py",
    "tests/paper/test_ledger.py",
    "tests/paper/test_live.py",
    "tests/reverse_qe/test_cli.py",
    "tests/whole/test_old_things.py",
)


@pytest.mark.slow
def test_the_heart_of_the_suite() -> None:
    """A warning says that locks are files there; on Windows itself they are the system's."""
    words = ["-q", "-p", "no_posix", "-p", "no:cacheprovider", "-W", "ignore:only soft file lock"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-m", "not slow and not real_history", *HEART],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support"), "PYTEST_XDIST_WORKER": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


def test_no_module_imports_one_of_posix_at_its_top_or_writes_text_in_the_systems_way() -> None:
    """What Windows has otherwise: modules, the encoding of a text, the ends of its lines."""
    for path in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & set(no_posix.MODULES), path
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            given = {keyword.arg for keyword in call.keywords}
            if name in ("read_text", "write_text"):
                assert "encoding" in given or len(call.args) == 1 + (name == "write_text"), (path, call.lineno)
            if name == "to_csv" and call.args:
                assert "lineterminator" in given, (path, call.lineno)
            if name == "strftime":
                assert not any("%-" in str(getattr(each, "value", "")) for each in call.args), (path, call.lineno)
