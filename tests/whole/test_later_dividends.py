"""What is paid in years to come changes no result: a history scaled by later dividends runs the same, or is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_spec import KEYS, any_market, paths, spec_of, specs
from backtests.run import Backtest, run_backtest
from data.errors import InputError
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import BARS

STOCKS = ("LATE", "GAPS", "DEAR", "ACTS", "GONE", "BLANK", "FUND", "MARKET")
PRICES = ("open", "high", "low", "close", "adj_close")
BY_UNIT = tuple(
    f"costs.{name}.{key}"
    for name in ("us_stock", "us_etf")
    for key in ("units", "commission_per_unit", "participation", "volume_impact")
)

scales = st.fixed_dictionaries({symbol: st.floats(0.3, 1.0) for symbol in STOCKS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("later-dividends")


@pytest.fixture(scope="module")
def traded() -> Snapshot:
    """Prices as traded, with dividends, a split and a delisting; units fine enough to make rounding disappear."""
    market = any_market()
    fine = {symbol: entry.model_copy(update={"quantum": 1e-9}) for symbol, entry in market.instruments.items()}
    return replace(market, instruments=fine)


@pytest.fixture(scope="module")
def adjusted(traded: Snapshot) -> Snapshot:
    """The same history as most files have it: adjusted throughout, volumes left, nobody collected the dividends."""
    bars, factor = traded.bars, traded.bars["adj_close"] / traded.bars["close"]
    frame = bars.assign(**{name: bars[name] * factor for name in ("open", "high", "low")}, close=bars["adj_close"])
    units = {symbol: BarUnits(prices="adjusted", volume="units") for symbol in STOCKS}
    return replace(traded, bars=BARS.conform(frame), actions=traded.actions.iloc[:0], bar_units=units)


def scaled(market: Snapshot, factors: dict[str, float], columns: tuple[str, ...]) -> Snapshot:
    factor = market.bars["symbol"].map(factors).fillna(1.0)
    bars = market.bars.assign(**{name: market.bars[name] * factor for name in columns})
    return replace(market, bars=BARS.conform(bars))


def outcome(drawn: dict[str, Any], regimes: list[str], folder: Path, market: Snapshot) -> Backtest | str:
    try:
        return run_backtest(spec_of(drawn, regimes, folder), market)
    except InputError as error:
        return str(error)


def assert_same(before: Backtest | str, after: Backtest | str) -> None:
    if isinstance(before, str) or isinstance(after, str):
        assert before == after
        return
    for name in ("equity", "cash"):
        np.testing.assert_allclose(after.engine.equity[name], before.engine.equity[name], rtol=1e-8, atol=1e-4)
    np.testing.assert_allclose(after.returns, before.returns, rtol=1e-8, atol=1e-8)
    assert after.engine.orders["status"].tolist() == before.engine.orders["status"].tolist()


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(drawn=specs, regimes=paths, factors=scales)
def test_adjusted_prices_that_later_dividends_scale_run_the_same_under_every_option_or_are_refused(
    adjusted: Snapshot, folder: Path, drawn: dict[str, Any], regimes: list[str], factors: dict[str, float]
) -> None:
    drawn = {key: value for key, value in drawn.items() if key != "run.prices"}
    assert_same(
        outcome(drawn, regimes, folder, adjusted),
        outcome(drawn, regimes, folder, scaled(adjusted, factors, PRICES)),
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(drawn=specs, regimes=paths, factors=scales)
def test_traded_prices_whose_adjusted_closes_later_dividends_scale_run_the_same_under_every_option(
    traded: Snapshot, folder: Path, drawn: dict[str, Any], regimes: list[str], factors: dict[str, float]
) -> None:
    before = outcome(drawn, regimes, folder, traded)
    assert not isinstance(before, str)
    assert_same(before, outcome(drawn, regimes, folder, scaled(traded, factors, ("adj_close",))))


@pytest.mark.parametrize("key", BY_UNIT)
def test_what_is_reckoned_in_units_is_refused_on_adjusted_prices_by_key_and_symbol(
    adjusted: Snapshot, folder: Path, key: str
) -> None:
    assert key in KEYS
    value = "whole" if key.endswith("units") else 0.01
    drawn = {"universe.reserve": ["FUND"], key: value}
    spec = spec_of(drawn, ["SCARCE"] * 12, folder)
    # `spec_of` takes out what adjusted prices refuse.
    costs = spec.costs.model_copy(
        update={key.split(".")[1]: getattr(spec.costs, key.split(".")[1]).model_copy(update={key.split(".")[2]: value})}
    )

    with pytest.raises(InputError) as refusal:
        run_backtest(spec.model_copy(update={"costs": costs}), adjusted)

    symbol = "GAPS" if "us_stock" in key else "FUND"
    assert str(refusal.value) == (
        f"{key}: got {value} on adjusted prices of {symbol}, whose units were never traded, wanted prices as traded; "
        "import them with their dividends and splits (data import --actions), or fetch them (data fetch), or take the "
        "key out"
    )


def test_a_raw_run_is_refused_on_adjusted_prices_by_name_and_never_recommended_there(
    adjusted: Snapshot, folder: Path
) -> None:
    drawn = {"costs.us_stock.minimum_notional": 5.0}
    run = run_backtest(spec_of(drawn, ["SCARCE"] * 12, folder), adjusted)
    assert any(warning.startswith("costs.us_stock.minimum_notional") for warning in run.warnings)
    assert not any("raw" in warning for warning in run.warnings)

    with pytest.raises(
        InputError, match=r"^GAPS: got adjusted prices \(its close equals its adjusted close throughout\)"
    ):
        run_backtest(spec_of({"run.prices": "raw"}, ["SCARCE"] * 12, folder), adjusted)


def test_whole_units_on_traded_prices_are_run_raw(traded: Snapshot, folder: Path) -> None:
    whole = {"costs.us_stock.units": "whole", "run.prices": "raw"}
    run = run_backtest(spec_of(whole, ["SCARCE"] * 12, folder), traded)
    held = run.engine.positions[["GAPS", "ACTS", "GONE"]].to_numpy()
    assert (held == np.round(held)).all()

    spec = spec_of({}, ["SCARCE"] * 12, folder)
    stocks = spec.costs.us_stock.model_copy(update={"units": "whole"})
    adjusted_basis = spec.model_copy(update={"costs": spec.costs.model_copy(update={"us_stock": stocks})})
    with pytest.raises(
        InputError, match=r"^costs.us_stock.units: got whole on adjusted prices of ACTS, .* run.prices = \"raw\""
    ):
        run_backtest(adjusted_basis, traded)
