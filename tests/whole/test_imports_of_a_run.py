"""What a backtest loads: neither downloaders nor compilers, nor what draws pages, unless asked to."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "bs4",
    "curl_cffi",
    "empyrical",
    "llvmlite",
    "matplotlib",
    "numba",
    "quantstats",
    "scipy",
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
