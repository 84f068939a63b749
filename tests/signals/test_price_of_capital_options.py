"""The options of the price of capital and of the pipes: another spread, spreads in turn, joint rises, another rate."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES
from frames import nested_mean, nested_weights, pipes_block, price_of_capital_block, raw_contributions
from signals.block import Block, SignalData, require_block
from signals.config import SignalConfig
from signals.liquidity import required_series
from signals.standardize import FirstPresent

SESSIONS = sessions_between(pd.Timestamp("2019-01-02"), pd.Timestamp("2021-12-31"))
SMALL = SignalConfig(form=1, window_sessions=60, min_window_sessions=20, min_scale_sessions=10, change_sessions=(5, 20))
IN_TURN = "BAMLH0A0HYM2_else_BAA10Y"
NAMES = ("DGS10", "DFII10", "BAA10Y", "BAMLH0A0HYM2")


def data(spans: dict[str, tuple[str, str]] | None = None, seed: int = 5) -> SignalData:
    """Random walks in percent, one value a business day, public the next evening; `spans` cuts some of them."""
    random = np.random.default_rng(seed)
    parts = []
    for name in (*NAMES, "SOFR", "DFF", "IORB"):
        days = pd.bdate_range("2018-11-01", "2021-12-31").as_unit("us")
        scale = 0.2 if name == "BAMLH0A0HYM2" else 0.05
        values = (4 + random.normal(0, scale, len(days)).cumsum()).round(2)
        known = (days + pd.offsets.BDay(1) + pd.Timedelta(hours=22)).as_unit("us").tz_localize("UTC")
        rows = pd.DataFrame({"series": name, "date": days, "value": values, "known_at": known})
        first, last = (spans or {}).get(name, ("2018", "2022"))
        parts.append(rows[rows["date"].between(first, last)])
    return SignalData(SERIES.conform(pd.concat(parts)), CAPEX.empty(), GUIDANCE.empty(), FUNDING.empty(), SESSIONS)


def values(block: Block) -> pd.DataFrame:
    return pd.DataFrame({each.name.partition(".")[2]: each.value for each in block.inputs})


def z_by_hand(path: pd.Series, config: SignalConfig = SMALL) -> pd.Series:
    """The clipped z-score by its definition, one session at a time."""
    scores = []
    for place, value in enumerate(path):
        seen = [each for each in path.iloc[max(0, place + 1 - config.window_sessions) : place + 1] if each == each]
        if math.isnan(value) or len(seen) < config.min_window_sessions:
            scores.append(math.nan)
        else:
            z = (value - statistics.fmean(seen)) / statistics.stdev(seen)
            scores.append(max(-config.clip, min(config.clip, z)))
    return pd.Series(scores, index=path.index)


def test_the_high_yield_spread_takes_the_place_of_the_other() -> None:
    block = price_of_capital_block(data(), SMALL.model_copy(update={"credit_spread": "BAMLH0A0HYM2"}))
    plain = price_of_capital_block(data(), SMALL)
    assert [name for name in values(block) if "BA" in name] == ["BAMLH0A0HYM2_5", "BAMLH0A0HYM2_20"]
    assert str(block.grouping) == str(plain.grouping).replace("BAA10Y", "BAMLH0A0HYM2")
    sovereign = ["DGS10_5", "DGS10_20", "DFII10_5", "DFII10_20"]
    pd.testing.assert_frame_equal(values(block)[sovereign], values(plain)[sovereign], check_exact=True)


@pytest.mark.parametrize(
    ("field", "value", "wanted", "not_wanted"),
    [
        ("credit_spread", "BAMLH0A0HYM2", {"BAMLH0A0HYM2"}, {"BAA10Y"}),
        ("credit_spread", IN_TURN, {"BAMLH0A0HYM2", "BAA10Y"}, set()),
        ("policy_rate", "IORB", {"IORB", "SOFR"}, {"DFF"}),
    ],
)
def test_the_signal_needs_the_series_that_are_asked_for(
    field: str, value: str, wanted: set[str], not_wanted: set[str]
) -> None:
    needed = set(required_series(SignalConfig(form=1, **{field: value})))
    assert wanted <= needed
    assert not needed & not_wanted


def test_the_first_part_with_a_value_stands_for_all() -> None:
    present = pd.DataFrame({"a": [1, 0, 0, 1], "b": [1, 1, 0, 0], "c": [1, 1, 1, 0]}).astype(bool)
    weights = nested_weights(("c", FirstPresent(("a", "b"))), present)
    assert weights.to_dict("list") == {"c": [0.5, 0.5, 1, 0], "a": [0.5, 0, 0, 1], "b": [0, 0.5, 0, 0]}
    z = pd.DataFrame({"a": [1.0, np.nan, np.nan], "b": [5.0, 3.0, np.nan]})
    assert nested_mean(FirstPresent(("a", "b")), z).tolist()[:2] == [1.0, 3.0]
    assert math.isnan(nested_mean(FirstPresent(("a", "b")), z)[2])


def test_spreads_in_turn_never_mix() -> None:
    """High yield begins in 2020 and ends in mid 2021; each spread is differenced and standardized by itself."""
    config = SMALL.model_copy(update={"credit_spread": IN_TURN})
    cut = data({"BAMLH0A0HYM2": ("2020-01-02", "2021-06-30")})
    block = require_block(price_of_capital_block(cut, config), SESSIONS)
    one = {
        name: values(price_of_capital_block(cut, SMALL.model_copy(update={"credit_spread": name})))
        for name in NAMES[2:]
    }
    inputs = values(block)
    for name, alone in one.items():
        for horizon in SMALL.change_sessions:
            pd.testing.assert_series_equal(inputs[f"{name}_{horizon}"], alone[f"{name}_{horizon}"], check_exact=True)
    parts = raw_contributions(block, config).rename(columns=lambda name: name.partition(".")[2])
    for horizon in SMALL.change_sessions:
        has_z = z_by_hand(inputs[f"BAMLH0A0HYM2_{horizon}"]).notna()
        assert 100 < has_z.sum() < len(SESSIONS) - 100
        live = parts[f"BAA10Y_{horizon}"].notna()
        assert (parts[f"BAMLH0A0HYM2_{horizon}"][live & ~has_z] == 0).all()
        assert (parts[f"BAA10Y_{horizon}"][live & has_z] == 0).all()
        assert (parts[f"BAMLH0A0HYM2_{horizon}"][live & has_z] != 0).mean() > 0.9
        assert (parts[f"BAA10Y_{horizon}"][live & ~has_z] != 0).mean() > 0.9
    # Credit is half of the block, whichever spread speaks: as if it had been the only one from the start.
    before_scale = parts.mul(scale_of(block, config), axis=0)
    credit = before_scale.filter(like="BA").sum(axis=1)
    z = {name: z_by_hand(inputs[name]) for name in inputs.filter(like="BA")}
    chosen = [z[f"BAMLH0A0HYM2_{h}"].fillna(z[f"BAA10Y_{h}"]) for h in SMALL.change_sessions]
    both = credit.notna() & before_scale["DFII10_20"].ne(0) & (chosen[0].notna() & chosen[1].notna())
    np.testing.assert_allclose(credit[both], ((chosen[0] + chosen[1]) / 4)[both], rtol=1e-9, atol=1e-9)


def scale_of(block: Block, config: SignalConfig) -> pd.Series:
    """Trailing deviation of the unscaled block, from z-scores by hand."""
    z = pd.DataFrame({each.name: z_by_hand(each.value) for each in block.inputs})
    whole = nested_mean(block.grouping, z)
    return whole.rolling(config.window_sessions, min_periods=config.min_scale_sessions).std()


def test_a_joint_rise_is_the_smaller_z_where_both_are_above_zero() -> None:
    config = SMALL.model_copy(update={"mark_joint_rises": True})
    block = require_block(price_of_capital_block(data(), config), SESSIONS)
    inputs = values(block)
    assert list(inputs)[-1] == "joint_rise"
    z = {name: z_by_hand(inputs[name]) for name in inputs if name != "joint_rise"}
    nominal, real, credit = (pd.concat([z[f"{n}_5"], z[f"{n}_20"]], axis=1).mean(axis=1) for n in NAMES[:3])
    sovereign = pd.concat([nominal, real], axis=1).mean(axis=1)
    for session in SESSIONS:
        one, other, mark = sovereign[session], credit[session], inputs["joint_rise"][session]
        if math.isnan(one) or math.isnan(other):
            assert math.isnan(mark)
        else:
            assert mark == pytest.approx(min(one, other) if one > 0 and other > 0 else 0.0, abs=1e-9)
    assert 0.1 < (inputs["joint_rise"] > 0).mean() < 0.5
    assert len(block.grouping) == 3
    assert block.inputs[-1].scarcer_when == 1


def test_without_a_spread_there_is_no_joint_rise() -> None:
    config = SMALL.model_copy(update={"mark_joint_rises": True})
    block = price_of_capital_block(data({"BAA10Y": ("2018", "2020-06-30")}), config)
    mark = values(block)["joint_rise"]
    assert mark["2020-03-02":"2020-07-01"].notna().all()
    assert mark["2020-07-31":].isna().all()


def test_interest_on_reserves_leaves_the_pipes_empty_before_it_starts() -> None:
    config = SMALL.model_copy(update={"policy_rate": "IORB"})
    both = data({"IORB": ("2021-07-29", "2022")})
    (spread,) = pipes_block(both, config).inputs
    assert spread.name == "pipes.SOFR_IORB"
    # Five observations, from Thursday 07-29 to Wednesday 08-04, the last known on Thursday evening.
    assert spread.value[:"2021-08-05"].isna().all()
    rates = both.series.set_index(["series", "date"])["value"]
    days = pd.bdate_range("2021-07-29", "2021-08-04")
    by_hand = [100 * (rates["SOFR", day] - rates["IORB", day]) for day in days]
    assert spread.value["2021-08-06"] == pytest.approx(statistics.fmean(by_hand))


@pytest.mark.real_history
def test_on_real_history_high_yield_speaks_where_it_exists(history: Snapshot) -> None:
    sessions = sessions_between(pd.Timestamp("1999-01-04"), pd.Timestamp("2026-10-09"))
    config = SignalConfig(form=1, credit_spread=IN_TURN, mark_joint_rises=True)
    block = price_of_capital_block(SignalData.of(history, sessions, config), config)
    parts = raw_contributions(block, config).rename(columns=lambda name: name.partition(".")[2])
    late = parts.loc["2008-01-02":]
    assert (late["BAA10Y_20"] == 0).mean() > 0.99
    assert (late["BAMLH0A0HYM2_20"] != 0).mean() > 0.99
    # The autumn of 2022 sold bonds of every kind; in March 2020 yields fell as spreads rose.
    mark = values(block)["joint_rise"]
    assert (mark["2022-09-26":"2022-10-14"] > 0).mean() > 0.6
    assert mark["2020-03-09":"2020-03-13"].max() == 0
