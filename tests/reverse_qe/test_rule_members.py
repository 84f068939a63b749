"""What a rule chose each June, as people and machines read it; the morning page of such a spec."""

import json

import pandas as pd
import pytest

from backtests.archive.folder import write_run
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from index_market import planted_market
from reverse_qe.pages.run_parts.settings import settings
from reverse_qe.pages.signal import signal_page

SPEC = {
    "run": {"name": "by-rule", "start": "2018-05-01", "end": "2018-07-31"},
    "universe": {"reserve": ["SIM-BILL"], "benchmark": "SIM-MARKET", "rule": {"by": "duration"}},
}


@pytest.mark.slow
def test_who_came_and_went_is_shown_told_and_drawn(sample, run_command, tmp_path):
    market = planted_market(sample, noise=0.03)
    run = run_backtest(load_spec(SPEC), market)
    folder = write_run(run, tmp_path / "mine")
    told = json.loads(run_command("runs", "show", str(folder), "--json").out)["baskets_by_rule"]
    chosen = run.spec.universe.choice.baskets
    assert [(each["chosen_at"], each["basket"]) for each in told] == [
        (f"{june}-06-01", basket) for june in (2017, 2018) for basket in ("speculative", "cash_flow")
    ]
    for each in told:
        row = chosen.loc[each["chosen_at"]]
        assert set(each["members"]) == set(row.index[row == each["basket"]])
    before, after = (set(told[place]["members"]) for place in (1, 3))
    assert (set(told[3]["came"]), set(told[3]["went"])) == (after - before, before - after)
    assert after != before
    assert told[0]["came"] == told[0]["members"]
    shown = run_command("runs", "show", str(folder)).out
    page = str(settings(run).body)
    for text in (shown, page):
        assert "Baskets by rule, chosen each June" in text
        assert ", ".join(told[3]["came"]) in text
    # The morning page has the baskets of each day.
    page = signal_page(load_spec(SPEC), market, run.signal, pd.Timestamp("2018-07-31"))
    assert "Growth of 1 US dollar up to 2018-07-30: speculative" in page
