"""The water in the tank: the change of net liquidity. Falling is scarcer."""

from data.catalogue.series import series_entry
from pandas_form.gate import idle_money_gate
from pandas_form.observations import as_known, same_day_observations, series_observations
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig

NAME = "level"
CENTRAL_BANK_ASSETS, TREASURY_ACCOUNT, REVERSE_REPO = SERIES = ("WALCL", "WTREGEN", "RRPONTSYD")
MILLIONS_PER_BILLION = 1000


def level_block(data: SignalData, config: SignalConfig) -> Block:
    """The change of central-bank assets less Treasury account less reverse repo, all at the same Wednesday.

    A Wednesday that one of the three lacks gives no level. The level is known when the last of the three is, and too
    old by the longest of their limits, as the weekly figures set its pace. The input is the change, in USD millions,
    between the level known at the decision and that known at the decision `config.level_change_sessions` before.

    With `config.gate.level` a fall counts by the state of the gate: its g times the change; missing where g is.

    Raises:
        InputError: see `signals.observations.series_observations`.
    """
    levels = same_day_observations({name: series_observations(data.series, name) for name in SERIES})
    levels["value"] = (
        levels[CENTRAL_BANK_ASSETS] - levels[TREASURY_ACCOUNT] - MILLIONS_PER_BILLION * levels[REVERSE_REPO]
    )
    stale_after_days = max(series_entry(name).stale_after_days for name in SERIES)
    known = as_known(levels[["date", "value", "known_at"]], data.sessions, stale_after_days)
    change = known["value"].diff(config.level_change_sessions)
    gate = idle_money_gate(data, config) if config.gate.level else None
    if gate is not None:
        change = change.mask(change < 0, change * gate["g"])
    net_liquidity = BlockInput(
        name=f"{NAME}.net_liquidity",
        unit="USD millions",
        value=change,
        scarcer_when=-1,
        observed=known["observed"],
        known=known["known"],
    )
    return Block(name=NAME, inputs=(net_liquidity,), grouping=net_liquidity.name, gate=gate)
