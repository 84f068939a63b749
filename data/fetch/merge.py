"""What a market holds, extended by what a source answered; nothing is forgotten that the source no longer tells."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from data.market.tables import CAPEX

RAW_COLUMNS = ("open", "high", "low", "close", "volume")
# Yahoo serves prices as 32-bit floats: the last bits differ from one way of restoring a raw price to another.
PRICE_NOISE = 1e-6
# Two quarters of a company end about 91 days apart; the end of one is told to the day, or as that of its month.
_LATER_QUARTER = pd.Timedelta(days=45)


def extend_bars(held: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """Add bars to those held; a bar that the source now tells otherwise is taken as it tells it.

    Args:
        held: bars of one instrument: ``date`` and `RAW_COLUMNS` at least.
        answered: the same columns.

    Returns:
        ``date`` and `RAW_COLUMNS`, sorted by date. Days that only one of the two has are kept, and so is a held value
        that differs by no more than `PRICE_NOISE`.
    """
    columns = list(RAW_COLUMNS)
    before, after = held.set_index("date")[columns], answered.set_index("date")[columns]
    told = after.reindex(before.index)
    same = (told / before - 1).abs().le(PRICE_NOISE) | (told == before) | (told.isna() & before.isna())
    untold = ~before.index.isin(after.index)
    settled = before.where(same.to_numpy() | untold[:, None], told)
    new = after[~after.index.isin(before.index)]
    return pd.concat([settled, new]).sort_index().rename_axis("date").reset_index()


def has_another_past(held: pd.DataFrame, answered: pd.DataFrame) -> bool:
    """Whether the closes of a day that both have differ: the source has rewritten what it told before."""
    both = held[["date", "close"]].merge(answered[["date", "close"]], on="date", suffixes=("_held", "_answered"))
    return bool(((both["close_answered"] / both["close_held"] - 1).abs() > PRICE_NOISE).any())


def extend_actions(held: pd.DataFrame, answered: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Replace the dividends and splits of a span of days by those that the source now tells of it.

    Args:
        held: actions of one instrument, `data.market.tables.ACTIONS`.
        answered: the same columns.
        first: of the days that were asked for.
        last: of them.

    Returns:
        The same columns. An action that is told as it was held stays as it was held; a delisting, of which the source
        tells nothing, stays too.
    """
    key = ["date", "kind", "value"]
    asked = held["date"].between(first, last) & (held["kind"] != "delisting")
    confirmed = held[asked].merge(answered[key], on=key)
    new = answered.merge(held.loc[asked, key], on=key, how="left", indicator=True)
    new = new.loc[new["_merge"] == "left_only", list(answered.columns)]
    return pd.concat([held[~asked], confirmed, new])


def extend_series(
    held: pd.DataFrame, answered: pd.DataFrame, now: pd.Timestamp, last_answer: pd.Timestamp | None
) -> pd.DataFrame:
    """Add values of one series to those held, each with the moment from which it was known.

    What is held stays, with its ``known_at``. A date's other value is a further row: known when the source says, where
    it tells of revisions and says later than the row held, else known now. A new date is known by its publication rule;
    where it was due by then and yet not there at the last answer, it came late and is known now.

    Args:
        held: ``date``, ``value`` (NaN is a blank), ``known_at``; a date once for each value that it has had.
        answered: the same, as `data.sources.answers.SeriesAnswer` has it.
        now: UTC, of the answer.
        last_answer: UTC, when the series answered before; None where it is asked for the first time.

    Returns:
        The same columns, in no particular order.
    """
    newest = {day: (value, known_at) for day, value, known_at in _rows(held.sort_values("known_at"))}
    is_held = answered["date"].isin(list(newest))
    new = answered[~is_held]
    if last_answer is not None:
        late = (new["date"] > held["date"].min()) & (new["known_at"] <= last_answer)
        new = new.assign(known_at=new["known_at"].mask(late, now)).drop_duplicates(["date", "known_at"], keep="last")
    revisions = []
    told_again = answered[is_held].sort_values(["date", "known_at"])
    is_last = ~told_again.duplicated("date", keep="last")
    for (day, value, told_at), last in zip(_rows(told_again), is_last, strict=True):
        before, known_at = newest[day]
        is_later = told_at > known_at
        if (is_later or last) and not (value == before or (math.isnan(value) and math.isnan(before))):
            # A rule may have a value public some hours after it was seen; a revision is later than what it revises.
            newest[day] = (value, told_at if is_later else max(now, known_at + pd.Timedelta(seconds=1)))
            revisions.append((day, *newest[day]))
    columns = ["date", "value", "known_at"]
    return pd.concat(
        [held[columns], new[columns], pd.DataFrame(revisions, columns=columns).astype(held[columns].dtypes)]
    )


def _rows(observations: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, float, pd.Timestamp]]:
    return zip(observations["date"], observations["value"], observations["known_at"], strict=True)


def extend_capex(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of results together, of which an earlier one is trusted more.

    A company's quarters come from the first table that has the company, and from each further one those that end after
    what is there. So a figure that a person has checked is not replaced, and no second basis is mixed into the past.

    Args:
        tables: `data.market.tables.CAPEX` each.

    Returns:
        `data.market.tables.CAPEX`.
    """
    together, *others = tables
    for other in others:
        newest = together.groupby("company")["period_end"].max() + _LATER_QUARTER
        limit = other["company"].map(newest)
        together = pd.concat([together, other[limit.isna() | (other["period_end"] > limit)]])
    return CAPEX.conform(together)
