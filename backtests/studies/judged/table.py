"""The judgement as one table: a row a cell, then a row a leg, horizon, lag and year of the regime as a forecast."""

import pandas as pd

from backtests.studies.judged.cells import ALL_YEARS
from backtests.studies.judged.judge import Judgement

KEYS = ["kind", "predictor", "leg", "horizon", "lag", "year"]


def judged_table(judged: Judgement) -> pd.DataFrame:
    """All of it; what a kind of row does not have is empty.

    Columns: those of `backtests.studies.judged.cells.cells_of` and `hits_of`; the rows of the latter have the kind
    "regime".
    """
    cells = judged.cells.assign(year=ALL_YEARS)
    regime = judged.hits.assign(kind="regime", predictor="regime")
    table = pd.concat([cells, regime], ignore_index=True)
    return table[[*KEYS, *(name for name in table if name not in KEYS)]]
