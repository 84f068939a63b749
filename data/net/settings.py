"""How sources are asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceSettings:
    """How the sources are asked. Keys are none of it: they come from the environment, where they are used.

    Attributes:
        yahoo_url: of Yahoo's prices, to see whether there is a network; the addresses asked are yfinance's own.
        fred_graph_url: of FRED's download without a key.
        fred_api_url: of FRED's API, which wants a key.
        edgar_url: of the SEC's data API.
        edgar_archives_url: of its archives of filings.
        edgar_tickers_url: of its list of tickers and the numbers of their companies.
        connect_timeout: seconds, above 0, until a host that does not take the call counts as out of reach.
        read_timeout: seconds, above 0, that one answer may take in whole.
        attempts: at least 1; how often a question is put when the answer is 429, 5xx, too slow or cut off.
        pause: seconds, at least 0, before the second attempt, and up to as much again by chance; doubled each time.
        largest_answer: bytes, unpacked; an answer is read up to here and refused where it goes on.
        longest_wait: seconds; a host that asks to be left alone for longer is not asked again.
        yahoo_per_second: symbols asked of Yahoo a second, above 0.
        fred_per_second: requests to FRED a second, above 0.
        edgar_per_second: requests to the SEC a second, above 0; its limit is 10.
        user_agent: how we introduce ourselves.
    """

    yahoo_url: str = "https://query2.finance.yahoo.com"
    fred_graph_url: str = "https://fred.stlouisfed.org/graph/fredgraph.csv"
    fred_api_url: str = "https://api.stlouisfed.org/fred"
    edgar_url: str = "https://data.sec.gov"
    edgar_archives_url: str = "https://www.sec.gov/Archives"
    edgar_tickers_url: str = "https://www.sec.gov/files/company_tickers.json"
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    attempts: int = 3
    pause: float = 1.0
    largest_answer: int = 64_000_000
    longest_wait: float = 60.0
    yahoo_per_second: float = 1.0
    fred_per_second: float = 1.5
    edgar_per_second: float = 5.0
    user_agent: str = "reverse-qe (backtesting research)"
