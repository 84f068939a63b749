"""Yahoo through yfinance, in the shape of its chart API: what lands, to the value, and what is said otherwise."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopback
from data.errors import InputError
from data.net.errors import NoNetworkError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.prices.adjustment import adjusted_close
from data.sources.answers import PriceAnswer
from data.sources.yahoo import fetch_prices
from data.sources.yahoo_chart import decimal, read_chart
from data.sources.yahoo_frame import _restored

NOW = pd.Timestamp("2024-06-12 12:00", tz="UTC")
FIRST, LAST = pd.Timestamp("2024-06-05"), pd.Timestamp("2024-06-11")

Fetch = Callable[..., dict[str, PriceAnswer | SourceError]]


@pytest.fixture
def yahoo(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The loopback server in the place of Yahoo."""
    loopback.redirect_yahoo(server, monkeypatch)
    return server


@pytest.fixture
def fetch(yahoo: Any) -> Fetch:
    def run(
        symbols: Sequence[str] = ("MU",),
        first: pd.Timestamp = FIRST,
        last: pd.Timestamp = LAST,
        now: pd.Timestamp = NOW,
        read_timeout: float = 10,
        **options: Any,
    ) -> dict[str, PriceAnswer | SourceError]:
        settings = SourceSettings(
            yahoo_url=yahoo.url, read_timeout=read_timeout, attempts=2, pause=0, yahoo_per_second=1000
        )
        return fetch_prices(symbols, first, last, settings, now=now, **options)

    return run


def came(answers: dict[str, PriceAnswer | SourceError], symbol: str = "MU") -> PriceAnswer:
    answer = answers[symbol]
    assert isinstance(answer, PriceAnswer), answer
    return answer


def failed(answers: dict[str, PriceAnswer | SourceError], symbol: str = "MU") -> SourceError:
    answer = answers[symbol]
    assert isinstance(answer, SourceError)
    assert "\n" not in str(answer)
    return answer


def patience(answer: dict[str, Any]) -> float:
    """Seconds to wait for an answer: short where it is slow, long where a busy machine might make it so."""
    return 0.4 if "delay" in answer else 10


def error(part: str, code: str, description: str) -> dict[str, Any]:
    return {part: {"result": None, "error": {"code": code, "description": description}}}


def bar(day: str, close: float, adjusted: float | None = None, volume: float = 1000.0) -> tuple[Any, ...]:
    """Of Yahoo: open, high and low beside the close."""
    return (day, close - 1, close + 1, close - 2, close, close if adjusted is None else adjusted, volume)


# Ten for one on June 10, as Nvidia did. A dividend of 0.10 as quoted before it, one of 0.01 after it. Yahoo divides
# prices and dividends by ten. Its adjusted close was worked out by hand: 1 - 0.10 / 1224.40 before June 6, and
# 1 - 0.01 / 121.79 before June 11.
BEFORE_JUNE_6, BEFORE_JUNE_11 = 1 - 0.10 / 1224.40, 1 - 0.01 / 121.79
BARS = [
    bar("2024-06-05", 122.44, 122.44 * BEFORE_JUNE_6 * BEFORE_JUNE_11, 528_402_000),
    bar("2024-06-06", 120.998, 120.998 * BEFORE_JUNE_11, 664_696_000),
    bar("2024-06-07", 120.888, 120.888 * BEFORE_JUNE_11, 412_386_000),
    bar("2024-06-10", 121.79, 121.79 * BEFORE_JUNE_11, 314_162_700),
    bar("2024-06-11", 120.91, 120.91, 222_551_200),
]
DIVIDENDS = {"2024-06-06": 0.01, "2024-06-11": 0.01}
SPLITS = {"2024-06-10": (10, 1)}


@pytest.fixture
def chart() -> Any:
    return loopback.yahoo_chart("MU", BARS, DIVIDENDS, SPLITS)


@pytest.fixture
def good(yahoo: Any, chart: Any) -> Any:
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))
    return yahoo


def test_what_was_traded_lands(good: Any, fetch: Fetch) -> None:
    answer = came(fetch())

    bars = answer.bars
    assert list(bars.columns) == ["date", "open", "high", "low", "close", "volume"]
    assert [f"{day:%m-%d}" for day in bars["date"]] == ["06-05", "06-06", "06-07", "06-10", "06-11"]
    assert bars["close"].tolist() == pytest.approx([1224.40, 1209.98, 1208.88, 121.79, 120.91])
    assert bars["open"].tolist() == pytest.approx([1214.40, 1199.98, 1198.88, 120.79, 119.91])
    assert bars["high"].tolist() == pytest.approx([1234.40, 1219.98, 1218.88, 122.79, 121.91])
    assert bars["low"].tolist() == pytest.approx([1204.40, 1189.98, 1188.88, 119.79, 118.91])
    assert bars["volume"].tolist() == pytest.approx([52_840_200, 66_469_600, 41_238_600, 314_162_700, 222_551_200])
    assert [(f"{row.date:%m-%d}", row.kind, row.value, str(row.known_at)) for row in answer.actions.itertuples()] == [
        ("06-06", "dividend", pytest.approx(0.10), "2024-06-06 00:00:00+00:00"),
        ("06-10", "split", 10.0, "2024-06-10 00:00:00+00:00"),
        ("06-11", "dividend", pytest.approx(0.01), "2024-06-11 00:00:00+00:00"),
    ]
    assert str(bars["date"].dtype) == str(answer.actions["date"].dtype) == "datetime64[us]"
    assert (answer.symbol, answer.notes) == ("MU", ())
    assert adjusted_close(bars, answer.actions).tolist() == pytest.approx([row[5] for row in BARS])


def test_what_is_asked_is_stated(good: Any, fetch: Fetch) -> None:
    fetch()

    query = good.asked_for(loopback.yahoo_path("MU"))[0].query
    # From a day before, for it has begun elsewhere; up to today, whatever the last day, for the splits since.
    assert pd.Timestamp(int(query["period1"]), unit="s") == FIRST - pd.Timedelta(days=1)
    assert pd.Timestamp(int(query["period2"]), unit="s", tz="UTC") > pd.Timestamp.now("UTC")
    assert (query["interval"], query["events"]) == ("1d", "div,splits,capitalGains")


def test_a_split_after_the_days_that_are_wanted_still_restores_them(good: Any, fetch: Fetch) -> None:
    answer = came(fetch(last=pd.Timestamp("2024-06-07")))

    assert answer.bars["close"].tolist() == pytest.approx([1224.40, 1209.98, 1208.88])
    assert answer.actions["kind"].tolist() == ["dividend"]
    assert answer.notes == ()


def test_a_split_of_today_restores_the_days_before(yahoo: Any, fetch: Fetch) -> None:
    """On the morning of the split Yahoo has divided its history; the day's own bar is not over."""
    chart = loopback.yahoo_chart("MU", BARS[:4], {"2024-06-06": 0.01}, SPLITS)
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))

    answer = came(fetch(last=pd.Timestamp("2024-06-10"), now=pd.Timestamp("2024-06-10 15:00", tz="UTC")))

    assert answer.bars["close"].tolist() == pytest.approx([1224.40, 1209.98, 1208.88])
    assert answer.notes == ("bars left out because their UTC day is not over: 1",)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_time_zone_of_the_machine_changes_nothing(
    good: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    here = came(fetch())
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        there = came(fetch())
    finally:
        monkeypatch.undo()
        time.tzset()

    pd.testing.assert_frame_equal(here.bars, there.bars)
    pd.testing.assert_frame_equal(here.actions, there.actions)


def test_a_coin_has_utc_days_and_no_bar_of_a_day_that_goes_on(yahoo: Any, fetch: Fetch) -> None:
    days = ["2024-06-08", "2024-06-09", "2024-06-10", "2024-06-11", "2024-06-12"]
    chart = loopback.yahoo_chart("BTC-USD", [bar(day, 69_000.0) for day in days])
    yahoo.answers(loopback.yahoo_path("BTC-USD"), loopback.Answer(chart))

    answer = came(fetch(["BTC-USD"], first=pd.Timestamp("2024-06-08"), last=pd.Timestamp("2024-06-12")), "BTC-USD")

    assert [f"{day:%Y-%m-%d}" for day in answer.bars["date"]] == days[:-1]
    assert answer.notes == ("bars left out because their UTC day is not over: 1",)


def test_a_foreign_session_keeps_the_date_of_its_exchange(yahoo: Any, fetch: Fetch) -> None:
    days = ["2024-06-05", "2024-06-07", "2024-06-10", "2024-06-11"]  # June 6 is Memorial Day in Seoul.
    chart = loopback.yahoo_chart("000660.KS", [bar(day, 200_000.0) for day in days], currency="KRW")
    yahoo.answers(loopback.yahoo_path("000660.KS"), loopback.Answer(chart))

    answer = came(fetch(["000660.KS"]), "000660.KS")

    assert [f"{day:%Y-%m-%d}" for day in answer.bars["date"]] == days
    assert answer.notes == ()


def test_another_currency_is_another_instrument(yahoo: Any, fetch: Fetch) -> None:
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", BARS, currency="CAD")))

    assert str(failed(fetch())) == "Yahoo: MU: got prices in CAD, wanted USD"


def test_nothing_before_the_listing_date_is_asked_for(yahoo: Any, fetch: Fetch) -> None:
    chart = loopback.yahoo_chart("SNDK", [bar("2025-02-24", 50.0), bar("2025-02-25", 51.0)])
    yahoo.answers(loopback.yahoo_path("SNDK"), loopback.Answer(chart))

    answers = fetch(["SNDK"], last=pd.Timestamp("2025-02-25"), now=pd.Timestamp("2025-02-26", tz="UTC"))

    assert len(came(answers, "SNDK").bars) == 2
    asked = yahoo.asked_for(loopback.yahoo_path("SNDK"))[0].query["period1"]
    assert pd.Timestamp(int(asked), unit="s") == pd.Timestamp("2025-02-23")
    early = failed(fetch(["SNDK"]), "SNDK")
    assert "SNDK: got the days 2025-02-24 to 2024-06-11, wanted some that are over" in str(early)


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 429, "body": "Too Many Requests"},
        {"status": 504, "body": "<html>Gateway Timeout</html>"},
        {"delay": 5},
        {"body": "HTML"},
        {"sent": 100},
        {"reset": True},
    ],
)
def test_trouble_that_passes_costs_nothing(yahoo: Any, chart: Any, fetch: Fetch, trouble: dict[str, Any]) -> None:
    if trouble.get("body") == "HTML":
        trouble = {"body": loopback.HTML_PAGE}
    bad = loopback.Answer(**{"body": chart, **trouble})
    # yfinance asks a second time by itself where the status tells of trouble.
    bad_answers = [bad, bad] if "status" in trouble else [bad]
    yahoo.answers(loopback.yahoo_path("MU"), *bad_answers, loopback.Answer(chart))

    assert len(came(fetch(read_timeout=patience(trouble))).bars) == 5


@pytest.mark.parametrize(
    ("answer", "reason", "retry_later"),
    [
        (
            {"status": 429, "body": "Edge: Too Many Requests"},
            "MU: limits its requests (429) (asked 2 times); try",
            True,
        ),
        ({"status": 504, "body": "<html></html>"}, "answered 504 Gateway Timeout: an HTML page (asked 2 times)", True),
        ({"status": 500, "body": ""}, "MU: answered 500 Internal Server Error (asked 2 times)", True),
        ({"delay": 5}, "MU: no whole answer within 0.4 s (asked 2 times)", True),
        ({"body": "HTML"}, 'MU: got an HTML page ("Sorry, you have been blocked") in place of JSON, or it was', True),
        ({"sent": 100}, "MU: the connection broke off (IncompleteRead) (asked 2 times)", True),
        ({"body": ""}, "MU: got nothing in place of JSON, or it was cut off (asked 2 times)", True),
        (
            {"body": error("chart", "internal-error", "No")},
            "answered 500 Internal Server Error: No (asked 2 times)",
            True,
        ),
        ({"body": error("finance", "Unauthorized", "Crumb")}, "answered 401 Unauthorized: Crumb (asked 2 times)", True),
        ({"body": error("chart", "Not Found", "No data")}, "MU: answered 404 Not Found: No data", False),
        ({"body": error("chart", "Nope", "Nope"), "status": 404}, "MU: answered 404 Not Found: Nope", False),
        ({"body": error("chart", "", "No data found")}, "MU: answered 400 Bad Request: No data found", False),
        ({"body": {"chart": {"result": None, "error": "Odd"}}}, "MU: answered 400 Bad Request: Odd", False),
        ({"body": {"chart": {"result": [], "error": None}}}, "MU: got an answer of another form", False),
        (
            {"body": {"chart": {"result": [{"meta": {}}], "error": None}}},
            "of another form (KeyError: 'currency')",
            False,
        ),
        ({"body": {"chart": None}}, "MU: got an answer of another form (TypeError", False),
        ({"body": []}, "MU: got an answer of another form", False),
    ],
)
def test_trouble_that_stays_is_told(
    yahoo: Any,
    chart: Any,
    fetch: Fetch,
    answer: dict[str, Any],
    reason: str,
    retry_later: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if answer.get("body") == "HTML":
        answer = {"body": loopback.HTML_PAGE}
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(**{"body": chart, **answer}))

    failure = failed(fetch(read_timeout=patience(answer)))

    assert str(failure).startswith("Yahoo: MU: ")
    assert reason in str(failure)
    assert failure.retry_later == retry_later
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("was", "becomes"), [('"close"', '"closing"'), ('"timestamp"', '"times"'), ('"currency"', '"money"')]
)
def test_a_renamed_field_is_told(yahoo: Any, chart: Any, fetch: Fetch, was: str, becomes: str) -> None:
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(json.dumps(chart).replace(was, becomes)))

    assert f"of another form (KeyError: '{was[1:-1]}')" in str(failed(fetch()))


def test_sessions_without_a_bar_are_told_apart_from_the_bars(yahoo: Any, fetch: Fetch) -> None:
    blank = ("2024-06-07", None, None, None, None, None, None)
    chart = loopback.yahoo_chart("MU", [BARS[0], blank, *BARS[3:]], DIVIDENDS)
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))

    answer = came(fetch())

    assert [f"{day:%Y-%m-%d}" for day in answer.bars["date"]] == ["2024-06-05", "2024-06-10", "2024-06-11"]
    assert [f"{day:%Y-%m-%d}" for day in answer.missing] == ["2024-06-06", "2024-06-07"]


def test_prices_of_which_no_digits_are_known_are_restored_as_they_are() -> None:
    prices = np.array([12.345678901, 1e-310, 0.0, math.inf, math.nan])
    wanted = [24.69136, 2e-310, 0.0, math.inf, math.nan]
    assert _restored(prices, np.full(5, 2.0)) == pytest.approx(wanted, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize("odd", [math.inf, -1e300, 10**30, "x", None, [], {}, [math.nan], [10**30], True])
@pytest.mark.parametrize(
    "place",
    [
        ("timestamp",),
        ("meta",),
        ("meta", "firstTradeDate"),
        ("meta", "exchangeTimezoneName"),
        ("indicators",),
        ("indicators", "quote"),
        ("events",),
    ],
)
def test_an_answer_with_anything_at_all_in_a_place_is_read_or_refused(place: tuple[str, ...], odd: Any) -> None:
    result: dict[str, Any] = loopback.yahoo_chart("MU", [("2024-02-01", 10.0, 11.0, 9.0, 10.5, 10.5, 1000)])
    inside = result["chart"]["result"][0]
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = odd
    with contextlib.suppress(SourceError):
        assert read_chart("MU", result).currency == "USD"


@pytest.mark.parametrize("zone", ["x" * 5000, "America", "", "..", "a\x00b", "Nowhere/City"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    result: dict[str, Any] = loopback.yahoo_chart("MU", [("2024-02-01", 10.0, 11.0, 9.0, 10.5, 10.5, 1000)])
    result["chart"]["result"][0]["meta"]["exchangeTimezoneName"] = zone
    with pytest.raises(SourceError, match="got an answer of another form"):
        read_chart("MU", result)


def test_nothing_but_blanks_is_a_failure(yahoo: Any, fetch: Fetch) -> None:
    blanks = [(row[0], None, None, None, None, None, None) for row in BARS]
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", blanks)))

    nothing = failed(fetch())

    assert "MU: asked for the days 2024-06-05 to 2024-06-11, got no bar; try again later" in str(nothing)
    assert nothing.retry_later


def test_a_bar_on_a_day_without_a_session_is_no_session_that_is_missing(yahoo: Any, fetch: Fetch) -> None:
    saturday = bar("2024-06-08", 121.0)
    yahoo.answers(
        loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", [*BARS[:3], saturday, *BARS[3:]]))
    )

    answer = came(fetch())

    assert len(answer.bars) == 6
    assert answer.missing.empty


def test_two_payments_of_a_day_add_up_and_capital_gains_are_their_own(yahoo: Any, fetch: Fetch) -> None:
    """A regular and a special dividend and a fund's gains on one ex-date."""
    before, after = 100.0, 87.0
    adjusted = before * (1 - 1.0 / before) * (1 - 10.0 / before) * (1 - 2.0 / before)
    bars = [bar(row[0], before, adjusted) for row in BARS[:3]] + [bar(row[0], after) for row in BARS[3:]]
    chart = loopback.yahoo_chart("MU", bars, {"2024-06-10": 1.0}, gains={"2024-06-10": 2.0})
    special = chart["chart"]["result"][0]["events"]["dividends"]
    [regular] = special.values()
    special["special"] = {**regular, "amount": 10.0, "date": regular["date"] + 60}
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))

    answer = came(fetch())

    assert [(f"{row.date:%m-%d}", row.kind, row.value) for row in answer.actions.itertuples()] == [
        ("06-10", "capital_gain", 2.0),
        ("06-10", "dividend", 11.0),
    ]


def test_the_last_bar_of_an_evening_counts_once(yahoo: Any, fetch: Fetch) -> None:
    """The day comes twice while it goes on: as it began, and with the moment of its last trade."""
    chart = loopback.yahoo_chart("MU", [*BARS, bar("2024-06-11", 121.5)], live=True)
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))

    bars = came(fetch()).bars

    assert len(bars) == 5
    assert bars["close"].iloc[-1] == 121.5


def test_a_dividend_in_another_currency_is_refused(yahoo: Any, fetch: Fetch) -> None:
    chart = loopback.yahoo_chart("MU", BARS, DIVIDENDS)
    for paid in chart["chart"]["result"][0]["events"]["dividends"].values():
        paid["currency"] = "EUR"
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))

    assert "got a payment in EUR, wanted USD, as its prices are" in str(failed(fetch()))


@given(st.floats(1e-4, 1e6), st.integers(2, 6))
def test_single_precision_leaves_no_trace(price: float, digits: int) -> None:
    """Six digits and fewer survive single precision; what is of double precision stays as it is."""
    quoted = float(f"{price:.{digits}g}")

    assert decimal(np.array([float(np.float32(quoted)), math.nan, 0.1 + 1e-12])).tolist()[0] == quoted
    assert decimal(np.array([0.1 + 1e-12]))[0] == 0.1 + 1e-12


def test_an_open_that_is_blank_stays_blank(yahoo: Any, fetch: Fetch) -> None:
    bars = [("2024-06-05", None, None, None, 122.44, 122.44, None), *(bar(*row[:1], row[4]) for row in BARS[1:])]
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", bars)))

    first = came(fetch()).bars.iloc[0]

    assert first[["open", "high", "low"]].isna().all()
    assert first["close"] == 122.44


def test_a_difference_from_yahoos_adjusted_close_is_told_and_not_taken_over(yahoo: Any, fetch: Fetch) -> None:
    chart = loopback.yahoo_chart("MU", [bar("2024-06-05", 122.44, 121.0), *BARS[1:]], DIVIDENDS, SPLITS)
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))
    answer = came(fetch())
    assert answer.notes == (
        "our adjusted close differs from Yahoo's on 1 of 5 days, most on 2024-06-05 by 1.17%; "
        "ours follows from prices, splits and dividends",
    )
    assert adjusted_close(answer.bars, answer.actions).iloc[0] == pytest.approx(122.44 * BEFORE_JUNE_6 * BEFORE_JUNE_11)


def test_our_adjusted_close_is_yahoos_on_what_yahoo_gave(yahoo: Any, fetch: Fetch) -> None:
    """National Presto, 4.50 US dollars on 83.50: Yahoo's figures, as yfinance keeps them among its own tests."""
    bars = [
        ("2022-02-24", 76.839996, 80.940002, 76.400002, 80.3499984741211, 67.92926788330078, 137100),
        ("2022-02-25", 80.949997, 84.449997, 80.650002, 83.5, 70.59233093261719, 206800),
        ("2022-02-28", 76.480003, 80.389999, 76.480003, 79.5, 71.03911590576172, 144300),
        ("2022-03-01", 79.580002, 80.0, 78.07, 79.41999816894531, 70.9676284790039, 63900),
    ]
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", bars, {"2022-02-28": 4.5})))

    answer = came(fetch(first=pd.Timestamp("2022-02-24"), last=pd.Timestamp("2022-03-01")))

    assert answer.notes == ()
    ours = adjusted_close(answer.bars, answer.actions)
    assert (ours / ours.iloc[-1]).tolist() == pytest.approx([row[5] / bars[-1][5] for row in bars], rel=3e-7)


def test_prices_that_do_not_follow_a_split_are_refused(yahoo: Any, fetch: Fetch) -> None:
    """Yahoo tells of the split and has not divided the prices before it."""
    undivided = [*(bar(row[0], 10 * row[4]) for row in BARS[:3]), *BARS[3:]]
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", undivided, {}, SPLITS)))

    assert "a split of 10 for 1 on 2024-06-10 that its prices do not follow: 12088.8 before it" in str(failed(fetch()))


@pytest.mark.parametrize(
    ("dividends", "reason"),
    [
        ({"2024-06-06": -0.01}, "got a dividend of -0.01 on 2024-06-06"),
        ({"2024-06-11": 200.0}, "got a dividend on 2024-06-11 of 164% of the close before it"),
    ],
)
def test_a_dividend_that_cannot_be_is_refused(
    yahoo: Any, fetch: Fetch, dividends: dict[str, float], reason: str
) -> None:
    yahoo.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", BARS, dividends, SPLITS)))

    assert reason in str(failed(fetch()))


def test_a_revised_history_comes_as_it_is_told(good: Any, chart: Any, fetch: Fetch) -> None:
    before = came(fetch())
    revised = [*BARS[:2], bar("2024-06-07", 120.9, 120.9 * BEFORE_JUNE_11), *BARS[3:]]
    good.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", revised, DIVIDENDS, SPLITS)))

    after = came(fetch())

    differing = before.bars["close"] != after.bars["close"]
    assert differing.tolist() == [False, False, True, False, False]
    assert after.bars["close"][2] == pytest.approx(1209.0)


def test_one_of_three_fails_and_the_others_come(good: Any, fetch: Fetch) -> None:
    good.answers(loopback.yahoo_path("CRM"), loopback.Answer(status=504))
    good.answers(loopback.yahoo_path("NOW"), loopback.Answer(loopback.yahoo_chart("NOW", BARS, DIVIDENDS, SPLITS)))
    told: list[str] = []

    answers = fetch(["MU", "CRM", "NOW"], report=told.append)

    assert list(answers) == ["MU", "CRM", "NOW"]
    assert told == ["MU (1 of 3)", "CRM (2 of 3)", "NOW (3 of 3)"]
    assert len(came(answers).bars) == len(came(answers, "NOW").bars) == 5
    assert "Yahoo: CRM: " in str(failed(answers, "CRM"))


def test_once_asked_too_often_the_others_are_not_asked(good: Any, fetch: Fetch) -> None:
    good.answers(loopback.yahoo_path("CRM"), loopback.Answer("Too Many Requests", status=429))

    answers = fetch(["MU", "CRM", "NOW"])

    came(answers)
    assert isinstance(answers["CRM"], RateLimitError)
    assert isinstance(answers["NOW"], RateLimitError)
    assert str(answers["NOW"]) == "Yahoo: not asked, for it limits its requests; try again later"
    assert good.asked_for(loopback.yahoo_path("NOW")) == []


def test_without_a_network_it_is_asked_once(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.redirect_yahoo(server, monkeypatch)
    server.close()
    settings = SourceSettings(yahoo_url=server.url, yahoo_per_second=1000)
    began = time.monotonic()

    answers = fetch_prices(["MU", "CRM"], FIRST, LAST, settings, now=NOW)

    assert isinstance(answers["MU"], NoNetworkError)
    assert answers["CRM"] is answers["MU"]
    assert str(answers["MU"]) == "Yahoo: no network: it cannot be reached; connect and run it again"
    assert time.monotonic() - began < 5


def test_a_symbol_without_an_entry_is_refused_before_anything_is_asked(good: Any, fetch: Fetch) -> None:
    with pytest.raises(InputError, match="instrument NOSUCH has no entry"):
        fetch(["MU", "NOSUCH"])
    assert good.asked == []


def test_yfinance_is_left_as_it_was(good: Any, fetch: Fetch) -> None:
    from yfinance.config import YfConfig

    assert YfConfig.debug.hide_exceptions is True
    fetch()
    assert YfConfig.debug.hide_exceptions is True
