"""Form 2 by hand: what lasts stays, what moves together counts, silence is news, one Wednesday, announced policy."""

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalogue.publication import publication_times
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES
from signals.block import SignalData
from signals.config import FORM_1_ONLY, InputConfig, SignalConfig
from signals.facts import Facts
from signals.form_2.level import Pace, announced_pace
from signals.form_2.pipes import month_ends
from signals.form_2.price_of_capital import joint_move
from signals.form_2.scales import change_over_usual, event_over_usual, scaled
from signals.known import Observations, microseconds, moments_of, on_weeks
from signals.liquidity import LiquiditySignal, liquidity_signal, read_blocks
from signals.scarcity import Scarcity, scarcity
from signals.standardize import clipped, trailing_z

BOTH = Scarcity.BOTH
CONFIG = SignalConfig(form=2)
SMALL = SignalConfig(form=2, window_sessions=4, min_window_sessions=3, min_scale_sessions=2)
DAILY = ("DGS10", "DFII10", "BAA10Y", "SOFR", "DFF", "IORB", "RRPONTSYD")
WEEKLY = ("WALCL", "WDTGAL", "WTREGEN")


def days(*texts: str) -> np.ndarray:
    return microseconds(pd.DatetimeIndex(list(texts)))


# Scales


def test_a_change_is_read_by_the_median_size_and_not_centred() -> None:
    read = clipped(change_over_usual(np.array([2.0, -1.0, 3.0, 1.0, -40.0]), SMALL), SMALL)
    assert np.isnan(read[:2]).all()
    assert read[2] == pytest.approx(3 / (1.4826 * 2))  # sizes 2, 1, 3
    assert read[3] == pytest.approx(1 / (1.4826 * 1.5))  # 2, 1, 3, 1
    assert read[4] == -3.0  # sizes 1, 3, 1, 40: clipped
    rising = change_over_usual(np.full(10, 5.0), SMALL)
    assert rising[5] == pytest.approx(1 / 1.4826)  # a z-score of what never changes would be nothing


def test_events_are_read_by_their_mean_square_and_nothing_reads_nothing() -> None:
    read = event_over_usual(np.array([0.0, 0.0, 0.0, 2.0, np.nan]), SMALL)
    assert read[2] == 0.0
    assert read[3] == pytest.approx(2.0)  # the root of 4 over 4
    assert math.isnan(read[4])
    assert change_over_usual(np.zeros(5), SMALL)[4] == 0.0
    assert scaled(np.array([3.0, 4.0]), SMALL)[1] == pytest.approx(4 / math.sqrt(12.5))


def test_one_extraordinary_quarter_does_not_silence_the_three_years_after_it() -> None:
    random = np.random.default_rng(2)
    change = random.normal(0, 10, 1500)
    change[300:363] *= 40  # a spring of 2020
    quiet = change.copy()
    quiet[300:363] /= 40
    after = slice(400, 1000)  # while it is in the window
    loud, usual = (clipped(change_over_usual(each, CONFIG), CONFIG)[after] for each in (change, quiet))
    ratio = np.abs(loud) / np.abs(usual)
    assert np.median(ratio) > 0.8
    by_z = np.nanstd(change[256:1012])
    assert np.nanstd(quiet[256:1012]) / by_z < 0.2  # a deviation would have


# The joint move


@pytest.mark.parametrize(
    ("sovereign", "credit", "joint", "binds"),
    [
        (1.0, 2.0, 1.0, 0),
        (2.0, 0.5, 0.5, 1),
        (-1.0, -2.0, -1.0, 0),
        (-2.0, -0.5, -0.5, 1),
        (3.0, -1.0, 0.0, -1),
        (0.0, 2.0, 0.0, -1),
        (math.nan, 2.0, math.nan, -1),
    ],
)
def test_a_joint_move_is_the_smaller_of_two(sovereign: float, credit: float, joint: float, binds: int) -> None:
    got, which = joint_move(np.array([sovereign]), np.array([credit]))
    assert got[0] == pytest.approx(joint, nan_ok=True)
    assert which[0] == binds


# One Wednesday


def test_reverse_repo_of_a_week_is_of_the_last_business_day_up_to_its_wednesday() -> None:
    # 2018-07-04, a Wednesday, was a holiday: Tuesday's stands for it.
    weeks = days("2018-06-27", "2018-07-04", "2018-07-11")
    daily = Observations(
        days("2018-06-27", "2018-07-02", "2018-07-03", "2018-07-05", "2018-07-11"),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
        days("2018-06-28", "2018-07-03", "2018-07-05", "2018-07-06", "2018-07-12"),
    )
    found = on_weeks(daily, weeks)
    rows = zip(
        moments_of(found.day).strftime("%m-%d"), found.value, moments_of(found.known).strftime("%m-%d"), strict=True
    )
    assert list(rows) == [
        ("06-27", 1.0, "06-28"),
        ("07-04", 2.0, "07-03"),
        ("07-04", 3.0, "07-05"),  # the day before the holiday, once it is known
        ("07-11", 4.0, "07-06"),
        ("07-11", 5.0, "07-12"),
    ]


def test_a_day_more_than_a_week_before_stands_for_nothing() -> None:
    daily = Observations(days("2018-06-20"), np.array([1.0]), days("2018-06-21"))
    assert len(on_weeks(daily, days("2018-07-04")).day) == 0


# Announced policy


def paces_at(rows: list[tuple[str, str, float]], sessions: list[str], complete_to: str = "2030-01-01") -> Pace:
    """Of announcements: known at, in force from, billions a month."""
    frame = pd.DataFrame(rows, columns=["known_at", "effective_from", "pace_usd_bn_month"])
    frame["known_at"] = pd.to_datetime(frame["known_at"], utc=True)
    frame["effective_from"] = pd.to_datetime(frame["effective_from"])
    frame["announced_at"] = frame["known_at"].dt.tz_localize(None).dt.normalize()
    text = {name: "Fed" if name == "company" else "" for name, kind in PACES.columns.items() if kind == "text"}
    paces = PACES.conform(frame.assign(**text, treasury_usd_bn_month=np.nan, mbs_usd_bn_month=np.nan))
    coverage = COVERAGE.conform(
        pd.DataFrame(
            {
                "kind": ["balance_sheet_pace"],
                "company": ["Fed"],
                "complete_from": [pd.Timestamp("2000-01-01")],
                "complete_to": [pd.Timestamp(complete_to)],
                "rule": "",
                "evidence": "",
                "confidence": "high",
            }
        )
    )
    tables = (SERIES.empty(), CAPEX.empty(), GUIDANCE.empty(), FUNDING.empty())
    data = SignalData(*tables, pd.DatetimeIndex(sessions).as_unit("us"), paces, coverage)
    found = announced_pace(Facts(data), CONFIG)
    assert found is not None
    return found


def test_a_pace_is_in_force_from_when_it_takes_effect_and_counts_from_when_it_is_known() -> None:
    told = [("2022-05-04 18:00", "2022-06-01", -47.5), ("2022-05-04 18:00", "2022-09-01", -95.0)]
    pace = paces_at(told, ["2022-05-31", "2022-06-01", "2022-08-31", "2022-09-01", "2023-01-03"])
    assert np.isnan(pace.value[0])
    assert pace.value[1:].tolist() == [-47.5, -47.5, -95.0, -95.0]
    assert (pace.known[1:] == days("2022-05-04 18:00")[0]).all()


def test_a_later_announcement_replaces_the_steps_of_an_earlier_one() -> None:
    told = [
        ("2019-03-20 18:00", "2019-05-01", -35.0),
        ("2019-03-20 18:00", "2019-10-01", -5.0),  # never comes to hold
        ("2019-07-31 18:00", "2019-08-01", 0.0),
    ]
    pace = paces_at(told, ["2019-07-31", "2019-08-01", "2019-10-02"])
    assert pace.value.tolist() == [-35.0, 0.0, 0.0]


def test_after_the_table_has_ended_no_pace_is_known_to_be_in_force() -> None:
    told = [("2022-05-04 18:00", "2022-06-01", -47.5)]
    pace = paces_at(told, ["2022-12-30", "2023-07-19", "2023-07-20"], complete_to="2022-12-31")
    assert pace.value[:2].tolist() == [-47.5, -47.5]  # 200 days after it
    assert math.isnan(pace.value[2])


def test_month_ends_are_sessions() -> None:
    sessions = sessions_between(pd.Timestamp("2024-03-01"), pd.Timestamp("2024-05-31"))
    ends = moments_of(month_ends(microseconds(sessions)))
    # Good Friday 2024 was March 29th.
    assert ends.strftime("%m-%d").tolist() == ["03-01", "03-28", "04-01", "04-30", "05-01", "05-31"]


# The kind of scarcity


@pytest.mark.parametrize(
    ("drain", "others", "g", "kind"),
    [
        (0.40, 0.05, 0.9, "taken by capex"),
        (0.05, 0.40, 0.9, "short of supply"),
        (0.15, 0.15, 0.9, BOTH),  # neither holds it alone
        (0.30, 0.30, 0.9, BOTH),  # each does
        (0.40, 0.05, 0.5, "short of supply"),  # idle money abounds: it takes none
        (0.40, 0.05, math.nan, "short of supply"),
    ],
)
def test_the_kind_is_what_would_have_to_go(drain: float, others: float, g: float, kind: str) -> None:
    days_ = pd.DatetimeIndex(["2024-01-02", "2024-01-03"])
    regime = pd.Series(["SCARCE", "NEUTRAL"], days_)
    told = scarcity(regime, pd.Series(drain, days_), pd.Series(drain + others, days_), np.full(2, g), CONFIG)
    assert told.tolist() == [kind, ""]


# A made-up world: everything flat, but for what a test moves


SESSIONS = sessions_between(pd.Timestamp("2014-01-02"), pd.Timestamp("2022-12-30"))
COMPANIES = ("AAA", "BBB")
WORLD = SignalConfig(form=2, companies=COMPANIES, further_event_companies=())


def world(ratio: float | np.ndarray = 0.3, silent: Collection[str] = (), **paths: np.ndarray) -> SignalData:
    """Two spenders of a ratio of capex to cash flow by quarter, and series that wiggle about a path by business day."""
    random = np.random.default_rng(4)
    parts = []
    for name in (*DAILY, *WEEKLY):
        dates = pd.date_range("2013-06-03", "2022-12-30", freq="W-WED" if name in WEEKLY else "B").as_unit("us")
        wiggle = np.zeros(len(dates)) if name in silent else random.normal(0, 0.001, len(dates))
        values = wiggle + paths.get(name, 0.0)
        known = publication_times(dates, "next_business_day")
        parts.append(pd.DataFrame({"series": name, "date": dates, "value": 3.0 + values, "known_at": known}))
    ends = pd.date_range("2012-03-31", "2022-09-30", freq="QE").as_unit("us")
    ratios = np.broadcast_to(ratio, len(ends))
    known = (ends + pd.Timedelta(days=30)).tz_localize("UTC")
    capex = pd.concat(
        [
            pd.DataFrame(
                {
                    "company": company,
                    "fiscal_period": [f"{end.year}Q{end.quarter}" for end in ends],
                    "period_end": ends,
                    "capex_usd_bn": 10 * ratios,
                    "ocf_usd_bn": 10.0,
                    "headline_capex_usd_bn": np.nan,
                    "capex_known_at": known,
                    "ocf_known_at": known,
                }
            )
            for company in COMPANIES
        ]
    )
    blank = CAPEX.empty().reindex(range(len(capex)))
    filled = {
        name: "" if kind == "text" else blank[name].array for name, kind in CAPEX.columns.items() if name not in capex
    }
    tables = (
        SERIES.conform(pd.concat(parts)),
        CAPEX.conform(capex.assign(**filled)),
        GUIDANCE.empty(),
        FUNDING.empty(),
    )
    return SignalData(*tables, SESSIONS)


def reading(data: SignalData, name: str, config: SignalConfig = WORLD) -> pd.Series:
    (found,) = [each for each in read_blocks(Facts(data), config) if each.name == name]
    return pd.Series(found.parts.sum(axis=1), data.sessions)


def business_days(size: float) -> np.ndarray:
    """A path that rises by a size a business day over 60 days from 2019-01 on."""
    dates = pd.date_range("2013-06-03", "2022-12-30", freq="B")
    return size * np.clip((dates - pd.Timestamp("2019-01-01")).days.to_numpy() * 5 / 7, 0, 60)


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.45, 0.5])
def test_capex_alone_never_makes_scarcity_while_idle_money_abounds(ratio: float) -> None:
    surprises = ratio * (1 + 0.1 * np.random.default_rng(1).standard_normal(43))
    signal = liquidity_signal(world(np.minimum(surprises, 0.5), silent=DAILY + WEEKLY), WORLD)
    assert signal.gate is not None
    assert signal.gate["g"].max() <= 0.5 + 1e-12
    assert (signal.blocks.drop(columns="drain") == 0.0).all(axis=None)
    assert (signal.regime != "SCARCE").all()


@settings(max_examples=200, deadline=None)
@given(g=st.floats(0, 0.5), news=st.floats(-3, 3))
def test_below_the_threshold_the_drain_alone_cannot_reach_the_threshold(g: float, news: float) -> None:
    assert 0.25 * ((2 * g - 1) + 0.5 * g * news) < CONFIG.enter


def test_below_the_threshold_capex_is_a_stimulus_and_a_step_that_lasts_keeps_its_reading() -> None:
    ratios = np.full(43, 0.3)
    ratios[20:] = 0.8  # from the quarter to 2017-03 on
    drain = reading(world(ratios), "drain")
    before, after = drain["2016-06-01":"2017-01-31"], drain["2018-06-01":]
    gates = 2 / (1 + math.exp(0.2 / 0.05)) - 1, 2 / (1 + math.exp(-0.3 / 0.05)) - 1
    assert before.to_numpy() == pytest.approx(gates[0], abs=1e-3)
    assert (before < -0.9).all()
    last = after["2021-06-01":]  # four years later the news have faded, and the step is as tall as it was
    assert last.to_numpy() == pytest.approx(gates[1], abs=0.01)
    z = trailing_z(drain.to_numpy()[:, None], WORLD)[:, 0]
    assert np.isnan(z[-1]) or abs(z[-1]) < 1  # which a z-score forgets


def test_a_joint_rise_counts_and_a_rise_of_one_alone_does_not() -> None:
    rise = business_days(0.02)
    top = slice("2019-02-15", "2019-03-15")
    together = reading(world(DGS10=rise, DFII10=rise, BAA10Y=rise), "price_of_capital")
    assert (together[top] > 1).all()
    for alone, flat in ((("DGS10", "DFII10"), ("BAA10Y",)), (("BAA10Y",), ("DGS10", "DFII10"))):
        block = reading(world(silent=flat, **dict.fromkeys(alone, rise)), "price_of_capital")
        assert (block[top] == 0).all()
    apart = reading(world(DGS10=rise, DFII10=rise, BAA10Y=-rise), "price_of_capital")
    assert (apart[top] == 0).all()
    falling = reading(world(DGS10=-rise, DFII10=-rise, BAA10Y=-rise), "price_of_capital")
    assert (falling[top] < -1).all()


def test_what_a_half_gives_is_told_of_the_half_that_binds() -> None:
    rise = business_days(0.02)
    data = world(DGS10=rise, DFII10=rise, BAA10Y=0.2 * rise)
    block = read_blocks(Facts(data), WORLD)[1]
    parts = pd.DataFrame(block.parts, SESSIONS, [each.name.split(".")[1] for each in block.inputs]).loc["2019-03-01"]
    binding = {name[:6] for name, part in parts.items() if part != 0}
    assert binding in ({"BAA10Y"}, {"DGS10_", "DFII10"})


def test_pipes_leave_month_ends_out() -> None:
    dates = pd.date_range("2013-06-03", "2022-12-30", freq="B")
    at_ends = np.where(dates.isin(dates.to_series().groupby(dates.to_period("M")).max()), 0.5, 0.0)
    calm, dressed = reading(world(), "pipes"), reading(world(SOFR=at_ends), "pipes")
    # Holidays apart, the last business day of a month is its last session.
    noise = np.random.default_rng(4).normal(0, 0.001, len(dates))
    assert noise.std() < 0.002
    assert dressed["2016":].abs().max() <= 3.0
    assert (dressed["2016":] > 1.5).mean() < 0.1
    assert len(calm) == len(dressed)


# Silence, completeness, options


def test_where_the_table_is_complete_silence_is_zero_and_outside_it_is_missing() -> None:
    silent = world()
    spans = [("results", name) for name in COMPANIES] + [
        ("guidance", "AAA"),
        *(("funding", name) for name in COMPANIES),
    ]
    coverage = pd.DataFrame(spans, columns=["kind", "company"]).assign(
        complete_from=pd.Timestamp("2016-01-01"),
        complete_to=pd.Timestamp("2018-12-31"),
        rule="",
        evidence="",
        confidence="high",
    )
    covered = replace(silent, coverage=COVERAGE.conform(coverage))
    values = liquidity_signal(covered, WORLD).values
    for name in ("drain.guidance_news", "drain.outside_funding"):
        assert values[name][:"2015-12-31"].isna().all()
        assert (values[name]["2016-01-04":"2019-07-19"] == 0).all()  # and for 200 days after its end
        assert values[name]["2019-07-22":].isna().all()
    assert (
        liquidity_signal(silent, WORLD).values[["drain.guidance_news", "drain.outside_funding"]].isna().all(axis=None)
    )


@pytest.mark.parametrize(("name", "default", "reason"), FORM_1_ONLY)
def test_options_without_a_meaning_are_refused(name: str, default: Any, reason: str) -> None:
    other = {
        "gate.enabled": False,
        "gate.stimulus": 0.4,
        "gate.level": True,
        "mark_joint_rises": True,
        "policy_rate": "IORB",
        "net_liquidity": "one_wednesday",
    }
    section, _, key = name.rpartition(".")
    changed: dict[str, Any] = {key: other[name]}
    with pytest.raises(ValueError, match=reason):
        SignalConfig.model_validate({"form": 2, **({section: changed} if section else changed)})
    SignalConfig.model_validate({"form": 1, **({section: changed} if section else changed)})


@pytest.mark.parametrize("block", ["drain", "price_of_capital", "level", "pipes"])
def test_an_added_input_is_one_more_member_of_its_block(block: str) -> None:
    added = InputConfig(name="more", block=block, series="DGS10", transform="change", length=20, scarcer_when="higher")
    data = world(DGS10=business_days(0.02))
    plain = reading(data, block)
    config = WORLD.model_copy(update={"inputs": (added,)})
    (found,) = [each for each in read_blocks(Facts(data), config) if each.name == block]
    assert found.inputs[-1].name == f"{block}.more"
    moved = clipped(change_over_usual(found.inputs[-1].value, config), config)
    both = pd.Series(found.parts.sum(axis=1), SESSIONS)["2019":"2021"]
    reads = pd.Series(moved, SESSIONS)["2019":"2021"]
    if block == "drain":
        state = 2 / (1 + math.exp((0.5 - 0.3) / 0.05)) / 2
        results = plain["2019":"2021"] - (2 * state - 1)
        assert both.to_numpy() == pytest.approx((2 * state - 1) + results / 2 + 0.5 * state * reads / 2, abs=1e-6)
    else:
        assert both.to_numpy() == pytest.approx((plain["2019":"2021"] + reads).to_numpy() / 2, abs=1e-9)
    doubled = WORLD.model_copy(update={"inputs": (added, added)})
    with pytest.raises(InputError, match="stands twice"):
        read_blocks(Facts(data), doubled)


def test_without_the_wednesday_series_the_mean_of_the_week_stands_in_and_is_told() -> None:
    data = world()
    series = data.series[data.series["series"] != "WDTGAL"]
    signal = liquidity_signal(SignalData(series, data.capex, data.guidance, data.funding, data.sessions), WORLD)
    assert any("WTREGEN, a mean of the week: the market lacks WDTGAL" in note for note in signal.notes)
    neither = series[series["series"] != "WTREGEN"]
    with pytest.raises(InputError, match="series WDTGAL: got no row"):
        liquidity_signal(SignalData(neither, data.capex, data.guidance, data.funding, data.sessions), WORLD)


def test_without_interest_on_reserves_repo_is_held_against_the_federal_funds_rate_and_that_is_told() -> None:
    data = world()
    told = "the pipes hold repo against DFF throughout: the market lacks IORB"
    assert told not in liquidity_signal(data, WORLD).notes
    series = data.series[data.series["series"] != "IORB"]
    signal = liquidity_signal(replace(data, series=series), WORLD)
    assert told in signal.notes
    assert [name for name in signal.values if name.startswith("pipes")] == ["pipes.SOFR_DFF"]


@pytest.mark.parametrize("name", ["WALCL", "WDTGAL", "RRPONTSYD"])
def test_more_money_is_less_scarcity_and_what_holds_it_back_is_more(name: str) -> None:
    """Assets of the central bank make money abound; the Treasury's account and reverse repo keep it."""
    dates = pd.date_range("2013-06-03", "2022-12-30", freq="B" if name == "RRPONTSYD" else "W-WED")
    after = np.clip((dates - pd.Timestamp("2019-01-02")).days.to_numpy(), 0, 60)
    rise = after * (1.0 if name == "RRPONTSYD" else 1000.0)  # US dollars: billions, and millions
    level = reading(world(**{name: rise}), "level")
    top = level["2019-02-15":"2019-03-15"]
    assert (top < -1).all() if name == "WALCL" else (top > 1).all()


def test_the_first_year_of_a_block_is_marked() -> None:
    signal = liquidity_signal(world(), WORLD)
    assert signal.young is not None
    live = pd.Series(signal.values["pipes.SOFR_IORB"].notna(), SESSIONS)
    young = signal.young["pipes"]
    first = young.idxmax()
    assert young[first:].iloc[:252].all()
    assert not young[first:].iloc[252:].any()
    assert live[:first].sum() >= 252  # a z-score needs as many


# On the real history; `tests/whole/test_from_scratch.py` holds all of it to the idea written down without our functions


@pytest.fixture(scope="module")
def real(history: Snapshot) -> SignalData:
    return SignalData.of(history, sessions_between(pd.Timestamp("2003-01-02"), pd.Timestamp("2026-10-12")), CONFIG)


@pytest.fixture(scope="module")
def signal(real: SignalData) -> LiquiditySignal:
    return liquidity_signal(real, CONFIG)


@pytest.mark.real_history
def test_when_each_input_comes_alive(signal: LiquiditySignal) -> None:
    first = {str(name): str(values.first_valid_index().date()) for name, values in signal.values.items()}
    assert first["drain.capex_to_cash_flow"] == "2018-07-20"
    assert first["drain.guidance_news"] == "2016-01-27"
    assert first["drain.outside_funding"] == "2018-07-20"
    assert first["level.announced_pace"] == "2014-10-01"
    assert first["pipes.SOFR_IORB"] == "2021-08-10"
    assert signal.notes == ()


@pytest.mark.real_history
@pytest.mark.parametrize(
    ("day", "regime", "kind"),
    [
        ("2020-09-01", "ABUNDANT", ""),
        ("2022-06-15", "SCARCE", "short of supply"),
        ("2026-10-09", "SCARCE", BOTH),
    ],
)
def test_days_that_a_reader_would_know(signal: LiquiditySignal, day: str, regime: str, kind: str) -> None:
    assert signal.kind is not None
    assert (signal.regime[day], signal.kind[day]) == (regime, kind)
