"""docs/sweeps.md: its commands run as they stand there; those of a cluster in `tests/backtests/test_cluster.py`."""

import re
import shlex
from pathlib import Path

import pytest

from backtests.identity import ROOT
from backtests.studies.evidence.of_sweep import WRITTEN
from backtests.studies.sweeps.folder import ABOUT, TABLE
from reverse_qe.sweeping import CHAIN, CROSS

PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    reverse-qe (sweep .*)$", PAGE, re.MULTILINE)
# Of the years of the sample, as many as a train span of five wants and a test.
SHORT = ("--start", "2019-01-02", "--no-tearsheet")


def test_the_page_has_a_command_for_each_of_its_parts():
    assert [any(word in each for each in COMMANDS) for word in ("--train", "--cpcv", "--cluster")] == [True] * 3


@pytest.mark.slow
def test_its_commands_run_on_the_sample(call, tmp_path):
    """The first is on real history, that of the cluster wants one."""
    for number, command in enumerate(each for each in COMMANDS if "history" not in each and "--cluster" not in each):
        code, out, err = call(*shlex.split(command), *SHORT, "--out", str(number))
        assert code == 0, err
        told = "Walk-forward: " if "--train" in command else "Cross-validation: 15 splits, "
        assert told in out
        named = {"--train": "walk-forward", "--cpcv": "cpcv.json"}
        for word, name in named.items():
            assert (Path(str(number)) / name).exists() == (word in command)


def test_every_file_of_its_table_is_one_that_is_written():
    named = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert set(named) == {TABLE, ABOUT, CROSS, WRITTEN, f"{CHAIN}/", "spec.toml"}
