"""Write the table of `paper-trading.md` that says what an account without dividends misses on the reserve, by year.

reverse-qe data import --name quoted --prices ../shared/market/prices_raw --actions ../shared/market/actions.csv
python docs/write_unbooked.py --market quoted
"""

import argparse
from pathlib import Path

import pandas as pd

from data.markets import open_market
from data.prices.actions import listed_bars
from page_parts import table

PAGE = Path(__file__).resolve().parent / "paper-trading.md"
BEGIN, END = "<!-- made by docs/write_unbooked.py: begin -->", "<!-- made by docs/write_unbooked.py: end -->"
SYMBOL, YEARS = "BIL", 5


def dividends_by_year(market: str) -> pd.Series:
    """Dividends of the newest years over the price before them; the last year as far as it goes."""
    snapshot = open_market(market)
    closes = listed_bars(snapshot, SYMBOL, "raw")["close"]
    actions = snapshot.actions
    paid = actions[(actions["symbol"] == SYMBOL) & (actions["kind"] == "dividend")]
    by_year = paid.groupby(paid["date"].dt.year)["value"].sum()
    before = closes.groupby(pd.DatetimeIndex(closes.index).year).last().shift()
    return (by_year / before).dropna().iloc[-YEARS:]


def main() -> None:
    """Put the table between the marks of the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--market", required=True)
    missed = dividends_by_year(parser.parse_args().market)
    rows = [(str(year), f"{share:.2%}") for year, share in missed.items()]
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    made = table(("year", f"dividends of {SYMBOL}, of its price"), rows)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
