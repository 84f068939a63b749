"""The price of water: changes of sovereign yields and of the credit spread. Rising is scarcer."""

from data.catalogue import series_entry
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig
from signals.observations import as_known, basis_points, series_observations

NAME = "price_of_capital"
NOMINAL_YIELD, REAL_YIELD, CREDIT_SPREAD = SERIES = ("DGS10", "DFII10", "BAA10Y")


def price_of_capital_block(data: SignalData, config: SignalConfig) -> Block:
    """Half sovereign (the mean of nominal and real 10-year), half credit; each the mean over the change horizons.

    Inputs are changes in basis points over `config.change_sessions` sessions, each between the value known at the
    decision and the value known at the decision so many sessions before; NaN where one of them is missing or too old.

    Raises:
        InputError: see `signals.observations.series_observations`.
    """
    inputs = {name: _changes(data, config, name) for name in SERIES}
    names = {name: tuple(each.name for each in changes) for name, changes in inputs.items()}
    return Block(
        name=NAME,
        inputs=tuple(each for changes in inputs.values() for each in changes),
        grouping=((names[NOMINAL_YIELD], names[REAL_YIELD]), names[CREDIT_SPREAD]),
    )


def _changes(data: SignalData, config: SignalConfig, name: str) -> list[BlockInput]:
    observations = series_observations(data.series, name)
    known = as_known(observations, data.sessions, series_entry(name).stale_after_days)
    return [
        BlockInput(
            name=f"{NAME}.{name}_{horizon}",
            unit="basis points",
            value=basis_points(known["value"].diff(horizon)),
            scarcer_when=+1,
            observed=known["observed"],
            known=known["known"],
        )
        for horizon in config.change_sessions
    ]
