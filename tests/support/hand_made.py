"""Small worlds made by hand: an instrument, and a market of a few bars."""

from collections.abc import Mapping, Sequence

import pandas as pd

from data.catalogue.instruments import AssetClass, Instrument
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, FUNDING, GUIDANCE, SERIES

Bar = tuple[str, float | None, float]


def make_instrument(
    asset_class: AssetClass = "us_stock", listed: str = "2000-01-03", quantum: float = 1e-9
) -> Instrument:
    return Instrument(
        name="Made for a test",
        currency="USD",
        calendar="24/7" if asset_class == "crypto" else "XNYS",
        asset_class=asset_class,
        listed=pd.Timestamp(listed).date(),
        quantum=quantum,
    )


def make_snapshot(
    bars: Mapping[str, Sequence[Bar]],
    instruments: Mapping[str, Instrument] | None = None,
    name: str = "hand-made",
    as_traded: bool = False,
) -> Snapshot:
    """A snapshot of hand-made bars: {symbol: [(date, open, close), ...]}; None is a blank open.

    `as_traded` says that the prices are those that were quoted, which bars without any action do not tell.
    """
    rows = [
        {
            "symbol": symbol,
            "date": pd.Timestamp(date),
            "open": open_,
            "high": max(open_ or close, close),
            "low": min(open_ or close, close),
            "close": close,
            "adj_close": close,
            "volume": 1e6,
        }
        for symbol, lines in bars.items()
        for date, open_, close in lines
    ]
    return Snapshot(
        name=name,
        simulated=False,
        instruments={symbol: make_instrument() for symbol in bars} | dict(instruments or {}),
        bars=BARS.conform(pd.DataFrame(rows)),
        series=SERIES.empty(),
        capex_actuals=CAPEX.empty(),
        capex_guidance=GUIDANCE.empty(),
        funding_events=FUNDING.empty(),
        bar_units=dict.fromkeys(bars, BarUnits(prices="as_traded")) if as_traded else {},
    )
