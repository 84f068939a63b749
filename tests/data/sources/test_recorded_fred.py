"""Answers that FRED's API gave, word for word."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loopback
from data.net.errors import SourceError
from data.net.settings import SourceSettings
from data.sources.fred import fetch_series

pytestmark = pytest.mark.payloads

VINTAGES, VALUES = "/fred/series/vintagedates", "/fred/series/observations"


@pytest.fixture
def api(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """FRED's API and download, with a key in the environment."""
    monkeypatch.setenv("FRED_API_KEY", "0123456789abcdef0123456789abcdef")
    server.answers("/graph", loopback.Answer("observation_date,NFCI\n1976-01-02,0.65\n"))
    return server


def fetched(server: Any) -> Any:
    settings = SourceSettings(
        fred_graph_url=f"{server.url}/graph", fred_api_url=f"{server.url}/fred", pause=0, fred_per_second=1000
    )
    return fetch_series("NFCI", pd.Timestamp("1976-01-01"), settings, pd.Timestamp("2020-06-26", tz="UTC"))


def errors(payloads: Path) -> dict[str, loopback.Answer]:
    """The recorded refusals, by a word of what they say."""
    answers = json.loads((payloads / "fred/errors.json").read_text())
    found = {}
    for word in ("api_key", "3936 vintage dates", "ALFRED"):
        [told] = [each for each in answers if word in each["body"]]
        found[word] = loopback.Answer(told["body"], status=told["status"], headers=told.get("headers", {}))
    assert len(found) == len(answers)
    return found


def test_observations_are_read_to_the_value_and_the_day(api: Any, payloads: Path) -> None:
    observations = (payloads / "fred/observations-head.json").read_text()
    api.answers(VINTAGES, loopback.Answer({"count": 1, "vintage_dates": ["2020-06-25"]}))
    api.answers(VALUES, loopback.Answer(observations))

    answer = fetched(api)

    [row] = answer.rows.to_dict("records")
    # The only vintage is the first that is archived, decades after the date: there the publication rule is earlier.
    assert (str(row["date"].date()), row["value"], str(row["known_at"])) == (
        "1976-01-01",
        10.3,
        "1976-01-06 14:00:00+00:00",
    )
    assert any("the first day that is archived" in note for note in answer.notes)


def test_a_key_that_is_not_registered(api: Any, payloads: Path) -> None:
    api.answers(VINTAGES, errors(payloads)["api_key"])

    with pytest.raises(SourceError, match=r"api_key is not registered\.\); correct FRED_API_KEY") as failure:
        fetched(api)
    assert not failure.value.retry_later
    assert len(api.asked) == 1


def test_too_many_vintages_at_once(api: Any, payloads: Path) -> None:
    """What is asked for holds at most 2,000; the answer would be told in its own words."""
    api.answers(VINTAGES, errors(payloads)["3936 vintage dates"])

    with pytest.raises(SourceError, match=r"answered 400 Bad Request: Bad Request\. There are 3936 vintage dates"):
        fetched(api)


def test_a_series_that_is_not_archived(api: Any, payloads: Path) -> None:
    api.answers(VINTAGES, errors(payloads)["ALFRED"])

    answer = fetched(api)

    assert answer.rows["value"].tolist() == [0.65]
    assert "FRED archives no vintages of it" in answer.notes[0]
