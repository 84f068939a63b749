"""Filed figures asked for again: a moment that the SEC stamps anew makes nothing known earlier."""

import pandas as pd

from data.fetch.filed import extend_filed
from data.market.tables import FILED


def filed(*rows: tuple[str, float, str, str]) -> pd.DataFrame:
    """Period, value, accession and moment of some versions of capex."""
    periods, values, accessions, times = zip(*rows, strict=True)
    return FILED.conform(
        pd.DataFrame(
            {
                "company": "MSFT",
                "fiscal_period": periods,
                "figure": "capex",
                "version": [1.0] * len(rows),
                "value_usd_bn": values,
                "known_at": pd.to_datetime(list(times), utc=True),
                "filed_at": pd.Timestamp("2025-01-30"),
                "accession": accessions,
                "derivation": "",
            }
        )
    )


HELD = filed(("2025Q1", 1.5, "a", "2025-01-29 21:30"), ("2025Q2", 2.5, "b", "2025-04-30 21:30"))


def test_a_moment_is_never_moved_forward() -> None:
    told = filed(
        ("2025Q1", 1.5, "a", "2025-01-29 13:00"),  # stamped anew, earlier
        ("2025Q2", 2.5, "b", "2025-05-01 02:00"),  # later
        ("2025Q3", 3.5, "c", "2025-07-30 21:30"),  # new
    )

    extended = extend_filed(HELD, told)

    assert extended["known_at"].dt.strftime("%m-%d %H:%M").tolist() == ["01-29 21:30", "05-01 02:00", "07-30 21:30"]
    pd.testing.assert_frame_equal(extended.drop(columns="known_at"), told.drop(columns="known_at"))


def test_another_value_or_filing_has_a_moment_of_its_own() -> None:
    told = filed(("2025Q1", 1.6, "a", "2025-01-29 13:00"), ("2025Q2", 2.5, "x", "2025-04-30 13:00"))

    assert extend_filed(HELD, told)["known_at"].equals(told["known_at"])


def test_a_first_answer_is_taken_as_it_is() -> None:
    pd.testing.assert_frame_equal(extend_filed(FILED.empty(), HELD), HELD)
