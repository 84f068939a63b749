"""The study of exposures: the sample's planted effect is found, and the null's is not; figures of filings as known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import mannwhitneyu, spearmanr

from backtests.prepare.accounts import _of_results, valuation
from backtests.prepare.weeks import weeks_of
from backtests.spec.spec import load_spec
from backtests.studies.exposures import _ranked, rankings, study_exposures
from data.catalogue.filed import filed_entry
from data.clock import decision_times
from data.errors import InputError
from data.market.tables import ACTIONS, SERIES
from hand_made import make_snapshot
from reverse_qe.words.studies import exposures as words
from strategies.exposures import slopes_on
from strategies.valuation import Accounts, implied_duration

DAY = pd.Timestamp("2024-06-03")
BASKETS = ("speculative", "cash_flow")


@pytest.fixture(scope="module")
def found(sample):
    return study_exposures(load_spec("sample"), sample, DAY)


@pytest.mark.slow
def test_the_planted_effect_of_the_sample_is_found_and_nothing_in_the_null(found):
    from data.markets import open_market

    by_duration = found.baskets.set_index("ranking").loc["duration"]
    assert by_duration["share"] == 1.0
    assert by_duration["p_value"] < 0.001 < 0.05 / len(found.baskets)
    assert by_duration["difference"] > by_duration["detectable"] > 0
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
    pair = found.agreement.set_index(["one", "other"]).loc[("duration", "score")]
    assert pair["correlation"] == pytest.approx(spearmanr(ranks["duration"], ranks["score"]).statistic)


@pytest.mark.slow
def test_the_baskets_are_set_apart_as_statsmodels_does_it(found, sample):
    """One basket less the other on the same regressors; of duration the sum of two of its slopes."""
    weeks = weeks_of(sample, list(found.ranked.index), "SIM-MARKET", DAY, ["real_yield", "credit_spread"]).at(DAY)
    last, of = slice(-104, None), {name: found.ranked.index[found.ranked["basket"] == name] for name in BASKETS}
    apart = weeks.returns[of["speculative"]].mean(axis=1) - weeks.returns[of["cash_flow"]].mean(axis=1)
    fit = sm.OLS(apart.iloc[last], sm.add_constant(pd.concat([weeks.market, weeks.factors], axis=1).iloc[last]))
    fit = fit.fit(cov_type="HC2")
    told = found.baskets.set_index("ranking")
    assert told.loc["real_yield", "difference"] == pytest.approx(-fit.params["real_yield"], rel=1e-9)
    spread = {name: slopes_on(found.slopes, name).std(ddof=1) for name in ("real_yield", "credit_spread")}
    both = fit.t_test(" + ".join(f"{-1 / value} * {name}" for name, value in spread.items()))
    assert told.loc["duration", "difference"] == pytest.approx(both.effect.item(), rel=1e-9)
    reach = told.loc["duration", "high"] - told.loc["duration", "difference"]
    # A t of few degrees of freedom: a little more than two errors.
    assert 1.96 < reach / both.sd.item() < 2.1


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
    early = valuation(with_facts("2024-03-20 00:01"), "MU", pd.Timestamp("2024-03-20"))
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
    assert _of_results(sample, company, DAY) == (pytest.approx(wanted), known["period_end"].iloc[-1])


# A company by hand, in millions. Its year to 2023-12-31 was filed on 2024-02-22, when a share cost 200; 2 million
# shares were counted on 2024-02-16, and split 2 for 1 on 2024-03-04: 400 before and after.
HAND = {"shares": {"2024-02-16": 2.0}, "book": {"2022-12-31": 80.0, "2023-12-31": 100.0},
        "earnings": {"2023-12-31": 30.0}, "sales": {"2022-12-31": 100.0, "2023-12-31": 150.0},
        "free_cash_flow": {"2023-12-31": 20.0}}  # fmt: skip
# Worked out row by row: the return on equity begins at 30 / 80 and goes to .57 r + .0516, growth begins at
# 150 / 100 - 1 and goes to .24 g + .0456; paid is book (return - growth), discounted at 12%.
ROWS = [  # year, return, growth, book after it, paid, paid / 1.12 ^ year
    (1, 0.265350, 0.165600, 116.5600, 9.9750, 8.9062),
    (2, 0.202849, 0.085344, 126.5077, 13.6964, 10.9187),
    (3, 0.167224, 0.066083, 134.8676, 12.7952, 9.1074),
    (4, 0.146918, 0.061460, 143.1566, 11.5255, 7.3247),
    (5, 0.135343, 0.060350, 151.7961, 10.7357, 6.0917),
    (6, 0.128746, 0.060084, 160.9167, 10.4226, 5.2804),
    (7, 0.124985, 0.060020, 170.5749, 10.4539, 4.7288),
    (8, 0.122841, 0.060005, 180.8102, 10.7183, 4.3290),
    (9, 0.121620, 0.060001, 191.6591, 11.1412, 4.0176),
    (10, 0.120923, 0.060000, 203.1587, 11.6764, 3.7595),
]


def by_hand(*more):
    """The company, its prices as traded, and further figures: series, date, value, known."""
    days = pd.bdate_range("2024-01-02", "2025-06-06").strftime("%Y-%m-%d")
    quoted = [(day, price, price) for day in days for price in [200.0 if day < "2024-03-04" else 100.0]]
    split = {
        "symbol": "MU",
        "date": "2024-03-04",
        "kind": "split",
        "value": 2.0,
        "known_at": "2024-03-04",
        "source": "",
    }
    actions = pd.DataFrame([split])
    actions["date"], actions["known_at"] = (
        pd.to_datetime(actions["date"]),
        pd.to_datetime(actions["known_at"], utc=True),
    )
    rows = [
        (f"MU.{name}", day, value, "2024-02-22 21:05") for name, each in HAND.items() for day, value in each.items()
    ]
    frame = pd.DataFrame([*rows, *more], columns=["series", "date", "value", "known_at"])
    moments = pd.to_datetime(frame["known_at"], utc=True)
    frame = frame.assign(date=pd.to_datetime(frame["date"]), known_at=moments)
    entries = {f"MU.{name}": filed_entry("MU", name) for name in HAND}
    market = make_snapshot({"MU": quoted}, as_traded=True)
    return replace(market, series=SERIES.conform(frame), series_entries=entries, actions=ACTIONS.conform(actions))


@pytest.mark.parametrize("session", ["2024-02-23", "2024-03-04", "2024-03-05", "2024-05-02"])
def test_a_companys_duration_is_that_of_a_computation_by_hand_on_both_sides_of_a_split(session):
    worth, timed = sum(row[5] for row in ROWS), sum(row[0] * row[5] for row in ROWS)
    years = timed / 400 + (10 + 1.12 / 0.12) * (1 - worth / 400)
    # Counted again after the split, the shares are 4 million.
    market = by_hand(("MU.shares", "2024-04-19", 4.0, "2024-04-25 20:10"))
    told = valuation(market, "MU", pd.Timestamp(session))
    assert years == pytest.approx(16.945, abs=1e-3)
    assert told.implied_duration == pytest.approx(years, abs=1e-3)
    assert told.cash_flow_yield == pytest.approx(20 / 400)
    assert (told.figures_to, told.source) == (pd.Timestamp("2023-12-31"), "SEC EDGAR")
    assert (told.missing, told.stale) == ((), ())


def test_a_filing_counts_from_the_decision_after_its_acceptance():
    early = valuation(by_hand(), "MU", pd.Timestamp("2024-02-22"))
    assert np.isnan(early.implied_duration)
    assert early.figures_to is None
    assert early.missing == ("market value", "free cash flow", "book equity", "earnings", "sales")


def test_a_restatement_counts_from_its_own_filing_and_a_quarter_once_all_of_it_is_known():
    restated = by_hand(("MU.book", "2022-12-31", 60.0, "2024-05-31 20:00"))
    before, after = (valuation(restated, "MU", pd.Timestamp(day)) for day in ("2024-05-31", "2024-06-03"))
    assert before.implied_duration == valuation(by_hand(), "MU", pd.Timestamp("2024-05-31")).implied_duration
    assert after.implied_duration == implied_duration(Accounts(100, 60, 30, 150, 100, 400))
    quarter = [(f"MU.{name}", "2024-03-31", value, "2024-04-25 20:10") for name, value in
               (("book", 110.0), ("earnings", 36.0), ("sales", 160.0))]  # fmt: skip
    # Neither the book nor the sales of the year to March 2023 are known: the year to December stands, and says so.
    assert valuation(by_hand(*quarter), "MU", DAY).figures_to == pd.Timestamp("2023-12-31")
    assert valuation(by_hand(*quarter), "MU", DAY).missing == ()
    year = [
        (f"MU.{name}", "2023-03-31", value, "2024-04-25 20:10") for name, value in (("book", 85.0), ("sales", 110.0))
    ]
    told = valuation(by_hand(*quarter, *year), "MU", DAY)
    assert told.implied_duration == implied_duration(Accounts(110, 85, 36, 160, 110, 400))


def test_figures_older_than_fifteen_months_are_not_used_and_named():
    day = pd.Timestamp("2023-12-31") + pd.Timedelta(days=460)
    assert valuation(by_hand(), "MU", day).stale == ()
    late = valuation(by_hand(), "MU", day + pd.Timedelta(days=1))
    assert np.isnan([late.implied_duration, late.cash_flow_yield]).all()
    assert late.stale == ("book equity", "earnings", "sales", "free cash flow")


def test_what_filings_tell_is_shown_with_its_age_and_source():
    session = pd.Timestamp("2024-06-03")
    index = pd.MultiIndex.from_product([["breakeven"], ["MU"]], names=["factor", "asset"])
    slopes = pd.DataFrame({"slope": [0.0], "shrunk": [0.0]}, index)
    shown = SimpleNamespace(ranked=_ranked(slopes, {"MU": "cash_flow"}, by_hand(), session))
    assert words.filed_rows(shown) == [("MU", "cash flow", "16.9", "+5.0%", "2023-12-31", "155", "SEC EDGAR")]
    assert words._of_filings(shown) == "Of filings: 1 of 1 have implied duration, 1 of 1 have cash flow yield."
    two = pd.concat([slopes, slopes.rename({"MU": "BTC-USD"}, level="asset")])
    beside = SimpleNamespace(ranked=_ranked(two, {"MU": "cash_flow", "BTC-USD": "speculative"}, by_hand(), session))
    assert words._of_filings(beside) == (
        "Of filings: 1 of 2 have implied duration, 1 of 2 have cash flow yield; what the market does not tell: market "
        "value, free cash flow, book equity, earnings, sales of BTC-USD."
    )
    late = SimpleNamespace(ranked=_ranked(slopes, {"MU": "cash_flow"}, by_hand(), pd.Timestamp("2025-06-02")))
    assert words.filed_rows(late) == []
    assert "Older than 460 days and not used: MU (market value, book equity, earnings" in words._of_filings(late)
