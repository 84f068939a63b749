"""Series of a company's years, named by its instrument and the figure, such as ``MU.sales``."""

from collections.abc import Mapping
from types import MappingProxyType

from data.catalogue.series import SeriesEntry, series_entry

SHARES, BOOK, EARNINGS, SALES, CASH_FLOW = "shares", "book", "earnings", "sales", "free_cash_flow"

FILED_FIGURES: Mapping[str, str] = MappingProxyType(
    {
        SHARES: "shares outstanding on the date, as counted then",
        BOOK: "book equity on the date",
        EARNINGS: "net income of the year that ends on the date",
        SALES: "sales of the year that ends on the date",
        CASH_FLOW: "operating cash flow less capex of the year that ends on the date",
    }
)
"""What each figure means; each but the shares in millions of US dollars, these in millions."""

FILED_SOURCE = "SEC EDGAR"
# A year after its end the next one is due within a quarter.
STALE_DAYS = 460


def filed_name(symbol: str, figure: str) -> str:
    """The name of a series."""
    return f"{symbol}.{figure}"


def filed_or_entry(name: str, catalogue: Mapping[str, SeriesEntry]) -> SeriesEntry:
    """The entry of a series that comes in a file: of a catalogue, else of a company's figure by its name.

    Raises:
        InputError: there is neither.
    """
    symbol, _, figure = name.rpartition(".")
    if name not in catalogue and symbol and figure in FILED_FIGURES:
        return filed_entry(symbol, figure, source="file")
    return series_entry(name, catalogue)


def filed_entry(symbol: str, figure: str, source: str = FILED_SOURCE) -> SeriesEntry:
    """The entry of a series that is made of filings; what is fetched has the moment of its filing."""
    return SeriesEntry(
        unit="millions" if figure == SHARES else "usd_millions",
        meaning=f"{symbol}: {FILED_FIGURES[figure]}",
        publication="filing",
        stale_after_days=STALE_DAYS,
        source=source,
        revised=True,
        at_fred=False,
        range=(0.0, 1e6) if figure == SHARES else (-1e7, 1e7),
    )
