"""From when on an event was known: stamps of announcements and filings, and the rules of the three event tables.

Every rule errs to the late side of what its row tells. A day is a naive date, a moment is UTC, blank stays blank.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import CustomBusinessDay

from data.events.refusals import refuse_rows
from data.market.tables import CAPEX

SESSION_TIMES: Mapping[str, pd.Timedelta] = MappingProxyType(
    {"bmo": pd.Timedelta("13h"), "intraday": pd.Timedelta("20h"), "amc": pd.Timedelta("21h30min")}
)
"""UTC time of day of an announcement before the open, during the session, after the close."""

CALL_TIMES: Mapping[str, pd.Timedelta] = MappingProxyType(
    {"bmo": pd.Timedelta("14h"), "intraday": pd.Timedelta("20h"), "amc": pd.Timedelta("23h30min")}
)
"""The same of guidance, which is told on the call, an hour and more after the release."""

LATER_VINTAGE = "later_vintage"

_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_PUBLIC_ACT = r"\b(?:announced|pricing day|priced|launched|closed|nomination|confirmed|sworn in)\b"
_INFERRED_DATE = r"\b(?:filing|recalled|probably)\b"


def announcement_times(
    days: pd.Series, sessions: pd.Series, clock: Mapping[str, pd.Timedelta] = SESSION_TIMES
) -> pd.Series:
    """When announcements of these days and sessions became public; without a session, late in the evening."""
    announced: pd.Series = (days + sessions.map(clock)).dt.tz_localize("UTC")
    return announced.fillna(filing_times(days))


def filing_times(days: pd.Series) -> pd.Series:
    """When filings of these days were public at the latest: 22:00 New York time, when EDGAR closes."""
    evening = days.astype("datetime64[us]") + pd.Timedelta(hours=22)
    return evening.dt.tz_localize("America/New_York").dt.tz_convert("UTC")


def result_times(frame: pd.DataFrame, figure: str, filings: Mapping[str, pd.Timestamp]) -> pd.Series:
    """When one figure of each result became known.

    It is known from the announcement; from the filing where ``date_confidence`` is low. A figure of later vintage is
    known from the last filing that ``source`` names and that is later than the row's own; a year after the row's first
    moment where it names none.

    Args:
        frame: raw columns of `data.market.tables.CAPEX`, checked.
        figure: ``capex`` or ``ocf``.
        filings: filing dates by accession number, see `filing_dates`.

    Raises:
        InputError: a figure of later vintage whose source names a filing that `filings` lacks.
    """
    first = announcement_times(frame["announced_at"], frame["session"])
    first = first.mask(frame["date_confidence"] == "low", filing_times(frame["filed_at"]))
    revised = frame[f"{figure}_vintage"] == LATER_VINTAGE
    named = frame["source"].where(revised, "").map(_ACCESSION.findall)
    unknown = named.map(lambda accessions: any(accession not in filings for accession in accessions))
    reason = (
        f"its {figure} is of later vintage and its source names a filing whose date no row gives; "
        "add the row of that filing, with its filed_at"
    )
    refuse_rows(CAPEX, frame, unknown, reason)

    own = frame["filed_at"].fillna(frame["announced_at"])
    dates = [
        max((filings[accession] for accession in accessions if filings[accession] > filed), default=pd.NaT)
        for accessions, filed in zip(named, own, strict=True)
    ]
    later = filing_times(pd.Series(dates, index=frame.index, dtype="datetime64[us]"))
    later = later.fillna(first + pd.DateOffset(years=1))
    return first.mask(revised, later).where(frame[f"{figure}_usd_bn"].notna())


def filing_dates(results: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Filing dates by accession number: a row's ``filed_at`` is that of the filing its ``source`` names first.

    Where two rows claim a filing, the later date holds.
    """
    own = results["source"].str.extract(f"({_ACCESSION.pattern})", expand=False)
    return {str(accession): date for accession, date in results["filed_at"].groupby(own).max().dropna().items()}


def guidance_times(
    frame: pd.DataFrame, results: pd.DataFrame, clock: Mapping[str, pd.Timedelta] = CALL_TIMES
) -> pd.Series:
    """When each guidance became known.

    It is known from the call on which it was told. Where its confidence is low and the result of the same company and
    day has a ``date_confidence`` of low, from that result's filing.

    Args:
        frame: raw columns of `data.market.tables.GUIDANCE`, checked.
        results: raw columns of `data.market.tables.CAPEX`.
        clock: UTC time of day by session; version 0.1.0 took `SESSION_TIMES`.
    """
    recalled = results[results["date_confidence"] == "low"].drop_duplicates(["company", "announced_at"])
    same_day = frame[["company", "announced_at"]].merge(recalled, on=["company", "announced_at"], how="left")
    filed = filing_times(same_day["filed_at"].set_axis(frame.index))
    announced = announcement_times(frame["announced_at"], frame["session"], clock)
    return announced.mask((frame["confidence"] == "low") & filed.notna(), filed)


def funding_times(frame: pd.DataFrame) -> pd.Series:
    """When each funding or policy event became known.

    At 00:00 UTC two days after its date where ``date_basis`` is an announcement, a pricing or another public act, not
    recalled nor inferred from a filing, and the confidence is high. Else at the later of the filing's moment and 22:00
    UTC five business days (federal holidays) after its date.

    Args:
        frame: raw columns of `data.market.tables.FUNDING`, checked.
    """
    basis = frame["date_basis"]
    public = basis.str.contains(_PUBLIC_ACT) & ~basis.str.contains(_INFERRED_DATE) & (frame["confidence"] == "high")
    quick = (frame["date"] + pd.Timedelta(days=2)).dt.tz_localize("UTC")
    slow = (frame["date"].map(_five_business_days_after) + pd.Timedelta(hours=22)).dt.tz_localize("UTC")
    filed = filing_times(frame["filed_at"])
    return slow.mask(filed > slow, filed).mask(public, quick)


def _five_business_days_after(day: pd.Timestamp) -> pd.Timestamp:
    return day + _five_business_days()


@cache
def _five_business_days() -> CustomBusinessDay:
    return CustomBusinessDay(n=5, calendar=USFederalHolidayCalendar())
