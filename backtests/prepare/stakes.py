"""What share of a run's result stands on each instrument, series and exchange, and which of their days it reads."""

import pandas as pd

from backtests.prepare.needs import needs_of
from backtests.prepare.warmup import YEAR
from backtests.spec.spec import Spec
from data.clock import FIRST_DAY, sessions_between
from data.market.snapshot import Snapshot
from data.quality.findings import Days, Scope
from signals.liquidity import BLOCKS
from strategies.exposures import WINDOW_WEEKS
from strategies.universe import BASKETS

# Sessions before a run whose bars a rule may read: a year to the June before, and the weeks before that.
RANKED = YEAR + 5 * WINDOW_WEEKS


def stakes_of(spec: Spec, snapshot: Snapshot) -> dict[str, float]:
    """Return the share of the result, from 0 to 1, that stands on each name which a spec uses.

    An instrument: the largest budget of its basket in any regime, at most `policy.instrument_cap` outside the reserve;
    all of it where code or weights of the user decide, and for the benchmark, on which its own line stands. An
    exchange: its instruments together, at most all. A series: one block of the signal, and so too the yield of the
    bill; blocks of the user may read every series.

    Args:
        spec: complete.
        snapshot: that it is run on.
    """
    shares = {symbol: _share(spec, symbol) for symbol in spec.universe.symbols}
    exchanges: dict[str, float] = {}
    for symbol, share in shares.items():
        if symbol in snapshot.instruments:
            calendar = snapshot.instruments[symbol].calendar
            exchanges[calendar] = min(exchanges.get(calendar, 0.0) + share, 1.0)
    needs = needs_of(spec)
    read = snapshot.series["series"].unique() if spec.signal.blocks else needs.series
    blocks = len(BLOCKS) + len(spec.signal.blocks)
    return {**dict.fromkeys(read, 1 / blocks), **exchanges, **shares, spec.universe.benchmark: 1.0}


def reading_of(spec: Spec, snapshot: Snapshot) -> tuple[dict[str, float], Scope]:
    """Return the stakes of a spec, and what it reads from its first day to its last or the market's newest."""
    newest = snapshot.bars["date"].max()
    last = newest if spec.run.end is None else min(pd.Timestamp(spec.run.end), newest)
    return stakes_of(spec, snapshot), scope_of(spec, snapshot, pd.Timestamp(spec.run.start), last)


def scope_of(spec: Spec, snapshot: Snapshot, first: pd.Timestamp, last: pd.Timestamp) -> Scope:
    """Return what a run from one session to another reads of a market.

    Bars from as far before the first session as weights, or code of the user, look back; observations from as far
    before it as the windows of the signal do.
    """
    names = frozenset(stakes_of(spec, snapshot))
    code = spec.policy.function is not None or spec.run.strategy is not None
    asked = YEAR if spec.run.warmup_sessions is None else spec.run.warmup_sessions
    bars = max(spec.policy.lookback_sessions, asked if code else 0, 0 if spec.universe.rule is None else RANKED)
    observations = spec.signal.window_sessions + spec.signal.level_change_sessions
    before = sessions_between(FIRST_DAY, first)
    return Scope(
        symbols=names & frozenset(snapshot.instruments),
        series=names - frozenset(snapshot.instruments),
        bars=Days(before[max(len(before) - 1 - bars, 0)], last),
        observations=Days(before[max(len(before) - 1 - observations, 0)], last),
    )


def _share(spec: Spec, symbol: str) -> float:
    if spec.policy.function is not None or spec.policy.weights is not None or spec.run.strategy is not None:
        return 1.0
    universe = spec.universe
    budgets = spec.policy.budgets.model_dump().values()
    baskets = [each for each in BASKETS if symbol in universe.members(each)]
    if baskets != ["reserve"]:
        largest = max(budget[basket] for budget in budgets for basket in baskets)
        return float(min(largest, spec.policy.instrument_cap))
    # What empty baskets would get goes to the reserve.
    taken = ["reserve", *(each for each in BASKETS if each != "reserve" and not universe.members(each))]
    return float(max(sum(budget[each] for each in taken) for budget in budgets))
