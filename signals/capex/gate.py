"""The threshold of idle money: while there is some, capex is a stimulus; once it is gone, capex is a drain.

How near the threshold is, capex over operating cash flow says. Off, by option, the ratio is one more z-score instead.
"""

from typing import NamedTuple

import numpy as np

from signals.capex.spending import capex_to_cash_flow, company_quarters
from signals.config import GateConfig, SignalConfig
from signals.facts import Facts
from signals.known import Array


class Gate(NamedTuple):
    """The state of the gate at each decision; NaN where the ratio is missing.

    Attributes:
        ratio: of trailing capex to operating cash flow.
        g: from 0, where idle money abounds, to 1, where it is gone.
        multiplier: by which the growth of capex counts.
    """

    ratio: Array
    g: Array
    multiplier: Array


def idle_money_gate(facts: Facts, config: SignalConfig) -> Gate | None:
    """Find the state of the gate at each decision; None where `config.gate` is off.

    Raises:
        InputError: see `signals.capex.spending.company_quarters`.
    """
    if not config.gate.enabled:
        return None
    quarters = [company_quarters(facts.data.capex, company) for company in config.companies]
    return gate_state(capex_to_cash_flow(quarters, facts.sessions, config).value, config.gate)


def gate_state(ratio: Array, config: GateConfig) -> Gate:
    """Open the gate by a logistic curve of the ratio.

    Args:
        ratio: of trailing capex to operating cash flow, by session; NaN where missing.
        config: of the gate.

    Returns:
        ``ratio``; ``g`` = 1 / (1 + exp(-(ratio - `config.ratio`) / width)); ``multiplier`` = (1 + stimulus) g -
        stimulus, from -stimulus to +1.
    """
    # The logistic curve, written so that nothing overflows far from its middle.
    g = 0.5 * (1 + np.tanh((ratio - config.ratio) / (2 * config.width)))
    return Gate(ratio, g, (1 + config.stimulus) * g - config.stimulus)
