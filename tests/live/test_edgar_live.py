"""The published sums of capex against the SEC itself. Skipped, and said so, without network or contact."""

import socket

import pandas as pd
import pytest

from data.errors import InputError
from data.events.comparison import REFERENCE, compare_results, compare_with_published
from data.markets import results_of
from data.net.settings import SourceSettings
from data.sources.edgar import CompanyAnswer, fetch_company
from data.sources.edgar_asking import contact

HOST = "data.sec.gov"
COMPANIES = ("MSFT", "GOOGL", "AMZN")


@pytest.fixture(scope="module")
def answers() -> dict[str, CompanyAnswer]:
    try:
        contact()
    except InputError as error:
        pytest.skip(str(error))
    try:
        socket.create_connection((HOST, 443), timeout=3).close()
    except OSError as error:
        pytest.skip(f"no network: {HOST} cannot be reached ({error})")
    return {company: fetch_company(company, SourceSettings()) for company in COMPANIES}


@pytest.fixture(scope="module")
def results(answers: dict[str, CompanyAnswer]) -> pd.DataFrame:
    return pd.concat([answer.quarters for answer in answers.values()], ignore_index=True)


def test_what_the_sec_has_net_of_proceeds_is_the_published_sums(results: pd.DataFrame) -> None:
    beside = compare_with_published(results)
    assert beside["difference_usd_bn"].tolist() == [0, 0, 0, 0], beside.to_string()


def test_the_shipped_quarters_are_those_of_the_sec(results: pd.DataFrame) -> None:
    """From 2019 on, when every figure that is shipped is as first reported; and none was known before its release."""
    shipped = results_of(REFERENCE)
    recent = shipped[(shipped["period_end"] >= "2019-01-01") & (shipped["period_end"] <= "2025-12-31")]
    compared = compare_results(results, recent[recent["company"].isin(COMPANIES)])
    compared = compared[compared["status"] != "only ours"]
    assert (compared["difference_usd_bn"].abs() < 0.0005).all(), compared.to_string()
    assert (compared["ours_known_at"] >= compared["theirs_known_at"]).all(), compared.to_string()


def test_fourth_quarters_come_from_a_year_less_nine_months(results: pd.DataFrame) -> None:
    fourth = results[(results["company"] == "GOOGL") & (results["fiscal_period"] == "2024Q4")].iloc[0]
    assert fourth["note"].startswith("capex = 12 months of 0001652044-25-000014 less 9 months of 0001652044-24-000118")
    assert str(fourth["capex_known_at"]) == "2025-02-04 21:30:00+00:00"
