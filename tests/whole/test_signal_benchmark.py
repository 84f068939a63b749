"""The benchmark of the signal, whose file has the name of a module of the standard library."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_its_command_helps():
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "signal.py"), "--help"], capture_output=True, text=True, check=True
    )
    assert "--json" in done.stdout


def test_the_other_benchmarks_find_the_standard_library_in_its_place():
    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import signal, measuring; print(signal.__file__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).parent == Path(subprocess.__file__).parent
