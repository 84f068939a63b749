"""The market brought up to date before a step: the one place where the trader reaches the sources of data."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd

from backtests.prepare.needs import needs_of
from backtests.spec.spec import Spec
from data.errors import InputError
from data.fetch.collect import public_sources
from data.fetch.fetch import fetch
from data.files.locks import BusyError
from data.market.manifest import FetchRecord
from data.market.versions import versions_of
from data.net.settings import SourceSettings


def refresh(market: str, spec: Spec, now: datetime, report: Callable[[str], None]) -> list[str]:
    """Fetch what a market lacks, as its next version; of one that is not there yet, all that the spec reads.

    Whether what is there without it is fresh enough is for the guard on stale data to say.

    Args:
        market: a name with versions.
        spec: of the account.
        now: UTC.
        report: is told what is under way.

    Returns:
        What did not come, a sentence each.

    Raises:
        InputError: there was no version of the market, and none could be made.
    """
    is_first = not versions_of(market)
    wanted, own = (needs_of(spec), spec.catalogue) if is_first else (FetchRecord(), None)
    try:
        asked = public_sources(SourceSettings())
        outcome = fetch(market, wanted, asked, pd.Timestamp(now), report=report, own=own)
    except BusyError as error:
        return [f"the market {market} was not refreshed: {error}"]
    failures = [f"{each.name} was not refreshed by {each.source}: {each.reason}" for each in outcome.failures]
    if is_first and outcome.version is None:
        more = f" ({len(failures) - 1} more)" if len(failures) > 1 else ""
        raise InputError(
            f"the market {market}, of which no version is kept, could not be made: "
            f"{failures[0] if failures else 'no source answered'}{more}; see: reverse-qe data fetch --name {market}"
        )
    return failures
