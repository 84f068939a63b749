"""Outside funding: shares and what is left of them, by hand, and on the shipped events."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.events.completion import CASH_KINDS
from data.events.editions import reference_events
from data.market.tables import CAPEX, FUNDING
from frames import funding_shares, outside_funding
from signals.capex.spending import Quarters, followed_quarters
from signals.config import SignalConfig
from signals.known import microseconds

CONFIG = SignalConfig(form=1, companies=("AAA", "BBB"), further_event_companies=(), funding_half_life_sessions=5)


def quarters(**companies: list[float]) -> dict[str, Quarters]:
    """Quarters to the end of 2023 of some companies, each known a month after its end."""
    lines = {}
    for company, figures in companies.items():
        ends = pd.date_range(end="2023-12-31", periods=len(figures), freq="QE").astype("datetime64[us]")
        known = microseconds(ends + pd.Timedelta("30D 21h"))
        capex = np.array(figures)
        lines[company] = Quarters(company, 0, capex, capex, capex, known, known, microseconds(ends))
    return lines


def raised(day: str, usd_bn: float, *, counts: bool = True, **cells: Any) -> dict[str, Any]:
    known_at = pd.Timestamp(day, tz="UTC") + pd.Timedelta("2D")
    return {
        "date": pd.Timestamp(day),
        "kind": "bond_issue",
        "company": "FICTIVE",
        "amount_usd_bn": usd_bn,
        "date_basis": "",
        "counts": counts,
        "known_at": known_at,
        **cells,
    }


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    blank = FUNDING.empty().reindex(frame.index)
    absent = {
        name: "" if kind == "text" else blank[name] for name, kind in FUNDING.columns.items() if name not in frame
    }
    return FUNDING.conform(frame.assign(**absent))


BOTH = quarters(AAA=[1.0, 2.0, 3.0, 4.0], BBB=[5.0, 5.0, 5.0, 5.0, 5.0])


def test_what_counts_is_measured_by_a_year_of_the_spenders_capex() -> None:
    funding = table(
        raised("2024-02-05", 6.0),
        raised("2024-02-06", 500.0, counts=False, kind="mega_deal"),
        raised("2024-01-22", 3.0),
    )
    shares = funding_shares(funding, BOTH, CONFIG)
    assert shares["date"].is_monotonic_increasing
    early, counted, left_out = (row for _, row in shares.iterrows())
    # On 2024-01-24 AAA has told of three quarters.
    assert math.isnan(early["value"])
    assert early["reason"] == "the spenders' trailing capex is not known"
    assert counted["trailing_capex_usd_bn"] == 10 + 20
    assert counted["value"] == 6 / 30
    assert counted["reason"] == ""
    assert math.isnan(left_out["value"])
    assert left_out["reason"] == "it brings no cash, or is counted in another row"


def test_what_is_left_fades_by_half_in_a_half_life() -> None:
    sessions = sessions_between(pd.Timestamp("2024-02-01"), pd.Timestamp("2024-02-29"))
    shares = funding_shares(table(raised("2024-02-05", 6.0), raised("2024-02-12", 3.0)), BOTH, CONFIG)
    left = outside_funding(shares, sessions, CONFIG)["value"]
    assert left[:"2024-02-06"].isna().all()
    assert left["2024-02-07"] == 0.2
    assert left["2024-02-14"] == pytest.approx(0.1 + 0.1, rel=1e-12)  # five sessions later, and the second in full
    assert left["2024-02-22"] == pytest.approx(0.05 + 0.05, rel=1e-12)  # the 19th was a holiday


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (raised("2024-02-05", math.nan), "no positive amount; give it, or set counts to false"),
        (raised("2024-02-05", -1.0), "no positive amount"),
        (raised("2024-02-05", math.inf), "no positive amount"),
        (raised("2024-02-05", 1.0, known_at=pd.NaT), "no known_at; give its time"),
    ],
)
def test_bad_funding_is_refused_in_one_line(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        funding_shares(table(raised("2024-02-01", 1.0), row), BOTH, CONFIG)
    assert str(refused.value).startswith("funding_events: 2024-02-05 bond_issue FICTIVE")
    assert "\n" not in str(refused.value)
    funding_shares(table(raised("2024-02-01", 1.0), row | {"counts": False}), BOTH, CONFIG)


def test_shipped_funding_by_hand() -> None:
    events = reference_events("2026-10")
    shares = funding_shares(
        events[FUNDING.name], followed_quarters(events[CAPEX.name], SignalConfig(form=1)), SignalConfig(form=1)
    ).set_index(["date", "company"])
    # Amazon's bond of 2026-03-10: 37 over a year of capex, Oracle's to February, told that evening, the others' to
    # December.
    amazon = shares.loc[(pd.Timestamp("2026-03-10"), "AMZN")].squeeze()
    google, meta = 17.197 + 22.446 + 23.953 + 27.851, 12.941 + 16.538 + 18.829 + 21.383
    microsoft, oracle = 16.745 + 17.079 + 19.394 + 29.876, 9.080 + 8.502 + 12.033 + 18.635
    spent = 25.019 + 32.183 + 35.095 + 39.522 + google + meta + microsoft + oracle
    assert amazon["value"] == pytest.approx(37 / spent, rel=1e-9)

    counted = shares[shares["value"].notna()]
    assert set(counted["kind"]) <= CASH_KINDS
    assert len(counted) == events[FUNDING.name]["counts"].sum()
    # The umbrellas of Oracle and Alphabet are not added to their parts, nor one closing of a round to its total.
    for day, company in (("2026-02-01", "ORCL"), ("2026-06-01", "GOOGL"), ("2026-02-27", "OpenAI")):
        assert math.isnan(shares.loc[(pd.Timestamp(day), company), "value"].squeeze())
    assert shares[~shares["kind"].isin(list(CASH_KINDS))]["value"].isna().all()
