"""Results beside others: the shipped ones beside published sums, and tables that differ in one known place."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest

from data.errors import InputError
from data.events.comparison import (
    COMPARISON_COLUMNS,
    PUBLISHED_COLUMNS,
    REFERENCE,
    compare_results,
    compare_with_published,
    one_sided,
)
from data.events.editions import REFERENCE_DIR
from data.market.snapshot import Snapshot, save
from data.markets import results_of
from reverse_qe.cli import main

# MSFT + GOOGL + AMZN, net of proceeds, USD bn.
PUBLISHED = {"2024Q4": 56.132, "2025Q1": 58.197, "2025Q2": 70.893, "2025Q3": 77.575}
# Amazon's release of 2026-02-05: purchases of property and equipment net of proceeds, trailing twelve months, USD bn.
AMAZON_NET_YEAR_TO_2025Q3 = 115.903


@pytest.fixture
def reference() -> pd.DataFrame:
    return results_of(REFERENCE)


def changed(results: pd.DataFrame, company: str, period: str, **cells: object) -> pd.DataFrame:
    place = results.index[(results["company"] == company) & (results["fiscal_period"] == period)]
    assert len(place) == 1
    results = results.copy()
    for column, value in cells.items():
        results.loc[place, column] = value
    return results


# Published sums


def test_the_shipped_events_net_of_proceeds_are_the_published_sums(reference: pd.DataFrame) -> None:
    beside = compare_with_published(reference).set_index("calendar_quarter")
    assert beside["published_usd_bn"].to_dict() == PUBLISHED
    for quarter, published in PUBLISHED.items():
        row = beside.loc[quarter]
        assert row["net_usd_bn"] == pytest.approx(published, abs=0.0005)
        assert row["difference_usd_bn"] == 0
        # The whole of what the gross sum is above is Amazon's proceeds: nothing is left to explain.
        assert row["explanation"] == f"AMZN: {row['gross_usd_bn'] - published:.3f} of proceeds"


def test_the_gross_sums_are_the_lines_of_the_three_cash_flow_statements(reference: pd.DataFrame) -> None:
    """In millions, as filed: Microsoft, Amazon, Alphabet by calendar quarter."""
    filed = {
        "2024Q4": (15804, 27834, 14276),
        "2025Q1": (16745, 25019, 17197),
        "2025Q2": (17079, 32183, 22446),
        "2025Q3": (19394, 35095, 23953),
    }
    beside = compare_with_published(reference).set_index("calendar_quarter")
    for quarter, lines in filed.items():
        assert beside["gross_usd_bn"][quarter] == pytest.approx(sum(lines) / 1000, abs=1e-9)


def test_the_proceeds_bring_amazon_to_the_net_figure_that_it_publishes(reference: pd.DataFrame) -> None:
    proceeds = pd.read_csv(REFERENCE_DIR / "capex_proceeds.csv")
    assert proceeds["fiscal_period"].tolist() == list(PUBLISHED)
    assert (proceeds[["source", "confidence", "note"]].notna()).all(axis=None)
    gross = reference[(reference["company"] == "AMZN") & reference["fiscal_period"].isin(list(PUBLISHED))]
    net = gross["capex_usd_bn"].sum() - proceeds["proceeds_usd_bn"].sum()
    assert net == pytest.approx(AMAZON_NET_YEAR_TO_2025Q3, abs=0.0005)


def test_what_is_not_explained_is_told(reference: pd.DataFrame) -> None:
    wrong = changed(reference, "MSFT", "2026Q1", capex_usd_bn=19.5)  # its quarter to September 2025
    beside = compare_with_published(wrong).set_index("calendar_quarter")
    assert beside["difference_usd_bn"]["2025Q3"] == pytest.approx(0.106)
    assert beside["explanation"]["2025Q3"] == "AMZN: 0.867 of proceeds, +0.106 not explained"
    assert beside["difference_usd_bn"]["2025Q2"] == 0


def test_without_a_quarter_of_one_company_there_is_no_sum(reference: pd.DataFrame) -> None:
    lacking = reference[reference["company"] != "GOOGL"]
    beside = compare_with_published(lacking)
    assert tuple(beside.columns) == PUBLISHED_COLUMNS
    assert beside[["gross_usd_bn", "net_usd_bn", "difference_usd_bn"]].isna().all(axis=None)
    assert set(beside["explanation"]) == {"no single quarter of GOOGL ends in it"}


# Two tables of results


def test_the_same_results_are_alike(reference: pd.DataFrame) -> None:
    compared = compare_results(reference, reference)
    assert tuple(compared.columns) == COMPARISON_COLUMNS
    assert set(compared["status"]) == {"alike"}
    assert len(compared) == reference[["capex_usd_bn", "ocf_usd_bn"]].notna().sum().sum()
    assert one_sided(compared) == []


def test_another_value_and_another_moment_are_found_alone(reference: pd.DataFrame) -> None:
    later = pd.Timestamp("2025-11-01 02:00", tz="UTC")
    ours = changed(reference, "AMZN", "2025Q3", capex_usd_bn=35.446)
    ours = changed(ours, "META", "2025Q3", ocf_known_at=later)
    compared = compare_results(ours, reference)
    value, moment = compared[compared["status"] != "alike"].to_dict("records")
    assert (value["company"], value["fiscal_period"], value["figure"]) == ("AMZN", "2025Q3", "capex")
    assert (value["ours_usd_bn"], value["theirs_usd_bn"]) == (35.446, 35.095)
    assert value["difference_usd_bn"] == pytest.approx(0.351)
    assert value["difference"] == pytest.approx(0.351 / 35.095)
    assert (moment["company"], moment["figure"], moment["difference_usd_bn"]) == ("META", "ocf", 0)
    assert (moment["ours_known_at"], str(moment["theirs_known_at"])) == (later, "2025-10-29 21:30:00+00:00")


@pytest.mark.parametrize(("off", "status"), [(0.0004, "alike"), (0.0006, "differs")])
def test_figures_are_compared_to_the_million(off: float, status: str, reference: pd.DataFrame) -> None:
    ours = changed(reference, "AMZN", "2025Q3", capex_usd_bn=35.095 + off)
    compared = compare_results(ours, reference).set_index(["company", "fiscal_period", "figure"])
    assert compared["status"]["AMZN", "2025Q3", "capex"] == status


def test_what_one_side_lacks_is_told(reference: pd.DataFrame) -> None:
    ours = changed(reference, "AMZN", "2025Q3", ocf_usd_bn=None, ocf_known_at=None)
    ours = ours[ours["company"] != "CRWV"]
    assert one_sided(compare_results(ours, reference)) == [
        "only theirs: AMZN ocf, quarters held: 1, from 2025Q3 to 2025Q3",
        "only theirs: CRWV capex, quarters held: 6, from 2025Q1 to 2026Q2",
        "only theirs: CRWV ocf, quarters held: 6, from 2025Q1 to 2026Q2",
    ]
    assert [line.split(":")[0] for line in one_sided(compare_results(reference, ours))] == ["only ours"] * 3


def test_an_unknown_market_to_compare_with_is_refused() -> None:
    with pytest.raises(InputError, match="no market elsewhere"):
        results_of("elsewhere")


# The command


@pytest.fixture
def kept(sample: Snapshot) -> Callable[[pd.DataFrame], None]:
    def keep(results: pd.DataFrame) -> None:
        save(replace(sample, name="mine", capex_actuals=results))

    return keep


def run(*arguments: str) -> None:
    """Run `reverse-qe events validate`; an exit status other than 0 is raised."""
    with patch.object(sys, "argv", ["reverse-qe", "events", "validate", *arguments]):
        try:
            main()
        except SystemExit as stop:
            if stop.code:
                raise


def test_validate_lists_what_differs(
    reference: pd.DataFrame, kept: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    kept(changed(reference, "AMZN", "2025Q3", capex_usd_bn=35.446))
    run("--market", "mine")
    printed = capsys.readouterr().out
    assert "Results beside those of the shipped reference events: 466 figures alike, 1 differ" in printed
    row = next(line for line in printed.splitlines() if "AMZN 2025Q3 capex" in line)
    assert row.split() == [
        *("AMZN", "2025Q3", "capex", "35.446", "35.095", "+0.351", "+1.0%"),
        *("2025-10-30", "21:30", "2025-10-30", "21:30"),
    ]
    assert "+0.351 not explained" in " ".join(printed.split())


def test_validate_for_machines_tells_the_same(kept: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    old = results_of("sample")
    kept(changed(old[old["company"] != "CRWV"], "AMZN", "2025Q3", capex_usd_bn=35.446))
    run("--market", "sample", "--against", "mine", "--json")
    told = json.loads(capsys.readouterr().out)
    comparison = told["comparison"]
    assert (comparison["against"], comparison["alike"]) == ("mine", 466 - 12)
    assert [row["status"] for row in comparison["differences"]] == ["differs", *["only ours"] * 12]
    assert comparison["differences"][0]["ours_known_at"] == "2025-10-30T21:30:00Z"
    assert comparison["differences"][1]["theirs_usd_bn"] is None
    assert comparison["differences"][1]["theirs_known_at"] is None
    assert {row["calendar_quarter"]: row["net_usd_bn"] for row in told["published"]} == PUBLISHED


def test_validate_compares_with_what_the_sec_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.sources import edgar

    asked = []
    held = results_of("sample")

    def fetch(company: str, settings: object) -> edgar.CompanyAnswer:
        asked.append(company)
        filed = changed(held, "AMZN", "2025Q3", capex_usd_bn=35.0)
        rows = filed[filed["company"] == company]
        return edgar.CompanyAnswer(company, rows, pd.DataFrame(), (f"{company} odd",))

    monkeypatch.setattr(edgar, "fetch_company", fetch)
    run("--against", "edgar")
    out, err = capsys.readouterr()
    assert asked == sorted(set(held["company"]))
    assert "Results beside those of the SEC: 466 figures alike, 1 differ" in out
    assert "! AMZN odd" in err.splitlines()


def test_the_sec_out_of_reach_is_one_line_and_exit_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.net.errors import NoNetworkError
    from data.sources import edgar

    def fetch(company: str, settings: object) -> edgar.CompanyAnswer:
        raise NoNetworkError("EDGAR: no network")

    monkeypatch.setattr(edgar, "fetch_company", fetch)
    with pytest.raises(SystemExit) as ended:
        run("--against", "edgar")
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "Error: EDGAR: no network\n")


def test_the_page_on_the_capex_check_shows_what_the_command_says() -> None:
    import importlib.util

    docs = Path(__file__).resolve().parents[3] / "docs"
    spec = importlib.util.spec_from_file_location("write_capex_check", docs / "write_capex_check.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (docs / "capex-check.md").read_text(encoding="utf-8") == script.page_with_figures(), "run: make docs"
