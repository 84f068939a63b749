"""What a share pays, and when: implied equity duration and the yield of free cash flow."""

import math
from typing import NamedTuple

# Of Dechow, Sloan and Soliman (2004), "Implied Equity Duration", Review of Accounting Studies 9.
COST_OF_EQUITY = 0.12
LONG_RUN_RETURN, RETURN_PERSISTENCE = 0.12, 0.57
LONG_RUN_GROWTH, GROWTH_PERSISTENCE = 0.06, 0.24
HORIZON_YEARS = 10
LONGEST = HORIZON_YEARS + (1 + COST_OF_EQUITY) / COST_OF_EQUITY


class Accounts(NamedTuple):
    """A company's year, in one unit of money.

    Attributes:
        book: equity at its end.
        book_before: equity at the end of the year before.
        earnings: of the year.
        sales: of the year.
        sales_before: of the year before.
        value: market value of the equity.
    """

    book: float
    book_before: float
    earnings: float
    sales: float
    sales_before: float
    value: float


def implied_duration(accounts: Accounts) -> float:
    """Years until the payments that a price stands for come, on average: ten years of forecasts, then a perpetuity.

    The return on equity and the growth of sales, which the book grows with, go back to their long-run means; what is
    paid out is what is earned and not kept. The first part is taken over the market value, as the paper has it.

    Returns:
        Years; NaN where book, sales or value of the past are not above 0, so that there is nothing to begin from.
    """
    if not (accounts.book_before > 0 and accounts.sales_before > 0 and accounts.value > 0):
        return math.nan
    earned = accounts.earnings / accounts.book_before
    growth = accounts.sales / accounts.sales_before - 1.0
    book, worth, timed = accounts.book, 0.0, 0.0
    for year in range(1, HORIZON_YEARS + 1):
        earned = RETURN_PERSISTENCE * earned + (1 - RETURN_PERSISTENCE) * LONG_RUN_RETURN
        growth = GROWTH_PERSISTENCE * growth + (1 - GROWTH_PERSISTENCE) * LONG_RUN_GROWTH
        after = book * (1 + growth)
        paid = (book - after + book * earned) / (1 + COST_OF_EQUITY) ** year
        worth, timed, book = worth + paid, timed + year * paid, after
    return timed / accounts.value + LONGEST * (1 - worth / accounts.value)


def cash_flow_yield(cash_flow: float, value: float) -> float:
    """Free cash flow of a year over the market value of the equity; NaN where that is not above 0."""
    return cash_flow / value if value > 0 else math.nan
