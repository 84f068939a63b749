"""The study of exposures: the sample's planted effect is found, and the null's is not; figures of filings as known."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from backtests.prepare.accounts import _of_results, valuation
from backtests.prepare.weeks import weeks_of
from backtests.spec.spec import load_spec
from backtests.studies.exposures import rankings, study_exposures
from data.clock import decision_times
from data.errors import InputError
from data.market.tables import SERIES
from hand_made import make_snapshot
from strategies.valuation import Accounts, implied_duration

DAY = pd.Timestamp("2024-06-03")


@pytest.fixture(scope="module")
def found(sample):
    return study_exposures(load_spec("sample"), sample, DAY)


@pytest.mark.slow
def test_the_planted_effect_of_the_sample_is_found_and_nothing_in_the_null(found):
    from data.markets import open_market

    by_duration = found.baskets.set_index("ranking").loc["duration"]
    assert by_duration["share"] == 1.0
    # The least that six and three names can give.
    assert by_duration["p_value"] == pytest.approx(2 / math.comb(9, 3))
    assert (found.quarters > 0.5).mean() > 0.9
    null = study_exposures(load_spec("sample"), open_market("sample:null"), DAY)
    assert null.baskets.set_index("ranking").loc["duration", "p_value"] > 0.1
    assert 0.3 < null.quarters.mean() < 0.75


@pytest.mark.slow
def test_shares_and_correlations_are_those_of_scipy(found):
    ranks, baskets = rankings(found.slopes, found.ranked), found.ranked["basket"]
    long, short = (ranks.loc[baskets[baskets == name].index, "score"] for name in ("speculative", "cash_flow"))
    test = mannwhitneyu(long, short, method="exact")
    row = found.baskets.set_index("ranking").loc["score"]
    assert row["share"] == pytest.approx(test.statistic / (len(long) * len(short)))
    assert row["p_value"] == pytest.approx(test.pvalue)
    pair = found.agreement.set_index(["one", "other"]).loc[("duration", "score")]
    assert pair["correlation"] == pytest.approx(spearmanr(ranks["duration"], ranks["score"]).statistic)


@pytest.mark.slow
def test_what_is_not_there_is_said(found, sample):
    assert found.lacking == ("breakeven",)
    assert "market value" in found.ranked["missing"].iloc[0]
    bare = replace(sample, series=sample.series[~sample.series["series"].isin(["DFII10", "BAA10Y"])])
    with pytest.raises(InputError, match="has none of DFII10, T10YIE, BAA10Y"):
        study_exposures(load_spec("sample"), bare, DAY)


@pytest.mark.parametrize("day", ["2024-06-03", "2024-06-07"])
def test_no_week_knows_the_future(sample, day):
    """Every week that counts at a decision is the same, whatever is told or revised later."""
    session = pd.Timestamp(day)
    [moment] = decision_times(pd.DatetimeIndex([session]))
    told = sample.series["known_at"] <= moment
    revised = sample.series[~told].assign(known_at=lambda rows: rows["known_at"] + pd.Timedelta(hours=1), value=9.0)
    later = SERIES.conform(pd.concat([sample.series, revised], ignore_index=True))
    names, factors = ["SIM-COIN-A", "SIM-SAAS-A"], ["real_yield", "credit_spread", "net_liquidity"]
    whole = weeks_of(sample, names, "SIM-MARKET", pd.Timestamp("2024-12-02"), factors).at(session)
    assert len(whole.returns) > 400
    assert whole.counts_from.iloc[-1] <= session
    cut = replace(sample, series=sample.series[told], bars=sample.bars[sample.bars["date"] < session])
    garbled = sample.series.copy()
    garbled.loc[~told, "value"] = 5.0
    for market in (cut, replace(sample, series=garbled), replace(sample, series=later)):
        other = weeks_of(market, names, "SIM-MARKET", session, factors).at(session)
        for name in ("returns", "market", "factors", "counts_from"):
            assert getattr(other, name).equals(getattr(whole, name)), name


def with_facts(known="2024-05-01"):
    days = pd.bdate_range("2024-01-02", "2024-06-07").strftime("%Y-%m-%d")
    market = make_snapshot({"MU": [(day, 100.0, 100.0) for day in days]}, as_traded=True)
    values = {"shares": (4.0, 4.0), "book": (100, 80), "earnings": (30, 25), "sales": (150, 100),
              "free_cash_flow": (20, 10)}  # fmt: skip
    rows = [
        {
            "series": f"MU.{name}",
            "date": pd.Timestamp(date),
            "value": float(value),
            "known_at": pd.Timestamp(told, tz="UTC"),
        }
        for name, (now, before) in values.items()
        for date, value, told in (("2022-12-31", before, "2023-04-01"), ("2023-12-31", now, known))
    ]
    return replace(market, series=SERIES.conform(pd.DataFrame(rows)))


def test_a_companys_figures_give_the_duration_of_the_formula_once_they_are_known():
    told = valuation(with_facts(), "MU", pd.Timestamp("2024-06-03"))
    assert told.implied_duration == pytest.approx(16.945, abs=5e-4)
    assert told.implied_duration == implied_duration(Accounts(100, 80, 30, 150, 100, 400))
    assert told.cash_flow_yield == 20 / 400
    assert told.missing == ()


def test_before_its_figures_are_told_the_year_before_stands_and_too_old_ones_count_for_nothing():
    early = valuation(with_facts("2024-06-03 00:01"), "MU", pd.Timestamp("2024-06-03"))
    assert early.cash_flow_yield == 10 / 400
    assert np.isnan(early.implied_duration)
    assert set(early.missing) == {"book equity", "sales"}
    late = valuation(with_facts(), "MU", pd.Timestamp("2025-08-01"))
    assert np.isnan(late.cash_flow_yield)
    assert "market value" in late.missing


def test_results_of_the_market_stand_in_for_free_cash_flow(sample):
    rows = sample.capex_actuals.dropna(subset=["capex_usd_bn", "ocf_usd_bn"])
    company = rows["company"].value_counts().index[0]
    rows = rows[rows["company"] == company]
    [moment] = decision_times(pd.DatetimeIndex([DAY]))
    known = rows[(rows["capex_known_at"] <= moment) & (rows["ocf_known_at"] <= moment)].tail(4)
    wanted = 1000 * (known["ocf_usd_bn"] - known["capex_usd_bn"]).sum()
    assert _of_results(sample, company, DAY) == pytest.approx(wanted)
