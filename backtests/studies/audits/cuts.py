"""The sessions of a run after whose decisions the future is another one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.audit.look_ahead import telling_sessions
from backtests.spec.spec import Spec
from backtests.studies.audits.probe import EVERY, Change, Probe
from data.market.snapshot import Snapshot
from signals.block import SignalData

# The three kinds of future in turn; what is garbled is higher and lower in turn.
TURNS: tuple[Change, ...] = ("cut", "up", "late", "cut", "down", "late")
TELLING: tuple[Change, ...] = ("cut", "down", "late")
BY_ENGINE = 5
REVISIONS, LISTINGS = 8, 3


@dataclass(frozen=True)
class Cuts:
    """Where the future is another one.

    Attributes:
        drawn: probes at sessions drawn from the whole run, in order; one future each.
        stretch: the sessions of the random stretch, in order.
        told: sessions at which much of the past is about to be told: results, revisions, listings.
    """

    drawn: tuple[Probe, ...]
    stretch: tuple[pd.Timestamp, ...]
    told: tuple[pd.Timestamp, ...]

    @property
    def probes(self) -> list[Probe]:
        """The probes of the stretch and of what is told: each session, under each future that can show a leak there."""
        inside = [Probe(change, session) for session in self.stretch for change in EVERY]
        return [*inside, *(Probe(change, session) for session in self.told for change in TELLING)]


def choose_cuts(spec: Spec, snapshot: Snapshot, sessions: pd.DatetimeIndex, count: int, seed: int) -> Cuts:
    """Draw the cuts of an audit.

    Args:
        spec: of the run.
        snapshot: of the run.
        sessions: of the run; the first is never cut, for nothing was decided before it.
        count: sessions to draw from the whole run, from 1; the stretch is twice as long, and one more. Where there are
            not so many all of them are taken.
        seed: of the draw.
    """
    random, open_to = np.random.default_rng(seed), sessions[1:]
    size = min(count, len(open_to))
    drawn = open_to[np.sort(random.choice(len(open_to), size, replace=False))]
    engine_at = set(np.linspace(0, size - 1, min(BY_ENGINE, size)).round().astype(int).tolist())
    length = min(2 * count + 1, len(open_to))
    begins = int(random.integers(0, len(open_to) - length + 1))
    return Cuts(
        drawn=tuple(
            Probe(TURNS[place % len(TURNS)], session, by_engine=place in engine_at)
            for place, session in enumerate(drawn)
        ),
        stretch=tuple(open_to[begins : begins + length]),
        told=tuple(sorted(_told(spec, snapshot, open_to, random))),
    )


def _told(spec: Spec, snapshot: Snapshot, sessions: pd.DatetimeIndex, random: np.random.Generator) -> set[pd.Timestamp]:
    """Sessions at whose decisions much is about to be told of days past, or an instrument is about to be listed."""
    found: set[pd.Timestamp] = set()
    if spec.signal.source is None and len(sessions) > 1:
        found |= set(telling_sessions(SignalData.of(snapshot, sessions, spec.signal), sessions))
    series = snapshot.series
    revised = series[series.duplicated(["series", "date"]) & series["value"].notna()]
    found |= _before(revised["known_at"], sessions, REVISIONS, random)
    begins = snapshot.bars.groupby("symbol")["date"].min().dt.tz_localize("UTC")
    return found | _before(begins, sessions, LISTINGS, random)


def _before(
    moments: pd.Series, sessions: pd.DatetimeIndex, count: int, random: np.random.Generator
) -> set[pd.Timestamp]:
    """The last sessions decided before some of these moments."""
    # Decisions are taken at midnight UTC of their sessions.
    told = moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    places = np.searchsorted(sessions.to_numpy().astype("datetime64[us]"), told, "left") - 1
    places = np.unique(places[(places >= 0) & (places < len(sessions) - 1)])
    chosen = random.choice(places, min(count, len(places)), replace=False) if len(places) else places
    return {sessions[int(place)] for place in chosen}
