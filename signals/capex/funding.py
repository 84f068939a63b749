"""The drain read a second time: money that is raised outside, against what is spent.

It is no further drain: what the spenders do not earn they raise, so it is averaged with what capex itself says.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.events.refusals import refuse_rows
from data.market.tables import FUNDING
from signals.capex.impulses import fading_sum
from signals.capex.spending import Quarters, trailing_capex, trailing_cash_flow
from signals.config import SignalConfig
from signals.known import Array, Known, microseconds, moments_of


class Shares(NamedTuple):
    """Acts of funding, in order of `known`.

    Attributes:
        day: of the act.
        known: from when it was.
        company: by which it was raised.
        kind: of the act.
        amount: USD billions.
        spent: what the spenders spend in a year, as known then, USD billions; NaN where it is not known.
        value: the share; NaN where the act is not counted.
        counts: whether it brings money.
    """

    day: Array
    known: Array
    company: Sequence[str]
    kind: Sequence[str]
    amount: Array
    spent: Array
    value: Array
    counts: Array

    def table(self) -> pd.DataFrame:
        """Lay them out for people, with the ``reason`` why one is not counted ("" where it is)."""
        reason = np.where(np.isnan(self.value), "the spenders' trailing capex is not known", "")
        return pd.DataFrame(
            {
                "date": moments_of(self.day),
                "company": list(self.company),
                "kind": list(self.kind),
                "amount_usd_bn": self.amount,
                "known_at": moments_of(self.known).tz_localize("UTC"),
                "trailing_capex_usd_bn": self.spent,
                "value": self.value,
                "reason": np.where(self.counts, reason, "it brings no cash, or is counted in another row"),
            }
        )


def funding_shares(funding: pd.DataFrame, quarters: Mapping[str, Quarters], config: SignalConfig) -> Shares:
    """Measure each act of funding by what the spenders spend in a year.

    Rows that count (`data.market.tables.FUNDING`, ``counts``) are bonds, private credit and cash equity, none of them
    twice. Commitments and policy are no money raised and have no share.

    Args:
        funding: `data.market.tables.FUNDING`.
        quarters: of `config.companies` at least, see `signals.capex.spending.followed_quarters`.
        config: whose capex is summed, and `capex_stale_days`.

    Raises:
        InputError: a row that counts has no time or no positive amount.
    """
    rows = funding.sort_values(["known_at", "date", "company"], ignore_index=True)
    counts, amount = rows["counts"], rows["amount_usd_bn"]
    refuse_rows(FUNDING, rows, counts & rows["known_at"].isna(), "it counts and has no known_at; give its time")
    no_amount = counts & ~(np.isfinite(amount) & (amount > 0))
    refuse_rows(FUNDING, rows, no_amount, "it counts and has no positive amount; give it, or set counts to false")

    known, counted = microseconds(rows["known_at"]), counts.to_numpy()
    spent = np.full(len(rows), np.nan)
    trailing = np.zeros(int(counted.sum()))
    for company in config.companies:
        trailing = trailing + trailing_capex(quarters[company], known[counted], config)
    spent[counted] = trailing
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(spent > 0, amount.to_numpy() / spent, np.nan)
    day = microseconds(rows["date"])
    return Shares(day, known, rows["company"].tolist(), rows["kind"].tolist(), amount.to_numpy(), spent, share, counted)


def outside_funding(shares: Shares, sessions: Array, config: SignalConfig) -> Known:
    """Add up what is left of each share at each decision, see `signals.capex.impulses.fading_sum`.

    Args:
        shares: of all acts.
        sessions: increasing.
        config: half-life and `capex_stale_days`.
    """
    counted = ~np.isnan(shares.value)
    return fading_sum(
        shares.day[counted],
        shares.value[counted],
        shares.known[counted],
        sessions,
        config.funding_half_life_sessions,
        config.capex_stale_days,
    )


class Raised(NamedTuple):
    """Acts of funding by the spenders, in order of `known`: day, moment, and the amount over a year's cash flow."""

    day: Array
    known: Array
    value: Array


def raised_over_cash_flow(
    shares: Shares, quarters: Mapping[str, Quarters], sessions: Array, config: SignalConfig
) -> tuple[Raised, Array]:
    """Measure what the spenders themselves raise by what they earn in a year, as known then.

    By capex a burst of it would hide its own funding.

    Args:
        shares: of all acts.
        quarters: of `config.companies` at least.
        sessions: increasing.
        config: who the spenders are, and `capex_stale_days`.

    Returns:
        Every act that counts (its value NaN where a cash flow is not known), and the cash flow by session, USD
        billions, NaN where not all of it is known.
    """
    own = shares.counts & np.isin(shares.company, config.companies)
    known = shares.known[own]
    earned = sum(trailing_cash_flow(quarters[company], known, config) for company in config.companies)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(earned > 0, shares.amount[own] / earned, np.nan)
    by_session = sum(trailing_cash_flow(quarters[company], sessions, config) for company in config.companies)
    return Raised(shares.day[own], known, value), np.asarray(by_session)
