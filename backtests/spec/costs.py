"""What a trade costs and what bounds it, by asset class; presets of brokers stand in `backtests/spec/presets/`."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.catalogue.instruments import Instrument
from data.errors import InputError
from data.prices.actions import Basis
from strategies.trade_terms import TradeTerms

PRESETS = Path(__file__).parent / "presets"
BP = 10_000
CLASSES = ("crypto", "us_stock", "us_etf")
# What is a price, and grows when costs are multiplied; the rest are limits.
_SCALED = (
    "commission_bp",
    "commission_per_unit",
    "minimum_commission",
    "maximum_commission_bp",
    "half_spread_bp",
    "slippage_bp",
    "volume_impact",
)


class AssetClassCosts(BaseModel):
    """Costs and limits of one asset class.

    Attributes:
        commission_bp: commission, in basis points of the traded value.
        commission_per_unit: commission in US dollars a share, added to that.
        minimum_commission: of one order, US dollars.
        maximum_commission_bp: of one order, in basis points of its value; it wins over the minimum.
        half_spread_bp: half the bid-ask spread, by which a fill is worse than the open, in basis points.
        slippage_bp: further slippage of every fill, in basis points.
        volume_impact: slippage of an order as large as the session's volume, as a fraction; it falls with the square of
            the share (the model of zipline's ``VolumeShareSlippage``, whose default is 0.1).
        participation: largest share of a session's volume that an order takes; what is left is planned anew.
        minimum_notional: smallest order, US dollars; a holding that is worth less cannot be sold.
        units: whether parts of a unit can be traded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    commission_bp: float = Field(default=0.0, ge=0, lt=BP)
    commission_per_unit: float = Field(default=0.0, ge=0)
    minimum_commission: float = Field(default=0.0, ge=0)
    maximum_commission_bp: float | None = Field(default=None, ge=0, lt=BP)
    half_spread_bp: float = Field(default=0.0, ge=0, lt=BP)
    slippage_bp: float = Field(default=0.0, ge=0, lt=BP)
    volume_impact: float = Field(default=0.0, ge=0, lt=1)
    participation: float | None = Field(default=None, gt=0, le=1)
    minimum_notional: float = Field(default=0.0, ge=0)
    units: Literal["fractional", "whole"] = "fractional"

    @model_validator(mode="after")
    def _price_stays_above_zero(self) -> Self:
        worst = (self.half_spread_bp + self.slippage_bp) / BP + self.volume_impact
        if worst >= 1:
            raise ValueError(f"half_spread_bp, slippage_bp and volume_impact take {worst:.0%} of a price; lower them")
        return self


class Costs(BaseModel):
    """Costs by asset class.

    Defaults, all of them in `commission_bp`: coins 25 bp, the taker fee of a US retail venue below 100,000 US dollars a
    month; US stocks and ETFs 5 bp, spread and slippage of liquid names, the upper end of what is usual for large caps.

    Attributes:
        preset: a broker whose costs stand in for the defaults; what a spec says besides wins over it.
        crypto: of coins.
        us_stock: of US stocks.
        us_etf: of US exchange-traded funds.
        settlement_sessions: sessions after which the proceeds of stocks pay for coins. 1 is the order of the clock:
            coins trade before stocks do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["alpaca", "interactive_brokers"] | None = None
    crypto: AssetClassCosts = AssetClassCosts(commission_bp=25.0)
    us_stock: AssetClassCosts = AssetClassCosts(commission_bp=5.0)
    us_etf: AssetClassCosts = AssetClassCosts(commission_bp=5.0)
    settlement_sessions: int = Field(default=1, ge=1, le=5)

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, given: Any) -> Any:
        """Put what is given over the preset, or over the defaults, key by key."""
        if not isinstance(given, dict):
            return given
        name = given.get("preset")
        if name in _preset_names():
            base = tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))
        else:
            base = {each: cls.model_fields[each].default.model_dump(exclude_none=True) for each in CLASSES}
        merged = dict(base)
        for key, value in given.items():
            below = base.get(key)
            merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
        return merged

    def of(self, instrument: Instrument) -> AssetClassCosts:
        """Return the costs of an instrument's asset class."""
        costs: AssetClassCosts = getattr(self, instrument.asset_class)
        return costs

    def scaled(self, factor: float) -> "Costs":
        """Return the costs with every price multiplied; limits stay.

        Args:
            factor: above 0.

        Raises:
            InputError: a multiple that no trade could bear.
        """
        values = self.model_dump(exclude_none=True)
        for name in CLASSES:
            values[name] |= {key: values[name][key] * factor for key in _SCALED if key in values[name]}
        try:
            return Costs.model_validate(values)
        except ValueError as error:
            raise InputError(
                f"got costs times {factor:g}, wanted a smaller multiple: they take all of a trade"
            ) from error


def _preset_names() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def trade_terms(symbols: Sequence[str], instruments: Mapping[str, Instrument], costs: Costs) -> TradeTerms:
    """Lay the costs and limits of some symbols out, in their order.

    Args:
        symbols: m of them.
        instruments: their entries.
        costs: by asset class.
    """
    classes = [costs.of(instruments[symbol]) for symbol in symbols]
    quanta = [instruments[symbol].quantum for symbol in symbols]

    def column(values: Iterable[float | None]) -> np.ndarray:
        return np.array([np.inf if value is None else value for value in values], dtype=float)

    return TradeTerms(
        rate=column(each.commission_bp / BP for each in classes),
        per_unit=column(each.commission_per_unit for each in classes),
        minimum=column(each.minimum_commission for each in classes),
        maximum=column(each.maximum_commission_bp for each in classes) / BP,
        spread=column((each.half_spread_bp + each.slippage_bp) / BP for each in classes),
        impact=column(each.volume_impact for each in classes),
        participation=column(each.participation for each in classes),
        notional=column(each.minimum_notional for each in classes),
        quantum=column(
            max(1.0, size) if each.units == "whole" else size for each, size in zip(classes, quanta, strict=True)
        ),
    )


def basis_warnings(costs: Costs, classes: Iterable[str], basis: Basis) -> tuple[str, ...]:
    """Sentences on costs that adjusted prices distort.

    Args:
        costs: by asset class.
        classes: that the run trades; prices of coins are never adjusted.
        basis: of the prices.
    """
    adjusted = sorted(set(classes) & {"us_stock", "us_etf"}) if basis == "adjusted" else []
    return tuple(
        f"costs.{name}.minimum_notional: on adjusted prices a holding is worth what it became with its dividends, "
        "which an account would have had in cash."
        for name in adjusted
        if getattr(costs, name).minimum_notional
    )
