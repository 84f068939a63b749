"""Filed figures of companies, asked for again: what is known of a filing never becomes known earlier."""

import pandas as pd

_FILED = ["company", "fiscal_period", "figure", "accession", "value_usd_bn"]


def extend_filed(held: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """Return the versions of figures as they were answered, none known earlier than it was held before.

    The SEC may stamp an old filing anew. A value of a filing that was told as known from a moment stays known from then
    where it is now told as known from an earlier one.

    Args:
        held: `data.market.tables.FILED`.
        answered: the same, of whole companies.

    Returns:
        The same, of the companies in `answered`.
    """
    before = held.groupby(_FILED)["known_at"].max().rename("before").reset_index()
    known = answered.merge(before, on=_FILED, how="left").set_axis(answered.index)["before"]
    earlier = known > answered["known_at"]
    return answered.assign(known_at=answered["known_at"].mask(earlier, known))
