"""`reverse-qe events study`: what it prints, writes and refuses."""

import json

import pandas as pd
import pytest

import reverse_qe


@pytest.mark.slow
def test_it_prints_writes_and_tells_the_same(call, tmp_path):
    code, out, err = call("events", "study", "--kind", "results", "--csv", "study.csv", "--page", "study.html")
    assert code == 0, err
    assert out.startswith("Event study on SIMULATED market sample, ")
    assert "It is evidence: nothing of it enters a signal." in out
    code, again, err = call("events", "study", "--kind", "results", "--json")
    told = json.loads(again)
    table = pd.read_csv(tmp_path / "study.csv")
    assert len(table) == len(told["tests"]) == 2 * len(told["legs"])
    assert [each["mean"] for each in told["tests"]] == pytest.approx(table["mean"].tolist(), rel=1e-12)
    (row,) = [each for each in told["tests"] if (each["leg"], each["first"]) == ("crypto", -1)]
    assert f"{row['mean']:+.2%}" in out
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert page.count('class="plot narrow"') == 3  # of crypto and each basket
    assert f"{row['mean']:+.2%}" in page
    assert "SIMULATED" in page
    found = reverse_qe.event_study(kinds=["results"])
    assert found.tests["mean"].tolist() == pytest.approx(table["mean"].tolist(), rel=1e-12)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--window", "five"), "got 'five', wanted two sessions as in 0,5"),
        (("--window", "3,1"), "got the window 3,1"),
        (("--kind", "news"), "got the kind news, wanted some of"),
        (("--index", "SPX"), "got SPX, wanted instruments of market sample"),
        (("--page", "."), "."),
    ],
)
def test_what_is_wrong_is_refused(call, asked, told):
    code, out, err = call("events", "study", *asked)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()[-1]) > 0
