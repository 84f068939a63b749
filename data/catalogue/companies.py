"""The catalogue of companies: their number at the SEC, their fiscal year, and the tags of the figures they file."""

from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from data.catalogue.series import CATALOGUE_DIR, read_catalogue
from data.catalogue.unknown import unknown_name

COMPANIES_FILE = CATALOGUE_DIR / "companies.toml"


class Company(BaseModel):
    """What one company is, and how its filings name its figures.

    Attributes:
        name: for people.
        cik: Central Index Key, its number at the SEC.
        fiscal_year_end_month: in which its fiscal year ends; the year is numbered by the calendar year of that month.
            Years of 52 or 53 weeks end near the end of this month.
        capex_tags: us-gaap tags of cash paid for property and equipment, the one that holds first.
        ocf_tags: us-gaap tags of operating cash flow, likewise.
        release_has_cash_flow: whether its earnings release (8-K, item 2.02) shows both figures. Else they are known
            from the filing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cik: int = Field(gt=0, lt=10**10)
    fiscal_year_end_month: int = Field(ge=1, le=12)
    capex_tags: tuple[str, ...] = Field(min_length=1)
    ocf_tags: tuple[str, ...] = Field(
        default=(
            "NetCashProvidedByUsedInOperatingActivities",
            "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations",
        ),
        min_length=1,
    )
    release_has_cash_flow: bool = True


@cache
def company_catalogue() -> Mapping[str, Company]:
    """Return the shipped catalogue, by symbol."""
    return read_catalogue(COMPANIES_FILE, Company)


def company_entry(symbol: str, catalogue: Mapping[str, Company] | None = None) -> Company:
    """Return the entry of one company, by default a shipped one; `InputError` with what to add where there is none."""
    entries = company_catalogue() if catalogue is None else catalogue
    if symbol not in entries:
        raise unknown_name("company", symbol)
    return entries[symbol]
