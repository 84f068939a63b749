"""The pipes: what repo pays above the policy rate. Higher is scarcer."""

from data.catalogue.series import series_entry
from pandas_form.observations import as_known, basis_points, same_day_observations, series_observations, trailing_mean
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig

NAME = "pipes"
REPO_RATE = "SOFR"


def pipes_series(config: SignalConfig) -> tuple[str, str]:
    """Names of the series that the block needs: the repo rate and the policy rate."""
    return (REPO_RATE, config.policy_rate)


def pipes_block(data: SignalData, config: SignalConfig) -> Block:
    """The mean of the newest observations of the repo rate less the policy rate, in basis points.

    An observation is a date that both rates have, known when both are; the mean is over the newest
    `config.pipes_mean_observations` of them, and too old when the newest is. Where the policy rate is IORB there is no
    value before its start in 2021-07: no other rate stands in for it, for repo stands at another distance from each.

    Raises:
        InputError: see `signals.observations.series_observations`.
    """
    names = pipes_series(config)
    rates = same_day_observations({name: series_observations(data.series, name) for name in names})
    rates["value"] = basis_points(rates[REPO_RATE] - rates[config.policy_rate])
    means = trailing_mean(rates[["date", "value", "known_at"]], config.pipes_mean_observations)
    known = as_known(means, data.sessions, max(series_entry(name).stale_after_days for name in names))
    spread = BlockInput(
        name=f"{NAME}.{REPO_RATE}_{config.policy_rate}",
        unit="basis points",
        value=known["value"],
        scarcer_when=+1,
        observed=known["observed"],
        known=known["known"],
    )
    return Block(name=NAME, inputs=(spread,), grouping=spread.name)
