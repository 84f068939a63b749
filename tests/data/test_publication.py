"""Publication rules against dates of public calendars and of releases that took place."""

import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.own import OwnCatalogue
from data.catalogue.publication import _RULES, PublicationRule, publication_times
from data.catalogue.series import SeriesEntry, read_catalogue, series_entry
from data.errors import InputError
from data.files.toml import validated


def published(rule: PublicationRule, day: str) -> str:
    times = publication_times(pd.DatetimeIndex([day]), rule)
    assert str(times.dtype) == "datetime64[us, UTC]"
    return f"{times[0]:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        # H.15 and the like. 2025-11-27 was Thanksgiving, a Thursday.
        ("next_business_day", "2025-11-25", "2025-11-26 22:00"),
        ("next_business_day", "2025-11-26", "2025-11-28 22:00"),
        ("next_business_day", "2025-11-21", "2025-11-24 22:00"),
        ("next_business_day", "2025-11-10", "2025-11-12 22:00"),  # Veterans Day, on which the NYSE is open
        ("next_business_day", "2025-10-10", "2025-10-14 22:00"),  # Columbus Day, a Monday
        ("next_business_day", "2023-12-22", "2023-12-26 22:00"),  # Christmas Day on a Monday
        ("next_business_day", "2021-06-17", "2021-06-21 22:00"),  # the first Juneteenth, kept on Friday the 18th
        ("next_business_day", "2025-04-17", "2025-04-21 22:00"),  # Good Friday: no SOFR, no bond market
        ("next_business_day", "2025-11-22", "2025-11-24 22:00"),  # a Saturday's DFF
        ("next_business_day", "2025-11-23", "2025-11-24 22:00"),  # a Sunday's
        # Federal offices were closed by executive order on 2025-12-24 and 26; 2025-01-09 was a day of mourning.
        ("next_business_day", "2025-12-23", "2025-12-29 22:00"),
        ("next_business_day", "2025-01-08", "2025-01-10 22:00"),
        # H.4.1: Wednesday's figures on Thursday.
        ("weekly_h41", "2025-11-19", "2025-11-20 22:00"),
        ("weekly_h41", "2025-11-26", "2025-11-28 22:00"),
        ("weekly_h41", "2025-01-22", "2025-01-24 22:00"),  # the Monday was Martin Luther King Day
        ("weekly_h41", "2025-12-31", "2026-01-02 22:00"),  # the Thursday was New Year's Day
        ("weekly_h41", "2025-12-24", "2025-12-29 22:00"),
        ("weekly_h41", "2002-12-25", "2002-12-27 22:00"),  # the Wednesday itself was Christmas Day
        # H.8: Wednesday's figures on the Friday of the week after.
        ("weekly_h8", "2025-11-05", "2025-11-17 22:00"),  # Friday the 14th, a day later for Veterans Day
        ("weekly_h8", "2025-10-29", "2025-11-07 22:00"),
        ("weekly_h8", "2025-11-19", "2025-12-01 22:00"),  # Thanksgiving
        # The public debt of a month's end: on the fourth business day, taken a day late.
        ("fifth_business_day", "2024-04-30", "2024-05-07 22:00"),  # the statement was updated on Monday, May 6
        ("fifth_business_day", "2021-05-31", "2021-06-07 22:00"),  # and on June 5, a Saturday
        ("fifth_business_day", "2026-08-31", "2026-09-08 22:00"),  # Labor Day on September 7
        # H.10: a week's days on the Monday after.
        ("weekly_h10", "2025-11-17", "2025-11-24 22:00"),
        ("weekly_h10", "2025-11-21", "2025-11-24 22:00"),
        ("weekly_h10", "2025-10-10", "2025-10-14 22:00"),
        # NFCI: the week to Friday, on Wednesday; Thanksgiving comes a day after and does not delay it.
        ("nfci", "2025-11-21", "2025-11-26 14:00"),
        ("nfci", "2025-11-28", "2025-12-03 14:00"),
        ("nfci", "2025-11-07", "2025-11-13 14:00"),  # Veterans Day on the Tuesday
        ("nfci", "2025-12-19", "2025-12-29 14:00"),
        # STLFSI4: the Thursday after.
        ("following_thursday", "2025-11-14", "2025-11-20 22:00"),
        ("following_thursday", "2025-11-21", "2025-11-28 22:00"),
        # A month's money stock.
        ("following_month_end", "2025-12-01", "2026-01-31 22:00"),
        ("following_month_end", "2024-01-31", "2024-02-29 22:00"),
        # A year: the last day for a 10-K; Good Friday and the days after it wait for Monday.
        ("filing", "2023-12-30", "2024-04-01 22:00"),
        ("filing", "2025-08-28", "2025-11-28 22:00"),
        # Reverse repurchases: results in the early afternoon. The rate on reserves: announced the day before.
        ("same_day", "2025-11-26", "2025-11-26 22:00"),
        ("effective_date", "2025-10-30", "2025-10-30 00:00"),
    ],
)
def test_rule_follows_the_public_calendar(rule: PublicationRule, day: str, expected: str) -> None:
    assert published(rule, day) == expected


@pytest.mark.parametrize(
    ("series", "day", "released", "next_decision"),
    [
        # ALFRED, series WOLCL of the same release: "Updated: Mar 27, 2025 3:35 PM CDT".
        ("WALCL", "2025-03-26", "2025-03-27 20:35", "2025-03-28"),
        # The Federal Reserve's archive of H.4.1, each "for release at 4:30": Fridays after Thanksgiving.
        ("WALCL", "2004-11-24", "2004-11-26 21:30", "2004-11-27"),
        ("WALCL", "2007-11-21", "2007-11-23 21:30", "2007-11-24"),
        ("WALCL", "2008-11-26", "2008-11-28 21:30", "2008-11-29"),
        # At Christmas it came a day earlier than the rule has it, which errs to the late side.
        ("WALCL", "2003-12-24", "2003-12-26 21:30", "2003-12-30"),
        ("WALCL", "2007-12-26", "2007-12-27 21:30", "2007-12-29"),
        # ALFRED, a subindex of NFCI, in the week of Memorial Day: "Updated: May 28, 2026 7:35 AM CDT".
        ("NFCI", "2026-05-22", "2026-05-28 12:35", "2026-05-29"),
        # New York Fed, statement of 2020-06-25: the SOFR of July 2 is published on Monday, July 6.
        ("SOFR", "2020-07-02", "2020-07-06 12:00", "2020-07-07"),
        # Federal Reserve, H.6: "last released Tuesday, August 24, 2021", with the month of July, at 13:00 in New York.
        ("M2SL", "2021-07-01", "2021-08-24 17:00", "2021-09-01"),
        # Federal Reserve, H.15: "posted daily Monday through Friday at 4:15pm"; that of May 31, 2024 ends with May 30.
        ("DGS10", "2024-05-30", "2024-05-31 20:15", "2024-06-03"),
    ],
)
def test_known_after_the_release_that_took_place_and_before_the_decision_that_may_use_it(
    series: str, day: str, released: str, next_decision: str
) -> None:
    known_at = publication_times(pd.DatetimeIndex([day]), series_entry(series).publication)[0]

    assert pd.Timestamp(released, tz="UTC") <= known_at <= pd.Timestamp(next_decision, tz="UTC")


@pytest.mark.parametrize("rule", list(_RULES))
def test_nothing_is_known_before_its_day_nor_out_of_order(rule: PublicationRule) -> None:
    days = pd.date_range("1990-01-01", "2035-12-31", freq="D")

    times = publication_times(days, rule)

    assert (times >= days.tz_localize("UTC")).all()
    assert times.is_monotonic_increasing


@pytest.mark.parametrize(
    "rule", [rule for rule in _RULES if rule not in ("effective_date", "same_day", "following_month_end")]
)
def test_nothing_is_published_on_a_weekend_or_at_christmas(rule: PublicationRule) -> None:
    times = publication_times(pd.date_range("1990-01-01", "2035-12-31", freq="D"), rule)

    assert set(times.day_of_week) <= {0, 1, 2, 3, 4}
    assert not ((times.month == 12) & (times.day == 25)).any()


def test_times_come_in_the_order_of_the_days() -> None:
    times = publication_times(pd.DatetimeIndex(["2025-11-26", "2025-11-21"]), "next_business_day")

    assert [f"{time:%m-%d}" for time in times] == ["11-28", "11-24"]


def test_a_series_without_an_entry_is_refused_with_a_line_that_can_be_pasted() -> None:
    with pytest.raises(InputError) as refusal:
        series_entry("NEW.SERIES")

    message = str(refusal.value)
    section, line = re.search(r"under (\[[a-z.]+\]): (.*)", message).groups()  # type: ignore[union-attr]
    pasted = tomllib.loads(f"{section}\n{line}")["catalogue"]
    entries = validated(OwnCatalogue, pasted, "the spec", "catalogue").series
    assert entries["NEW.SERIES"].publication == "next_business_day"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[X]\nunit = percent\n", "(at line 2, column 8)"),
        ('[X]\nunit = "percent"\n', "X.meaning: Field required"),
        (
            '[X]\nunit = "u"\nmeaning = "m"\npublication = "never"\nstale_after_days = 1\nsource = "s"\n',
            "X.publication: Input should be 'effective_date'",
        ),
    ],
)
def test_a_catalogue_at_fault_is_refused_by_file_and_entry(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "series.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match=r"series\.toml") as refusal:
        read_catalogue(path, SeriesEntry)
    assert reason in str(refusal.value)
