"""What a book held, and what each instrument brought it."""

import numpy as np
import pandas as pd


def held_weights(positions: pd.DataFrame, closes: np.ndarray, equity: pd.Series) -> pd.DataFrame:
    """Shares of the equity that each instrument had at the close of each session.

    Args:
        positions: units held at the close, sessions by symbols.
        closes: value of a unit there, US dollars, of the same shape; NaN where there is none: nothing is held then.
        equity: at the close, US dollars, by the same sessions.

    Returns:
        Sessions by symbols, fractions; what is left to 1 is cash.
    """
    values = positions * np.where(positions.to_numpy() == 0, 0.0, closes)
    return values.div(equity, axis="index")


def instrument_profits(orders: pd.DataFrame, cash: pd.DataFrame, final_value: pd.Series) -> pd.Series:
    """What each instrument brought over a run, after its costs, US dollars.

    With the interest on cash they add up to the final equity less the initial cash.

    Args:
        orders: one row an order, with symbol, side, size (units filled), price and commission.
        cash: every movement of cash that is no order, with symbol (blank: of the cash itself) and amount.
        final_value: of what is held at the end, by symbol; its index are the instruments.
    """
    signs = np.where(orders["side"] == "buy", 1.0, -1.0)
    spent = (orders["size"] * orders["price"]).fillna(0.0) * signs + orders["commission"]
    paid = spent.groupby(orders["symbol"]).sum().reindex(final_value.index, fill_value=0.0)
    received = cash["amount"].groupby(cash["symbol"]).sum().reindex(final_value.index, fill_value=0.0)
    return final_value + received.astype(float) - paid


def drawdowns(returns: pd.Series) -> pd.Series:
    """How far wealth lies below its highest before, the start included: 0 or negative, by session."""
    wealth = (1.0 + returns).cumprod()
    return wealth / wealth.cummax().clip(lower=1.0) - 1.0


def monthly_returns(returns: pd.Series) -> pd.DataFrame:
    """Total return of the sessions of each month, years by months 1 to 12; NaN for a month without a session."""
    days = pd.DatetimeIndex(returns.index)
    growth = (1.0 + returns).groupby([days.year, days.month]).prod() - 1.0
    return growth.unstack().reindex(columns=range(1, 13))
