"""An index laid beside a market: one market that has the rates and coins of the one and the members of the other."""

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot


def beside(index: Snapshot, market: Snapshot, name: str) -> tuple[Snapshot, list[str]]:
    """Join an index to a market; nothing is written.

    Args:
        index: closes and members, as `data.importing.universe.read_universe` has them.
        market: bars, series and events. What it has of an instrument stands in the place of the index's closes.
        name: of what is made.

    Returns:
        The market and a note on what both have.

    Raises:
        InputError: the market has members of an index already.
    """
    if not market.memberships.empty:
        raise InputError(f"market {market.name} has the members of an index already, wanted one without")
    own = set(market.bars["symbol"].unique())
    added = [symbol for symbol in index.bars["symbol"].unique() if symbol not in own]

    def joined(table: str) -> pd.DataFrame:
        new: pd.DataFrame = getattr(index, table)
        whole: pd.DataFrame = pd.concat([getattr(market, table), new[new["symbol"].isin(added)]], ignore_index=True)
        return whole

    both = sorted(set(index.bars["symbol"].unique()) & own)
    made = replace(
        market,
        name=name,
        instruments={**{symbol: index.instruments[symbol] for symbol in added}, **market.instruments},
        bars=joined("bars"),
        actions=joined("actions"),
        memberships=index.memberships,
        bar_units={**{symbol: index.bar_units[symbol] for symbol in added}, **market.bar_units},
        origin=f"market {market.name}, and beside it {index.origin}",
        made_at=datetime.now(UTC),
    )
    return made, [f"{len(both):,} names are in both, and have the prices of {market.name}: {', '.join(both)}"]
