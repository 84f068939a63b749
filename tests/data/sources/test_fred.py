"""FRED's two ways, in the documented shapes: what lands, to the value and to `known_at`."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import loopback
from data.errors import InputError
from data.net.errors import NoNetworkError, NotFoundError, SourceError
from data.net.settings import SourceSettings
from data.sources import fred_vintages
from data.sources.answers import SeriesAnswer
from data.sources.fred import fetch_series

NOW = pd.Timestamp("2025-12-01 12:00", tz="UTC")
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)


@pytest.fixture
def settings(server: Any) -> SourceSettings:
    return SourceSettings(
        fred_graph_url=f"{server.url}/graph",
        fred_api_url=f"{server.url}/fred",
        attempts=2,
        pause=0,
        fred_per_second=1000,
    )


def fetched(settings: SourceSettings, name: str = "DGS10", first: str = "2025-11-24") -> SeriesAnswer:
    return fetch_series(name, pd.Timestamp(first), settings, NOW)


def patient(settings: SourceSettings, answer: dict[str, Any]) -> SourceSettings:
    """Wait for a short time where the answer is slow, for a long one where a busy machine might make it so."""
    return replace(settings, read_timeout=0.4) if "delay" in answer else settings


def lines(answer: SeriesAnswer) -> list[tuple[str, float, str]]:
    return [(f"{row.date:%Y-%m-%d}", row.value, f"{row.known_at:%Y-%m-%d %H:%M}") for row in answer.rows.itertuples()]


# The week of Thanksgiving: no yield on Thursday the 27th, which FRED tells as a dot or as nothing.
THANKSGIVING = "{date},DGS10\n2025-11-24,4.04\n2025-11-25,4.01\n2025-11-26,4.00\n2025-11-27,{blank}\n2025-11-28,4.02\n"


@pytest.mark.parametrize("date", ["observation_date", "DATE"])
@pytest.mark.parametrize("blank", [".", ""])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_series_lands_with_its_times(
    server: Any, settings: SourceSettings, date: str, blank: str, newline: str
) -> None:
    text = THANKSGIVING.format(date=date, blank=blank).replace("\n", newline)
    server.answers("/graph", loopback.Answer(text))

    answer = fetched(settings)

    assert [line for line in lines(answer) if line[1] == line[1]] == [
        ("2025-11-24", 4.04, "2025-11-25 22:00"),
        ("2025-11-25", 4.01, "2025-11-26 22:00"),
        ("2025-11-26", 4.00, "2025-11-28 22:00"),  # Thursday is a holiday
        ("2025-11-28", 4.02, "2025-12-01 22:00"),
    ]
    assert answer.rows["value"].isna().tolist() == [False, False, False, True, False]
    assert answer.rows.dtypes.astype(str).tolist() == ["datetime64[us]", "float64", "datetime64[us, UTC]"]
    assert answer.notes == ("1 of 5 dates are blank",)
    assert answer.name == "DGS10"
    assert server.asked[0].query == {"id": "DGS10", "cosd": "2025-11-24"}


def test_a_weekly_series_over_christmas(server: Any, settings: SourceSettings) -> None:
    """Federal offices were closed from the 24th to the 26th: not before Monday the 29th."""
    server.answers("/graph", loopback.Answer("observation_date,WALCL\n2025-12-17,6556886\n2025-12-24,6581225\n"))

    answer = fetch_series("WALCL", pd.Timestamp("2025-12-17"), settings, pd.Timestamp("2025-12-30", tz="UTC"))

    assert lines(answer) == [
        ("2025-12-17", 6556886.0, "2025-12-18 22:00"),
        ("2025-12-24", 6581225.0, "2025-12-29 22:00"),
    ]
    assert answer.notes == ()


@pytest.mark.parametrize(
    "trouble", [{"status": 429}, {"status": 504, "body": "<html>"}, {"delay": 5}, {"body": THANKSGIVING, "sent": 40}]
)
def test_trouble_that_passes_costs_nothing(server: Any, settings: SourceSettings, trouble: dict[str, Any]) -> None:
    good = loopback.Answer(THANKSGIVING.format(date="observation_date", blank="."))
    server.answers("/graph", loopback.Answer(**trouble), good)

    assert len(fetched(patient(settings, trouble)).rows) == 5


@pytest.mark.parametrize(
    ("answer", "reason", "retry_later"),
    [
        ({"status": 429}, r"FRED: answered 429 Too Many Requests \(asked 2 times\)", True),
        ({"status": 504}, r"FRED: answered 504 Gateway Timeout \(asked 2 times\)", True),
        ({"delay": 5}, "no whole answer within 0.4 s", True),
        ({"body": "<!DOCTYPE html><html><title>Error</title>"}, r'an HTML page \("Error"\) instead of CSV', True),
        ({"body": ""}, "DGS10: got an empty answer", True),
        ({"body": "observation_date,DGS10\n"}, r"DGS10: got no value from 2025-11-24 on \(0 blank\)", False),
        ({"body": "observation_date,DGS10\n2025-11-27,.\n"}, r"got no value from 2025-11-24 on \(1 blank\)", False),
        ({"body": "observation_date,DGS10\n2025-11-24,4.04\n2025-11-25,4"}, "cut off after the line '2025-11", True),
        ({"body": "observation_date,DGS2\n2025-11-24,4.04\n"}, "got the columns observation_date,DGS2, wanted", False),
        ({"body": "day,DGS10\n2025-11-24,4.04\n"}, "wanted observation_date,DGS10; the download is of anoth", False),
        ({"body": "observation_date,DGS10\n2025-11-24,4.04,1\n"}, "line 2 is '2025-11-24,4.04,1', wanted", False),
        ({"body": "observation_date,DGS10\n2025-11-24,4.04\n11/25/2025,4\n"}, "line 3 is '11/25/2025,4'", False),
        ({"body": "observation_date,DGS10\n2025-11-24,n/a\n"}, "line 2 is '2025-11-24,n/a'", False),
        ({"body": "observation_date,DGS10\n2025-11-24,inf\n"}, "line 2 is '2025-11-24,inf'", False),
        ({"body": "observation_date,DGS10\n2025-11-25,4\n2025-11-24,4\n"}, "dates out of order or twice", False),
        ({"body": "observation_date,DGS10\n2025-11-24,4\n2025-11-24,4\n"}, "dates out of order or twice", False),
    ],
)
def test_trouble_that_stays_is_told(
    server: Any, settings: SourceSettings, answer: dict[str, Any], reason: str, retry_later: bool
) -> None:
    server.answers("/graph", loopback.Answer(**answer))

    with pytest.raises(SourceError, match=reason) as failure:
        fetched(patient(settings, answer))

    assert failure.value.retry_later == retry_later
    assert "\n" not in str(failure.value)


def test_a_series_that_fred_does_not_have(server: Any, settings: SourceSettings) -> None:
    with pytest.raises(NotFoundError, match="FRED: answered 404"):
        fetched(settings)


def test_a_series_that_the_catalogue_does_not_have_is_not_asked_for(server: Any, settings: SourceSettings) -> None:
    with pytest.raises(InputError, match="NOSUCH has no entry in the catalogue"):
        fetched(settings, "NOSUCH")
    assert server.asked == []


def test_without_a_network() -> None:
    with pytest.raises(NoNetworkError, match="FRED: no network"):
        fetched(SourceSettings(fred_graph_url=loopback.closed_port_url()))


def test_the_three_years_of_the_ice_series_are_said_aloud(server: Any, settings: SourceSettings) -> None:
    server.answers("/graph", loopback.Answer("observation_date,BAMLH0A0HYM2\n2022-12-01,4.55\n2025-11-28,2.92\n"))

    answer = fetched(settings, "BAMLH0A0HYM2", "2005-01-03")

    assert answer.notes == (
        "asked from 2005-01-03, begins on 2022-12-01: FRED has only the last three years of the ICE series; "
        "older rows stay as the market has them",
    )
    assert len(answer.rows) == 2


def test_a_late_beginning_and_an_early_end_are_said(server: Any, settings: SourceSettings) -> None:
    server.answers("/graph", loopback.Answer("observation_date,SOFR\n2018-04-03,1.83\n2025-11-14,3.95\n"))

    assert fetched(settings, "SOFR", "2005-01-03").notes == (
        "asked from 2005-01-03, begins on 2018-04-03",
        "no value after 2025-11-14, 17 days ago",
    )


def test_a_revised_series_without_a_key_says_what_it_is_not(server: Any, settings: SourceSettings) -> None:
    server.answers("/graph", loopback.Answer("observation_date,NFCI\n2025-11-21,-0.52\n"))

    answer = fetched(settings, "NFCI", "2025-11-21")

    assert lines(answer) == [("2025-11-21", -0.52, "2025-11-26 14:00")]
    assert answer.notes == (
        "values of today, of a series that is revised: its past was not known so; set FRED_API_KEY",
    )


def test_the_key_is_not_used_for_what_is_not_revised(
    server: Any, settings: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", KEY)
    server.answers("/graph", loopback.Answer(THANKSGIVING.format(date="DATE", blank=".")))

    fetched(settings)

    assert KEY not in repr(server.asked)


# Vintages.


def value(date: str, number: str, since: str, until: str = "9999-12-31") -> dict[str, str]:
    return {"realtime_start": since, "realtime_end": until, "date": date, "value": number}


def page(field: str, rows: list[Any], count: int | None = None, offset: int = 0) -> dict[str, Any]:
    """One answer of the API in its documented shape."""
    return {
        "realtime_start": "1776-07-04",
        "realtime_end": "9999-12-31",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": len(rows) if count is None else count,
        "offset": offset,
        "limit": 100_000,
        field: rows,
    }


@pytest.fixture
def archive(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three vintages of NFCI; the archive begins on 2025-11-13."""
    monkeypatch.setenv("FRED_API_KEY", KEY)
    vintages = ["2025-11-13", "2025-11-19", "2025-12-02"]
    observations = [
        value("2025-10-31", "-0.54", "2025-11-13", "2025-11-18"),
        value("2025-10-31", "-0.55", "2025-11-19"),
        value("2025-11-07", "-0.53", "2025-11-13"),
        value("2025-11-14", ".", "2025-11-19", "2025-12-01"),
        value("2025-11-14", "-0.51", "2025-12-02"),
        value("2025-11-21", "-0.50", "2025-12-02"),
    ]
    server.answers("/fred/series/vintagedates", loopback.Answer(page("vintage_dates", vintages)))
    server.answers("/fred/series/observations", loopback.Answer(page("observations", observations)))
    return server


def test_vintages_land_with_the_day_of_each(archive: Any, settings: SourceSettings) -> None:
    answer = fetched(settings, "NFCI", "2025-10-31")

    assert str(lines(answer)) == str(
        [
            ("2025-10-31", -0.54, "2025-11-05 14:00"),  # of the first vintage: by the rule, which is earlier
            ("2025-10-31", -0.55, "2025-11-19 22:00"),  # revised
            ("2025-11-07", -0.53, "2025-11-13 14:00"),  # the rule has the vintage's own day
            ("2025-11-14", float("nan"), "2025-11-19 22:00"),
            ("2025-11-14", -0.51, "2025-12-02 22:00"),
            ("2025-11-21", -0.50, "2025-12-02 22:00"),  # the rule has 2025-11-26, but it came late
        ]
    )
    assert answer.notes == (
        "2 dates have the value of 2025-11-13, the first day that is archived; another one may have been published "
        "before",
    )
    query = archive.asked_for("/fred/series/observations")[0].query
    assert (query["realtime_start"], query["realtime_end"]) == ("2025-11-13", "2025-12-02")
    assert (query["observation_start"], query["api_key"], query["file_type"]) == ("2025-10-31", KEY, "json")


def test_more_vintages_than_the_api_tells_at_once(
    archive: Any, settings: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that lasts is told in each period anew, from its first day on: it is one value."""
    monkeypatch.setattr(fred_vintages, "MOST_VINTAGES", 2)
    archive.answers(
        "/fred/series/observations",
        loopback.Answer(
            page(
                "observations",
                [
                    value("2025-10-31", "-0.54", "2025-11-13", "2025-11-18"),
                    value("2025-10-31", "-0.55", "2025-11-19", "2025-11-19"),
                    value("2025-11-07", "-0.53", "2025-11-13", "2025-11-19"),
                ],
            )
        ),
        loopback.Answer(
            page(
                "observations",
                [
                    value("2025-10-31", "-0.55", "2025-12-02", "2025-12-02"),
                    value("2025-11-07", "-0.52", "2025-12-02", "2025-12-02"),
                ],
            )
        ),
    )

    answer = fetched(settings, "NFCI", "2025-10-31")

    assert lines(answer) == [
        ("2025-10-31", -0.54, "2025-11-05 14:00"),
        ("2025-10-31", -0.55, "2025-11-19 22:00"),
        ("2025-11-07", -0.53, "2025-11-13 14:00"),
        ("2025-11-07", -0.52, "2025-12-02 22:00"),
    ]
    asked = archive.asked_for("/fred/series/observations")
    assert [(each.query["realtime_start"], each.query["realtime_end"]) for each in asked] == [
        ("2025-11-13", "2025-11-19"),
        ("2025-12-02", "2025-12-02"),
    ]


def test_pages_are_put_together(archive: Any, settings: SourceSettings) -> None:
    first = [value("2025-10-31", "-0.54", "2025-11-13")]
    second = [value("2025-11-07", "-0.53", "2025-11-13")]
    archive.answers(
        "/fred/series/observations",
        loopback.Answer(page("observations", first, 2)),
        loopback.Answer(page("observations", second, 2, 1)),
    )

    assert fetched(settings, "NFCI", "2025-10-31").rows["value"].tolist() == [-0.54, -0.53]
    assert [each.query["offset"] for each in archive.asked_for("/fred/series/observations")] == ["0", "1"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"count": 1, "observ', "another form .* or cut off"),
        ({"count": 1, "rows": []}, "another form .*observations"),
        (page("observations", [], 3), "got 0 observations of 3"),
        (page("observations", []), "got no vintages from 2025-10-31 on"),
        (page("observations", [{"date": "2025-10-31", "value": "-0.5"}]), "another form .*realtime_start"),
        (page("observations", [value("2025-10-31", "high", "2025-11-13")]), "another form .*high"),
        (page("observations", [None]), "another form"),
        ("<html><title>Down</title>", r'an HTML page \("Down"\) instead of JSON'),
    ],
)
def test_vintages_of_another_form_are_refused(archive: Any, settings: SourceSettings, body: Any, reason: str) -> None:
    archive.answers("/fred/series/observations", loopback.Answer(body))

    with pytest.raises(SourceError, match=reason):
        fetched(settings, "NFCI", "2025-10-31")


@pytest.mark.parametrize("answer", [{"status": 400}, {"status": 429}, {"reset": True}, {"body": "{"}])
def test_no_error_tells_the_key(archive: Any, settings: SourceSettings, answer: dict[str, Any]) -> None:
    refusal = {"error_code": 400, "error_message": f"Bad Request. The value for variable api_key {KEY} is wrong."}
    archive.answers("/fred/series/vintagedates", loopback.Answer(**{"body": refusal, **answer}))

    with pytest.raises(SourceError, match="FRED: ") as failure:
        fetched(settings, "NFCI")

    error: BaseException | None = failure.value
    while error is not None:
        assert KEY not in repr(error)
        error = error.__cause__ or error.__context__
    assert KEY not in repr(settings)


NOT_ARCHIVED = {
    "error_code": 400,
    "error_message": "Bad Request.  The series does not exist in ALFRED but may exist in FRED.",
}


def test_a_series_that_the_archive_lacks_is_downloaded_with_its_note(archive: Any, settings: SourceSettings) -> None:
    archive.answers("/fred/series/vintagedates", loopback.Answer(NOT_ARCHIVED, status=400))
    archive.answers("/graph", loopback.Answer("observation_date,NFCI\n2025-11-21,-0.52\n"))

    answer = fetched(settings, "NFCI", "2025-11-21")

    assert lines(answer) == [("2025-11-21", -0.52, "2025-11-26 14:00")]
    assert answer.notes == (
        "values of today, of a series that is revised: its past was not known so; FRED archives no vintages of it",
    )
    assert [asked.path for asked in archive.asked] == ["/fred/series/vintagedates", "/graph"]


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": 400, "error_message": "Bad Request.  The value for variable api_key is not registered."},
        '<?xml version="1.0" encoding="utf-8" ?>\n'
        '<error code="400" message="Bad Request.  The value for variable api_key is not registered." />',
    ],
)
def test_a_wrong_key_is_told_by_the_name_of_its_variable(archive: Any, settings: SourceSettings, body: Any) -> None:
    archive.answers("/fred/series/vintagedates", loopback.Answer(body, status=400))

    with pytest.raises(SourceError) as failure:
        fetched(settings, "NFCI")

    assert str(failure.value) == (
        "FRED: got a key that FRED does not take (Bad Request. The value for variable api_key is not registered.); "
        "correct FRED_API_KEY, or unset it to go without vintages"
    )
    assert len(archive.asked) == 1


def test_what_else_the_api_refuses_is_told_in_its_words(archive: Any, settings: SourceSettings) -> None:
    archive.answers("/fred/series/vintagedates", loopback.Answer('<error message="Bad &quot;x&quot;."/>', status=400))

    with pytest.raises(SourceError, match=r'FRED: answered 400 Bad Request: Bad "x"\.$'):
        fetched(settings, "NFCI")


def test_fred_is_asked_three_times_in_two_seconds() -> None:
    assert SourceSettings().fred_per_second == 1.5


def test_a_revised_history_is_asked_anew(server: Any, settings: SourceSettings) -> None:
    server.answers(
        "/graph",
        loopback.Answer("observation_date,DGS10\n2025-11-24,4.04\n"),
        loopback.Answer("observation_date,DGS10\n2025-11-24,4.05\n"),
    )

    assert [fetched(settings).rows["value"].iloc[0] for _ in range(2)] == [4.04, 4.05]
