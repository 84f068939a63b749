"""What a backtest loads: neither downloaders nor compilers, nor what draws pages, unless asked to."""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backtests.identity import ROOT

HEAVY = (
    "bs4",
    "curl_cffi",
    "dask",
    "distributed",
    "empyrical",
    "llvmlite",
    "matplotlib",
    "numba",
    "quantstats",
    "scipy",
    "skfolio",
    "sklearn",
    "statsmodels",
    "yfinance",
)
CODE = f"""
import json, sys
from reverse_qe.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
found = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps([found, "backtrader" in sys.modules]), file=sys.stderr)
"""


def test_a_backtest_without_a_page_loads_no_downloader_and_nothing_that_draws(tmp_path: Path) -> None:
    words = ["backtest", "--start", "2024-01-02", "--end", "2024-03-28", "--no-tearsheet", "--out", "run"]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [[], True]
    assert (tmp_path / "run" / "metrics.json").exists()


def test_the_core_installs_no_compiler_no_cluster_and_no_judge() -> None:
    """What `make backtest` installs, by what each package asks for."""
    waiting = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    found = set[str]()
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += metadata.requires(name) or []
    assert {"backtrader", "numpy", "python-dateutil"} <= found
    assert not found & {"numba", "llvmlite", "dask", "distributed", "skfolio", "scikit-learn", "arch", "statsmodels"}
