"""What a trade costs, by asset class."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from data.instruments import Instrument


class AssetClassCosts(BaseModel):
    """Costs of one asset class.

    Attributes:
        commission_bp: everything a trade costs one way (fee, half spread, slippage), in basis points of its value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commission_bp: float = Field(ge=0, lt=10_000)


class Costs(BaseModel):
    """Costs by asset class.

    Defaults: coins 25 bp, the taker fee of a US retail venue below 100,000 US dollars a month; US stocks and ETFs 5 bp,
    spread and slippage of liquid names, the upper end of what is usual for large caps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crypto: AssetClassCosts = AssetClassCosts(commission_bp=25)
    us_stock: AssetClassCosts = AssetClassCosts(commission_bp=5)
    us_etf: AssetClassCosts = AssetClassCosts(commission_bp=5)

    def rate(self, instrument: Instrument) -> float:
        """Cost of a trade in this instrument as a fraction of its value."""
        costs: AssetClassCosts = getattr(self, instrument.asset_class)
        return costs.commission_bp / 10_000


def cost_rates(symbols: tuple[str, ...], instruments: Mapping[str, Instrument], costs: Costs) -> list[float]:
    """Cost rates of some symbols, as fractions, in their order."""
    return [costs.rate(instruments[symbol]) for symbol in symbols]
