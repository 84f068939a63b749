"""The pair by a ledger by hand, its past only, and the row of its evidence."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.measures.pair import HALF_LIFE, MOST, VOLATILITY, pair_returns
from backtests.studies.evidence.of_run_alone import PAIR_SESSIONS, pair_row
from data.clock import sessions_between
from data.errors import InputError

DAYS = sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2021-12-31"))


def baskets(seed: int = 3, size: float = 0.02) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    both = random.normal(0, 0.01, len(DAYS))
    legs = {"speculative": both + random.normal(0, size, len(DAYS)), "cash_flow": both, "reserve": 0.0}
    return pd.DataFrame(legs, DAYS)


def test_the_pair_by_a_ledger_by_hand() -> None:
    """A book that each evening puts as much on each leg as moves by 10% a year, and begins each day with 1."""
    legs, decay = baskets(), 0.5 ** (1 / HALF_LIFE)
    found = pair_returns(legs)
    assert found.iloc[:HALF_LIFE].isna().all()
    sums, weights = {"cash_flow": 0.0, "speculative": 0.0}, 0.0
    for day, row in enumerate(legs.to_dict("records")):
        if day >= HALF_LIFE:
            stake = {leg: VOLATILITY / math.sqrt(252 * total / weights) for leg, total in sums.items()}
            earned = stake["cash_flow"] * row["cash_flow"] - stake["speculative"] * row["speculative"]
            assert found.iloc[day] == pytest.approx(earned, rel=1e-9)
        weights = weights * decay + 1.0
        sums = {leg: total * decay + row[leg] ** 2 for leg, total in sums.items()}
    assert found.iloc[HALF_LIFE:].notna().all()


def test_both_legs_move_alike() -> None:
    legs = baskets(size=0.1)
    alone = legs.assign(speculative=0.0)
    calm = pair_returns(legs.assign(speculative=legs["speculative"] * 1e-9, cash_flow=legs["speculative"]))
    one = pair_returns(legs.assign(cash_flow=legs["speculative"]))
    assert one.dropna().abs().max() == pytest.approx(0.0, abs=1e-12)
    assert pair_returns(alone).isna().all()  # a leg that never moved has no volatility
    # What hardly moves is raised five times and no more.
    assert calm.iloc[-1] == pytest.approx(
        pair_returns(legs.assign(cash_flow=legs["speculative"], speculative=1e-15)).iloc[-1], abs=MOST * 1e-9
    )
    spread = pair_returns(baskets(5).assign(cash_flow=np.random.default_rng(6).normal(0, 0.03, len(DAYS))))
    assert spread.std() * math.sqrt(252) == pytest.approx(VOLATILITY * math.sqrt(2), rel=0.15)


@pytest.mark.parametrize("cut", [HALF_LIFE, 100, 300])
def test_the_future_changes_no_earlier_return(cut: int) -> None:
    legs = baskets()
    garbled = legs.copy()
    garbled.iloc[cut:] *= 3.0
    pd.testing.assert_series_equal(pair_returns(garbled).iloc[:cut], pair_returns(legs).iloc[:cut], check_exact=True)
    pd.testing.assert_series_equal(pair_returns(legs.iloc[:cut]), pair_returns(legs).iloc[:cut], check_exact=True)
    # Nor is the day's own return in its own volatility.
    day = legs.copy()
    day.iloc[cut] *= 2.0
    assert pair_returns(day).iloc[cut] == pytest.approx(2.0 * pair_returns(legs).iloc[cut], rel=1e-12)


def test_the_row_is_the_difference_of_means_with_the_errors_of_statsmodels() -> None:
    from backtests.evidence.newey_west import newey_west

    random = np.random.default_rng(8)
    regime = pd.Series(np.array(["SCARCE", "NEUTRAL", "ABUNDANT"])[np.arange(len(DAYS)) // 50 % 3], DAYS)
    returns = pd.Series(random.normal(0, 0.006, len(DAYS)), DAYS) + 0.002 * (regime == "SCARCE")
    returns.iloc[:HALF_LIFE] = np.nan
    row = pair_row(returns, regime)
    means = returns.groupby(regime).mean() * 252
    assert row.values["difference"] == pytest.approx(means["SCARCE"] - means["ABUNDANT"])
    assert row.values["NEUTRAL"] == pytest.approx(means["NEUTRAL"])
    told = (regime != "NEUTRAL") & returns.notna()
    dummies = pd.DataFrame({"constant": 1.0, "scarce": (regime[told] == "SCARCE").astype(float)})
    oracle = newey_west(returns[told], dummies).loc["scarce"] * 252
    assert row.values["low"] == pytest.approx(oracle["low"], rel=0.02)  # the oracle's quantile is Student's
    assert row.verdict == "for it"
    assert pair_row(-returns, regime).verdict == "against it"
    # One stay that made all of it does not speak for it.
    stay = (regime == "SCARCE") & (np.arange(len(DAYS)) < 200) & (np.arange(len(DAYS)) >= 100)
    by_one = pair_row((returns - 0.002 * (regime == "SCARCE")) + 0.02 * stay, regime)
    rest = ((returns - 0.002 * (regime == "SCARCE"))[~stay]).groupby(regime[~stay]).mean() * 252
    assert by_one.values["without_best_stay"] == pytest.approx(rest["SCARCE"] - rest["ABUNDANT"])
    assert by_one.values["low"] > 0
    assert (by_one.verdict == "for it") == (by_one.values["without_best_stay"] > 0)
    with pytest.raises(InputError, match=f"has 0 ABUNDANT sessions, wanted at least {PAIR_SESSIONS}"):
        pair_row(returns, regime.replace("ABUNDANT", "NEUTRAL"))
