"""The event study: legs around the events of a market, by kind and by news. It is evidence, and never an input."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.newey_west import require_statsmodels
from backtests.prepare.choice import with_choice
from backtests.prepare.span import Span
from backtests.spec.spec import Spec
from backtests.studies.event_study.abnormal import StudyConfig, abnormal_returns
from backtests.studies.event_study.events import KINDS, all_events, study_events
from backtests.studies.event_study.tables import Measured
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import listed_bars
from strategies.rule import CHOSEN
from strategies.universe import BASKETS

CRYPTO = "crypto"
# Sessions before an event at which a fit may begin: ten years.
LONGEST = 2520


@dataclass(frozen=True)
class EventStudy:
    """What prices did around events. Returns are fractions; intervals are of 95%.

    Attributes:
        market: name of the market.
        simulated: whether its prices are made by a model.
        index: the instrument whose returns the market model takes out.
        first: first session of the study.
        last: last session.
        config: windows.
        legs: symbols by leg: crypto, the baskets, and every instrument by itself. The reserve is none: its return is
            the bill's yield, which is news of no event and of which every week is like the one before.
        counts: by kind: events, days (on which a stock could first answer), weeks, and weeks whose windows overlap;
            answers (of one instrument to one day), and of those unfitted (too few returns for a fit) and blank (a
            return is missing in a window: not yet or no longer listed, no bar, or beyond the end).
        tests: a row a kind, leg and window: kind, leg, first, last, weeks, mean, low, high, and by test its statistic
            and its p-value: t, bmp, kp, corrado; effective (independent observations behind kp); holm (p-value of bmp,
            corrected for all rows of crypto and baskets, or for all of single names).
        surprises: mean cumulative abnormal return by tercile of news: kind, leg, first, last, tercile, weeks, mean,
            low, high.
        slopes: of the cumulative abnormal return on the week's news: kind, leg, first, last, weeks, slope (per standard
            deviation of news), low, high, p_slope, detectable (the slope that would be found in four of five studies),
            holm (of p_slope, as above).
        paths: mean cumulative abnormal return by session: kind, leg, session, mean, low, high.
        outside: events before the first session, or after the last in which they could be answered; they are left out.
        left_out: symbols that have no fit around any event: too few returns, or nothing beyond the index.
    """

    market: str
    simulated: bool
    index: str
    first: pd.Timestamp
    last: pd.Timestamp
    config: StudyConfig
    legs: Mapping[str, tuple[str, ...]]
    counts: pd.DataFrame
    tests: pd.DataFrame
    surprises: pd.DataFrame
    slopes: pd.DataFrame
    paths: pd.DataFrame
    outside: int
    left_out: tuple[str, ...]


def event_study(
    spec: Spec,
    snapshot: Snapshot,
    config: StudyConfig | None = None,
    kinds: Collection[str] = KINDS,
    index: str | None = None,
    symbols: Sequence[str] = (),
) -> EventStudy:
    """Study what the instruments of a spec did around the events of a market.

    Args:
        spec: universe, of which the reserve is left out, and signal, by which news is scored. A basket that a rule
            chooses is on each day what it was then, from the June before the run's start on.
        snapshot: prices and events.
        config: windows.
        kinds: of events, some of `KINDS`.
        index: of the market model; None: the benchmark of the spec.
        symbols: of further instruments of the market.

    Raises:
        InputError: an instrument is not in the market, a window is wrong, there is no event, or the extra `evidence` is
            not installed.
    """
    require_statsmodels("an event study")
    config, kinds = config or StudyConfig(), tuple(dict.fromkeys(kinds))
    _require_windows(config)
    index = spec.universe.benchmark if index is None else index
    spec = with_choice(spec, snapshot, Span(pd.Timestamp(spec.run.start), snapshot.bars["date"].max()))
    names = tuple(dict.fromkeys([*spec.universe.outside_reserve, *symbols]))
    _require_known(snapshot, [index, *names], kinds)
    legs = _legs(spec, snapshot, names)
    returns, market = _returns(snapshot, names, index)
    events = study_events(snapshot, spec.signal, pd.DatetimeIndex(returns.index))
    events = events[events["kind"].isin(kinds)].reset_index(drop=True)
    asked = int(all_events(snapshot)["kind"].isin(kinds).sum())
    if events.empty:
        raise InputError(f"got no event of {', '.join(kinds)} in market {snapshot.name} within its prices")
    of_coins = np.array([snapshot.instruments[name].is_crypto for name in names])
    days, place = _days(events)
    places = np.where(of_coins[None, :], days["coins"].to_numpy()[:, None], days["stocks"].to_numpy()[:, None])
    found = abnormal_returns(returns.to_numpy(), market.to_numpy(), places, config)
    sessions = pd.DatetimeIndex(returns.index)
    chosen = _chosen(spec, legs, sessions[days["stocks"].to_numpy()])
    made = Measured(sessions, events, days, place, found, config, legs, names, chosen)
    return EventStudy(
        market=snapshot.name,
        simulated=snapshot.simulated,
        index=index,
        first=returns.index[0],
        last=returns.index[-1],
        config=config,
        legs=legs,
        counts=made.counts(kinds),
        tests=made.tests(kinds),
        surprises=made.surprises(kinds),
        slopes=made.slopes(kinds),
        paths=made.paths(kinds),
        outside=asked - len(events),
        left_out=tuple(name for at, name in enumerate(names) if np.isnan(found.spread[:, at]).all()),
    )


def _days(events: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The days on which something could first be answered, each once; and the place of each event's day among them."""
    keys = pd.MultiIndex.from_frame(events[["stocks", "coins"]])
    place, unique = keys.factorize(sort=True)
    return pd.DataFrame(list(unique), columns=["stocks", "coins"]), np.asarray(place)


def _legs(spec: Spec, snapshot: Snapshot, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    coins = tuple(name for name in spec.universe.outside_reserve if snapshot.instruments[name].is_crypto)
    legs = {CRYPTO: coins} | {
        str(basket): tuple(spec.universe.members(basket)) for basket in BASKETS if basket != "reserve"
    }
    return {leg: members for leg, members in legs.items() if members} | {name: (name,) for name in names}


def _chosen(spec: Spec, legs: Mapping[str, tuple[str, ...]], sessions: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    """By basket that a rule chooses, (sessions, members) whether each member is in it then."""
    if spec.universe.rule is None:
        return {}
    held = spec.universe.choice.on(sessions)
    return {basket: (held[list(legs[basket])] == basket).to_numpy() for basket in CHOSEN}


def _returns(snapshot: Snapshot, names: Sequence[str], index: str) -> tuple[pd.DataFrame, pd.Series]:
    """Total returns from session to session; NaN where either close is missing. A coin's day ends at midnight UTC."""
    closes = {name: listed_bars(snapshot, name)["adjusted_close"] for name in dict.fromkeys([*names, index])}
    first, last = closes[index].index[0], closes[index].index[-1]
    sessions = sessions_between(first, last)
    prices = pd.DataFrame({name: series.reindex(sessions) for name, series in closes.items()}, index=sessions)
    returns = prices / prices.shift() - 1.0
    return returns[list(names)], returns[index]


def _require_known(snapshot: Snapshot, symbols: Sequence[str], kinds: Collection[str]) -> None:
    if unknown := [symbol for symbol in symbols if symbol not in snapshot.instruments]:
        named = ", ".join(name or "a blank" for name in dict.fromkeys(unknown))
        raise InputError(
            f"got {named}, wanted instruments of market {snapshot.name}; see: reverse-qe data show {snapshot.name}"
        )
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        named = ", ".join(kind or "blank" for kind in unknown)
        raise InputError(f"got the kind {named}, wanted some of: {', '.join(KINDS)}")


def _require_windows(config: StudyConfig) -> None:
    begin, end = config.estimation
    if not begin < end < config.reach[0]:
        raise InputError(
            f"got an estimation window of {begin} to {end}, wanted one that ends before session {config.reach[0]}, the "
            "first that is looked at; name an earlier one"
        )
    if begin < -LONGEST:
        raise InputError(f"got an estimation window from {begin} on, wanted one from {-LONGEST} on at most")
    if end - begin + 1 < config.least:
        raise InputError(f"got an estimation window of {end - begin + 1} sessions, wanted at least {config.least}")
    if wrong := [window for window in config.windows if window[0] > window[1] or max(map(abs, window)) > 250]:
        raise InputError(
            f"got the window {wrong[0][0]},{wrong[0][1]}, wanted first,last in order and within 250 sessions"
        )
