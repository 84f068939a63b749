"""The way to Yahoo: bounded answers, redirects that stay with it, one question a symbol, a crumb that is renewed."""

import gzip
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import loopback
from data.net.errors import SourceError
from data.net.settings import SourceSettings
from data.sources.answers import PriceAnswer
from data.sources.yahoo import fetch_prices

PATH = loopback.yahoo_path("MU")
CRUMB = "/query1.finance.yahoo.com/v1/test/getcrumb"
DAY = pd.Timestamp("2024-06-05")
GOOD = loopback.yahoo_chart("MU", [("2024-06-05", 121.0, 123.0, 120.0, 122.44, 122.44, 1000.0)])


@pytest.fixture
def yahoo(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    loopback.redirect_yahoo(server, monkeypatch)
    return server


def asked(yahoo: Any, **options: Any) -> PriceAnswer | SourceError:
    settings = SourceSettings(yahoo_url=yahoo.url, attempts=3, pause=0, yahoo_per_second=1000)
    now = pd.Timestamp("2024-06-08", tz="UTC")
    return fetch_prices(["MU"], DAY, DAY, replace(settings, **options), now=now)["MU"]


def came(yahoo: Any) -> float:
    answer = asked(yahoo)
    assert isinstance(answer, PriceAnswer), answer
    return float(answer.bars["close"].iloc[0])


def test_one_symbol_is_one_question(yahoo: Any) -> None:
    """No second one for a time zone, whatever yfinance remembers of it."""
    yahoo.answers(PATH, loopback.Answer(GOOD))

    assert came(yahoo) == 122.44
    assert len(yahoo.asked_for(PATH)) == 1
    assert "range" not in yahoo.asked_for(PATH)[0].query


@pytest.mark.parametrize("status", [500, 502, 401])
def test_trouble_at_the_first_question_is_not_remembered(yahoo: Any, status: int) -> None:
    """yfinance asks twice by itself; the trouble is over with our second attempt."""
    bad = loopback.Answer({"finance": {"result": None, "error": {"code": "x", "description": "y"}}}, status=status)
    yahoo.answers(PATH, bad, bad, loopback.Answer(GOOD))

    assert came(yahoo) == 122.44


def test_a_crumb_that_is_refused_is_asked_for_anew(yahoo: Any) -> None:
    refusal = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
    yahoo.answers(CRUMB, loopback.Answer("old"), loopback.Answer("new"))
    csrf = "/query2.finance.yahoo.com/v1/test/getcrumb"
    yahoo.answers(csrf, loopback.Answer("new"))
    yahoo.answers(PATH, loopback.Answer(refusal, status=401), loopback.Answer(GOOD))

    assert came(yahoo) == 122.44
    assert [question.query.get("crumb") for question in yahoo.asked_for(PATH)] == ["old", "new"]


def test_an_answer_beyond_the_bound_is_not_read_on(yahoo: Any) -> None:
    packed = gzip.compress(bytes(50_000_000))
    yahoo.answers(PATH, loopback.Answer(packed, headers={"Content-Encoding": "gzip"}))

    failure = asked(yahoo, largest_answer=1_000_000)

    assert str(failure) == "Yahoo: got an answer of more than 1 MB when unpacked, wanted less; it was not read on"
    assert len(yahoo.asked_for(PATH)) == 1


@pytest.mark.parametrize("target", ["http://other.invalid/x", "https://query2.finance.yahoo.com/x", "//other.invalid"])
def test_redirects_to_another_host_or_protocol_are_refused(yahoo: Any, target: str) -> None:
    yahoo.answers(PATH, loopback.Answer(status=302, headers={"Location": target}))

    failure = asked(yahoo)

    assert isinstance(failure, SourceError)
    assert "redirects from 127.0.0.1" in str(failure)
    assert "which is refused; wanted an answer of Yahoo" in str(failure)
    assert len(yahoo.asked_for(PATH)) == 1


def test_redirects_within_are_followed(yahoo: Any) -> None:
    yahoo.answers(PATH, loopback.Answer(status=307, headers={"Location": f"{yahoo.url}/elsewhere"}))
    yahoo.answers("/127.0.0.1/elsewhere", loopback.Answer(GOOD))
    yahoo.answers("/elsewhere", loopback.Answer(GOOD))

    assert came(yahoo) == 122.44
    yahoo.answers("/elsewhere", loopback.Answer(status=302, headers={"Location": "/elsewhere"}))
    assert "redirects more than 5 times" in str(asked(yahoo))
