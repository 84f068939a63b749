"""The drain read a second time: money that is raised outside, against what is spent.

It is no further drain: what the spenders do not earn they raise, so it is averaged with what capex itself says.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.events.refusals import refuse_rows
from data.market.tables import FUNDING
from pandas_form.impulses import fading_sum
from pandas_form.spending import trailing_capex
from signals.config import SignalConfig


def funding_shares(funding: pd.DataFrame, quarters: Mapping[str, pd.DataFrame], config: SignalConfig) -> pd.DataFrame:
    """Measure each act of funding by what the spenders spend in a year.

    Rows that count (`data.market.tables.FUNDING`, ``counts``) are bonds, private credit and cash equity, none of them
    twice. Commitments and policy are no money raised and have no share.

    Args:
        funding: `data.market.tables.FUNDING`.
        quarters: of `config.companies` at least, see `signals.capex.spending.followed_quarters`.
        config: whose capex is summed, and `capex_stale_days`.

    Returns:
        One row an event, in order of ``known_at``: ``date``, ``company``, ``kind``, ``amount_usd_bn``, ``known_at``,
        ``trailing_capex_usd_bn`` (of `config.companies`, four quarters each, as known then), ``value`` (the share, a
        ratio; NaN where the row is not counted) and ``reason`` why it is not ("" where it is).

    Raises:
        InputError: a row that counts has no time or no positive amount.
    """
    rows = funding.sort_values(["known_at", "date", "company"], ignore_index=True)
    counts, amount = rows["counts"], rows["amount_usd_bn"]
    refuse_rows(FUNDING, rows, counts & rows["known_at"].isna(), "it counts and has no known_at; give its time")
    no_amount = counts & ~(np.isfinite(amount) & (amount > 0))
    refuse_rows(FUNDING, rows, no_amount, "it counts and has no positive amount; give it, or set counts to false")

    counted = rows[counts]
    moments = pd.DatetimeIndex(counted["known_at"])
    parts = [trailing_capex(quarters[company], moments, config) for company in config.companies]
    trailing = sum(parts[1:], start=parts[0]).set_axis(counted.index).reindex(rows.index)
    share = amount / trailing.where(trailing > 0)
    reason = pd.Series("", index=rows.index).mask(share.isna(), "the spenders' trailing capex is not known")
    reason = reason.mask(~counts, "it brings no cash, or is counted in another row")
    kept = rows[["date", "company", "kind", "amount_usd_bn", "known_at"]]
    return kept.assign(trailing_capex_usd_bn=trailing, value=share, reason=reason)


def outside_funding(shares: pd.DataFrame, sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    """Add up what is left of each share at each decision, see `signals.capex.impulses.fading_sum`.

    Args:
        shares: as `funding_shares` returns them.
        sessions: naive session dates, increasing.
        config: half-life and `capex_stale_days`.
    """
    counted = shares.dropna(subset="value")
    return fading_sum(counted, sessions, config.funding_half_life_sessions, config.capex_stale_days)
