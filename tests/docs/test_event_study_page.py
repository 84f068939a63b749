"""The page of the event study shows what its script writes."""

import re
from pathlib import Path

import pytest

import write_event_study

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "event-study.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.real_history
def test_the_tables_are_those_of_real_history(history: object) -> None:
    found = re.search(r"<!-- history: begin -->\n\n(.*?)\n\n<!-- history: end -->", PAGE, re.S)
    assert found is not None
    assert write_event_study.section(history) == found[1]  # type: ignore[arg-type]
