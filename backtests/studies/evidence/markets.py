"""The markets that a result is held against."""

import pandas as pd

from data.market.snapshot import Snapshot
from data.prices.panel import build_panel

# Each market by what it is financed by; a blank: by the bill.
MARKETS = (("SPY", ""), ("SMH", "SPY"), ("IGV", "SPY"), ("BTC-USD", ""))


def market_factors(
    snapshot: Snapshot, sessions: pd.DatetimeIndex, risk_free: pd.Series, benchmark: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Returns of `MARKETS` over what each is financed by, from close to close.

    Args:
        snapshot: that holds them.
        sessions: of the run.
        risk_free: on them.
        benchmark: that stands in for all of them where the snapshot holds none; None: nothing does.

    Returns:
        Sessions by factors, NaN where one has no price yet; and the names of those that the snapshot does not hold.
    """
    held = set(snapshot.bars["symbol"].unique())
    missing = [name for name, against in MARKETS if not {name, *([against] if against else [])} <= held]
    markets = [each for each in MARKETS if each[0] not in missing]
    if not markets and benchmark is not None and benchmark in held:
        markets = [(benchmark, "")]
    if not markets:
        return pd.DataFrame(index=sessions), missing
    there = {name: None for pair in markets for name in pair if name}
    panel = build_panel(snapshot, tuple(there), sessions[0], sessions[-1])
    closes = pd.DataFrame(panel.adjusted_close, panel.sessions, list(panel.symbols))
    daily = closes.pct_change(fill_method=None).reindex(sessions)
    factors = {
        f"{name} less {against}" if against else name: daily[name] - (daily[against] if against else risk_free)
        for name, against in markets
    }
    return pd.DataFrame(factors, index=sessions), missing
