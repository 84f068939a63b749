import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.events.editions import reference_events
from data.market.snapshot import Snapshot, save
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES, Table
from frames import capex_growth, capex_to_cash_flow, drain_block
from reverse_qe.cli import main
from signals import liquidity
from signals.block import Block, BlockInput, SignalData
from signals.capex.spending import company_quarters, fiscal_period
from signals.config import GateConfig, SignalConfig
from signals.liquidity import BLOCKS, liquidity_signal
from signals.reading import raw_block

FOUR = ("MSFT", "GOOGL", "AMZN", "META")


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Results from a few fields a row: company, quarter, end, capex, ocf, capex_known, ocf_known (as capex_known)."""
    frame = pd.DataFrame(rows)
    frame = frame.rename(columns={"quarter": "fiscal_period", "capex": "capex_usd_bn", "ocf": "ocf_usd_bn"})
    if "ocf_known" not in frame:
        frame["ocf_known"] = pd.NaT
    frame["ocf_known"] = frame["ocf_known"].where(frame["ocf_known"].notna(), frame["capex_known"])
    frame["capex_known_at"] = pd.to_datetime(frame["capex_known"], utc=True)
    frame["ocf_known_at"] = pd.to_datetime(frame["ocf_known"], utc=True)
    frame["period_end"] = pd.to_datetime(frame["end"])
    empty = CAPEX.empty()
    for name, kind in CAPEX.columns.items():
        if name not in frame:
            frame[name] = "" if kind == "text" else empty[name].reindex(frame.index)
    return CAPEX.conform(frame)


def results(company: str = "AAA", quarters: int = 9, first: str = "2020-03-31", **changes: Any) -> list[dict[str, Any]]:
    """Quarters from fiscal 2020Q3 on, each known 30 days after its end; capex 1, 2, 3...; cash flow 10."""
    ends = pd.date_range(first, periods=quarters, freq="QE")
    return [
        {
            "company": company,
            "quarter": f"{(8082 + count) // 4}Q{(8082 + count) % 4 + 1}",
            "end": f"{end:%Y-%m-%d}",
            "capex": float(count + 1),
            "ocf": 10.0,
            "capex_known": f"{end + pd.Timedelta(days=30):%Y-%m-%d}",
            **changes,
        }
        for count, end in enumerate(ends)
    ]


def measured(rows: list[dict[str, Any]], *companies: str, **config: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Growth and share by session of 2020 to 2023."""
    capex = table(rows)
    quarters = [company_quarters(capex, company) for company in companies or ("AAA",)]
    sessions = sessions_between(pd.Timestamp("2020-01-02"), pd.Timestamp("2023-06-30"))
    settings = SignalConfig(form=1, **config)
    return capex_growth(quarters, sessions, settings), capex_to_cash_flow(quarters, sessions, settings)


def test_fiscal_quarters_follow_one_another_over_the_year() -> None:
    quarters = company_quarters(table(results(quarters=4)), "AAA")
    assert fiscal_period(quarters.first) == "2020Q3"
    assert [fiscal_period(quarters.first + place) for place in range(4)] == ["2020Q3", "2020Q4", "2021Q1", "2021Q2"]
    assert quarters.capex.tolist() == [1, 2, 3, 4]
    assert [row["quarter"] for row in results(quarters=4)] == ["2020Q3", "2020Q4", "2021Q1", "2021Q2"]


def test_trailing_sums_by_hand() -> None:
    growth, share = measured(results())
    # The fourth quarter ends on 2020-12-31 and is known on 2021-01-30 (a Saturday) at 00:00: for Monday's decision.
    assert share["value"][:"2021-01-29"].isna().all()
    assert share.loc["2021-02-01", "value"] == (1 + 2 + 3 + 4) / 40
    assert share.loc["2021-02-01", "observed"] == pd.Timestamp("2020-12-31")
    assert share.loc["2021-02-01", "known"] == pd.Timestamp("2021-01-30", tz="UTC")
    assert share.loc["2021-04-29", "value"] == (1 + 2 + 3 + 4) / 40
    assert share.loc["2021-04-30", "value"] == (2 + 3 + 4 + 5) / 40  # known at 00:00, the moment of the decision
    # The eighth ends on 2021-12-31.
    assert growth["value"][:"2022-01-28"].isna().all()
    assert growth.loc["2022-01-31", "value"] == pytest.approx(math.log((5 + 6 + 7 + 8) / (1 + 2 + 3 + 4)))
    assert growth.loc["2022-05-02", "value"] == pytest.approx(math.log((6 + 7 + 8 + 9) / (2 + 3 + 4 + 5)))


def test_companies_are_added_up_each_with_its_own_newest_quarter() -> None:
    late = results("BBB", first="2020-05-31")
    growth, share = measured(results() + late, "AAA", "BBB")
    # On 2022-04-29 AAA is at its eighth quarter, BBB (quarters to end of June...) at its seventh.
    assert growth["value"][:"2022-04-29"].isna().all()
    # 2022-05-02: AAA 9 quarters, BBB (known 30 days after 2022-03-31) its eighth.
    both = math.log((6 + 7 + 8 + 9 + 5 + 6 + 7 + 8) / (2 + 3 + 4 + 5 + 1 + 2 + 3 + 4))
    assert growth.loc["2022-05-02", "value"] == pytest.approx(both)
    assert share.loc["2022-05-02", "value"] == pytest.approx((30 + 26) / 80)


def test_every_company_is_needed() -> None:
    short = results("BBB", quarters=3)
    growth, share = measured(results() + short, "AAA", "BBB")
    assert growth["value"].isna().all()
    assert share["value"].isna().all()
    assert share.loc["2021-02-01", "observed"] == pd.Timestamp("2020-12-31")


def test_a_blank_or_absent_quarter_makes_the_sums_missing_until_it_leaves_the_window() -> None:
    blank = results()
    blank[4] |= {"capex": np.nan, "capex_known": None, "ocf_known": "2021-04-30"}
    timed = results()
    timed[4] |= {"capex": np.nan}  # a blank with a time is a blank
    for rows in (blank, timed, results()[:4] + results()[5:]):
        growth, share = measured(rows)
        # While the fifth quarter is the newest, the fourth is the newest known.
        assert share.loc["2021-05-03", "value"] == 10 / 40
        assert share["value"]["2021-07-30":"2022-04-29"].isna().all()
        assert share.loc["2022-05-02", "value"] == (6 + 7 + 8 + 9) / 40
        assert growth["value"].isna().all()


def test_a_figure_known_late_fills_its_quarter_then_and_not_before() -> None:
    rows = results()
    rows[2] |= {"capex_known": "2021-06-15", "ocf_known": "2020-10-30"}
    _, share = measured(rows)
    assert share["value"][:"2021-06-14"].isna().all()
    assert share.loc["2021-06-15", "value"] == (2 + 3 + 4 + 5) / 40
    assert share.loc["2021-06-15", "observed"] == pd.Timestamp("2021-03-31")
    assert share.loc["2021-06-15", "known"] == pd.Timestamp("2021-06-15", tz="UTC")


def test_capex_and_cash_flow_of_the_ratio_are_of_the_same_quarters() -> None:
    rows = results()
    rows[8] |= {"ocf_known": "2022-06-15"}
    growth, share = measured(rows)
    # Capex of the ninth quarter is known on 2022-04-30: growth moves, the ratio waits for the cash flow.
    assert growth.loc["2022-05-02", "value"] == pytest.approx(math.log(30 / 14))
    assert share.loc["2022-06-14", "value"] == (5 + 6 + 7 + 8) / 40
    assert share.loc["2022-06-14", "observed"] == pd.Timestamp("2021-12-31")
    assert share.loc["2022-06-15", "value"] == (6 + 7 + 8 + 9) / 40


def test_figures_are_too_old_so_many_days_after_the_end_of_the_newest_quarter() -> None:
    for days in (100, 200):
        growth, share = measured(results(), capex_stale_days=days)
        last = pd.Timestamp("2022-03-31") + pd.Timedelta(days=days)
        for each in (growth, share):
            assert each["value"].last_valid_index() == sessions_between(pd.Timestamp("2022-06-01"), last)[-1]
            assert each["observed"].iloc[-1] == pd.Timestamp("2022-03-31")


def test_one_company_too_old_is_enough() -> None:
    growth, share = measured(results() + results("BBB", quarters=8), "AAA", "BBB")
    assert growth.loc["2022-07-19", "value"] == pytest.approx(math.log((30 + 26) / (14 + 10)))
    assert growth["value"]["2022-07-20":].isna().all()
    assert share["value"]["2022-07-20":].isna().all()


def test_no_logarithm_of_nothing_and_no_share_of_a_negative_cash_flow() -> None:
    growth, share = measured(results(ocf=-1.0))
    assert share["value"].isna().all()
    assert growth["value"].notna().any()
    growth, share = measured(results(capex=0.0))
    assert growth["value"].isna().all()
    assert share.loc["2022-05-02", "value"] == 0.0


def bad(position: int, **fields: Any) -> list[dict[str, Any]]:
    rows = results()
    rows[position] |= fields
    return rows


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (results("BBB"), "capex of AAA: got no row"),
        (bad(3, quarter="Q2 2021"), "got fiscal period 'Q2 2021', wanted one such as 2016Q2"),
        (bad(3, quarter="2021Q5"), "got fiscal period '2021Q5'"),
        (bad(3, quarter="2021Q1"), "got 2021Q1 twice"),
        (bad(3, end="2020-09-30", quarter="2021Q2", capex=1.5)[3:4] + results()[:3], "got 2021Q2 ending on 2020-09-30"),
        (bad(3, quarter="2030Q1"), "got 2030Q1 ending on 2020-12-31"),
        (bad(3, capex=np.inf), "got capex_usd_bn inf for 2021Q2"),
        (bad(3, capex_known=None, ocf_known="2021-01-30"), "capex_usd_bn 4.0 for 2021Q2 with capex_known_at NaT"),
    ],
)
def test_bad_results_are_refused_in_one_line(rows: list[dict[str, Any]], reason: str) -> None:
    capex = pd.concat([table([row]) for row in rows], ignore_index=True)
    with pytest.raises(InputError, match=reason) as refused:
        company_quarters(capex, "AAA")
    assert "\n" not in str(refused.value)
    assert "capex of AAA" in str(refused.value)


def at(capex: pd.DataFrame, day: str, companies: tuple[str, ...]) -> dict[str, float]:
    """Values of the drain's inputs at one decision."""
    sessions = sessions_between(pd.Timestamp(day), pd.Timestamp(day))
    block = drain_block(
        SignalData(SERIES.empty(), capex, GUIDANCE.empty(), FUNDING.empty(), sessions),
        SignalConfig(
            form=1, companies=companies, gate=GateConfig(enabled=False), capex_events=False, outside_funding=False
        ),
    )
    assert block.grouping == ("drain.capex_growth", "drain.capex_to_cash_flow")
    return {each.name.removeprefix("drain."): float(each.value.iloc[0]) for each in block.inputs}


def test_shipped_results_give_the_published_twelve_months_to_june_2026() -> None:
    # A third-party study of XBRL filings of 2026-10-05: 510.7 USD billions, 77% of operating cash flow.
    drain = at(reference_events("2026-10")[CAPEX.name], "2026-08-03", FOUR)
    assert drain["capex_to_cash_flow"] == pytest.approx(0.77, abs=0.005)


def test_an_off_calendar_company_counts_with_the_quarters_that_it_has_reported() -> None:
    capex = reference_events("2026-10")[CAPEX.name]
    oracle = ("ORCL",)
    # Its quarter to August 2026 was announced on 2026-09-10 after the close.
    before, after = at(capex, "2026-09-10", oracle), at(capex, "2026-09-11", oracle)
    to_may = (8.502 + 12.033 + 18.635 + 16.493) / (8.140 + 2.066 + 7.151 + 14.620)
    to_august = (12.033 + 18.635 + 16.493 + 28.499) / (2.066 + 7.151 + 14.620 + 23.103)
    assert before["capex_to_cash_flow"] == pytest.approx(to_may, rel=1e-9)
    assert after["capex_to_cash_flow"] == pytest.approx(to_august, rel=1e-9)


def test_a_later_vintage_waits_for_its_filing() -> None:
    # Amazon's gross capex of early 2018 was only shown a year later: no trailing sum was known in February 2019.
    capex = reference_events("2026-10")[CAPEX.name]
    assert np.isnan(at(capex, "2019-02-15", FOUR)["capex_to_cash_flow"])
    assert at(capex, "2019-08-15", FOUR)["capex_to_cash_flow"] > 0


# The block


def shipped(sessions: pd.DatetimeIndex) -> SignalData:
    tables = (reference_events("2026-10")[table.name] for table in (CAPEX, GUIDANCE, FUNDING))
    return SignalData(SERIES.empty(), *tables, sessions)


SESSIONS = sessions_between(pd.Timestamp("2018-01-02"), pd.Timestamp("2026-10-08"))


def test_funding_is_a_second_reading_and_commitments_and_policy_are_none() -> None:
    data = shipped(SESSIONS)
    block = drain_block(data, SignalConfig(form=1))
    capex = ("drain.capex_growth", "drain.results_surprise", "drain.guidance_news")
    assert block.grouping == (capex, "drain.outside_funding")
    paid_only = SignalData(data.series, data.capex, data.guidance, data.funding[data.funding["counts"]], data.sessions)
    other = drain_block(paid_only, SignalConfig(form=1))
    for one, same in zip(block.inputs, other.inputs, strict=True):
        pd.testing.assert_series_equal(one.value, same.value)


@pytest.mark.parametrize(
    ("config", "inputs"),
    [
        ({}, {"capex_growth", "results_surprise", "guidance_news", "outside_funding"}),
        ({"outside_funding": False}, {"capex_growth", "results_surprise", "guidance_news"}),
        ({"capex_events": False}, {"capex_growth", "outside_funding"}),
        (
            {"gate": GateConfig(enabled=False)},
            {"capex_growth", "capex_to_cash_flow", "results_surprise", "guidance_news", "outside_funding"},
        ),
    ],
)
def test_each_part_can_be_switched_off(config: dict[str, Any], inputs: set[str]) -> None:
    block = drain_block(shipped(SESSIONS[-5:]), SignalConfig(form=1, **config))
    assert {each.name.removeprefix("drain.") for each in block.inputs} == inputs


def test_without_its_tables_the_rest_of_the_drain_goes_on() -> None:
    data = shipped(SESSIONS)
    bare = SignalData(data.series, data.capex, GUIDANCE.empty(), FUNDING.empty(), data.sessions)
    values = {each.name.removeprefix("drain."): each.value for each in drain_block(bare, SignalConfig(form=1)).inputs}
    assert values["outside_funding"].isna().all()
    assert values["guidance_news"].isna().all()
    assert values["results_surprise"]["2026-10-08"] != 0
    assert values["capex_growth"]["2026-10-08"] > 0


def test_with_everything_off_the_signal_is_that_of_growth_and_ratio(
    sample: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was before any of this: to the last bit, from a block that is put together here."""
    off = SignalConfig(form=1, gate=GateConfig(enabled=False), capex_events=False, outside_funding=False)

    def plain_drain(data: SignalData, config: SignalConfig) -> Block:
        companies = [company_quarters(data.capex, company) for company in config.companies]
        measured = {
            "capex_growth": capex_growth(companies, data.sessions, config),
            "capex_to_cash_flow": capex_to_cash_flow(companies, data.sessions, config),
        }
        inputs = tuple(
            BlockInput(f"drain.{name}", "", each["value"], +1, each["observed"], each["known"])
            for name, each in measured.items()
        )
        return Block("drain", inputs, tuple(each.name for each in inputs))

    data = SignalData.of(sample, SESSIONS, off)
    signal = liquidity_signal(data, off)
    monkeypatch.setattr(liquidity, "BLOCKS", (lambda _facts, config: raw_block(plain_drain(data, config)), *BLOCKS[1:]))
    plain = liquidity_signal(data, off)
    for name in ("score", "regime", "blocks", "inputs", "values", "observed", "known", "live_blocks"):
        assert getattr(signal, name).equals(getattr(plain, name)), name
    assert signal.gate is None
    monkeypatch.undo()
    assert not liquidity_signal(data, SignalConfig(form=1)).score.equals(signal.score)


@pytest.mark.parametrize(
    ("table", "company", "day", "cells", "reason"),
    [
        (GUIDANCE, "META", "2026-04-29", {"low_usd_bn": 150.0}, "low and high are no range of positive numbers"),
        (GUIDANCE, "META", "2026-04-29", {"known_at": pd.NaT}, "no known_at; give its time"),
        (FUNDING, "AMZN", "2026-03-10", {"known_at": pd.NaT}, "no known_at; give its time"),
        (CAPEX, "META", "2026-04-29", {"fiscal_period": "2025Q4"}, "capex of META: got 2025Q4 twice"),
        (CAPEX, "META", "2026-04-29", {"fiscal_period": "spring"}, "got fiscal period 'spring', wanted one such as"),
        (CAPEX, "META", "2026-04-29", {"capex_known_at": pd.NaT}, "the time at which it became known"),
    ],
)
def test_the_command_line_refuses_bad_events_in_one_line(
    table: Table,
    company: str,
    day: str,
    cells: dict[str, Any],
    reason: str,
    sample: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame = sample.table(table).copy()
    column = "date" if table is FUNDING else "announced_at"
    rows = (frame["company"] == company) & (frame[column] == day)
    assert rows.sum() == 1
    frame.loc[rows, list(cells)] = list(cells.values())
    save(replace(sample, name="bad", **{table.name: frame}))
    monkeypatch.setattr(sys, "argv", ["reverse-qe", "signal", "sample", "--market", "bad", "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert printed.err.count("\n") == 1
    assert reason in printed.err
