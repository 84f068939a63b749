"""Returns from one day on which something was valued to the next, whatever lies between."""

import pandas as pd


def returns_between(daily: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Compound daily returns to those of some of their days; the first from the beginning of `daily` on.

    Args:
        daily: by session, fractions.
        days: some of these sessions, ascending.
    """
    wealth = (1.0 + daily).cumprod().loc[days]
    returns: pd.DataFrame = wealth / wealth.shift(fill_value=1.0) - 1.0
    return returns
