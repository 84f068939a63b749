"""What the rule of a universe chose each June, as a table, and which names came and went."""

import pandas as pd

from data.clock import decision_times
from strategies.rule import CHOSEN, ranks
from strategies.universe import Universe

COLUMNS = ("chosen_at", "symbol", "basket", "value", "rank", "known_at", "left")


def members_chosen(universe: Universe, last: pd.Timestamp) -> pd.DataFrame:
    """Return what a rule ranked at each of its Junes, the most speculative first.

    Args:
        universe: whose rule has chosen.
        last: session of the last decision; what a name does later is not told.

    Returns:
        A row a listed name and June: chosen_at (session), symbol, basket ("" for none), value (that it was ranked by;
        NaN where it is not known), rank (1 for the most speculative; NA of those without a value), known_at (UTC, of
        the decision: nothing later is in the value) and left (the session at which it left the list, and was sold,
        before the next June; NaT where it did not).
    """
    assert universe.rule is not None
    choice = universe.choice
    table = choice.measures.rename(columns={"session": "chosen_at", "measure": "value"})
    table["rank"] = pd.concat(
        [ranks(rows.set_index("symbol")["value"], universe.rule.by) for _, rows in table.groupby("chosen_at")]
    ).to_numpy()
    moments = pd.Series(decision_times(choice.begins), choice.begins)
    table["known_at"] = table["chosen_at"].map(moments).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    table["left"] = _left(universe, last).reindex(pd.MultiIndex.from_frame(table[["chosen_at", "symbol"]])).to_numpy()
    ordered = table.assign(unknown=table["rank"].isna()).sort_values(["chosen_at", "unknown", "rank", "symbol"])
    return ordered[list(COLUMNS)].reset_index(drop=True)


def _left(universe: Universe, last: pd.Timestamp) -> pd.Series:
    """By June and symbol, the session at which a chosen name was taken out before the next June."""
    choice = universe.choice
    baskets, found = choice.baskets.loc[:last], dict[tuple[pd.Timestamp, str], pd.Timestamp]()
    ends = [*choice.begins[1:], pd.Timestamp.max]
    for june, end in zip(choice.begins, ends, strict=True):
        rows = baskets[(baskets.index >= june) & (baskets.index < end)]
        for name in rows.columns[((rows != "").iloc[:1].any() & (rows == "").any()).to_numpy()]:
            found[june, name] = rows.index[(rows[name] == "").to_numpy()][0]
    keys = pd.MultiIndex.from_tuples(list(found) or [], names=["chosen_at", "symbol"])
    return pd.Series(list(found.values()), keys, dtype="datetime64[us]")


def comings_and_goings(members: pd.DataFrame) -> pd.DataFrame:
    """Return which names came to each basket at each June, and which went.

    Args:
        members: columns chosen_at, symbol, basket ("" or NaN for none) and value, as `members_chosen` gives them.

    Returns:
        A row a June and basket: chosen_at, basket, listed (how many names), ranked (how many of them), and tuples of
        names: members, came and went. Those of the first June all came.
    """
    rows, before = [], dict[str, tuple[str, ...]]()
    for june, table in members.groupby("chosen_at", sort=True):
        for basket in CHOSEN:
            names, past = tuple(table.loc[table["basket"] == basket, "symbol"]), before.get(basket, ())
            came = tuple(name for name in names if name not in past)
            went = tuple(name for name in past if name not in names)
            rows.append((june, basket, len(table), int(table["value"].notna().sum()), names, came, went))
            before[basket] = names
    return pd.DataFrame(rows, columns=["chosen_at", "basket", "listed", "ranked", "members", "came", "went"])
