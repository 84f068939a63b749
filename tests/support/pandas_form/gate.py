"""The threshold of idle money: while there is some, capex is a stimulus; once it is gone, capex is a drain.

How near the threshold is, capex over operating cash flow says. Off, by option, the ratio is one more z-score instead.
"""

import numpy as np
import pandas as pd

from pandas_form.spending import capex_to_cash_flow, company_quarters
from signals.block import SignalData
from signals.config import GateConfig, SignalConfig


def idle_money_gate(data: SignalData, config: SignalConfig) -> pd.DataFrame | None:
    """Find the state of the gate at each decision; None where `config.gate` is off.

    Raises:
        InputError: see `signals.capex.spending.company_quarters`.
    """
    if not config.gate.enabled:
        return None
    quarters = [company_quarters(data.capex, company) for company in config.companies]
    ratio = capex_to_cash_flow(quarters, data.sessions, config)
    return gate_state(ratio["value"], config.gate)


def gate_state(ratio: pd.Series, config: GateConfig) -> pd.DataFrame:
    """Open the gate by a logistic curve of the ratio.

    Args:
        ratio: of trailing capex to operating cash flow, by session; NaN where missing.
        config: of the gate.

    Returns:
        By session: ``ratio``; ``g`` = 1 / (1 + exp(-(ratio - `config.ratio`) / width)), from 0, where idle money
        abounds, to 1, where it is gone; ``multiplier`` = (1 + stimulus) g - stimulus, from -stimulus to +1, by which
        the growth of capex counts. NaN where the ratio is missing.
    """
    # The logistic curve, written so that nothing overflows far from its middle.
    g = 0.5 * (1 + np.tanh((ratio - config.ratio) / (2 * config.width)))
    multiplier = (1 + config.stimulus) * g - config.stimulus
    return pd.DataFrame({"ratio": ratio, "g": g, "multiplier": multiplier})
