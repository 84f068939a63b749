"""Baskets that a rule chooses, each June, from a list of instruments by what was known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from data.errors import InputError

CHOSEN = ("speculative", "cash_flow")
MONTH = 6
# Names that each basket has at least: the mean of fewer would be one company's.
FEWEST = 5
Measure = Literal["duration", "real_yield", "breakeven", "credit_spread", "net_liquidity", "cash_flow_yield"]
# What a speculative asset has less of: it loses as yields and spreads rise, and pays little by its price.
_LOW_IS_SPECULATIVE = ("real_yield", "breakeven", "credit_spread", "cash_flow_yield")


class Listed(BaseModel):
    """An instrument of a list.

    Attributes:
        symbol: of the market.
        first: day from which on it may be chosen; None: from its first price.
        last: day after which it may not be held; None: to its end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(min_length=1)
    first: date | None = None
    last: date | None = None

    @model_validator(mode="after")
    def _first_before_last(self) -> Self:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"{self.symbol}: first {self.first} is after last {self.last}; exchange them")
        return self


def _kind(entry: object) -> str:
    return "symbol" if isinstance(entry, str) else "table"


class UniverseRule(BaseModel):
    """How speculative and cash_flow are chosen at the first session of each June, to be held until the next.

    A third of the list that has the measure goes to each basket: of the highest exposure, or the lowest yield, to
    speculative; of the other end to cash_flow. What leaves the list in between is sold at the session after that is
    known, and nothing takes its place before June.

    Attributes:
        by: what they are ranked by. ``duration``: z(-slope on real yields) + z(-slope on credit spreads); the name of
            a factor: the slope on it; ``cash_flow_yield``: free cash flow of a year over the market value.
        names: the list: symbols, or tables of a symbol and its days. Empty: the members of the market's index, as they
            were known.
        sectors: sectors or industries, as they were known, that members are chosen from. Empty: all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Measure = "duration"
    names: tuple[
        Annotated[Annotated[str, Tag("symbol")] | Annotated[Listed, Tag("table")], Discriminator(_kind)], ...
    ] = ()
    sectors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        symbols = [each.symbol for each in self.listed]
        if doubled := sorted({each for each in symbols if symbols.count(each) > 1}):
            raise ValueError(f"names: {', '.join(doubled)} stands twice; name every instrument once")
        if self.names and self.sectors:
            raise ValueError("names and sectors cannot stand together: a list of names tells no sectors; take one out")
        return self

    @property
    def listed(self) -> tuple[Listed, ...]:
        """The list of names, symbols alone with no days."""
        return tuple(Listed(symbol=each) if isinstance(each, str) else each for each in self.names)


@dataclass(frozen=True, eq=False)
class Choice:
    """What a rule chose.

    Attributes:
        baskets: sessions by symbols, in the order in which they were first chosen: the basket from that session on,
            "" for none. A row stands where something changes.
        begins: the sessions of the choice.
        measures: columns session, symbol, measure, basket ("" where it was chosen for none): all that was ranked.
    """

    baskets: pd.DataFrame
    begins: pd.DatetimeIndex
    measures: pd.DataFrame

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Everything that was ever chosen."""
        return tuple(self.baskets.columns)

    def members(self, basket: str) -> tuple[str, ...]:
        """Everything that ever was in a basket."""
        return tuple(self.baskets.columns[(self.baskets == basket).any(axis=0)])

    def on(self, sessions: pd.DatetimeIndex) -> pd.DataFrame:
        """The basket of each symbol at each session: "" for none, and before the first choice."""
        return self.baskets.reindex(sessions, method="ffill").fillna("")

    def last(self, sessions: pd.DatetimeIndex) -> pd.DataFrame:
        """The basket that each symbol is in at each session, or was in last; "" before its first."""
        return self.baskets.where(self.baskets != "").ffill().reindex(sessions, method="ffill").fillna("")

    def last_of(self, symbol: str, session: pd.Timestamp) -> str:
        """The basket that a symbol is in at a session, or was in last."""
        past = self.baskets.loc[:session, symbol]
        return str(past[past != ""].iloc[-1])


def terciles(measure: pd.Series, by: Measure) -> Mapping[str, tuple[str, ...]]:
    """Choose the names of both baskets.

    Args:
        measure: by symbol; NaN is not ranked. Symbols that measure the same go by their names.
        by: what it is.

    Raises:
        InputError: a third of what is measured is fewer than `FEWEST`.
    """
    ranked = _ranked(measure, by).index
    count = len(ranked) // 3
    if count < FEWEST:
        raise InputError(
            f"{len(ranked)} of {len(measure)} listed names have a {by}, wanted {3 * FEWEST} or more, for each basket "
            f"is a third of them and at least {FEWEST}"
        )
    return {"speculative": tuple(ranked[:count]), "cash_flow": tuple(reversed(ranked[-count:]))}


def ranks(measure: pd.Series, by: Measure) -> pd.Series:
    """The place of each symbol by which it is chosen, 1 for the most speculative; NaN where it is not ranked.

    Args:
        measure: by symbol, as for `terciles`.
        by: what it is.
    """
    ranked = _ranked(measure, by)
    return pd.Series(np.arange(1.0, len(ranked) + 1), ranked.index).reindex(measure.index)


def _ranked(measure: pd.Series, by: Measure) -> pd.Series:
    known = measure.dropna().sort_index()
    return known.sort_values(ascending=by in _LOW_IS_SPECULATIVE, kind="stable")


def make_choice(
    chosen: Mapping[pd.Timestamp, Mapping[str, Sequence[str]]],
    leaves: Mapping[pd.Timestamp, Mapping[str, pd.Timestamp]],
    measures: pd.DataFrame,
) -> Choice:
    """Lay choices out.

    Args:
        chosen: by session of the choice, the names of each basket.
        leaves: by session of the choice, the names that leave the list after it and the session of the sale; one after
            the next choice counts for nothing.
        measures: see `Choice`.
    """
    symbols = list(dict.fromkeys(name for each in chosen.values() for names in each.values() for name in names))
    begins = pd.DatetimeIndex(list(chosen))
    rows: dict[pd.Timestamp, np.ndarray] = {}
    for place, (session, baskets) in enumerate(chosen.items()):
        row = np.full(len(symbols), "", dtype=object)
        for basket, names in baskets.items():
            row[[symbols.index(name) for name in names]] = basket
        rows[session] = row
        until = begins[place + 1] if place + 1 < len(begins) else pd.Timestamp.max
        for name, day in sorted(leaves[session].items(), key=lambda each: each[1]):
            if name in symbols and day < until:
                row = row.copy()
                row[symbols.index(name)] = ""
                rows[day] = row
    table = pd.DataFrame(list(rows.values()), pd.DatetimeIndex(list(rows)), symbols)
    return Choice(table, begins, measures)
