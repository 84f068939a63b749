"""The pipes: what repo pays above the interest on reserves, away from month ends. Higher is scarcer."""

import numpy as np

from data.clock import sessions_between
from signals.blocks.pipes import NAME, REPO_RATE, mean_known, repo_spread
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.members import with_members
from signals.known import Array, Observations, microseconds, moments_of
from signals.reading import RawInput, Reading
from signals.standardize import FirstPresent, Weighed, unclipped_z, weigh

RESERVES_RATE, BEFORE_IT = "IORB", "DFF"


def pipes_reading(facts: Facts, config: SignalConfig) -> Reading:
    """The z-score of the mean of the newest observations of repo less the interest on reserves, in basis points.

    The last session of each month and the first of the next are left out: then books are dressed, and repo says so.
    Until that has a z-score, the same over the federal funds rate stands in for it, each against its own past alone.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    inputs = facts.once("pipes", config, lambda keys: _inputs(facts, keys))
    weighed = facts.once("pipes over their past", config, lambda keys: _weighed(facts, keys))
    lacking = f"the pipes hold repo against {BEFORE_IT} throughout: the market lacks {RESERVES_RATE}"
    notes = () if facts.has(RESERVES_RATE) else (lacking,)
    return with_members(Reading(NAME, tuple(inputs), weighed.parts(config), notes=notes), facts, config)


def _inputs(facts: Facts, config: SignalConfig) -> list[RawInput]:
    inputs = []
    for rate in (RESERVES_RATE, BEFORE_IT):
        if rate == BEFORE_IT or facts.has(rate):
            spread = without_month_ends(repo_spread(facts, rate))
            known = mean_known(facts, spread, rate, config.pipes_mean_observations)
            name = f"{NAME}.{REPO_RATE}_{rate}"
            inputs.append(RawInput(name, "basis points", known.value, +1, known.observed, known.known))
    return inputs


def _weighed(facts: Facts, config: SignalConfig) -> Weighed:
    inputs = facts.once("pipes", config, lambda keys: _inputs(facts, keys))
    names = tuple(each.name for each in inputs)
    z = unclipped_z(np.column_stack([each.value for each in inputs]), config, facts.windows)
    return weigh(z, FirstPresent(names), names)


def without_month_ends(spread: Observations) -> Observations:
    """Leave out the days that are the last NYSE session of a month, or the first of one."""
    if not len(spread.day):
        return spread
    days = spread.day.view("datetime64[us]").astype("datetime64[M]")
    first, after = days.min(), days.max() + 1
    sessions = sessions_between(
        moments_of(first.astype("datetime64[us]").reshape(1).view(np.int64))[0],
        moments_of((after.astype("datetime64[us]") - np.timedelta64(1, "D")).reshape(1).view(np.int64))[0],
    )
    kept = ~np.isin(spread.day, month_ends(microseconds(sessions)))
    return Observations(spread.day[kept], spread.value[kept], spread.known[kept])


def month_ends(sessions: Array) -> Array:
    """The first and the last session of each month, of sessions of whole months."""
    months = sessions.view("datetime64[us]").astype("datetime64[M]")
    turns = months[1:] != months[:-1]
    is_end = np.append(turns, True) | np.append(True, turns)
    ends: Array = sessions[is_end]
    return ends
