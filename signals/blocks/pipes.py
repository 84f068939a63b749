"""The pipes: what repo pays above the policy rate. Higher is scarcer."""

from data.catalogue.series import series_entry
from signals.blocks.rates import rounded_basis_points
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import Known, Observations, known_values, mean_of_newest, together
from signals.reading import RawBlock, RawInput

NAME = "pipes"
REPO_RATE = "SOFR"


def pipes_series(config: SignalConfig) -> tuple[str, str]:
    """Names of the series that the block needs: the repo rate and the policy rate."""
    return (REPO_RATE, config.policy_rate)


def pipes_block(facts: Facts, config: SignalConfig) -> RawBlock:
    """The mean of the newest observations of the repo rate less the policy rate, in basis points.

    An observation is a date that both rates have, known when both are; the mean is over the newest
    `config.pipes_mean_observations` of them, and too old when the newest is. Where the policy rate is IORB there is no
    value before its start in 2021-07: no other rate stands in for it, for repo stands at another distance from each.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    spread = repo_spread(facts, config.policy_rate)
    known = mean_known(facts, spread, config.policy_rate, config.pipes_mean_observations)
    name = f"{NAME}.{REPO_RATE}_{config.policy_rate}"
    return RawBlock(NAME, (RawInput(name, "basis points", known.value, +1, known.observed, known.known),), name)


def repo_spread(facts: Facts, policy_rate: str) -> Observations:
    """The repo rate less a policy rate, in basis points, on each day that both have, known when both are."""
    day, known, rates = together([facts.series(REPO_RATE), facts.series(policy_rate)])
    return Observations(day, rounded_basis_points(rates[:, 0] - rates[:, 1]), known)


def mean_known(facts: Facts, spread: Observations, policy_rate: str, count: int) -> Known:
    """The mean of the newest observations of a spread, as known at each decision."""
    stale_after_days = max(series_entry(name).stale_after_days for name in (REPO_RATE, policy_rate))
    return known_values(mean_of_newest(spread, count), facts.sessions, stale_after_days)
