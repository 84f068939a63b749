"""What a run earned, by the regime of the session, by basket and by instrument."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd

from backtests.execution.result import EngineResult
from strategies.universe import BASKETS, Universe

CASH = "cash"


def attribution(engine: EngineResult, regime: pd.Series, universe: Universe) -> pd.DataFrame:
    """Split the profit of a run.

    Of a session, an instrument earns what its holding is worth more at the close than at the close before, less what
    was paid for it, more what it brought. Units that a spin-off or a change of symbol brings have cost nothing; what
    they were taken from shows the loss.

    Args:
        engine: what happened.
        regime: decided for each session of the run.
        universe: the baskets.

    Returns:
        A row for each regime, basket and symbol that had a part in it, the interest as ``cash``: sessions at whose
        close it was held, profit after costs, and costs, US dollars. The profits add up to the final equity less the
        initial cash.
    """
    days = regime.index
    value, orders = engine.holdings, engine.orders
    earned = value - value.shift(fill_value=0.0) - _spent(orders).reindex(index=days, columns=value.columns).fillna(0.0)
    payments = engine.cash[engine.cash["kind"] != "deposit"]
    paid = payments.pivot_table(index="session", columns="symbol", values="amount", aggfunc="sum")
    paid = paid.reindex(index=days, columns=[*value.columns, ""]).fillna(0.0)
    earned = earned.add(paid[value.columns]).assign(**{"": paid[""]})
    costs = (orders["commission"] + orders["slippage"]).groupby([orders["session"], orders["symbol"]]).sum()
    parts = {
        "sessions": (value > 0).assign(**{"": paid[""] != 0.0}).astype(int),
        "profit": earned,
        "costs": costs.unstack().reindex(index=days, columns=earned.columns).fillna(0.0),
    }
    names = regime.astype(str).to_numpy()
    found = pd.concat(
        [_summed({key: of(each) for key, each in parts.items()}, names).assign(basket=basket)
         for basket, of in _by_basket(value.columns, universe)],
        ignore_index=True,
    )  # fmt: skip
    found = found[["regime", "basket", "symbol", *parts]]
    ranks = found["basket"].map([*BASKETS, "benchmark", CASH].index)
    places = found["symbol"].map([*value.columns, ""].index)
    found["symbol"] = found["symbol"].replace("", CASH)
    return found.iloc[np.lexsort([places, ranks, found["regime"]])].reset_index(drop=True)


def _by_basket(symbols: pd.Index, universe: Universe) -> Iterator[tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]]:
    """What of a table, days by symbols and cash, is of each basket; under a rule that in which a name was that day."""
    if universe.rule is None:
        keys = pd.Series([universe.key_of(name).removeprefix("universe.") for name in symbols], symbols)
        for basket in keys.unique():
            yield basket, partial(_columns, names=list(symbols[keys == basket]))
    else:
        for name in BASKETS:
            yield name, partial(universe.part, name)
    yield CASH, partial(_columns, names=[""])


def _columns(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table[names]


def _summed(parts: Mapping[str, pd.DataFrame], names: np.ndarray) -> pd.DataFrame:
    """A row for each regime and symbol that had a part in it."""
    table = pd.concat({name: each.groupby(names).sum().stack() for name, each in parts.items()}, axis=1)
    return table[(table != 0).any(axis=1)].rename_axis(["regime", "symbol"]).reset_index()


def _spent(orders: pd.DataFrame) -> pd.DataFrame:
    """US dollars paid for each instrument in each session, costs included; what sales brought is taken off."""
    filled = orders[orders["size"] > 0]
    signs = np.where(filled["side"] == "buy", 1.0, -1.0)
    spent = filled["size"] * filled["price"] * signs + filled["commission"]
    return spent.groupby([filled["session"], filled["symbol"]]).sum().unstack()
