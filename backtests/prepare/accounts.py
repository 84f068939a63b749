"""What filings tell of a company, as a decision knows it: the yield of free cash flow and the implied duration.

Free cash flow is that of the results of the market. All else is read from series of the user that are named by the
instrument and the fact, as ``MU.shares``: each value is of the year that ends on its date.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from data.clock import decision_times
from data.market.snapshot import Snapshot
from data.prices.actions import listed_bars
from data.prices.adjustment import SPLIT
from data.prices.basis import price_basis
from strategies.valuation import Accounts, cash_flow_yield, implied_duration

# Shares in millions; the rest in millions of US dollars.
FACTS = ("shares", "book", "earnings", "sales", "free_cash_flow")
MILLIONS_PER_BILLION = 1000.0
# Days from one year's end to the next, and how far from them a figure of the year before may be.
YEAR_DAYS, ALLOWED_DAYS = 365, 20
QUARTERS, QUARTER_DAYS = 4, 100
# A figure of a year that ended longer ago is too old: the next one has been due for a quarter.
STALE_DAYS = 550


class Valuation(NamedTuple):
    """What a decision makes of a company's figures.

    Attributes:
        cash_flow_yield: fraction a year; NaN where something of it is missing.
        implied_duration: years; likewise.
        missing: what is.
    """

    cash_flow_yield: float
    implied_duration: float
    missing: tuple[str, ...]


def valuation(snapshot: Snapshot, symbol: str, session: pd.Timestamp) -> Valuation:
    """Value a company at the decision for a session, by what was known then.

    Args:
        snapshot: series, results and prices as traded.
        symbol: of the instrument, and of the company in the market's results.
        session: decided for.
    """
    facts = {name: _newest(snapshot, symbol, name, session) for name in FACTS}
    newest = {name: _value(each, 0) for name, each in facts.items()}
    before = {name: _value(each, 1) for name, each in facts.items()}
    cash = newest["free_cash_flow"]
    if np.isnan(cash):
        cash = _of_results(snapshot, symbol, session)
    value = _market_value(snapshot, symbol, facts["shares"], session)
    accounts = Accounts(newest["book"], before["book"], newest["earnings"], newest["sales"], before["sales"], value)
    wanted = {
        "market value": value,
        "free cash flow": cash,
        "book equity": newest["book"] + before["book"],
        "earnings": newest["earnings"],
        "sales": newest["sales"] + before["sales"],
    }
    missing = tuple(name for name, each in wanted.items() if np.isnan(each))
    duration = np.nan if np.isnan(list(accounts)).any() else implied_duration(accounts)
    return Valuation(cash_flow_yield(cash, value), duration, missing)


def _newest(snapshot: Snapshot, symbol: str, fact: str, session: pd.Timestamp) -> pd.Series:
    """Values by date, in the newest vintage known, oldest first."""
    [moment] = decision_times(pd.DatetimeIndex([session]))
    rows = snapshot.series[(snapshot.series["series"] == f"{symbol}.{fact}").to_numpy()]
    rows = rows[(rows["known_at"] <= moment) & rows["value"].notna()].sort_values("known_at", kind="stable")
    known = rows.drop_duplicates("date", keep="last").set_index("date")["value"].sort_index()
    return known if len(known) and known.index[-1] >= session - pd.Timedelta(days=STALE_DAYS) else known.iloc[:0]


def _value(known: pd.Series, years: int) -> float:
    """The newest value, or that of the year before; NaN where it is not known."""
    if known.empty:
        return float("nan")
    wanted = known.index[-1] - pd.Timedelta(days=YEAR_DAYS * years)
    apart = np.abs((known.index - wanted).days)
    return float(known.iloc[int(apart.argmin())]) if apart.min() <= ALLOWED_DAYS else float("nan")


def _of_results(snapshot: Snapshot, company: str, session: pd.Timestamp) -> float:
    """Operating cash flow less capex of the last four quarters in a row, millions of US dollars."""
    [moment] = decision_times(pd.DatetimeIndex([session]))
    rows = snapshot.capex_actuals[(snapshot.capex_actuals["company"] == company).to_numpy()]
    known = (rows["capex_known_at"] <= moment) & (rows["ocf_known_at"] <= moment)
    rows = rows[known & rows["capex_usd_bn"].notna() & rows["ocf_usd_bn"].notna()].sort_values("period_end")
    last = rows.tail(QUARTERS)
    ends = last["period_end"]
    if len(last) < QUARTERS or (ends.diff().dt.days > QUARTER_DAYS).any():
        return float("nan")
    if ends.iloc[-1] < session - pd.Timedelta(days=STALE_DAYS - YEAR_DAYS):
        return float("nan")
    return MILLIONS_PER_BILLION * float((last["ocf_usd_bn"] - last["capex_usd_bn"]).sum())


def _market_value(snapshot: Snapshot, symbol: str, shares: pd.Series, session: pd.Timestamp) -> float:
    """Shares times the last close as traded, both as of the last close, millions of US dollars."""
    if shares.empty or price_basis(snapshot, symbol) != "as_traded":
        return float("nan")
    bars = listed_bars(snapshot, symbol, "raw").loc[: session - pd.Timedelta(days=1)]
    if bars.empty:
        return float("nan")
    actions = snapshot.actions_of(symbol)
    since = (actions["date"] > shares.index[-1]) & (actions["date"] <= bars.index[-1])
    splits = actions.loc[since & (actions["kind"] == SPLIT), "value"].prod()
    return float(shares.iloc[-1] * splits * bars["close"].iloc[-1])
