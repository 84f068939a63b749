"""The episodes of a run: every stay in a regime, why it began, and how the rotation's legs did in it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules
from signals.config import SignalConfig
from signals.explain.explanation import change_reason
from signals.liquidity import LiquiditySignal
from strategies.universe import BASKETS, Universe

IN_FORCE = "in force when the run began"


def basket_returns(rules: FillRules, tradable: pd.DataFrame, universe: Universe) -> pd.DataFrame:
    """Daily returns of the baskets, see `leg_returns`.

    Args:
        rules: prices over the run, and what becomes of what has no market any more.
        tradable: sessions decided for by symbols, as `Panel.tradable` gives it.
        universe: the baskets.
    """
    legs: dict[str, tuple[str, ...]] = {basket: universe.members(basket) for basket in BASKETS}
    if universe.rule is None:
        return leg_returns(rules, tradable, legs)
    alone = []
    for basket in BASKETS:
        held = universe.free(basket, tradable).reindex(columns=tradable.columns, fill_value=False)
        alone.append(leg_returns(rules, held, {basket: legs[basket]}))
    return pd.concat(alone, axis=1)


def leg_returns(rules: FillRules, tradable: pd.DataFrame, legs: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Daily returns of groups of instruments: the mean of their members, close to close, without costs.

    A member is in its leg while it is tradable, and then until the open at which it can be sold. Where there is no
    such open any more, its last return is that of its payout or close-out: a delisting for nothing costs everything.

    Args:
        rules: prices over the run, and what becomes of what has no market any more.
        tradable: sessions decided for by symbols, as `Panel.tradable` gives it.
        legs: symbols by name of the leg.

    Returns:
        Sessions of the run by legs; 0 where a leg has no member.
    """
    panel = rules.panel
    daily = pd.DataFrame(panel.adjusted_close, index=panel.sessions, columns=list(panel.symbols))
    is_held = tradable.reindex(panel.sessions, fill_value=False)
    daily = daily.pct_change(fill_method=None).where(is_held).iloc[1:]
    for place, symbol in enumerate(panel.symbols):
        for row, earned in _returns_of_leaving(rules, is_held[symbol].to_numpy(), place):
            daily.iloc[row - 1, place] = earned
    return pd.DataFrame({leg: daily[list(members)].mean(axis=1).fillna(0.0) for leg, members in legs.items()})


def _returns_of_leaving(rules: FillRules, tradable: np.ndarray, place: int) -> Iterator[tuple[int, float]]:
    """Row and return of the sessions on which an instrument is held that is not tradable any more.

    Args:
        rules: of the run.
        tradable: (n,) booleans.
        place: of the instrument.
    """
    panel = rules.panel
    opens, closes = panel.open[:, place], panel.close[:, place]
    for last in np.flatnonzero(tradable[:-1] & ~tradable[1:]):
        for row in range(last + 1, len(panel.sessions)):
            if tradable[row]:
                break
            if panel.ended[row, place] or rules.stale[row - 1, place]:
                unknown = closes[row - 1] * (1.0 - rules.stale_haircut)
                payout = panel.payout[row, place]
                yield row, float((unknown if np.isnan(payout) else payout) / closes[row - 1] - 1.0)
                break
            if not np.isnan(opens[row]):
                yield row, float(opens[row] * panel.split[row, place] / closes[row - 1] - 1.0)
                break
            yield row, 0.0


def rotation_table(
    signal: LiquiditySignal, config: SignalConfig, returns: pd.DataFrame, legs: pd.DataFrame, paid: pd.Series
) -> pd.DataFrame:
    """One row for each unbroken stay in a regime during the run.

    Args:
        signal: over the run and its warm-up.
        config: the signal's, for the reasons.
        returns: by session of the run, with the columns strategy and static_mix.
        legs: daily returns of the baskets and of the pair, same index; NaN where there is none.
        paid: costs of trading by session, US dollars, same index.

    Returns:
        Columns start, end (sessions), sessions (count), regime, reason, a total return for each leg (of the sessions
        that have one; NaN without any), strategy and static_mix, and costs in US dollars.
    """
    regime = signal.regime.reindex(returns.index)
    episode = (regime != regime.shift()).cumsum()
    growth = 1.0 + pd.concat([legs, returns[["strategy", "static_mix"]]], axis=1)
    rows = []
    for number, stay in regime.groupby(episode):
        first, last = stay.index[0], stay.index[-1]
        span = slice(first, last)
        began_before = number == 1 and signal.regime.shift()[first] == stay.iloc[0]
        rows.append(
            {
                "start": first,
                "end": last,
                "sessions": len(stay),
                "regime": stay.iloc[0],
                "reason": IN_FORCE if began_before else change_reason(signal, first, config),
                **(growth.loc[span].prod(min_count=1) - 1.0).to_dict(),
                "costs": float(paid.loc[span].sum()),
            }
        )
    return pd.DataFrame(rows)
