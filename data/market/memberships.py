"""Who was a member of an index, and in which sector and industry, as it was known at a moment."""

import pandas as pd

from data.market.snapshot import Snapshot

LABELS = ("sector", "industry")


def members_known(snapshot: Snapshot, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the members of an index as they were known at a moment.

    Args:
        snapshot: of the index.
        moment: UTC; what became known later is not looked at.

    Returns:
        Columns ``sector`` and ``industry`` ("" where it is not known) by symbol, sorted.
    """
    known = snapshot.memberships[(snapshot.memberships["known_at"] <= moment).to_numpy()]
    newest = known.drop_duplicates("symbol", keep="last").set_index("symbol")
    members: pd.DataFrame = newest.loc[newest["member"].to_numpy(), list(LABELS)]
    return members


def newest_labels(snapshot: Snapshot) -> pd.DataFrame:
    """Return the newest sector and industry of every name that ever was a member, by symbol, whenever it was told.

    It is hindsight: nothing can be decided on it.
    """
    table = snapshot.memberships[snapshot.memberships["member"].to_numpy()]
    return table.drop_duplicates("symbol", keep="last").set_index("symbol")[list(LABELS)]
