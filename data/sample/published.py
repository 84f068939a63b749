"""What the simulated economy publishes: macro series under the catalogue's names, with their publication rules."""

import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from data.catalogue.publication import publication_times
from data.catalogue.series import series_entry
from data.market.tables import COVERAGE, PACES, SERIES
from data.sample.parameters import SampleParameters

USD_MILLIONS = 1000
SESSIONS_A_MONTH = 21
WEDNESDAY = 2


def published_series(economy: pd.DataFrame, parameters: SampleParameters) -> pd.DataFrame:
    """Return the rows of `data.market.tables.SERIES` from the market's first day on.

    Yields, spreads, the repo rate and reverse repo on sessions that are no federal holidays, the policy rate and the
    interest on reserves on every day, balance sheets on Wednesdays (level of that evening, or of the last session
    before a holiday; of the Treasury's account the mean of the week to it too).

    Args:
        economy: of `data.sample.economy.simulate_economy`.
        parameters: of the scenario.
    """
    rates = parameters.rates
    first, repo_first = pd.Timestamp(parameters.calendar.first), pd.Timestamp(rates.repo_first)
    every_day = economy.reindex(pd.date_range(economy.index[0], economy.index[-1]), method="ffill")
    holidays = USFederalHolidayCalendar().holidays(economy.index[0], economy.index[-1])
    business = economy[~economy.index.isin(holidays)]
    is_wednesday = pd.DatetimeIndex(every_day.index).day_of_week == WEDNESDAY
    wednesdays, week = every_day[is_wednesday].round(3), every_day.rolling(7).mean()[is_wednesday].round(3)
    values = {
        "DGS10": business["nominal_yield"],
        "DFII10": business["real_yield"],
        "DGS3MO": business["bill"],
        "BAA10Y": business["spread"],
        "SOFR": business["repo"].loc[repo_first:],
        "DFF": every_day["policy"],
        "IORB": (every_day["policy"] + rates.reserves_over_policy_bp / 100).loc[pd.Timestamp(rates.reserves_first) :],
        "WALCL": wednesdays["central_bank"] * USD_MILLIONS,
        "WDTGAL": wednesdays["treasury"] * USD_MILLIONS,
        "WTREGEN": week["treasury"] * USD_MILLIONS,
        "RRPONTSYD": business["reverse_repo"].round(3),
    }
    return SERIES.conform(pd.concat([_rows(name, series.loc[first:]) for name, series in values.items()]))


def announced_paces(economy: pd.DataFrame, parameters: SampleParameters) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what the central bank announces when its pace changes, and that nothing of it is left out.

    It is told at 18:00 UTC of the session that begins a phase, and is in force from the next day on.

    Args:
        economy: of `data.sample.economy.simulate_economy`.
        parameters: of the scenario.

    Returns:
        `data.market.tables.PACES`, and one row of `data.market.tables.COVERAGE`.
    """
    step = parameters.supply.pace_step_bn
    monthly = (economy["pace"] * SESSIONS_A_MONTH / step).round() * step
    changes = monthly[monthly != monthly.shift()]
    days = pd.DatetimeIndex(changes.index)
    paces = pd.DataFrame(
        {
            "company": "Fed",
            "announced_at": days,
            "effective_from": days + pd.Timedelta(days=1),
            "pace_usd_bn_month": changes.to_numpy(),
            "treasury_usd_bn_month": changes.to_numpy(),
            "mbs_usd_bn_month": 0.0,
            "statement": "SIMULATED",
            "source": "the built-in model",
            "confidence": "high",
            "note": "",
            "known_at": (days + pd.Timedelta(hours=18)).tz_localize("UTC"),
        }
    )
    covered = {"kind": "balance_sheet_pace", "company": "Fed", "rule": "every one", "confidence": "high"}
    span = {"complete_from": economy.index[0], "complete_to": economy.index[-1], "evidence": "SIMULATED"}
    return PACES.conform(paces), COVERAGE.conform(pd.DataFrame([covered | span]))


def _rows(name: str, values: "pd.Series[float]") -> pd.DataFrame:
    days = pd.DatetimeIndex(values.index)
    known_at = publication_times(days, series_entry(name).publication)
    return pd.DataFrame({"series": name, "date": days, "value": values.to_numpy(), "known_at": known_at})
