"""What the simulated economy publishes: macro series under the catalogue's names, with their publication rules."""

import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from data.catalogue.publication import publication_times
from data.catalogue.series import series_entry
from data.market.tables import SERIES

USD_MILLIONS = 1000
WEDNESDAY = 2


def published_series(economy: pd.DataFrame, first: pd.Timestamp, repo_first: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of `data.market.tables.SERIES` from `first` on.

    Yields, spreads, the repo rate and reverse repo on sessions that are no federal holidays, the policy rate on every
    day, balance sheets on Wednesdays (level of that evening, or of the last session before a holiday).

    Args:
        economy: of `data.sample.economy.simulate_economy`.
        first: first date published.
        repo_first: first date of SOFR.
    """
    every_day = economy.reindex(pd.date_range(economy.index[0], economy.index[-1]), method="ffill")
    holidays = USFederalHolidayCalendar().holidays(economy.index[0], economy.index[-1])
    business = economy[~economy.index.isin(holidays)]
    wednesdays = every_day[pd.DatetimeIndex(every_day.index).day_of_week == WEDNESDAY].round(3)
    values = {
        "DGS10": business["nominal_yield"],
        "DFII10": business["real_yield"],
        "DGS3MO": business["bill"],
        "BAA10Y": business["spread"],
        "SOFR": business["repo"].loc[repo_first:],
        "DFF": every_day["policy"],
        "WALCL": wednesdays["central_bank"] * USD_MILLIONS,
        "WTREGEN": wednesdays["treasury"] * USD_MILLIONS,
        "RRPONTSYD": business["reverse_repo"].round(3),
    }
    return SERIES.conform(pd.concat([_rows(name, series.loc[first:]) for name, series in values.items()]))


def _rows(name: str, values: "pd.Series[float]") -> pd.DataFrame:
    days = pd.DatetimeIndex(values.index)
    known_at = publication_times(days, series_entry(name).publication)
    return pd.DataFrame({"series": name, "date": days, "value": values.to_numpy(), "known_at": known_at})
