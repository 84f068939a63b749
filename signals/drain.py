"""The drain: how fast AI capex grows, and how much of the operating cash flow it takes. Higher is scarcer.

Quarters are fiscal and counted by company: "2016Q2" follows "2016Q1", whatever the calendar says.
"""

import numpy as np
import pandas as pd

from data.errors import InputError
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig
from signals.observations import sample_at_decisions

NAME = "drain"
QUARTERS_A_YEAR = 4
FISCAL_PERIOD = r"(\d{4})Q([1-4])"
FIGURES = {"capex_usd_bn": "capex_known_at", "ocf_usd_bn": "ocf_known_at"}


def drain_block(data: SignalData, config: SignalConfig) -> Block:
    """The mean of the growth of trailing capex and of its share of trailing operating cash flow.

    Both are sums over `config.companies` of trailing four fiscal quarters; see `capex_growth`, `capex_to_cash_flow`.

    Raises:
        InputError: see `company_quarters`.
    """
    companies = [company_quarters(data.capex, company) for company in config.companies]
    growth = capex_growth(companies, data.sessions, config)
    share = capex_to_cash_flow(companies, data.sessions, config)
    inputs = (_input("capex_growth", "log growth", growth), _input("capex_to_cash_flow", "ratio", share))
    return Block(name=NAME, inputs=inputs, grouping=tuple(each.name for each in inputs))


def company_quarters(capex: pd.DataFrame, company: str) -> pd.DataFrame:
    """Lay one company's figures out on its unbroken line of fiscal quarters.

    Args:
        capex: `data.tables.CAPEX`.
        company: its symbol.

    Returns:
        One row a fiscal quarter, from the first to the last reported; columns ``capex_usd_bn``, ``ocf_usd_bn`` (USD
        billions), ``capex_known_at``, ``ocf_known_at``, ``period_end``. A quarter that was not reported, or a blank
        figure, is NaN and never known (NaT).

    Raises:
        InputError: no row; a fiscal period that is no such as 2016Q2, is reported twice, or ends no later than the one
            before; a figure that is infinite or has no time at which it became known.
    """
    rows = capex[capex["company"] == company]
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
    return rows.reindex(line)[[*FIGURES, *FIGURES.values(), "period_end"]]


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
    newest = np.where(available, np.arange(len(known)), -1).max(axis=1)
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


def _input(name: str, unit: str, measured: pd.DataFrame) -> BlockInput:
    return BlockInput(
        name=f"{NAME}.{name}",
        unit=unit,
        value=measured["value"],
        scarcer_when=+1,
        observed=measured["observed"],
        known=measured["known"],
    )
