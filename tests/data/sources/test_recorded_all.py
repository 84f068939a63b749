"""Every recorded answer is read by a test."""

import csv
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.payloads
def test_every_file_is_read_by_a_test(payloads: Path) -> None:
    listed = [row["file"] for row in csv.DictReader((payloads / "SOURCES.csv").open(encoding="utf-8"))]
    files = [f"{path.parent.name}/{path.name}" for path in payloads.glob("*/*")]
    assert sorted(listed) == sorted(files)

    words = "".join(path.read_text() for path in TESTS.rglob("test_recorded_*.py") if path != Path(__file__))
    assert [file for file in files if Path(file).name not in words] == []
