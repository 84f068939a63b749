"""Answers that Yahoo gave: prices as they were quoted, days, dividends, splits; refusals as what they are."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loopback
from data.net.errors import NotFoundError, RateLimitError, SourceError, StatusError
from data.net.settings import SourceSettings
from data.sources.answers import PriceAnswer
from data.sources.yahoo import fetch_prices
from data.sources.yahoo_chart import Chart, read_chart
from data.sources.yahoo_frame import price_answer
from hand_made import make_instrument

pytestmark = pytest.mark.payloads

# By file: currency, kind, exchange, time zone and first bar; rows; and the last day with its open, high, low, close,
# adjusted close and volume.
CHARTS: dict[str, tuple[tuple[str, str, str, str, str], int, tuple[str, float, float, float, float, float, float]]] = {
    "chart-0P000071W8.TO-2020-01-01-to-2020-01-03.json": (
        ("CAD", "MUTUALFUND", "Toronto", "America/Toronto", "2018-01-02"),
        1,
        ("2020-01-02", 73.72, 73.72, 73.72, 73.72, 73.72, 0),
    ),
    "chart-0P0000XTS7-2024-09-12-to-2024-09-16.json": (
        ("USD", "MUTUALFUND", "OTC Markets OTCPK", "America/New_York", "2019-01-01"),
        2,
        ("2024-09-13", 11892.19, 11892.19, 11892.19, 11892.19, 11892.19, 0),
    ),
    "chart-AMZN-2020-01-01-to-2020-01-03.json": (
        ("USD", "EQUITY", "NasdaqGS", "America/New_York", "1997-05-15"),
        1,
        ("2020-01-02", 93.75, 94.9005, 93.2075, 94.9005, 94.9005, 80_580_000),
    ),
    "chart-BTC-USD-2020-01-01-to-2020-01-03.json": (
        ("USD", "CRYPTOCURRENCY", "CCC", "UTC", "2014-09-17"),
        3,
        ("2020-01-03", 6984.4287, 7413.7153, 6914.996, 7344.8843, 7344.8843, 28_111_481_032),
    ),
    "chart-EURUSD=X-2020-01-01-to-2020-01-03.json": (
        ("USD", "CURRENCY", "CCY", "Europe/London", "2003-12-01"),
        3,
        ("2020-01-03", 1.1170813, 1.118068, 1.1125698, 1.1171438, 1.1171438, 0),
    ),
    "chart-MSFT-dividends-2021-02-01-to-2022-01-31.json": (
        ("USD", "EQUITY", "NasdaqGS", "America/New_York", "1986-03-13"),
        252,
        ("2022-01-28", 300.23, 308.48, 294.45, 308.26, 299.86612, 49_743_700),
    ),
    "chart-NVDA-split-2021-02-01-to-2022-01-31.json": (
        ("USD", "EQUITY", "NasdaqGS", "America/New_York", "1999-01-22"),
        252,
        ("2022-01-28", 22.012, 22.858, 21.296, 22.84, 22.802078, 543_774_000),
    ),
    "chart-OCDO.L-2020-01-01-to-2020-01-03.json": (
        ("GBp", "EQUITY", "LSE", "Europe/London", "2010-07-21"),
        1,
        ("2020-01-02", 1279.5, 1286.57, 1258, 1259.5, 1259.5, 728_520),
    ),
    "chart-QQQ-2020-01-01-to-2020-01-03.json": (
        ("USD", "ETF", "NasdaqGM", "America/New_York", "1999-03-10"),
        1,
        ("2020-01-02", 214.4, 216.16, 213.98, 216.16, 209.63806, 30_969_400),
    ),
    # Recorded after the session, their last bars have the moment of the last trade.
    "live-last-bar-AAPL.json": (
        ("USD", "EQUITY", "NasdaqGS", "America/New_York", "1980-12-12"),
        127,
        ("2025-10-29", 269.275, 271.41, 267.11, 269.7, 269.7, 43_332_154),
    ),
    "live-last-bar-GS2C.DE.json": (
        ("EUR", "EQUITY", "XETRA", "Europe/Berlin", "2007-12-27"),
        5,
        ("2025-10-29", 20.13, 20.15, 19.786, 19.948, 19.948, 9_179),
    ),
}
FUND = "events-capital-gains-VFINX.json"


def chart(payloads: Path, file: str) -> Chart:
    return read_chart("X", json.loads((payloads / "yahoo" / file).read_text()))


@pytest.mark.parametrize("file", CHARTS)
def test_what_a_chart_tells(payloads: Path, file: str) -> None:
    about, rows, (day, *numbers) = CHARTS[file]
    told = chart(payloads, file)

    assert (told.currency, told.kind, told.exchange, told.zone, str(told.first_trade)) == about
    assert told.name
    assert len(told.days) == rows
    last = told.days.iloc[-1]
    assert str(last.name.date()) == day
    columns = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
    assert last[columns].tolist() == numbers  # to the last bit: nothing is left of single precision


def test_days_of_a_currency_begin_at_midnight_in_london(payloads: Path) -> None:
    days = chart(payloads, "chart-EURUSD=X-2020-01-01-to-2020-01-03.json").days.index

    assert [f"{day:%Y-%m-%d}" for day in days] == ["2020-01-01", "2020-01-02", "2020-01-03"]


def answered(payloads: Path, file: str, now: str) -> PriceAnswer:
    told = chart(payloads, file)
    over = pd.Timestamp(now).normalize() - pd.Timedelta(days=1)
    last = min(told.days.index[-1], over)
    return price_answer("X", make_instrument(), told, told.days.index[0], last, pd.Timestamp(now, tz="UTC"))


def test_dividends_of_microsoft(payloads: Path) -> None:
    answer = answered(payloads, "chart-MSFT-dividends-2021-02-01-to-2022-01-31.json", "2025-02-22")

    assert [(f"{row.date:%Y-%m-%d}", row.kind, row.value) for row in answer.actions.itertuples()] == [
        ("2021-02-17", "dividend", 0.56),
        ("2021-05-19", "dividend", 0.56),
        ("2021-08-18", "dividend", 0.56),
        ("2021-11-17", "dividend", 0.62),
    ]
    assert answer.missing.empty
    assert answer.notes == ()  # Our adjusted closes, of four dividends, are Yahoo's over the whole span.
    assert answer.bars["close"].iloc[0] == 239.65


def test_a_split_of_nvidia_restores_the_prices_before_it(payloads: Path) -> None:
    answer = answered(payloads, "chart-NVDA-split-2021-02-01-to-2022-01-31.json", "2025-02-22")

    assert [(f"{row.date:%Y-%m-%d}", row.kind, row.value) for row in answer.actions.itertuples()][-1] == (
        "2021-07-20",
        "split",
        4.0,
    )
    closes = answer.bars.set_index("date")["close"]
    # Quoted at 751.19 and 186.12: the ten for one of 2024 is in the prices and, in this span, not among the events.
    assert (closes["2021-07-19"], closes["2021-07-20"]) == (75.119, 18.612)
    assert answer.bars["volume"].iloc[0] == 217_204_000 / 4


def test_capital_gains_of_a_fund_are_no_dividends(payloads: Path) -> None:
    days = chart(payloads, FUND).days
    gains, dividends = days["Capital Gains"], days["Dividends"]

    assert len(gains[gains > 0]) == 21
    assert (gains["1987-12-29"], dividends["1987-12-29"]) == (0.17, 0.15)
    assert (gains["1999-03-26"], dividends["1999-03-26"]) == (0.455, 0.0)
    assert dividends[dividends > 0].head(3).tolist() == [0.16, 0.16, 0.35]
    assert days["Close"].dropna().iloc[-1] == 42.97


def test_the_bar_of_a_day_that_goes_on_is_left_out(payloads: Path) -> None:
    """Apple's, recorded at 20:00 UTC: by midnight it is whole, before it is none."""
    evening = answered(payloads, "live-last-bar-AAPL.json", "2025-10-29 21:00")
    midnight = answered(payloads, "live-last-bar-AAPL.json", "2025-10-30 00:00")

    assert str(evening.bars["date"].iloc[-1].date()) == "2025-10-28"
    assert "bars left out because their UTC day is not over: 1" in evening.notes
    assert (str(midnight.bars["date"].iloc[-1].date()), midnight.bars["close"].iloc[-1]) == ("2025-10-29", 269.7)


def asked(server: Any, monkeypatch: pytest.MonkeyPatch, answer: loopback.Answer) -> SourceError:
    loopback.redirect_yahoo(server, monkeypatch)
    server.answers(loopback.yahoo_path("MU"), answer)
    settings = SourceSettings(yahoo_url=server.url, attempts=2, pause=0, yahoo_per_second=1000)
    day = pd.Timestamp("2024-06-05")
    failure = fetch_prices(["MU"], day, day, settings, now=pd.Timestamp("2024-06-08", tz="UTC"))["MU"]
    assert isinstance(failure, SourceError)
    return failure


@pytest.mark.parametrize(
    ("status", "word", "kind", "told", "retry_later"),
    [
        (404, "delisted", NotFoundError, "answered 404 Not Found: No data found, symbol may be delisted", False),
        (
            400,
            "startDate",
            StatusError,
            "answered 400 Bad Request: Data doesn't exist for startDate = 631119600",
            False,
        ),
        (401, "Invalid Crumb", SourceError, "answered 401 Unauthorized: Invalid Crumb (asked 2 times); try", True),
        (429, "Edge", RateLimitError, "limits its requests (429) (asked 2 times); try again later", True),
        (502, "right back", SourceError, '502 Bad Gateway: an HTML page ("Will be right back...") (asked 2', True),
        (500, "internal", SourceError, "answered 500 Internal Server Error: Internal server error (asked 2", True),
        (
            200,
            "APPL",
            SourceError,
            "got no prices: it is MUTUALFUND on YHD there, without a currency; is the sy",
            False,
        ),
    ],
)
def test_refusals(
    payloads: Path,
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    word: str,
    kind: type[SourceError],
    told: str,
    retry_later: bool,
) -> None:
    errors = json.loads((payloads / "yahoo/errors.json").read_text())
    assert len(errors) == 7
    [error] = [each for each in errors if word in each["body"]]
    assert error["status"] == status

    failure = asked(server, monkeypatch, loopback.Answer(error["body"], status=status))

    assert str(failure).startswith("Yahoo: MU: ")
    assert told in str(failure)
    assert (isinstance(failure, kind), failure.retry_later) == (True, retry_later)
