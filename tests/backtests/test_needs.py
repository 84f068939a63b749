"""What of a market a spec reads."""

from backtests.prepare.needs import needs_of
from backtests.spec.spec import load_spec


def test_the_shipped_spec_for_real_history_needs_its_universe_its_signal_and_the_bill() -> None:
    needs = needs_of(load_spec("history"))

    assert {"BTC-USD", "MU", "SNDK", "BIL", "SPY"} <= set(needs.symbols)
    assert len(needs.symbols) == 14
    assert set(needs.series) == {
        "DGS10", "DFII10", "BAA10Y", "WALCL", "WDTGAL", "RRPONTSYD", "SOFR", "DFF", "IORB", "DGS3MO",
    }  # fmt: skip
    assert needs.companies == ("MSFT", "GOOGL", "AMZN", "META", "ORCL")


def test_an_added_input_is_needed_too() -> None:
    added = {"name": "vix", "block": "pipes", "series": "VIXCLS", "scarcer_when": "higher"}

    assert "VIXCLS" in needs_of(load_spec("history", {"signal.inputs": [added]})).series
