"""Price of capital, level and pipes by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES
from frames import level_block, pipes_block, price_of_capital_block
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig

Row = tuple[str, str, float, str]
SESSIONS = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-16"))


def data(rows: list[Row], sessions: pd.DatetimeIndex = SESSIONS) -> SignalData:
    frame = pd.DataFrame(rows, columns=["series", "date", "value", "known_at"])
    frame["date"] = pd.to_datetime(frame["date"])
    frame["known_at"] = pd.to_datetime(frame["known_at"], utc=True, format="ISO8601")
    return SignalData(SERIES.conform(frame), CAPEX.empty(), GUIDANCE.empty(), FUNDING.empty(), sessions)


def values(block: Block) -> pd.DataFrame:
    return pd.DataFrame({each.name: each.value for each in block.inputs})


def next_morning(day: pd.Timestamp) -> str:
    """Known on the next calendar day at 22:00: for the decision of the day after it."""
    return f"{day + pd.Timedelta(days=1):%Y-%m-%d} 22:00"


def rates(*names: str, step: float = 0.01) -> list[Row]:
    """A rate that rises one basis point every business day of 2024, from 4% (the next: from 5%)."""
    days = pd.bdate_range("2024-01-01", "2024-03-29")
    return [
        (name, f"{day:%Y-%m-%d}", round(4 + number + step * count, 6), next_morning(day))
        for number, name in enumerate(names)
        for count, day in enumerate(days)
    ]


def test_price_of_capital_is_the_change_between_what_was_known_at_two_decisions() -> None:
    config = SignalConfig(form=1, change_sessions=(2, 5))
    block = price_of_capital_block(data(rates("DGS10", "DFII10", "BAA10Y")), config)
    changes = values(block)
    assert [each.unit for each in block.inputs] == ["basis points"] * 6
    assert [each.scarcer_when for each in block.inputs] == [1] * 6
    # Known for Friday 2024-02-02: Wednesday 01-31; two sessions before, for Wednesday: Monday 01-29.
    assert changes.loc["2024-02-02", "price_of_capital.DGS10_2"] == 2.0
    # For Tuesday 2024-02-06: Friday (known on Saturday), not Monday; two sessions before, for Friday: Wednesday.
    assert changes.loc["2024-02-06", "price_of_capital.DGS10_2"] == 2.0
    # For Tuesday 2024-01-16, after a holiday: Friday 01-12; for Thursday 01-11: Tuesday 01-09.
    assert changes.loc["2024-01-16", "price_of_capital.DGS10_2"] == 3.0
    # Five sessions before that: 2024-01-08, for which Friday 01-05 was known.
    assert changes.loc["2024-01-16", "price_of_capital.DGS10_5"] == 5.0
    observed = block.inputs[0].observed
    assert observed["2024-02-06"] == pd.Timestamp("2024-02-02")
    assert block.inputs[0].known["2024-02-06"] == pd.Timestamp("2024-02-03 22:00", tz="UTC")
    assert changes["price_of_capital.BAA10Y_5"].notna().sum() == len(SESSIONS) - 6


def test_price_of_capital_is_half_sovereign_half_credit() -> None:
    block = price_of_capital_block(data(rates("DGS10", "DFII10", "BAA10Y")), SignalConfig(form=1))

    def names(series: str) -> tuple[str, str]:
        return (f"price_of_capital.{series}_20", f"price_of_capital.{series}_60")

    assert block.grouping == ((names("DGS10"), names("DFII10")), names("BAA10Y"))


def test_a_yield_that_stops_is_missing_once_it_is_too_old_and_so_is_its_change() -> None:
    stopped = [row for row in rates("DGS10", "DFII10", "BAA10Y") if row[0] != "DFII10" or row[1] <= "2024-01-17"]
    changes = values(price_of_capital_block(data(stopped), SignalConfig(form=1, change_sessions=(2,))))
    real = changes["price_of_capital.DFII10_2"]
    assert real["2024-01-26"] == 0.0  # ten days old: usable, for the last time
    assert real["2024-01-29":].isna().all()
    assert changes.loc["2024-01-29":, "price_of_capital.DGS10_2"].notna().all()


WEDNESDAYS = ["2024-01-03", "2024-01-10", "2024-01-17", "2024-01-24", "2024-01-31", "2024-02-07"]


def tank(reverse_repo: dict[str, float]) -> list[Row]:
    """Assets 7,000,000 rising 10,000 a week and a Treasury account of 700,000 (USD millions)."""
    rows: list[Row] = []
    for week, day in enumerate(WEDNESDAYS):
        thursday = next_morning(pd.Timestamp(day))
        rows.append(("WALCL", day, 7_000_000 + 10_000 * week, thursday))
        rows.append(("WTREGEN", day, 700_000, thursday))
    return rows + [("RRPONTSYD", day, billions, f"{day} 22:00") for day, billions in reverse_repo.items()]


def test_level_is_assets_less_treasury_less_reverse_repo_in_millions() -> None:
    repo = dict(zip(WEDNESDAYS, [500, 500, 450, 450, 450, 450], strict=True))
    # Days between Wednesdays are of no use to it.
    block = level_block(data(tank({**repo, "2024-01-22": 1.0})), SignalConfig(form=1, level_change_sessions=5))
    (level,) = block.inputs
    assert (level.name, level.unit, level.scarcer_when) == ("level.net_liquidity", "USD millions", -1)
    # Known for Friday 2024-01-19: Wednesday 01-17; five sessions (and a holiday) before, for 01-11: 01-03.
    assert level.value["2024-01-19"] == 2 * 10_000 + 50_000
    # For Thursday 01-18 it is still Wednesday 01-10, published on Thursday evening eight days before.
    assert level.observed["2024-01-18"] == pd.Timestamp("2024-01-10")
    assert level.observed["2024-01-19"] == pd.Timestamp("2024-01-17")
    assert level.known["2024-01-19"] == pd.Timestamp("2024-01-18 22:00", tz="UTC")
    assert level.value["2024-01-26"] == 10_000


def test_a_wednesday_that_lacks_one_of_the_three_gives_no_level() -> None:
    repo = {day: 500.0 for day in WEDNESDAYS if day != "2024-01-17"}
    (level,) = level_block(data(tank(repo)), SignalConfig(form=1, level_change_sessions=2)).inputs
    assert level.observed["2024-01-19"] == level.observed["2024-01-25"] == pd.Timestamp("2024-01-10")
    assert level.value["2024-01-19"] == 0.0
    assert level.value["2024-01-26"] == 20_000


def test_a_holiday_takes_the_reverse_repo_of_the_last_business_day_up_to_it() -> None:
    """Juneteenth of 2024 was a Wednesday: the H.4.1 is of it, the reverse repo of the Tuesday before."""
    rows: list[Row] = []
    for week, day in enumerate(["2024-06-12", "2024-06-19"]):
        friday = f"{pd.Timestamp(day) + pd.Timedelta(days=2):%Y-%m-%d} 22:00"
        rows += [("WALCL", day, 7_000_000 + 10_000 * week, friday), ("WTREGEN", day, 700_000, friday)]
        rows.append(("WDTGAL", day, 650_000 - 7_000 * week, friday))
    repo = {"2024-06-12": 400.0, "2024-06-14": 380.0, "2024-06-17": 370.0, "2024-06-18": 350.0, "2024-06-20": 1.0}
    rows += [("RRPONTSYD", day, billions, f"{day} 22:00") for day, billions in repo.items()]
    sessions = sessions_between(pd.Timestamp("2024-06-10"), pd.Timestamp("2024-06-28"))

    def level(join: Any, *without: str) -> BlockInput:
        held = [row for row in rows if row[0] not in without and row[1] not in without]
        config = SignalConfig(form=1, level_change_sessions=5, net_liquidity=join)
        return level_block(data(held, sessions), config).inputs[0]

    # Known for Monday the 24th. Five sessions (and the holiday) after the 17th, which knew the 12th, is the 25th.
    assert level("one_wednesday").observed["2024-06-24"] == pd.Timestamp("2024-06-19")
    assert level("one_wednesday").value["2024-06-25"] == 10_000 + 7_000 + 50_000
    # Without an account of Wednesday the mean of the week stands in for it.
    assert level("one_wednesday", "WDTGAL").value["2024-06-25"] == 10_000 + 50_000
    # The Tuesday is missing, and the Monday counts.
    assert level("one_wednesday", "2024-06-18").value["2024-06-25"] == 10_000 + 7_000 + 30_000
    # As in version 0.1.0.
    assert level("week_mean").observed["2024-06-25"] == pd.Timestamp("2024-06-12")


def test_a_level_waits_for_the_last_of_the_three() -> None:
    late = [
        row if row[:2] != ("WTREGEN", "2024-01-17") else (*row[:3], "2024-01-22 22:00")
        for row in tank(dict.fromkeys(WEDNESDAYS, 500.0))
    ]
    (level,) = level_block(data(late), SignalConfig(form=1)).inputs
    assert level.observed["2024-01-22"] == pd.Timestamp("2024-01-10")
    assert level.observed["2024-01-23"] == pd.Timestamp("2024-01-17")


def test_a_level_is_too_old_after_three_weeks() -> None:
    rows = [row for row in tank(dict.fromkeys(WEDNESDAYS, 500.0)) if row[0] != "WALCL" or row[1] <= "2024-01-17"]
    (level,) = level_block(data(rows), SignalConfig(form=1, level_change_sessions=1)).inputs
    assert level.value["2024-02-07"] == 0.0
    assert level.value["2024-02-08":].isna().all()


def test_pipes_is_the_mean_of_the_newest_observations_that_both_rates_have() -> None:
    policy = [(*row[:2], 4.0, row[3]) for row in rates("DFF")]
    repo = rates("SOFR")
    block = pipes_block(data(repo + policy), SignalConfig(form=1, pipes_mean_observations=3))
    (spread,) = block.inputs
    assert (spread.name, spread.unit, spread.scarcer_when) == ("pipes.SOFR_DFF", "basis points", 1)
    # Known for Friday 2024-01-05: Monday 01-01 to Wednesday 01-03, 0, 1 and 2 basis points.
    assert spread.value["2024-01-05"] == 1.0
    assert spread.value[:"2024-01-04"].isna().all()
    assert spread.observed["2024-01-05"] == pd.Timestamp("2024-01-03")
    holiday = [row for row in repo if row[1] != "2024-01-02"]
    (spread,) = pipes_block(data(holiday + policy), SignalConfig(form=1, pipes_mean_observations=3)).inputs
    assert np.isnan(spread.value["2024-01-05"])
    assert spread.value["2024-01-09"] == pytest.approx((0 + 2 + 3 + 4 - 0) / 3)


def test_pipes_are_too_old_when_one_rate_stops() -> None:
    policy = [(*row[:2], 4.0, row[3]) for row in rates("DFF") if row[1] <= "2024-01-17"]
    (spread,) = pipes_block(data(rates("SOFR") + policy), SignalConfig(form=1)).inputs
    assert spread.value["2024-01-26"] == 10.0  # the mean of 8 to 12 basis points
    assert spread.value["2024-01-29":].isna().all()


@pytest.mark.parametrize(
    ("build", "lacking"), [(price_of_capital_block, "DGS10"), (level_block, "WALCL"), (pipes_block, "SOFR")]
)
def test_a_series_that_is_not_there_is_named(build: Callable[[SignalData, SignalConfig], Block], lacking: str) -> None:
    with pytest.raises(InputError, match=f"series {lacking}: got no row"):
        build(data([("VIXCLS", "2024-01-02", 13.0, "2024-01-03")]), SignalConfig(form=1))
