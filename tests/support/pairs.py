"""The sample with the pairs of the registered endpoint."""

from dataclasses import replace

import pandas as pd

from data.market.snapshot import Snapshot

NAMES = {"IGV": "SIM-SAAS-A", "SMH": "SIM-MEMORY-A", "ARKK": "SIM-SAAS-B", "QQQ": "SIM-MEMORY-B"}


def with_pairs(sample: Snapshot) -> Snapshot:
    """Four of its instruments by the names of the endpoint's."""
    parts = [sample.bars[sample.bars["symbol"] == old].assign(symbol=new) for new, old in NAMES.items()]
    instruments = {**sample.instruments, **{new: sample.instruments[old] for new, old in NAMES.items()}}
    return replace(sample, bars=pd.concat([sample.bars, *parts]), instruments=instruments, name="with pairs")
