"""A sweep whose process is killed at any moment, again and again, ends with the same bytes as one that was not."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

COMMAND = Path(sys.executable).with_name("reverse-qe")
# How often it is killed; of a long run the environment says so.
KILLS = int(os.environ.get("REVERSE_QE_KILLS", "2"))
SEED = int(os.environ.get("REVERSE_QE_KILLS_SEED", "1"))
BANDS = ",".join(f"{number / 4000:g}" for number in range(1000))
WORDS = (
    *("sweep", "sample", "--grid", f"order_rules.band={BANDS}", "--grid", "signal.enter=0.3,0.35,0.4,0.45,0.5"),
    *("--grid", "signal.dwell_sessions=1,5,10,15,20,25,30,35", "--start", "2023-01-03", "--end", "2023-12-29"),
)


PARTS_OF_ALL = 20


def begun(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([COMMAND, *WORDS, "--out", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def parts(folder: Path) -> int:
    """How many parts are written; of a table that is joined, all."""
    if (folder / "variants.parquet").exists():
        return PARTS_OF_ALL
    return sum(path.suffix == ".parquet" for path in (folder / "parts").glob("[0-9]*"))


@pytest.mark.slow
def test_a_sweep_that_is_killed_at_random_moments_ends_with_the_same_bytes(tmp_path):
    """A moment is a number of parts, from none to all, and up to a tenth of a second after it."""
    assert begun(tmp_path / "whole").wait() == 0
    whole = (tmp_path / "whole" / "variants.parquet").read_bytes()
    rng, folder, moments = np.random.default_rng(SEED), tmp_path / "killed", list[int]()
    while len(moments) < KILLS or folder.exists():
        there = parts(folder)
        process, kills = begun(folder), len(moments) < KILLS and there < PARTS_OF_ALL
        if kills:
            wanted = rng.integers(there, PARTS_OF_ALL + 1)
            while process.poll() is None and parts(folder) < wanted:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.1))
            process.kill()
        was_killed = process.wait() != 0
        assert kills or not was_killed
        moments += [parts(folder)] * was_killed
        if (folder / "variants.parquet").exists():
            assert (folder / "variants.parquet").read_bytes() == whole
            if not was_killed:
                assert sorted(path.name for path in folder.iterdir()) == ["spec.toml", "sweep.json", "variants.parquet"]
            shutil.rmtree(folder)
    assert len(moments) == KILLS
    print(f"killed with so many of {PARTS_OF_ALL} parts written: {moments}")
