"""The market brought up to date before a step: the one place where the trader reaches the sources of data."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd

from data.errors import InputError
from data.fetch.collect import public_sources
from data.fetch.fetch import fetch
from data.files.locks import BusyError
from data.market.manifest import FetchRecord
from data.market.versions import versions_of
from data.net.settings import SourceSettings


def refresh(market: str, now: datetime, report: Callable[[str], None]) -> list[str]:
    """Fetch what a market lacks, as its next version.

    Whether what is there without it is fresh enough is for the guard on stale data to say.

    Args:
        market: a name with versions.
        now: UTC.
        report: is told what is under way.

    Returns:
        What did not come, a sentence each.

    Raises:
        InputError: there is no version of the market yet.
    """
    if not versions_of(market):
        raise InputError(
            f"got refresh = true for the market {market}, of which no version is kept; make the first one with: "
            f"reverse-qe data fetch --name {market}"
        )
    try:
        outcome = fetch(market, FetchRecord(), public_sources(SourceSettings()), pd.Timestamp(now), report=report)
    except BusyError as error:
        return [f"the market {market} was not refreshed: {error}"]
    return [f"{each.name} was not refreshed by {each.source}: {each.reason}" for each in outcome.failures]
