"""The signal on real history, against published figures and against the files themselves."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.catalogue.publication import publication_times
from data.catalogue.series import series_entry
from data.clock import decision_times, sessions_between
from data.events.editions import reference_events
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES
from frames import drain_block
from signals.block import SignalData
from signals.config import GateConfig, SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series, wanted_series

pytestmark = pytest.mark.real_history

CONFIG = SignalConfig(form=1)
FOUR = ("MSFT", "GOOGL", "AMZN", "META")
FIVE = (*FOUR, "ORCL")
SESSIONS = sessions_between(pd.Timestamp("2001-10-09"), pd.Timestamp("2026-10-09"))


def macro(shared: Path, name: str) -> pd.Series:
    first, further = (shared / "market" / folder / f"{name}.csv" for folder in ("macro", "macro_more"))
    rows = pd.read_csv(first if first.is_file() else further, parse_dates=["date"])
    return rows.set_index("date")["value"]


@pytest.fixture(scope="module")
def series(shared: Path) -> pd.DataFrame:
    return observed_series(shared, required_series(CONFIG))


def observed_series(shared: Path, names: Sequence[str]) -> pd.DataFrame:
    parts = []
    for name in names:
        values = macro(shared, name)
        known_at = publication_times(pd.DatetimeIndex(values.index), series_entry(name).publication)
        parts.append(
            pd.DataFrame({"series": name, "date": values.index, "value": values.to_numpy(), "known_at": known_at})
        )
    return SERIES.conform(pd.concat(parts))


def reference_data(series: pd.DataFrame) -> SignalData:
    capex, guidance, funding = (reference_events()[table.name] for table in (CAPEX, GUIDANCE, FUNDING))
    return SignalData(series, capex, guidance, funding, SESSIONS)


@pytest.fixture(scope="module")
def signal(series: pd.DataFrame) -> LiquiditySignal:
    return liquidity_signal(reference_data(series), CONFIG)


@pytest.fixture(scope="module")
def as_announced(shared: Path) -> pd.DataFrame:
    """Every figure as if it had been known on its announcement: what the published ratios are made from."""
    capex = pd.read_csv(
        shared / "capex" / "capex_actuals.csv", parse_dates=["period_end", "announced_at", "filed_at"]
    ).assign(capex_known_at=lambda rows: (rows["announced_at"] + pd.Timedelta("22h")).dt.tz_localize("UTC"))
    capex["ocf_known_at"] = capex["capex_known_at"]
    text = [name for name, kind in CAPEX.columns.items() if kind == "text"]
    return CAPEX.conform(capex.fillna(dict.fromkeys(text, "")))


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "capex" / "REFERENCE_FIGURES.csv").set_index("claim")


def drain_on(capex: pd.DataFrame, day: pd.Timestamp, companies: tuple[str, ...]) -> dict[str, float]:
    sessions = sessions_between(day, day + pd.Timedelta(days=7))[:1]
    block = drain_block(
        SignalData(SERIES.empty(), capex, GUIDANCE.empty(), FUNDING.empty(), sessions),
        SignalConfig(
            form=1, companies=companies, gate=GateConfig(enabled=False), capex_events=False, outside_funding=False
        ),
    )
    return {each.name.removeprefix("drain."): float(each.value.iloc[0]) for each in block.inputs}


def after_the_season(year: int) -> pd.Timestamp:
    """Once all have told of the year, none of the next quarter (Oracle's, to November, in December)."""
    return pd.Timestamp(year + 1, 2, 20)


@pytest.mark.parametrize("year", range(2017, 2026))
def test_four_companies_give_the_published_ratio_of_each_year(
    year: int, as_announced: pd.DataFrame, published: pd.DataFrame
) -> None:
    wanted = float(published["value"][f"MSFT+GOOGL+AMZN+META capex / operating cash flow, calendar {year}"])
    drain = drain_on(as_announced, after_the_season(year), FOUR)
    assert drain["capex_to_cash_flow"] == pytest.approx(wanted, abs=5e-4)


@pytest.mark.parametrize("year", range(2018, 2026))
def test_five_companies_give_the_published_ratio_of_each_year(
    year: int, as_announced: pd.DataFrame, published: pd.DataFrame
) -> None:
    wanted = float(published["value"][f"same five incl. ORCL, calendar {year}"])
    drain = drain_on(as_announced, after_the_season(year), FIVE)
    assert drain["capex_to_cash_flow"] == pytest.approx(wanted, abs=5e-4)


@pytest.mark.parametrize("year", range(2018, 2026))
def test_growth_is_that_of_the_published_sums(year: int, as_announced: pd.DataFrame, published: pd.DataFrame) -> None:
    def capex(of: int) -> float:
        note = published["note"][f"MSFT+GOOGL+AMZN+META capex / operating cash flow, calendar {of}"]
        return float(re.match(r"([\d.]+) / ", note)[1])  # type: ignore[index]

    drain = drain_on(as_announced, after_the_season(year), FOUR)
    assert drain["capex_growth"] == pytest.approx(math.log(capex(year) / capex(year - 1)), abs=2e-4)


def test_the_twelve_months_to_june_2026_from_shipped_results(published: pd.DataFrame) -> None:
    note = published["note"]["four-company capex, 12 months to June 2026"]
    assert "0.773" in note
    drain = drain_on(reference_events()[CAPEX.name], pd.Timestamp("2026-08-03"), FOUR)
    assert drain["capex_to_cash_flow"] == pytest.approx(0.773, abs=5e-4)


@pytest.mark.parametrize("year", range(2019, 2026))
def test_what_was_known_in_time_agrees_with_the_published_ratio(year: int, published: pd.DataFrame) -> None:
    """From the year on whose figures were all shown at once, the shipped results give it on the day."""
    wanted = float(published["value"][f"same five incl. ORCL, calendar {year}"])
    drain = drain_on(reference_events()[CAPEX.name], after_the_season(year), FIVE)
    assert drain["capex_to_cash_flow"] == pytest.approx(wanted, abs=5e-4)


def test_values_are_those_of_the_files(signal: LiquiditySignal, shared: Path) -> None:
    """2022-06-15: the evening before, Monday's yields and the H.4.1 of Wednesday 06-08 were the newest."""
    values = signal.values.loc["2022-06-15"]
    yields = macro(shared, "DGS10")
    # 20 sessions (21 business days, one a holiday) before is Tuesday 2022-05-17, for which Friday 05-13 was known.
    assert values["price_of_capital.DGS10_20"] == pytest.approx(100 * (yields["2022-06-13"] - yields["2022-05-13"]))
    tank = macro(shared, "WALCL") - macro(shared, "WTREGEN") - 1000 * macro(shared, "RRPONTSYD")
    # 63 sessions (13 weeks, two holidays) before is 2022-03-16, for which the H.4.1 of Wednesday 03-09 was known.
    assert values["level.net_liquidity"] == pytest.approx(tank["2022-06-08"] - tank["2022-03-09"])
    spread = 100 * (macro(shared, "SOFR") - macro(shared, "DFF")).dropna()
    assert values["pipes.SOFR_DFF"] == pytest.approx(spread[:"2022-06-13"].iloc[-5:].mean())


@pytest.fixture(scope="module")
def of_one_wednesday(shared: Path) -> LiquiditySignal:
    config = CONFIG.model_copy(update={"net_liquidity": "one_wednesday"})
    return liquidity_signal(reference_data(observed_series(shared, wanted_series(config))), config)


@pytest.mark.parametrize(
    ("session", "wednesday", "repo_of"),
    [
        ("2025-01-10", "2025-01-01", "2024-12-31"),  # New Year's Day; the H.4.1 of it came out on the third
        ("2025-01-02", "2024-12-25", "2024-12-24"),
        ("2014-01-08", "2014-01-01", "2013-12-31"),
        ("2020-01-09", "2020-01-01", "2019-12-31"),
    ],
)
def test_a_wednesday_without_figures_takes_the_reverse_repo_of_the_last_business_day(
    of_one_wednesday: LiquiditySignal, signal: LiquiditySignal, shared: Path, session: str, wednesday: str, repo_of: str
) -> None:
    def tank(day: str, repo_of: str) -> float:
        weekly = macro(shared, "WALCL") - macro(shared, "WDTGAL")
        return float(weekly[day] - 1000 * macro(shared, "RRPONTSYD")[repo_of])

    observed = of_one_wednesday.observed["level.net_liquidity"]
    before = f"{observed.shift(63)[session]:%Y-%m-%d}"

    assert f"{observed[session]:%Y-%m-%d}" == wednesday
    value = of_one_wednesday.values.loc[session, "level.net_liquidity"]
    assert value == pytest.approx(tank(wednesday, repo_of) - tank(before, before))
    assert signal.observed["level.net_liquidity"][session] < pd.Timestamp(wednesday)  # what version 0.1.0 had
    assert any("the Treasury's account of Wednesday (WDTGAL)" in note for note in of_one_wednesday.notes)


def test_the_score_is_never_missing_and_adds_up(signal: LiquiditySignal) -> None:
    assert signal.score.notna().all()
    np.testing.assert_allclose(signal.blocks.sum(axis=1), signal.score, rtol=0, atol=1e-12)
    for name, block in signal.blocks.items():
        np.testing.assert_allclose(signal.inputs.filter(like=f"{name}.").sum(axis=1), block, rtol=0, atol=1e-12)
    assert (signal.known.apply(lambda known: known.isna() | (known <= decision_times(SESSIONS)))).all(axis=None)


def test_blocks_come_alive_as_their_history_allows(signal: LiquiditySignal) -> None:
    """The repo rate starts in April 2018; 252 sessions for its z and 126 for its scale make October 2019."""
    assert signal.live_blocks["2003-01-02"] == 0
    pipes = signal.blocks["pipes"]
    assert pipes[:"2019-09-30"].abs().max() == 0
    assert pipes["2019-10-15":].abs().min() > 0
    assert (signal.live_blocks["2021-03-01":] == 4).mean() > 0.99


def test_a_yield_that_ended_is_missing_and_said(signal: LiquiditySignal) -> None:
    """The file of the real yield ends on 2026-09-17."""
    real = "price_of_capital.DFII10_20"
    assert np.isnan(signal.values.loc["2026-10-08", real])
    assert signal.observed.loc["2026-10-08", real] == pd.Timestamp("2026-09-17")
    assert signal.live_blocks["2026-10-08"] == 4


@pytest.mark.parametrize("day", ["2020-03-16", "2024-11-15"])
def test_the_future_changes_nothing(day: str, series: pd.DataFrame, signal: LiquiditySignal) -> None:
    session = pd.Timestamp(day)
    decision = session.tz_localize("UTC")
    capex = reference_events()[CAPEX.name].copy()
    garbled = series.assign(value=series["value"].mask(series["known_at"] > decision, -1e6))
    for figure in ("capex", "ocf"):
        capex.loc[capex[f"{figure}_known_at"] > decision, f"{figure}_usd_bn"] = 1e6
    other = liquidity_signal(replace(reference_data(garbled), capex=capex), CONFIG)
    for name in ("score", "regime", "blocks", "inputs", "values", "observed", "known", "live_blocks"):
        assert getattr(other, name)[:session].equals(getattr(signal, name)[:session]), name
    assert not other.score.equals(signal.score)


EXPECTED = {"2020-09-01": "ABUNDANT", "2022-06-15": "SCARCE", "2026-10-09": "SCARCE"}


def test_the_regimes_that_were_expected_before_the_run(signal: LiquiditySignal) -> None:
    assert {day: signal.regime[day] for day in EXPECTED} == EXPECTED
