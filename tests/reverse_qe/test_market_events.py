"""Events on a page: in the lane of their kind, and a user's own with what they are."""

from dataclasses import replace

import pandas as pd

from data.events.adding import events_market, new_row
from data.events.editions import reference_events
from data.events.own_rows import OwnRow, with_own_rows
from data.events.timeline import own_mark
from data.market.tables import CAPEX
from reverse_qe.pages.market_events import events_between

NOW = pd.Timestamp("2026-12-20T12:00", tz="UTC")


def test_a_row_of_the_user_says_so_and_a_pace_is_policy() -> None:
    cells = {
        **{"company": "META", "fiscal_period": "2026Q3", "announced_at": "2026-10-28", "session": "amc"},
        **{"capex_usd_bn": "38.5", "source": "8-K", "confidence": "high"},
    }
    row = new_row("result", cells, reference_events(), [], NOW).change.row
    assert row is not None
    market = replace(events_market(with_own_rows(reference_events(), [OwnRow(CAPEX, row, None, "")])), name="mine")
    shown = events_between(market, pd.Timestamp("2026-09-13"), NOW).set_index("text")["lane"]
    assert shown["2026-10-28 META, result: 2026Q3 capex, 38.5 bn USD (yours: added)"] == "results"
    paces = shown[shown.index.str.contains("Fed, balance sheet pace")]
    assert set(paces) == {"policy"}
    assert not [text for text in shown.index if "yours" in text and "META" not in text]


def test_what_the_package_ships_has_no_mark() -> None:
    assert (own_mark(""), own_mark("added")) == ("", " (yours: added)")
