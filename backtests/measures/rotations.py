"""The episodes of a run: every stay in a regime, why it began, and how the rotation's legs did in it."""

import pandas as pd

from data.prices.panel import Panel
from signals.config import SignalConfig
from signals.explain.explanation import change_reason
from signals.liquidity import LiquiditySignal
from strategies.universe import BASKETS, Universe

IN_FORCE = "in force when the run began"


def basket_returns(panel: Panel, tradable: pd.DataFrame, universe: Universe) -> pd.DataFrame:
    """Daily returns of the baskets: the mean of their tradable members, close to close, without costs.

    Args:
        panel: prices over the run.
        tradable: sessions decided for by symbols, as `Panel.tradable` gives it.
        universe: the baskets.

    Returns:
        Sessions of the run by baskets; 0 where a basket has no tradable member.
    """
    closes = pd.DataFrame(panel.adjusted_close, index=panel.sessions, columns=list(panel.symbols))
    daily = closes.pct_change(fill_method=None).iloc[1:]
    held = tradable.reindex(daily.index)
    columns = {}
    for basket in BASKETS:
        members = list(universe.members(basket))
        columns[basket] = daily[members].where(held[members]).mean(axis=1).fillna(0.0)
    return pd.DataFrame(columns)


def rotation_table(
    signal: LiquiditySignal, config: SignalConfig, returns: pd.DataFrame, baskets: pd.DataFrame, paid: pd.Series
) -> pd.DataFrame:
    """One row for each unbroken stay in a regime during the run.

    Args:
        signal: over the run and its warm-up.
        config: the signal's, for the reasons.
        returns: by session of the run, with the columns strategy and static_mix.
        baskets: daily returns of the baskets, same index.
        paid: costs of trading by session, US dollars, same index.

    Returns:
        Columns start, end (sessions), sessions (count), regime, reason, a total return for each basket, strategy and
        static_mix, and costs in US dollars.
    """
    regime = signal.regime.reindex(returns.index)
    episode = (regime != regime.shift()).cumsum()
    rows = []
    for number, stay in regime.groupby(episode):
        first, last = stay.index[0], stay.index[-1]
        span = slice(first, last)
        began_before = number == 1 and signal.regime.shift()[first] == stay.iloc[0]
        legs = pd.concat([baskets.loc[span], returns.loc[span, ["strategy", "static_mix"]]], axis=1)
        rows.append(
            {
                "start": first,
                "end": last,
                "sessions": len(stay),
                "regime": stay.iloc[0],
                "reason": IN_FORCE if began_before else change_reason(signal, first, config),
                **((1.0 + legs).prod() - 1.0).to_dict(),
                "costs": float(paid.loc[span].sum()),
            }
        )
    return pd.DataFrame(rows)
