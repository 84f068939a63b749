"""From a company's quarters and earnings releases to rows of results, each with the moment at which it became known."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from data.catalogue.companies import Company
from data.events.completion import complete_capex
from data.events.times import filing_times
from data.sources.edgar_quarters import Quarter, QuarterHistory, nearest_month
from data.sources.edgar_releases import Release, release_of

VERSION_COLUMNS = (
    "company",
    "fiscal_period",
    "figure",
    "version",
    "value_usd_bn",
    "known_at",
    "filed_at",
    "accession",
    "derivation",
)

CAPEX_FIGURE, OCF_FIGURE = FIGURES = ("capex", "ocf")
USD_A_BILLION = 1e9

_DAYS = ("period_end", "announced_at", "filed_at")
# Later than this after a quarter's end, its first filing is not the one that its release announced.
_RELEASE_DAYS = 120


def results_table(
    symbol: str, company: Company, histories: Mapping[str, QuarterHistory], releases: Sequence[Release]
) -> pd.DataFrame:
    """Lay the quarters of a company out as results, one row a fiscal quarter, as it was known first.

    A row has one moment: when the last of its figures was known. It is that of the earnings release that tells of the
    quarter, where there is one and the filing that it announced is the first with the figures; else that of the filing.

    Args:
        symbol: the company.
        company: its entry.
        histories: of each of `FIGURES`; at least one quarter.
        releases: of the company, in any order.

    Returns:
        `data.market.tables.CAPEX`, completed. A figure that no filing has is NaN. Leases and headline figures are not
        filed.
    """
    periods = sorted({period for history in histories.values() for period in history.versions})
    rows = [_row(symbol, company, period, histories, releases) for period in periods]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(_DAYS, "datetime64[us]"))
    return complete_capex(frame).table


def version_table(symbol: str, histories: Mapping[str, QuarterHistory], results: pd.DataFrame) -> pd.DataFrame:
    """List every version of every figure: the first one, and what later filings made of it.

    Args:
        symbol: the company.
        histories: of each of `FIGURES`.
        results: of `results_table`.

    Returns:
        `VERSION_COLUMNS`, ordered by quarter, figure and version (from 1). A restated value is known from its filing.
    """
    filed_at = dict(zip(results["fiscal_period"], results["filed_at"], strict=True))
    rows = [
        {
            "company": symbol,
            "fiscal_period": period,
            "figure": figure,
            "version": number,
            "value_usd_bn": quarter.value / USD_A_BILLION,
            "filed_at": pd.Timestamp(quarter.filed),
            "accession": quarter.newest.accession,
            "derivation": quarter.derivation,
        }
        for period in filed_at
        for figure in FIGURES
        for number, quarter in enumerate(histories[figure].versions.get(period, ()), start=1)
    ]
    table = pd.DataFrame(rows, columns=[name for name in VERSION_COLUMNS if name != "known_at"])
    first_known = results.set_index("fiscal_period")[["capex_known_at", "ocf_known_at"]].max(axis=1)
    told_at_first = table["filed_at"] <= table["fiscal_period"].map(filed_at)
    known_at = filing_times(table["filed_at"]).mask(told_at_first, table["fiscal_period"].map(first_known))
    return table.assign(known_at=known_at)[list(VERSION_COLUMNS)]


def result_notes(histories: Mapping[str, QuarterHistory], results: pd.DataFrame) -> list[str]:
    """Note what a person should know: quarters that could not be had, figures that came late, capex below 0."""
    notes = [f"{figure}: {note}" for figure, history in histories.items() for note in history.notes]
    capex, ocf = (histories[figure].versions for figure in FIGURES)
    notes += [
        f"{period}: capex was filed on {capex[period][0].filed}, operating cash flow on {ocf[period][0].filed}; "
        "the row is known from the later"
        for period in sorted(capex.keys() & ocf.keys())
        if capex[period][0].filed != ocf[period][0].filed
    ]
    below = results[results["capex_usd_bn"] < 0]
    notes += [
        f"{period}: capex is {value:.3f} USD bn, below 0; compare {source}"
        for period, value, source in zip(below["fiscal_period"], below["capex_usd_bn"], below["source"], strict=True)
    ]
    return notes


def _row(
    symbol: str,
    company: Company,
    period: str,
    histories: Mapping[str, QuarterHistory],
    releases: Sequence[Release],
) -> dict[str, object]:
    versions = {figure: histories[figure].versions.get(period, ()) for figure in FIGURES}
    filed = max(quarters[0].filed for quarters in versions.values() if quarters)
    known = {
        figure: next((quarter for quarter in reversed(quarters) if quarter.filed <= filed), None)
        for figure, quarters in versions.items()
    }
    quarters = [quarter for quarter in known.values() if quarter]
    end = quarters[0].end
    newest = max((quarter.newest for quarter in quarters), key=lambda fact: fact.filed)
    release = _release(company, quarters, filed, releases)
    return {
        "company": symbol,
        "fiscal_period": period,
        "calendar_quarter": _calendar_quarter(end),
        "period_end": end,
        "announced_at": release.announced_at if release else filed,
        "session": release.session if release else "",
        "announced_basis": release.basis if release else f"filing {newest.accession}",
        "date_confidence": "high",
        "filed_at": filed,
        **{f"{figure}_usd_bn": quarter.value / USD_A_BILLION if quarter else None for figure, quarter in known.items()},
        **{f"{figure}_vintage": "as_first_reported" if quarter else "" for figure, quarter in known.items()},
        "finance_lease_principal_usd_bn": None,
        "headline_capex_usd_bn": None,
        "source": f"SEC XBRL {newest.accession}",
        "confidence": "high",
        "note": "; ".join(
            f"{figure} = {quarter.derivation}"
            for figure, quarter in known.items()
            if quarter and len(quarter.operands) > 1
        ),
    }


def _release(company: Company, quarters: Sequence[Quarter], filed: date, releases: Sequence[Release]) -> Release | None:
    """The release that told of all figures of a quarter, before the filing that holds the last of them."""
    end = quarters[0].end
    if not company.release_has_cash_flow or (filed - end).days > _RELEASE_DAYS:
        return None
    before = [fact.filed for quarter in quarters for fact in quarter.operands if fact.filed < filed]
    return release_of(releases, max([end, *before]), filed)


def _calendar_quarter(end: date) -> str:
    return str(pd.Period(nearest_month(end).end_time, freq="Q"))
