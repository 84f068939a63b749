"""The simulated market: its form, its laws recomputed by other means, its scenarios, its nearness to real history."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import data.sample.market as market_module
import data.sample.parameters as parameters_module
from data.catalogue.instruments import instrument_catalogue
from data.catalogue.series import series_catalogue
from data.clock import calendar_sessions
from data.errors import InputError
from data.events.editions import reference_events
from data.market.snapshot import Snapshot, load, save
from data.market.tables import COVERAGE, EVENT_TABLES, PACES
from data.sample import load_market, sample_instruments, true_regime, true_return_parts
from data.sample.bars import make_bars
from data.sample.calibration import calibration_table, main
from data.sample.economy import capex_to_cash_flow, simulate_economy, true_regimes
from data.sample.noise import generator, heavy_tailed
from data.sample.parameters import scenario_names, scenario_parameters
from hand_made import make_snapshot

RAW = tomllib.loads((Path(parameters_module.__file__).parent / "sample.toml").read_text())
LAST = pd.Timestamp("2026-10-09")
FOUR = ("MSFT", "GOOGL", "AMZN", "META")


def closes(snapshot: Snapshot) -> pd.DataFrame:
    return snapshot.bars.pivot(index="date", columns="symbol", values="close")


def series(snapshot: Snapshot, name: str) -> pd.Series:
    return snapshot.series[snapshot.series["series"] == name].set_index("date")["value"]


def sessions(first: str, last: str) -> pd.DatetimeIndex:
    return calendar_sessions("XNYS", pd.Timestamp(first), pd.Timestamp(last))


# Form


def test_the_same_name_gives_the_same_market_and_another_seed_or_scenario_another(sample):
    assert load_market("sample").content_hash == sample.content_hash
    others = [load_market(name).content_hash for name in ("sample:thesis@2", "sample:null", "sample:whipsaw")]
    assert len({sample.content_hash, *others}) == 4
    assert load_market("sample:thesis@1").content_hash == sample.content_hash


@pytest.mark.parametrize("name", ["sample:nonsense", "sample:nonsense@3"])
def test_an_unknown_scenario_is_refused_with_the_known_ones(name):
    with pytest.raises(InputError, match=r"no scenario 'nonsense' .* there are: thesis, null, whipsaw$"):
        load_market(name)


@pytest.mark.parametrize("name", ["sample:thesis@one", "sample:", "sample:thesis@-1", "samples"])
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(InputError, match="wanted sample, sample:SCENARIO or sample:SCENARIO@SEED"):
        load_market(name)


def test_it_says_that_it_is_simulated_and_bears_no_real_ticker(sample):
    assert sample.simulated
    assert sample.origin.startswith("SIMULATED")
    assert set(sample.bars["symbol"]) == set(sample.instruments)
    assert not set(sample.instruments) & set(instrument_catalogue())
    for symbol, entry in sample.instruments.items():
        assert symbol.startswith("SIM-")
        assert entry.name.startswith("Simulated")
        assert entry.currency == "USD"
        assert (entry.calendar == "24/7") == (entry.asset_class == "crypto")


def test_every_day_of_an_instruments_calendar_since_its_listing_has_a_valid_bar(sample):
    for symbol, bars in sample.bars.groupby("symbol"):
        entry = sample.instruments[symbol]
        days = calendar_sessions(entry.calendar, pd.Timestamp(entry.listed), LAST)
        assert list(bars["date"]) == list(days), symbol
        assert (bars["low"] > 0).all()
        assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
        assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
        assert (bars["volume"] > 0).all()
        assert (bars["adj_close"] == bars["close"]).all()
    assert sample.instruments["SIM-MEMORY-C"].listed == date(2023, 3, 1)


def test_series_bear_the_catalogues_names_and_are_known_after_their_date(sample):
    names = set(sample.series["series"])
    assert names == {
        *("DGS10", "DFII10", "DGS3MO", "BAA10Y", "SOFR", "DFF", "IORB"),
        *("WALCL", "WDTGAL", "WTREGEN", "RRPONTSYD"),
    }
    assert names <= set(series_catalogue())
    known_ahead = sample.series["series"] == "IORB"  # set before it takes effect
    assert (sample.series["known_at"] > sample.series["date"].dt.tz_localize("UTC")).equals(~known_ahead)
    assert sample.series["value"].notna().all()
    assert not sample.series.duplicated(["series", "date"]).any()
    assert sample.series["date"].min() == pd.Timestamp("2014-01-01")
    assert sample.series["date"].max() == LAST


@pytest.mark.parametrize(
    ("name", "day", "known_at"),
    [
        ("DGS10", "2024-11-27", "2024-11-29 22:00"),  # Thursday was Thanksgiving
        ("BAA10Y", "2024-03-01", "2024-03-04 22:00"),  # a Friday
        ("WALCL", "2024-03-06", "2024-03-07 22:00"),  # a Wednesday
        ("WTREGEN", "2024-11-27", "2024-11-29 22:00"),  # the release moves from Thanksgiving to Friday
        ("WDTGAL", "2024-11-27", "2024-11-29 22:00"),
        ("RRPONTSYD", "2024-03-06", "2024-03-06 22:00"),
        ("SOFR", "2018-04-03", "2018-04-04 22:00"),
    ],
)
def test_known_at_by_hand(sample, name, day, known_at):
    row = sample.series[(sample.series["series"] == name) & (sample.series["date"] == day)]
    assert list(row["known_at"]) == [pd.Timestamp(known_at, tz="UTC")]


def test_each_series_has_the_days_and_the_unit_of_its_namesake(sample):
    assert series(sample, "SOFR").index[0] == pd.Timestamp("2018-04-03")
    assert list(series(sample, "DFF").index) == list(pd.date_range("2014-01-01", LAST))
    for name in ("WALCL", "WDTGAL", "WTREGEN"):
        assert list(series(sample, name).index) == list(pd.date_range("2014-01-01", LAST, freq="W-WED"))
    for name in ("DGS10", "DFII10", "BAA10Y", "DGS3MO", "RRPONTSYD"):
        days = series(sample, name).index
        assert days.isin(sessions("2014-01-01", "2026-10-09")).all()
        assert pd.Timestamp("2024-10-14") not in days  # Columbus Day: the exchange is open, the bond market is not
        assert len(days) > 3150
    assert series(sample, "IORB").index[0] == pd.Timestamp("2021-07-29")
    assert series(sample, "WALCL").between(3e6, 9e6).all()  # USD millions
    assert series(sample, "WDTGAL").between(0, 2e6).all()
    assert series(sample, "RRPONTSYD").between(0, 1000).all()  # USD billions
    assert series(sample, "DGS10").between(0.5, 6).all()  # percent
    assert series(sample, "BAA10Y").between(0.8, 6).all()


@pytest.mark.parametrize("name", ["sample", "sample:null@7"])
def test_its_events_are_to_be_had_without_its_prices(name, monkeypatch):
    whole = load_market(name)
    monkeypatch.setattr(market_module, "_bars", None)
    monkeypatch.setattr(market_module, "published_series", None)
    events = market_module.load_events(name)
    for table in (*EVENT_TABLES, PACES, COVERAGE):
        pd.testing.assert_frame_equal(events.table(table), whole.table(table))
    assert (events.name, events.simulated, events.origin) == (whole.name, True, whole.origin)
    assert len(events.table(EVENT_TABLES[0])) > 100
    assert events.bars.empty
    assert events.series.empty


def test_the_events_of_companies_are_the_real_ones_and_the_paces_are_not(sample):
    real = reference_events()
    for name in ("capex_actuals", "capex_guidance", "funding_events"):
        pd.testing.assert_frame_equal(getattr(sample, name), real[name])
    key = ["kind", "company"]
    spans, companies = sample.event_coverage.set_index(key), real["event_coverage"].set_index(key)
    of_companies = companies.drop("balance_sheet_pace", level="kind")
    pd.testing.assert_frame_equal(spans.drop("balance_sheet_pace", level="kind"), of_companies)
    assert set(sample.balance_sheet_paces["statement"]) == {"SIMULATED"}
    assert spans.loc[("balance_sheet_pace", "Fed"), "evidence"] == "SIMULATED"


def test_a_pace_is_told_in_the_session_that_begins_it_and_is_kept_until_the_next(sample):
    paces = sample.balance_sheet_paces
    assets = series(sample, "WALCL") / 1000
    assert paces["known_at"].equals((paces["announced_at"] + pd.Timedelta(hours=18)).dt.tz_localize("UTC"))
    assert set(paces["pace_usd_bn_month"]) == {-115.0, 0.0, 115.0}  # 5.5 a session over 21, to 5
    for begin, end, pace in zip(
        paces["effective_from"], [*paces["effective_from"][1:], LAST], paces["pace_usd_bn_month"], strict=True
    ):
        weeks = assets.loc[max(begin, assets.index[0]) : end]
        if len(weeks) > 2:
            assert weeks.diff().median() == pytest.approx(5.5 * 5 * np.sign(pace), abs=0.01)


def test_the_treasurys_account_is_shown_on_its_day_and_as_the_mean_of_its_week(sample):
    daily = series(sample, "WDTGAL"), series(sample, "WTREGEN")
    assert daily[0].diff().std() > daily[1].diff().std() > 0
    assert (daily[0] - daily[1]).abs().mean() < 0.1 * daily[0].mean()


def test_no_day_changes_when_the_market_ends_earlier(sample, monkeypatch):
    whole = scenario_parameters("thesis")
    shorter = whole.model_copy(update={"calendar": whole.calendar.model_copy(update={"last": date(2019, 6, 28)})})
    monkeypatch.setattr(market_module, "scenario_parameters", lambda _scenario: shorter)
    cut = load_market("sample")
    bars = sample.bars[sample.bars["date"] <= "2019-06-28"].reset_index(drop=True)
    pd.testing.assert_frame_equal(cut.bars, bars, check_exact=True)
    values = sample.series[sample.series["date"] <= "2019-06-28"].reset_index(drop=True)
    pd.testing.assert_frame_equal(cut.series, values, check_exact=True)


# Parameters


def leaves(section, where=""):
    for name, entry in section.items():
        if "basis" in entry:
            yield f"{where}{name}", entry
        else:
            yield from leaves(entry, f"{where}{name}.")


def test_every_parameter_has_a_unit_and_a_basis():
    parameters = dict(leaves(RAW))
    assert len(parameters) > 60
    for where, entry in parameters.items():
        assert set(entry) == {"value", "unit", "basis"}, where
        assert entry["unit"], where
        assert entry["basis"].split(":")[0] in ("measured", "thesis", "assumption"), where


@pytest.mark.parametrize(
    ("line", "becomes", "complaint"),
    [
        ("calm = {", "calm = 0.7 # {", "coin.calm is bare"),
        (
            'basis = "measured: autocorrelation',
            'basis = "guessed: autocorrelation',
            "rates.repo_half_life wants a unit",
        ),
        ("tail = { value = 5.0", "tail = { value = 1.0", "noise.tail: Input should be greater than 2"),
        ("limit = {", "limits = {", "noise.limit: Field required"),
    ],
)
def test_a_parameter_file_that_is_not_right_is_refused(tmp_path, monkeypatch, line, becomes, complaint):
    text = parameters_module.PARAMETER_FILE.read_text()
    assert line in text
    (tmp_path / "sample.toml").write_text(text.replace(line, becomes))
    monkeypatch.setattr(parameters_module, "PARAMETER_FILE", tmp_path / "sample.toml")
    with pytest.raises(InputError, match=complaint):
        parameters_module.scenario_parameters.__wrapped__("thesis")


def test_a_scenario_changes_what_it_names_and_nothing_else():
    thesis, null = scenario_parameters("thesis").model_dump(), scenario_parameters("null").model_dump()
    changed = {
        f"{section}.{name}"
        for section, values in thesis.items()
        for name, value in values.items()
        if null[section][name] != value
    }
    assert changed == {"link.joined", "drain.flow_bn", "market.premium", "kind.premium"}
    assert scenario_names()[0] == "thesis"


# The economy


def test_capex_is_laid_over_the_cash_flow_of_the_year_that_a_session_ends_in():
    capex = reference_events()["capex_actuals"]
    # Cash flow statements of calendar 2018, USD bn, by hand: MSFT, GOOGL, AMZN, META.
    spent, earned = 14.223 + 25.139 + 13.427 + 13.915, 46.126 + 47.971 + 30.723 + 29.274
    last = capex_to_cash_flow(capex, FOUR, sessions("2018-12-31", "2018-12-31"))
    assert last.iloc[0] == pytest.approx(spent / earned, rel=0.01)
    inside = capex_to_cash_flow(capex, ("ORCL",), sessions("2026-06-01", "2026-10-09"))
    assert inside[:"2026-08-31"].nunique() == 1  # the quarter to 2026-08-31
    assert inside.nunique() == 1  # after the last result: that year goes on
    with pytest.raises(InputError, match="no year of capex and cash flow of NVDA in the events"):
        capex_to_cash_flow(capex, ("NVDA",), sessions("2026-10-01", "2026-10-02"))


def test_the_drain_takes_above_the_threshold_and_adds_below_it():
    parameters = scenario_parameters("thesis")
    capex = reference_events()["capex_actuals"]
    days = sessions("2016-01-04", "2026-10-09")
    drain = simulate_economy(parameters, capex, days, 5, "published")["drain"]
    ratio = capex_to_cash_flow(capex, parameters.drain.companies, days)
    assert (np.sign(drain) == np.sign(ratio - 0.5)).all()
    opened = 1 / (1 + np.exp(-(ratio - 0.5) / 0.05))
    np.testing.assert_allclose(drain, 1.7 * (2 * opened - 1), rtol=1e-12, atol=1e-12)


def test_idle_money_is_what_supply_brought_and_capex_took():
    parameters = scenario_parameters("thesis")
    days = sessions("2024-01-02", "2026-10-09")
    economy = simulate_economy(parameters, reference_events()["capex_actuals"], days, 5, "published")
    net = economy["central_bank"] - economy["treasury"] - economy["reverse_repo"]
    idle, expected = 0.0, []
    for row in range(len(days)):
        came = net.iloc[row] - net.iloc[row - 1] if row else 0.0
        idle = idle * 0.5 ** (1 / RAW["idle_money"]["half_life"]["value"]) + came - economy["drain"].iloc[row]
        expected.append(-idle / RAW["idle_money"]["unit_bn"]["value"])
    np.testing.assert_allclose(economy["scarcity"], expected, rtol=1e-9, atol=1e-12)


def test_without_supply_capex_alone_makes_money_scarcer_as_it_outgrows_cash_flow():
    thesis = scenario_parameters("thesis")
    still = {"flow_bn": 0.0, "treasury_deviation_bn": 0.0, "reverse_repo_deviation_bn": 0.0}
    parameters = thesis.model_copy(update={"supply": thesis.supply.model_copy(update=still)})
    days = sessions("2014-01-02", "2026-10-09")
    economy = simulate_economy(parameters, reference_events()["capex_actuals"], days, 1, "published")
    scarcity = economy["scarcity"]
    most = 1.7 / (1 - 0.5 ** (1 / 40)) / RAW["idle_money"]["unit_bn"]["value"]  # where what comes in wears off as fast
    assert 0.45 < most < thesis.idle_money.enter
    assert scarcity["2015":"2019"].between(-most, -0.35).all()
    assert scarcity["2022-06":"2023-06"].abs().max() < 0.2  # near the threshold: neither
    assert scarcity["2026-01":].between(0.4, most).all()


def test_the_link_moves_prices_of_capital_by_the_scarcity_of_the_session_before():
    thesis = scenario_parameters("thesis")
    cut_off = thesis.model_copy(update={"link": thesis.link.model_copy(update={"strength": 0.0})})
    days = sessions("2014-01-02", "2026-10-09")
    capex = reference_events()["capex_actuals"]
    linked = simulate_economy(thesis, capex, days, 3, "published")
    free = simulate_economy(cut_off, capex, days, 3, "published")
    pd.testing.assert_series_equal(linked["scarcity"], free["scarcity"])
    added, log_added, yields, spreads = 0.0, 0.0, [], []
    before = 0.0
    for scarcity in linked["scarcity"]:
        added = added * 0.5 ** (1 / 90) + 0.008 * before  # 0.8 bp a session, half-life 90
        log_added = log_added * 0.5 ** (1 / 50) + 0.005 * before
        yields.append(added)
        spreads.append(log_added)
        before = scarcity
    np.testing.assert_allclose(linked["real_yield"] - free["real_yield"], yields, atol=0.0101)  # each to 0.01
    np.testing.assert_allclose(np.log(linked["spread"] / free["spread"]), spreads, atol=0.012)
    repo = (linked["repo"] - linked["policy"]) - (free["repo"] - free["policy"])
    np.testing.assert_allclose(repo, 0.045 * linked["scarcity"], atol=0.0201)


def test_the_policy_rate_moves_by_a_quarter_towards_the_ten_year_yield():
    days = sessions("2014-01-02", "2026-10-09")
    economy = simulate_economy(scenario_parameters("thesis"), reference_events()["capex_actuals"], days, 2, "published")
    steps = economy["policy"].diff().dropna()
    moved = steps[steps != 0]
    assert len(moved) > 20
    assert moved.abs().round(6).eq(0.25).all()
    towards = (economy["nominal_yield"] - 0.75 - (economy["policy"].shift() + 0.17)).loc[moved.index]
    assert (np.sign(towards) == np.sign(moved)).all()
    assert (economy["bill"] == (economy["policy"] + 0.08).round(2)).all()
    assert (economy["policy"] > 0).all()


def test_a_true_regime_is_entered_and_left_at_its_thresholds():
    thresholds = scenario_parameters("thesis").idle_money
    assert (thresholds.enter, thresholds.leave) == (0.75, 0.2)
    scarcity = pd.Series([0.0, 0.75, 0.76, 0.3, 0.2, 0.19, -0.8, -0.2, -0.19, -0.8, 0.8])
    initials = "".join(regime[0] for regime in true_regimes(scarcity, thresholds))
    assert initials == "NNSSSNAANAS"


def episodes(name: str) -> pd.DataFrame:
    truth = true_regime(name)
    number = (truth != truth.shift()).cumsum()
    return truth.groupby(number).agg(["first", "size"])


def test_there_are_several_episodes_of_each_regime_that_last_for_months():
    truth = true_regime("sample")
    assert list(truth.index) == list(sessions("2014-01-01", "2026-10-09"))
    assert truth.value_counts(normalize=True).min() > 0.15
    lasting = episodes("sample").query("first != 'NEUTRAL'")
    assert lasting["first"].value_counts().min() >= 5
    assert 42 <= lasting["size"].median() <= 170  # two to eight months


def test_in_whipsaw_a_regime_lasts_less_than_the_dwell():
    lasting = episodes("sample:whipsaw").query("first != 'NEUTRAL'")
    assert lasting["size"].median() < 10
    assert lasting["first"].value_counts().min() > 50


# Returns


def test_the_reserve_grows_at_the_bill_rate(sample):
    price, bill = closes(sample)["SIM-BILL"].dropna(), series(sample, "DGS3MO")
    growth = price / price.shift()
    before = bill.reindex(price.index).shift()
    known = before.notna() & growth.notna()
    assert known.sum() > 3100
    expected = (1 + before[known] / 100) ** (1 / 252)
    np.testing.assert_allclose(growth[known], expected, atol=2e-8)  # prices are to the millionth


def test_a_return_is_the_sum_of_its_exposures_by_hand(sample):
    day, before = pd.Timestamp("2024-03-13"), pd.Timestamp("2024-03-12")
    price = closes(sample)

    def change(name: str) -> float:
        return series(sample, name)[day] - series(sample, name)[before]

    bill = (1 + series(sample, "DGS3MO")[before] / 100) ** (1 / 252) - 1
    market = RAW["market"]
    exposed = market["yield_beta"]["value"] * change("DFII10") + market["spread_beta"]["value"] * change("BAA10Y")
    market_excess = price["SIM-MARKET"][day] / price["SIM-MARKET"][before] - 1 - bill
    beta = RAW["asset"]["market_beta"]["value"]["SIM-SAAS-A"]
    kind = RAW["kind"]
    expected = (
        bill
        + beta * market_excess  # its premium, exposures and noise
        + kind["premium"]["value"]["saas"] / 252
        + kind["yield_beta"]["value"]["saas"] * change("DFII10")
        + kind["spread_beta"]["value"]["saas"] * change("BAA10Y")
    )
    parts = true_return_parts("sample", "SIM-SAAS-A").loc[day]
    noise = parts["kind"] + parts["own"]
    assert abs(noise) > 1e-4
    assert price["SIM-SAAS-A"][day] / price["SIM-SAAS-A"][before] - 1 == pytest.approx(expected + noise, abs=1e-7)
    assert parts["market"] / beta == pytest.approx(market_excess - market["premium"]["value"] / 252 - exposed, abs=1e-7)


@pytest.mark.parametrize("symbol", ["SIM-COIN-A", "SIM-SAAS-C", "SIM-MEMORY-A"])
def test_a_regression_finds_the_exposures_again(sample, symbol):
    price = closes(sample)[[symbol, "SIM-MARKET", "SIM-BILL"]]
    returns = price[price["SIM-MARKET"].notna()].pct_change()
    excess = returns.sub(returns["SIM-BILL"], axis=0)
    capital = pd.DataFrame({name: series(sample, name) for name in ("DFII10", "BAA10Y")}).reindex(returns.index).diff()
    rows = capital.notna().all(axis=1) & excess[symbol].notna()
    x = np.column_stack([np.ones(rows.sum()), excess.loc[rows, "SIM-MARKET"], capital[rows]])
    y = excess.loc[rows, symbol].to_numpy()
    found, (squares,), _, _ = np.linalg.lstsq(x, y, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * squares / (len(y) - x.shape[1]))
    kind = {"C": "coin", "S": "saas", "M": "memory"}[symbol[4]]
    true = [
        RAW["asset"]["market_beta"]["value"][symbol],
        RAW["kind"]["yield_beta"]["value"][kind],
        RAW["kind"]["spread_beta"]["value"][kind],
    ]
    assert (np.abs(found[1:] - true) < 3.5 * errors[1:]).all()
    assert errors[1] < 0.1  # so that the line above can fail


def test_coins_trade_at_weekends_more_calmly_and_show_a_gap_on_monday(sample):
    price = closes(sample)["SIM-COIN-A"]
    returns = price.pct_change().dropna()
    on_session = returns.index.isin(sessions("2014-01-01", "2026-10-09"))
    noise = true_return_parts("sample", "SIM-COIN-A")[["kind", "own"]].sum(axis=1).reindex(returns.index)
    assert noise[~on_session].std() / noise[on_session].std() == pytest.approx(0.70, abs=0.05)
    friday, monday = pd.Timestamp("2024-03-08"), pd.Timestamp("2024-03-11")
    bars = sample.bars.set_index(["symbol", "date"]).loc["SIM-COIN-A"]
    assert abs(bars["open"][monday] / price[friday] - 1) > 0.001
    assert bars["open"][monday] == pytest.approx(price[monday - pd.Timedelta(days=1)], rel=0.02)


def test_gaps_take_their_share_and_foretell_no_day(sample):
    stocks = ["SIM-SAAS-A", "SIM-SAAS-B", "SIM-MARKET"]
    days = sessions("2014-01-02", "2026-10-09")
    close = closes(sample).loc[days, stocks]
    open_ = sample.bars.pivot(index="date", columns="symbol", values="open").loc[days, stocks]
    gap, day = open_ / close.shift() - 1, close / open_ - 1
    assert (gap.var() / close.pct_change().var()).between(0.36, 0.46).all()  # measured: 0.42
    assert gap["SIM-SAAS-A"].corr(gap["SIM-SAAS-B"]) > 0.5
    for one in stocks:
        for other in stocks:
            assert abs(gap[one].corr(day[other])) < 0.08


def test_the_range_of_a_day_is_that_of_a_random_walk():
    rng = np.random.default_rng(3)
    days = pd.date_range("1950-01-01", periods=20_000)
    changes = pd.Series(np.expm1(rng.normal(0, 0.02, len(days))), index=days)
    bars = make_bars(changes, changes * 0.0, np.full(len(days), 0.02), 100.0, 1e9, 0.35, generator(1, "range"))
    up, down = np.log(bars["high"] / bars["open"]) / 0.02, np.log(bars["open"] / bars["low"]) / 0.02
    # Feller (1951): the mean range of a driftless walk. The reflection principle: its maximum is spread as |N(0, 1)|.
    assert (up + down).mean() == pytest.approx(np.sqrt(8 / np.pi), rel=0.01)
    for reach in (up, down):
        assert (reach**2).mean() == pytest.approx(1.0, rel=0.02)
        assert (reach > 1.959964).mean() == pytest.approx(0.05, rel=0.06)
    assert (bars["volume"] * bars["close"]).median() == pytest.approx(1e9, rel=0.02)


def test_noise_has_unit_deviation_and_the_tails_of_its_law():
    noise = heavy_tailed(generator(1, "test"), 400_000, 5.0, 8.0)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(1, rel=0.01)
    # Student's t with 5 degrees of freedom is beyond 4.0321 in 1% of draws (table); its deviation is sqrt(5/3).
    assert (np.abs(noise) > 4.0321 / np.sqrt(5 / 3)).mean() == pytest.approx(0.01, rel=0.05)
    assert np.abs(noise).max() == 8.0
    assert not np.array_equal(noise[:5], heavy_tailed(generator(1, "other"), 5, 5.0, 8.0))


def test_an_asset_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no asset 'BTC-USD' in the sample market; there are: SIM-COIN-A, "):
        true_return_parts("sample", "BTC-USD")


# The null market


@pytest.mark.slow
def test_in_the_null_market_nothing_follows_from_anything():
    def link(name: str) -> float:
        """Correlation of monthly changes of the spread with the coin's and software's returns."""
        market = load_market(name)
        spread = series(market, "BAA10Y").resample("ME").last().diff()
        price = closes(market)[["SIM-COIN-A", "SIM-SAAS-A", "SIM-SAAS-B"]].resample("ME").last().pct_change()
        return price.corrwith(spread).mean()

    def told(name: str) -> float:
        """Correlation of the true state with the change of the spread over the quarter before."""
        truth = true_regime(name).map({"ABUNDANT": -1.0, "NEUTRAL": 0.0, "SCARCE": 1.0})
        change = series(load_market(name), "BAA10Y").diff(60)
        return truth.corr(change.reindex(truth.index))

    seeds = range(1, 5)
    assert np.mean([link(f"sample:thesis@{seed}") for seed in seeds]) < -0.3
    assert abs(np.mean([link(f"sample:null@{seed}") for seed in seeds])) < 0.1
    assert np.mean([told(f"sample:thesis@{seed}") for seed in seeds]) > 0.6
    assert abs(np.mean([told(f"sample:null@{seed}") for seed in seeds])) < 0.2


def test_in_the_null_market_volatility_is_the_same_and_nothing_pays_over_the_bill():
    null, thesis = load_market("sample:null"), load_market("sample")
    ratio = closes(null).pct_change().std() / closes(thesis).pct_change().std()
    assert ratio.drop("SIM-BILL").between(0.93, 1.07).all()
    changes = [
        series(market, "BAA10Y").diff(20).std() / series(market, "DGS10").diff(20).std() for market in (null, thesis)
    ]
    assert changes[0] == pytest.approx(changes[1], rel=0.25)
    for symbol in sample_instruments():
        parts = true_return_parts("sample:null", symbol)
        assert (parts["premium"] == 0).all()
        assert abs(parts["yields"].sum()) < 0.5  # what yields took they gave back
    bill = true_return_parts("sample:null", "SIM-BILL")["bill"]
    yields = series(null, "DGS3MO").reindex(bill.index).shift()
    known = yields.notna()
    np.testing.assert_allclose(bill[known], (1 + yields[known] / 100) ** (1 / 252) - 1)


# Calibration


def test_it_can_be_kept_like_any_snapshot(sample):
    kept = Snapshot(**{field: getattr(sample, field) for field in sample.__dataclass_fields__} | {"name": "kept"})
    save(kept)
    assert load("kept").content_hash == sample.content_hash


def test_calibration_needs_the_symbols_and_series_that_it_compares(sample):
    with pytest.raises(InputError, match=r"lacks bars of BTC-USD, ETH-USD, CRM, .* which the calibration compares"):
        calibration_table(sample, sample)


def test_calibration_measures_by_hand(sample):
    """A history of four sessions whose figures are worked out with numpy."""
    days = ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07"]
    steps = {"SPY": [1.0, 1.01, 1.0, 1.02]}
    for number, symbol in enumerate(["BTC-USD", "ETH-USD", "CRM", "NOW", "ADBE", "WDAY", "MU", "WDC", "STX"]):
        steps[symbol] = [1.0, 1.0 + 0.01 * (number + 1), 1.0, 1.0 + 0.005 * (9 - number)]
    history = make_snapshot({s: [(d, v, v) for d, v in zip(days, values, strict=True)] for s, values in steps.items()})
    yields = pd.DataFrame(
        [
            (name, day, number * scale)
            for name, scale in (("DGS10", 0.01), ("DFII10", 0.02), ("BAA10Y", 0.03))
            for number, day in enumerate(pd.bdate_range("2024-01-01", periods=46))
            for _ in [0]
        ],
        columns=["series", "date", "value"],
    )
    yields["value"] **= 2
    yields["known_at"] = yields["date"].dt.tz_localize("UTC")
    history = Snapshot(**{f: getattr(history, f) for f in history.__dataclass_fields__} | {"series": yields})
    table = calibration_table(sample, history)["history"]
    returns = {s: np.diff(v) / np.array(v[:-1]) for s, v in steps.items()}
    assert table["volatility, market"] == pytest.approx(np.std(returns["SPY"], ddof=1) * 252**0.5)
    coins = [np.corrcoef(returns[coin], returns["SPY"])[0, 1] for coin in ("BTC-USD", "ETH-USD")]
    assert table["correlation, coin with market"] == pytest.approx(np.mean(coins))
    inside = [np.corrcoef(returns[a], returns[b])[0, 1] for a, b in (("MU", "WDC"), ("MU", "STX"), ("WDC", "STX"))]
    assert table["correlation, within memory"] == pytest.approx(np.mean(inside))
    squares = (np.arange(46) * 0.02) ** 2
    assert table["20-session change, DFII10"] == pytest.approx(np.std(squares[20:] - squares[:-20], ddof=1) * 100)


@pytest.mark.parametrize("arguments", [[], ["one", "two"], ["no-such-snapshot"]])
def test_the_command_of_the_calibration_refuses_in_one_line(arguments, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.mark.real_history
def test_it_lies_within_a_quarter_of_real_history(sample, history):
    table = calibration_table(sample, history)
    assert len(table) == 16
    assert table["ratio"].between(0.75, 1.25).all(), table


@pytest.mark.real_history
def test_the_page_shows_the_table_that_the_command_prints(history, capsys):
    save(history)
    assert main(["history"]) == 0
    page = (Path(__file__).resolve().parents[2] / "docs" / "sample-market.md").read_text()
    assert capsys.readouterr().out.rstrip() in page
