"""Fees that Alpaca has taken but not posted yet.

A coin that is bought comes less its fee, and a coin that is sold brings less, at once; the activity that says so, CFEE,
comes after the end of the day. Until then a position, and cash, may lie below the ledger's, by no more than this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from paper.broker import Fill, Movement

# The highest fee that Alpaca asks for a coin: of takers who trade less than 100,000 US dollars a month.
COIN_FEE = 0.0025
# Fees are rounded up.
SMALLEST_UNIT = 1e-9
CENT = 0.01
# Over a long weekend a fee may take so many days.
POSTED_WITHIN = timedelta(days=4)


@dataclass(frozen=True)
class Unposted:
    """Fees that may have been taken and are not posted: units by symbol, and US dollars; never below 0."""

    units: dict[str, float]
    cash: float


def unposted_fees(fills: Sequence[Fill], fees: Sequence[Movement], today: date) -> Unposted:
    """How much of the fees of coins may still be unposted: nothing any more when they are posted, or long past.

    Args:
        fills: of coins, at least of `POSTED_WITHIN` and of the days before that were traded without a day's pause.
        fees: that were posted of coins, at least of the same days.
        today: UTC.
    """
    bought = [fill for fill in fills if fill.side == "buy"]
    units = {}
    for symbol in sorted({fill.symbol for fill in bought}):
        of_symbol = [fill for fill in bought if fill.symbol == symbol]
        first = _first_day(of_symbol, today)
        taken = sum(COIN_FEE * fill.units + SMALLEST_UNIT for fill in of_symbol if fill.at.date() >= first)
        posted = -sum(fee.units for fee in fees if fee.symbol == symbol and _day(fee) >= first)
        units[symbol] = max(0.0, taken - posted)
    sold = [fill for fill in fills if fill.side == "sell"]
    first = _first_day(sold, today)
    taken = sum(COIN_FEE * fill.units * fill.price + CENT for fill in sold if fill.at.date() >= first)
    posted = -sum(fee.amount for fee in fees if _day(fee) >= first)
    return Unposted({symbol: left for symbol, left in units.items() if left}, max(0.0, taken - posted))


def _first_day(fills: Sequence[Fill], today: date) -> date:
    """The day from which fills and fees are set against each other.

    A fee may be dated on the day of its fill or on the day after, so the first day is one with no fill on the day
    before it: no fee of an earlier fill is then among those counted.
    """
    days, first = {fill.at.date() for fill in fills}, today - POSTED_WITHIN
    while first - timedelta(days=1) in days:
        first -= timedelta(days=1)
    return first


def _day(fee: Movement) -> date:
    """The day of a fee: that of the fill or the next one, however late it was posted."""
    return fee.at.date()
