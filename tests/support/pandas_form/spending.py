"""What the spenders' quarters tell: capex in trailing four quarters, its growth, and its share of operating cash flow.

Quarters are fiscal and counted by company: "2016Q2" follows "2016Q1", whatever the calendar says.
"""

import numpy as np
import pandas as pd

from data.catalogue.companies import company_entry
from data.errors import InputError
from data.market.tables import CAPEX as TABLE
from pandas_form.observations import sample_at_decisions
from signals.config import SignalConfig

QUARTERS_A_YEAR = 4
FISCAL_PERIOD = r"(\d{4})Q([1-4])"
CAPEX = "capex_usd_bn"
HEADLINE = "headline_capex_usd_bn"
FIGURES = {CAPEX: "capex_known_at", "ocf_usd_bn": "ocf_known_at"}
_COLUMNS = [*FIGURES, HEADLINE, *FIGURES.values(), "period_end"]


def company_quarters(capex: pd.DataFrame, company: str) -> pd.DataFrame:
    """Lay one company's figures out on its unbroken line of fiscal quarters.

    Args:
        capex: `data.market.tables.CAPEX`.
        company: its symbol.

    Returns:
        One row a fiscal quarter, numbered without a gap from the first to the last reported (4 x year + quarter);
        columns ``capex_usd_bn``, ``ocf_usd_bn``, ``headline_capex_usd_bn`` (USD billions; the last with finance leases,
        known with the first), ``capex_known_at``, ``ocf_known_at``, ``period_end``. A quarter that was not reported, or
        a blank figure, is NaN and never known (NaT).

    Raises:
        InputError: no row; a fiscal period that is no such as 2016Q2, is reported twice, or ends no later than the one
            before; a figure that is infinite or has no time at which it became known.
    """
    rows = capex.loc[capex["company"] == company, ["fiscal_period", *_COLUMNS]]
    if rows.empty:
        raise InputError(
            f"capex of {company}: got no row, wanted its quarters; import its results, or take it out of the "
            "signal's companies"
        )
    parts = rows["fiscal_period"].str.extract(f"^{FISCAL_PERIOD}$")
    if parts.isna().any(axis=None):
        got = rows["fiscal_period"][parts.isna().any(axis=1)].iloc[0]
        raise InputError(f"capex of {company}: got fiscal period {got!r}, wanted one such as 2016Q2; correct it")
    quarter = QUARTERS_A_YEAR * parts[0].astype(int) + parts[1].astype(int)
    rows = rows.set_index(quarter.rename("quarter")).sort_index()
    if rows.index.has_duplicates:
        got = rows["fiscal_period"][rows.index.duplicated()].iloc[0]
        raise InputError(f"capex of {company}: got {got} twice, wanted each quarter once; take one row out")
    early = rows["period_end"].isna() | (rows["period_end"].diff() <= pd.Timedelta(0))
    if early.any():
        got = rows[early].iloc[0]
        raise InputError(
            f"capex of {company}: got {got['fiscal_period']} ending on {got['period_end']}, wanted a day after the end "
            "of the quarter before; correct fiscal_period or period_end"
        )
    for figure, known_at in FIGURES.items():
        wrong = np.isinf(rows[figure]) | (rows[figure].notna() & rows[known_at].isna())
        if wrong.any():
            raise InputError(
                f"capex of {company}: got {figure} {rows[figure][wrong].iloc[0]} for "
                f"{rows['fiscal_period'][wrong].iloc[0]} with {known_at} {rows[known_at][wrong].iloc[0]}, wanted a "
                "number and the time at which it became known; correct the row"
            )
        rows[known_at] = rows[known_at].where(rows[figure].notna())
    line = range(rows.index[0], rows.index[-1] + 1)
    return rows.reindex(line)[_COLUMNS]


def fiscal_period(quarter: int) -> str:
    """Name a quarter by its number on the line: ``2016Q2``."""
    year, before = divmod(quarter - 1, QUARTERS_A_YEAR)
    return f"{year}Q{before + 1}"


def followed_quarters(capex: pd.DataFrame, config: SignalConfig) -> dict[str, pd.DataFrame]:
    """Lay out the figures of every company that the drain follows, see `company_quarters`.

    Returns:
        By symbol, `config.companies` first, then `config.further_event_companies`; of these, one without any row has a
        line without quarters.

    Raises:
        InputError: one of the latter has no row and no entry in the catalogue of companies; see `company_quarters` too.
    """
    lines = {company: company_quarters(capex, company) for company in config.companies}
    reported = set(capex["company"])
    for company in config.further_event_companies:
        if company in reported:
            lines[company] = company_quarters(capex, company)
        else:
            # It may report later; but what is no company's symbol is a slip.
            company_entry(company)
            lines[company] = TABLE.empty()[_COLUMNS]
    return lines


def trailing_capex(quarters: pd.DataFrame, moments: pd.DatetimeIndex, config: SignalConfig) -> pd.Series:
    """Sum one company's capex over its newest four quarters, as known at each moment.

    Args:
        quarters: as `company_quarters` returns them.
        moments: UTC, in any order.
        config: `capex_stale_days`.

    Returns:
        USD billions, indexed by `moments`; NaN where the four are not all known, or the newest is too old.
    """
    rows, complete, state = _newest_quarters(quarters, quarters["capex_known_at"], QUARTERS_A_YEAR)
    capex = quarters["capex_usd_bn"].to_numpy()[rows].sum(axis=1)
    known = state.assign(trailing=np.where(complete, capex, np.nan)).reindex(moments, method="ffill")
    age = (moments.tz_localize(None) - pd.DatetimeIndex(known["observed"])).days
    return known["trailing"].where(age <= config.capex_stale_days)


def capex_growth(companies: list[pd.DataFrame], sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    """Measure the log growth over a year of capex in trailing four quarters, summed over companies.

    A company counts with its newest quarter whose capex is known and the seven before it; where one of these eight is
    not known, of any company, or a newest quarter is too old (`config.capex_stale_days`), the growth is missing.

    Args:
        companies: each as `company_quarters` returns it.
        sessions: naive session dates, increasing.
        config: `capex_stale_days`.

    Returns:
        Indexed by `sessions`: ``value`` (log; NaN where missing or a sum is not positive), ``observed`` (end of the
        newest quarter of all) and ``known`` (when the last of the figures became known), NaT where there is none.
    """
    states = []
    for quarters in companies:
        rows, complete, state = _newest_quarters(quarters, quarters["capex_known_at"], 2 * QUARTERS_A_YEAR)
        capex = quarters["capex_usd_bn"].to_numpy()[rows]
        state["before"] = np.where(complete, capex[:, :QUARTERS_A_YEAR].sum(axis=1), np.nan)
        state["trailing"] = np.where(complete, capex[:, QUARTERS_A_YEAR:].sum(axis=1), np.nan)
        states.append(state)
    total = _sum_of_companies(states, sessions, config)
    positive = (total["before"] > 0) & (total["trailing"] > 0)
    ratio = (total["trailing"] / total["before"]).where(positive)
    return total.assign(value=np.log(ratio))[["value", "observed", "known"]]


def capex_to_cash_flow(companies: list[pd.DataFrame], sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    """Measure capex over operating cash flow, both in trailing four quarters and summed over companies.

    A company counts with its newest quarter of which both figures are known, and the three before it: capex is often
    known from a release whose cash flow follows, and a ratio of two different years would be none. Missing as in
    `capex_growth`.

    Args:
        companies: each as `company_quarters` returns it.
        sessions: naive session dates, increasing.
        config: `capex_stale_days`.

    Returns:
        As `capex_growth`; ``value`` is a ratio, NaN where the cash flow is not positive.
    """
    states = []
    for quarters in companies:
        both_known = quarters[[*FIGURES.values()]].max(axis=1, skipna=False)
        rows, complete, state = _newest_quarters(quarters, both_known, QUARTERS_A_YEAR)
        for name in FIGURES:
            state[name] = np.where(complete, quarters[name].to_numpy()[rows].sum(axis=1), np.nan)
        states.append(state)
    total = _sum_of_companies(states, sessions, config)
    share = total["capex_usd_bn"] / total["ocf_usd_bn"].where(total["ocf_usd_bn"] > 0)
    return total.assign(value=share)[["value", "observed", "known"]]


def _newest_quarters(
    quarters: pd.DataFrame, known_at: pd.Series, count: int
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Find the newest `count` quarters at each moment at which a quarter of the company becomes known.

    Returns:
        Positions of the quarters, shape (moments, count), oldest first; whether all of them are known then, shape
        (moments,); and the state so far: ``observed`` and ``known`` by moment. Positions mean nothing where not all are
        known.
    """
    known = pd.DatetimeIndex(known_at).tz_localize(None).to_numpy()
    moments = np.unique(known[~np.isnat(known)])
    available = known <= moments[:, None]
    newest = np.where(available, np.arange(len(known)), -1).max(axis=1, initial=-1)
    rows = newest[:, None] + np.arange(1 - count, 1)
    complete = rows[:, 0] >= 0
    rows = rows.clip(min=0)
    is_known = np.take_along_axis(available, rows, axis=1)
    last_known = np.fmax.reduce(np.where(is_known, known[rows], np.datetime64("NaT", "us")), axis=1)
    state = pd.DataFrame(
        {
            "observed": quarters["period_end"].to_numpy()[newest],
            "known": pd.DatetimeIndex(last_known).tz_localize("UTC"),
        },
        index=pd.DatetimeIndex(moments).tz_localize("UTC"),
    )
    return rows, complete & is_known.all(axis=1), state


def _sum_of_companies(states: list[pd.DataFrame], sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    """Add the companies' sums up at each decision; NaN where one is missing or too old."""
    sampled = [sample_at_decisions(state, sessions) for state in states]
    sums = []
    for state in sampled:
        age = (sessions - pd.DatetimeIndex(state["observed"])).days
        fresh = state.drop(columns=["observed", "known"])[age <= config.capex_stale_days]
        sums.append(fresh.reindex(sessions))
    total = sum(sums[1:], start=sums[0])
    for name in ("observed", "known"):
        total[name] = pd.concat([state[name] for state in sampled], axis=1).max(axis=1)
    return total
