"""What compares money with units or volumes needs units that were traded: on adjusted prices it is refused by name."""

from collections.abc import Sequence

from backtests.spec.costs import AssetClassCosts, Costs
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import Basis
from data.prices.basis import is_unadjusted, price_basis
from data.prices.panel import has_closes_alone, is_member_without_opens


def require_traded_units(costs: Costs, snapshot: Snapshot, symbols: Sequence[str], basis: Basis) -> None:
    """Refuse costs and limits that would be reckoned in units or volumes which nobody traded.

    A price that is adjusted for later dividends has units that grow with each of them: whole units, a fee a share, and
    a share of the volume would change with what is paid in years to come. Where the market also knows the prices as
    traded, volumes are adjusted with them, so that a share of a volume is what it was.

    Args:
        costs: by asset class.
        snapshot: that is run.
        symbols: that are traded, of asset classes that have costs.
        basis: of the prices that are run.

    Raises:
        InputError: the key, the symbol and the remedy.
    """
    for symbol in symbols:
        entry = snapshot.instruments[symbol]
        each, key = costs.of(entry), f"costs.{entry.asset_class}"
        by_volume = _asked(each, ("participation", "volume_impact"))
        if by_volume and (has_closes_alone(snapshot) or is_member_without_opens(snapshot, symbol)):
            raise InputError(
                f"{key}.{by_volume}: got {_value(each, by_volume)} on {snapshot.name}, a market of closes alone, "
                "wanted a market with volumes; take the key out"
            )
        if entry.is_crypto:
            kept = snapshot.bar_units.get(symbol)
            if by_volume and kept is not None and kept.volume is None:
                raise InputError(
                    f"{key}.{by_volume}: got volumes of {symbol} in no known unit, wanted coins; import market "
                    f"{snapshot.name} again, or take the key out"
                )
        elif basis == "adjusted":
            is_traded = price_basis(snapshot, symbol) == "as_traded"
            by_unit = _asked(each, ("units", "commission_per_unit"))
            asked = by_volume if by_volume and not is_traded else by_unit
            if asked and not (is_traded and (asked == by_volume or is_unadjusted(snapshot.bars_of(symbol)))):
                raise InputError(
                    f"{key}.{asked}: got {_value(each, asked)} on adjusted prices of {symbol}, whose units were never "
                    f"traded, wanted prices as traded; {_remedy(is_traded)}, or take the key out"
                )


def _asked(costs: AssetClassCosts, keys: Sequence[str]) -> str:
    """The first of the keys that asks for units or volumes; empty where none does."""
    return next((key for key in keys if _value(costs, key) not in (None, 0.0, "fractional")), "")


def _value(costs: AssetClassCosts, key: str) -> object:
    return getattr(costs, key)


def _remedy(is_traded: bool) -> str:
    """A raw run is no remedy where the market does not know the prices that it needs."""
    if is_traded:
        return 'set run.prices = "raw"'
    return "import them with their dividends and splits (data import --actions), or fetch them (data fetch)"
