"""Regimes by rules that need no signal, by hand."""

import math

import pandas as pd
import pytest

from strategies.rivals import MOMENTUM_SESSIONS, momentum_regimes, switched_regimes
from strategies.universe import Universe

UNIVERSE = Universe(speculative=("S", "T"), cash_flow=("C",), reserve=("R",), benchmark="C")
DAYS = pd.bdate_range("2024-01-02", periods=6)


def prices(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"R": [1.0] * len(DAYS)} | columns, index=DAYS)


def test_the_basket_that_grew_more_of_late_decides() -> None:
    """Over two sessions, with one speculative instrument that has prices."""
    given = prices(
        S=[100.0, 110.0, 121.0, 121.0, 133.1, 133.1],
        T=[math.nan] * 6,
        C=[100.0, 105.0, 110.25, 121.275, 120.0, 120.0],
    )
    # S over two sessions: 21%, 10%, 10%, 10%; C: 10.25%, 15.5%, 8.8%, -1.1%.
    found = momentum_regimes(given, UNIVERSE, 2)
    assert found.tolist() == ["NEUTRAL", "NEUTRAL", "ABUNDANT", "SCARCE", "ABUNDANT", "ABUNDANT"]
    assert found.index.equals(DAYS)


def test_a_basket_is_the_mean_of_the_members_that_have_a_return() -> None:
    """S falls by 10% a session; T, which is known from the third on, doubles: together they are ahead from then on."""
    given = prices(S=[100.0, 90.0, 81.0, 72.9, 65.61, 59.049], T=[math.nan, math.nan, 1.0, 2.0, 4.0, 8.0], C=[1.0] * 6)
    assert momentum_regimes(given, UNIVERSE, 1).tolist() == [
        "NEUTRAL",
        "SCARCE",
        "SCARCE",
        "ABUNDANT",
        "ABUNDANT",
        "ABUNDANT",
    ]


def test_it_looks_back_half_a_year() -> None:
    days = pd.bdate_range("2023-01-02", periods=MOMENTUM_SESSIONS + 2)
    rising = pd.DataFrame({"S": 1.0, "T": 1.0, "C": [1.01**row for row in range(len(days))], "R": 1.0}, index=days)
    found = momentum_regimes(rising, UNIVERSE)
    assert MOMENTUM_SESSIONS == 126
    assert found.value_counts().to_dict() == {"NEUTRAL": 126, "SCARCE": 2}


@pytest.mark.parametrize("regime", ["SCARCE", "ABUNDANT"])
def test_one_switch(regime: str) -> None:
    found = switched_regimes(DAYS, DAYS[4], regime)
    assert found.tolist() == ["NEUTRAL"] * 4 + [regime] * 2
    assert switched_regimes(DAYS, DAYS[0], regime).tolist() == [regime] * 6
