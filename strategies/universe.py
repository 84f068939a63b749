"""The baskets that the rotation moves between, and the regimes' names for them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

Basket = Literal["speculative", "cash_flow", "reserve"]
BASKETS: tuple[Basket, ...] = ("speculative", "cash_flow", "reserve")


class Universe(BaseModel):
    """What is traded, by basket; a basket may be empty, not all of them.

    The budget of a basket without an instrument goes to the reserve, and without one stays in cash.

    Attributes:
        speculative: high-beta assets that live on abundant liquidity.
        cash_flow: names with near-term cash flow.
        reserve: where idle money is kept; takes what the other baskets leave.
        benchmark: bought and held beside the strategy, never traded by it.
        hindsight: why the choice of instruments knows the outcome; shown on every page. Empty where it does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speculative: tuple[str, ...] = ()
    cash_flow: tuple[str, ...] = ()
    reserve: tuple[str, ...] = ()
    benchmark: str
    hindsight: str = ""

    @model_validator(mode="after")
    def _something_is_traded(self) -> Self:
        if not self.symbols:
            raise ValueError(f"got no instrument in {', '.join(BASKETS)}, wanted one at least; name it")
        return self

    @model_validator(mode="after")
    def _each_symbol_once(self) -> Self:
        doubled = sorted({symbol for symbol in self.symbols if self.symbols.count(symbol) > 1})
        if doubled:
            keys = [name for name in BASKETS if doubled[0] in self.members(name)]
            raise ValueError(
                f"{', '.join(doubled)} stands in more than one place of {', '.join(keys)}; name every instrument once"
            )
        return self

    @property
    def symbols(self) -> tuple[str, ...]:
        """Everything that is traded, in the order of the baskets."""
        return self.speculative + self.cash_flow + self.reserve

    def key_of(self, symbol: str) -> str:
        """The key under which a spec names an instrument, such as ``universe.cash_flow``."""
        named = [name for name in BASKETS if symbol in self.members(name)]
        return f"universe.{named[0] if named else 'benchmark'}"

    def members(self, basket: Basket) -> tuple[str, ...]:
        """The instruments of one basket."""
        members: tuple[str, ...] = getattr(self, basket)
        return members
