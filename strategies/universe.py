"""The baskets that the rotation moves between, and the regimes' names for them."""

from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from data.errors import InputError
from strategies.rule import CHOSEN, Choice, UniverseRule

Basket = Literal["speculative", "cash_flow", "reserve"]
BASKETS: tuple[Basket, ...] = ("speculative", "cash_flow", "reserve")


class Universe(BaseModel):
    """What is traded, by basket; a basket may be empty, not all of them.

    The budget of a basket without an instrument goes to the reserve, and without one stays in cash. Under a rule the
    baskets that it chooses hold all that they ever held, and an instrument may be in one of them and later in the
    other; which are in force at a session `free` and `choice` say.

    Attributes:
        speculative: high-beta assets that live on abundant liquidity.
        cash_flow: names with near-term cash flow.
        reserve: where idle money is kept; takes what the other baskets leave.
        benchmark: bought and held beside the strategy, never traded by it.
        rule: chooses speculative and cash_flow in the place of names.
        hindsight: why the choice of instruments knows the outcome; shown on every page. Empty where it does not. A
            rule's list that does not say from when on each name was on it says so by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speculative: tuple[str, ...] = ()
    cash_flow: tuple[str, ...] = ()
    reserve: tuple[str, ...] = ()
    benchmark: str
    rule: UniverseRule | None = None
    hindsight: str = Field(default="", validate_default=True)
    _choice: Choice | None = PrivateAttr(None)

    @field_validator("hindsight")
    @classmethod
    def _an_undated_list_is_hindsight(cls, told: str, info: ValidationInfo) -> str:
        rule = info.data.get("rule")
        if told or rule is None or not (undated := sum(each.first is None for each in rule.listed)):
            return told
        return (
            f"{undated} of {len(rule.names)} names of universe.rule.names have no first day: who made the list knew "
            "that they would matter, or live"
        )

    @model_validator(mode="after")
    def _by_rule_or_by_name(self) -> Self:
        if self.rule is not None and (named := [name for name in CHOSEN if getattr(self, name)]):
            raise ValueError(f"got names in {', '.join(named)} and a rule that chooses them; take one of them out")
        return self

    @model_validator(mode="after")
    def _something_is_traded(self) -> Self:
        if self.rule is None and not self.symbols:
            raise ValueError(f"got no instrument in {', '.join(BASKETS)}, wanted one at least; name it")
        return self

    @model_validator(mode="after")
    def _each_symbol_once(self) -> Self:
        named = self.speculative + self.cash_flow + self.reserve
        doubled = sorted({symbol for symbol in named if named.count(symbol) > 1})
        if doubled:
            keys = [name for name in BASKETS if doubled[0] in getattr(self, name)]
            raise ValueError(
                f"{', '.join(doubled)} stands in more than one place of {', '.join(keys)}; name every instrument once"
            )
        return self

    @property
    def symbols(self) -> tuple[str, ...]:
        """Everything that is traded, in the order of the baskets, or in that in which a rule chose it."""
        return self.outside_reserve + self.reserve

    @property
    def outside_reserve(self) -> tuple[str, ...]:
        """The same without the reserve."""
        return self.speculative + self.cash_flow if self.rule is None else self.choice.symbols

    @property
    def named(self) -> tuple[str, ...]:
        """What may be traded as far as it is known without a market: under a rule its list of names."""
        if self.rule is None or self._choice is not None:
            return self.symbols
        return tuple(each.symbol for each in self.rule.listed) + self.reserve

    @property
    def choice(self) -> Choice:
        """What the rule chose.

        Raises:
            InputError: it has chosen nothing yet, for what asks knows no market.
        """
        if self._choice is None:
            raise InputError(
                "universe.rule: got baskets that a market chooses, where their names must be known beforehand; wanted "
                "names in universe.speculative and universe.cash_flow"
            )
        return self._choice

    def chosen(self, choice: Choice) -> "Universe":
        """Return the same with what its rule chose; it is written as before."""
        made = self.model_copy()
        made._choice = choice
        return made

    def key_of(self, symbol: str, session: pd.Timestamp | None = None) -> str:
        """The key under which a spec names an instrument, such as ``universe.cash_flow``.

        Args:
            symbol: of the instrument.
            session: for which a rule's basket is asked; None: that in which it was first.
        """
        if session is not None and self.rule is not None and symbol in self.choice.symbols:
            return f"universe.{self.choice.last_of(symbol, session)}"
        named = [name for name in BASKETS if symbol in self.members(name)]
        return f"universe.{named[0] if named else 'benchmark'}"

    def members(self, basket: Basket) -> tuple[str, ...]:
        """The instruments of one basket; under a rule all that it ever held."""
        if self.rule is not None and basket in CHOSEN:
            return self.choice.members(basket)
        members: tuple[str, ...] = getattr(self, basket)
        return members

    def free(self, basket: Basket, tradable: pd.DataFrame) -> pd.DataFrame:
        """Whether each member of a basket may be held in it.

        Args:
            basket: one of them.
            tradable: sessions by symbols, of the universe and perhaps others.

        Returns:
            Booleans, the same sessions by members.
        """
        members = list(self.members(basket))
        if self.rule is None or basket not in CHOSEN:
            return tradable[members]
        return tradable[members] & (self.choice.on(pd.DatetimeIndex(tradable.index))[members] == basket)

    def allowed(self, tradable: pd.DataFrame) -> pd.DataFrame:
        """The same table of what may be held, without what a rule has in no basket at a session."""
        if self.rule is None:
            return tradable
        held = self.choice.on(pd.DatetimeIndex(tradable.index)) != ""
        return tradable & held.reindex(columns=tradable.columns, fill_value=True)

    def part(self, basket: Basket, table: pd.DataFrame) -> pd.DataFrame:
        """What of a table, sessions by symbols, is of a basket; 0 where a rule has, or had last, a name elsewhere."""
        members = [name for name in self.members(basket) if name in table]
        if self.rule is None or basket not in CHOSEN:
            return table[members]
        return table[members].where(self.choice.last(pd.DatetimeIndex(table.index))[members] == basket, 0.0)

    def begins(self, sessions: pd.DatetimeIndex) -> np.ndarray:
        """(n,) whether a rule chooses at each session; the book is brought to its targets there."""
        return np.zeros(len(sessions), dtype=bool) if self.rule is None else sessions.isin(self.choice.begins)
