"""What filings tell of a company, as a decision knows it: the yield of free cash flow and the implied duration.

All is read from series that are named by the instrument and the figure, as ``MU.shares`` (`data.catalogue.filed`):
what `data fetch --filings` brings, or the user's own. Each value is of the year that ends on its date. Where there is
no free cash flow, that of the market's results stands in.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.catalogue.filed import BOOK, CASH_FLOW, EARNINGS, FILED_FIGURES, SALES, SHARES, STALE_DAYS, filed_name
from data.clock import decision_times
from data.market.snapshot import Snapshot
from data.prices.actions import listed_bars
from data.prices.adjustment import SPLIT
from data.prices.basis import price_basis
from strategies.valuation import Accounts, cash_flow_yield, implied_duration

MILLIONS_PER_BILLION = 1000.0
# Days from one year's end to the next, and how far from them a figure of the year before may be.
YEAR_DAYS, ALLOWED_DAYS = 365, 20
QUARTERS, QUARTER_DAYS = 4, 100
# The results of a quarter that ended longer ago are too old: the next ones have been due for a month.
STALE_QUARTER_DAYS = 185
WORDS = {
    SHARES: "market value",
    CASH_FLOW: "free cash flow",
    BOOK: "book equity",
    EARNINGS: "earnings",
    SALES: "sales",
}


class Valuation(NamedTuple):
    """What a decision makes of a company's figures.

    Attributes:
        cash_flow_yield: fraction a year; NaN where something of it is missing.
        implied_duration: years; likewise.
        missing: what is.
        figures_to: the last day of the oldest figure that is used; None where none is.
        source: whose figures they are.
        stale: which figures are known and too old to be used.
    """

    cash_flow_yield: float
    implied_duration: float
    missing: tuple[str, ...]
    figures_to: pd.Timestamp | None = None
    source: str = ""
    stale: tuple[str, ...] = ()


def valuation(snapshot: Snapshot, symbol: str, session: pd.Timestamp) -> Valuation:
    """Value a company at the decision for a session, by what was known then.

    Args:
        snapshot: series, results and prices as traded.
        symbol: of the instrument, and of the company in the market's results.
        session: decided for.
    """
    everything = {name: _known(snapshot, symbol, name, session) for name in FILED_FIGURES}
    oldest = session - pd.Timedelta(days=STALE_DAYS)
    stale = tuple(WORDS[name] for name, each in everything.items() if len(each) and each.index[-1] < oldest)
    facts = {name: each if len(each) and each.index[-1] >= oldest else each[:0] for name, each in everything.items()}
    value = _market_value(snapshot, symbol, facts[SHARES], session)
    cash, cash_to, cash_from = _cash_flow(snapshot, symbol, facts[CASH_FLOW], session)
    day = _day_of_all(facts, oldest)
    duration = float("nan")
    if day is not None and not np.isnan(value):
        book, earnings, sales = (facts[name].loc[:day] for name in (BOOK, EARNINGS, SALES))
        own = (_value(book, 0), _value(book, 1), _value(earnings, 0), _value(sales, 0), _value(sales, 1))
        duration = implied_duration(Accounts(*own, value))
    missing = [*_missing({SHARES: value, CASH_FLOW: cash}), *([] if day is not None else _of_a_year(facts))]
    if np.isnan(value) and len(facts[SHARES]):
        missing[0] = "prices as traded"
    yielded = cash_flow_yield(cash, value)
    used: list[tuple[str, pd.Timestamp]] = []
    if day is not None and not np.isnan(duration):
        used.append((_source(snapshot, symbol, BOOK), day))
    if cash_to is not None and not np.isnan(yielded):
        used.append((cash_from, cash_to))
    figures_to, sources = min((each for _, each in used), default=None), dict.fromkeys(name for name, _ in used)
    return Valuation(yielded, duration, tuple(missing), figures_to, ", ".join(sources), stale)


def _missing(told: Mapping[str, float]) -> list[str]:
    return [WORDS[name] for name, each in told.items() if np.isnan(each)]


def _of_a_year(facts: Mapping[str, pd.Series]) -> list[str]:
    """What an implied duration lacks where no day has all of it."""
    newest, before = ({name: _value(each, years) for name, each in facts.items()} for years in (0, 1))
    lacking = _missing(
        {
            BOOK: newest[BOOK] + before[BOOK],
            EARNINGS: newest[EARNINGS],
            SALES: newest[SALES] + before[SALES],
        }
    )
    return lacking or ["one day for book equity, earnings and sales"]


def _known(snapshot: Snapshot, symbol: str, fact: str, session: pd.Timestamp) -> pd.Series:
    """Values by date, in the newest vintage known, oldest first."""
    [moment] = decision_times(pd.DatetimeIndex([session]))
    rows = snapshot.series[(snapshot.series["series"] == filed_name(symbol, fact)).to_numpy()]
    rows = rows[(rows["known_at"] <= moment) & rows["value"].notna()].sort_values("known_at", kind="stable")
    return rows.drop_duplicates("date", keep="last").set_index("date")["value"].sort_index()


def _day_of_all(facts: Mapping[str, pd.Series], oldest: pd.Timestamp) -> pd.Timestamp | None:
    """The newest day for which book equity, earnings and sales are known, and book and sales of a year before too."""
    book, sales = facts[BOOK], facts[SALES]
    for day in reversed(book.index.intersection(facts[EARNINGS].index).intersection(sales.index)):
        if day >= oldest and not any(np.isnan(_value(each.loc[:day], 1)) for each in (book, sales)):
            return pd.Timestamp(day)
    return None


def _cash_flow(
    snapshot: Snapshot, symbol: str, filed: pd.Series, session: pd.Timestamp
) -> tuple[float, pd.Timestamp | None, str]:
    """Free cash flow of a year, its last day and whose figure it is: as filed, else of the market's results."""
    if len(filed):
        return float(filed.iloc[-1]), filed.index[-1], _source(snapshot, symbol, CASH_FLOW)
    cash, day = _of_results(snapshot, symbol, session)
    return cash, day, "results"


def _source(snapshot: Snapshot, symbol: str, fact: str) -> str:
    entry = snapshot.series_entries.get(filed_name(symbol, fact))
    return entry.source if entry else "own series"


def _value(known: pd.Series, years: int) -> float:
    """The newest value, or that of the year before; NaN where it is not known."""
    if known.empty:
        return float("nan")
    wanted = known.index[-1] - pd.Timedelta(days=YEAR_DAYS * years)
    apart = np.abs((known.index - wanted).days)
    return float(known.iloc[int(apart.argmin())]) if apart.min() <= ALLOWED_DAYS else float("nan")


def _of_results(snapshot: Snapshot, company: str, session: pd.Timestamp) -> tuple[float, pd.Timestamp | None]:
    """Operating cash flow less capex of the last four quarters in a row, millions of US dollars, and their last day."""
    [moment] = decision_times(pd.DatetimeIndex([session]))
    rows = snapshot.capex_actuals[(snapshot.capex_actuals["company"] == company).to_numpy()]
    known = (rows["capex_known_at"] <= moment) & (rows["ocf_known_at"] <= moment)
    rows = rows[known & rows["capex_usd_bn"].notna() & rows["ocf_usd_bn"].notna()].sort_values("period_end")
    last = rows.tail(QUARTERS)
    ends = last["period_end"]
    if len(last) < QUARTERS or (ends.diff().dt.days > QUARTER_DAYS).any():
        return float("nan"), None
    if ends.iloc[-1] < session - pd.Timedelta(days=STALE_QUARTER_DAYS):
        return float("nan"), None
    return MILLIONS_PER_BILLION * float((last["ocf_usd_bn"] - last["capex_usd_bn"]).sum()), ends.iloc[-1]


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
