"""A block of the signal: how far the 3-month bill's yield stands above where it stood three months ago."""

from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig
from signals.observations import as_known, basis_points, series_observations


def my_block(data: SignalData, config: SignalConfig) -> Block:
    """Make the block: one input, in basis points; a rise of the bill's yield means scarcer money."""
    observations = series_observations(data.series, "DGS3MO")
    # What each decision knew, and not what was later said about its day.
    known = as_known(observations, data.sessions, stale_after_days=10)
    rise = BlockInput(
        name="money_market.bill_rise",
        unit="basis points",
        value=basis_points(known["value"].diff(63)),
        scarcer_when=+1,
        observed=known["observed"],
        known=known["known"],
    )
    return Block(name="money_market", inputs=(rise,), grouping=rise.name)
