"""A series of one's own in the signal: by its own publication rule, without a look ahead, judged by the spec."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.prepare.signal import read_signal
from backtests.run import run_backtest
from backtests.spec.spec import Spec, load_spec
from data.catalogue.publication import publication_times
from data.clock import decision_times
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.market.tables import SERIES

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
ENTRY = {
    "unit": "index",
    "meaning": "of my own",
    "publication": "following_thursday",
    "stale_after_days": 21,
    "source": "me",
}
INPUT = {"name": "mine", "block": "pipes", "series": "MINE", "scarcer_when": "higher"}
NAME = "pipes.mine"


def spec_with(**changes: object) -> Spec:
    asked = {"run.start": "2025-01-02", "run.end": "2025-06-30", "signal.inputs": [INPUT]}
    return load_spec("sample", {**asked, "catalogue.series.MINE": {**ENTRY, **changes}})


@pytest.fixture(scope="module")
def market(sample: Snapshot) -> Snapshot:
    """The sample with a series that no catalogue knows: Fridays, public on the Thursday after."""
    days = pd.date_range("2014-01-03", "2026-09-25", freq="W-FRI").as_unit("us")
    values = np.cumsum(np.random.default_rng(7).normal(size=len(days)))
    rows = pd.DataFrame({"series": "MINE", "date": days, "value": values})
    rows = rows.assign(known_at=publication_times(days, "following_thursday"))
    entry = spec_with().catalogue.series["MINE"].kept()
    series = SERIES.conform(pd.concat([sample.series, rows]))
    return replace(sample, name="own", series=series, series_entries={"MINE": entry}, gate=False)


def test_it_enters_as_known_at_each_decision(market: Snapshot) -> None:
    signal = read_signal(spec_with(), market, pd.Timestamp("2025-06-30"))
    rows = market.series[market.series["series"] == "MINE"]
    for session in (pd.Timestamp("2025-03-27"), pd.Timestamp("2025-03-28"), pd.Timestamp("2025-06-30")):
        (decision,) = decision_times(pd.DatetimeIndex([session]))
        known = rows[rows["known_at"] <= decision].iloc[-1]
        assert signal.values.at[session, NAME] == known["value"]
        assert signal.observed.at[session, NAME] == known["date"]
    # Public on Thursday evening, it is decided on for Friday.
    assert str(signal.observed.at[pd.Timestamp("2025-03-27"), NAME].date()) == "2025-03-14"
    assert str(signal.observed.at[pd.Timestamp("2025-03-28"), NAME].date()) == "2025-03-21"
    assert signal.units[NAME] == "index"


def test_another_future_changes_no_earlier_row(market: Snapshot) -> None:
    last = pd.Timestamp("2025-06-30")
    cut = pd.Timestamp("2025-03-28")
    (decision,) = decision_times(pd.DatetimeIndex([cut]))
    before = read_signal(spec_with(), market, last)
    later = (market.series["series"] == "MINE") & (market.series["known_at"] > decision)
    assert later.any()
    garbled = market.series.assign(value=market.series["value"].mask(later, -999.0))
    after = read_signal(spec_with(), replace(market, series=garbled, gate=False), last)
    for name in ("values", "inputs", "blocks", "score", "regime"):
        ours, theirs = getattr(before, name), getattr(after, name)
        assert ours.loc[:cut].equals(theirs.loc[:cut]), name
        assert not ours.equals(theirs) or name == "regime"


def test_a_run_with_it_and_a_block_of_the_user_passes_the_audit(market: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "my_block.py").write_text((EXAMPLES / "my_block.py").read_text().replace("DGS3MO", "MINE"))
    path = tmp_path / "mine.toml"
    text = (EXAMPLES / "block.toml").read_text()
    entry = "".join(f"{key} = {value!r}\n" for key, value in ENTRY.items())
    path.write_text(f"{text}\n[catalogue.series.MINE]\n{entry}")
    spec = load_spec(path, {"run.start": "2025-01-02", "run.end": "2025-06-30", "signal.inputs": [INPUT]})
    run = run_backtest(spec, market)
    assert NAME in run.signal.values
    assert run.spec.catalogue.series["MINE"].publication == "following_thursday"


def test_the_spec_of_today_judges_and_cannot_reshape(market: Snapshot) -> None:
    last = pd.Timestamp("2025-06-30")
    strict = read_signal(spec_with(stale_after_days=7), market, last)
    # A value is 7 days old on the Friday for which it is decided on first, and older on every other session.
    valued = strict.values[NAME].dropna()
    assert set(valued.index.day_of_week) == {4}
    assert strict.values[NAME].isna().mean() > 0.7
    with pytest.raises(InputError, match="publication: got same_day, but the market was made with following_thursday"):
        read_signal(spec_with(publication="same_day"), market, last)
    with pytest.raises(InputError, match=r"catalogue\.series\.MINE\.unit: got percent"):
        run_backtest(spec_with(unit="percent"), market)


def test_without_an_entry_in_the_spec_the_markets_is_read(market: Snapshot) -> None:
    spec = load_spec("sample", {"run.start": "2025-01-02", "run.end": "2025-06-30", "signal.inputs": [INPUT]})
    last = pd.Timestamp("2025-06-30")
    assert read_signal(spec, market, last).values.equals(read_signal(spec_with(), market, last).values)
    with pytest.raises(InputError, match=r"series MINE has no entry in the catalogue; .*add to the spec"):
        read_signal(spec, replace(market, series_entries={}, gate=False), last)


def test_a_company_of_ones_own_that_has_reported_nothing_yet_is_no_slip(market: Snapshot) -> None:
    ibm = {
        "name": "IBM",
        "cik": 51143,
        "fiscal_year_end_month": 12,
        "capex_tags": ["PaymentsToAcquirePropertyPlantAndEquipment"],
    }
    asked = {"run.start": "2025-01-02", "run.end": "2025-06-30", "signal.further_event_companies": ["CRWV", "IBM"]}
    last = pd.Timestamp("2025-06-30")
    with pytest.raises(InputError, match=r"company IBM has no entry in the catalogue"):
        read_signal(load_spec("sample", asked), market, last)
    followed = read_signal(load_spec("sample", {**asked, "catalogue.companies.IBM": ibm}), market, last)
    plain = read_signal(load_spec("sample", {**asked, "signal.further_event_companies": ["CRWV"]}), market, last)
    assert followed.score.equals(plain.score)
