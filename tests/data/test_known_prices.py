"""What decisions know of prices, by hand, and as a panel has it."""

import numpy as np
import pandas as pd
import pytest

from data.clock import next_session, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.known import known_prices
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot


def test_a_decision_knows_the_close_of_an_earlier_date_alone() -> None:
    """Friday's stock and Sunday's coin are known on Monday; a coin's bar of the session itself is not."""
    days = ("2024-04-05", "2024-04-07", "2024-04-08", "2024-04-09")
    coin = [(day, 1.0, price) for day, price in zip(days, (10.0, 12.0, 13.0, 14.0), strict=True)]
    stock = [(day, 1.0, price) for day, price in zip(days[:1] + days[2:], (5.0, 6.0, 7.0), strict=True)]
    snapshot = make_snapshot({"COIN": coin, "S": stock}, {"COIN": make_instrument("crypto")})
    known = known_prices(snapshot, ("COIN", "S"), pd.DatetimeIndex(["2024-04-05", "2024-04-08", "2024-04-10"]))
    assert known["COIN"].tolist() == pytest.approx([np.nan, 12.0, 14.0], nan_ok=True)
    assert known["S"].tolist() == pytest.approx([np.nan, 5.0, 7.0], nan_ok=True)


def test_it_is_what_a_panel_knows(sample: Snapshot) -> None:
    first, last = pd.Timestamp("2023-03-01"), pd.Timestamp("2024-06-28")
    symbols = tuple(sample.bars["symbol"].unique()[:5])
    panel = build_panel(sample, symbols, first, last)
    known = known_prices(sample, symbols, sessions_between(panel.decides_for[0], next_session(last)))
    pd.testing.assert_frame_equal(known, panel.decision_prices(), check_exact=True, check_names=False, check_freq=False)


def test_an_unknown_symbol_is_refused(sample: Snapshot) -> None:
    with pytest.raises(InputError, match="symbol NOWHERE is not in market sample"):
        known_prices(sample, ["NOWHERE"], pd.DatetimeIndex(["2024-04-05"]))
