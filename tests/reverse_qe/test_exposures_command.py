"""`reverse-qe data exposures`: tables, JSON, CSV and page; and bad input in one line."""

import csv
import json

import pytest

import reverse_qe


@pytest.mark.slow
def test_exposures_of_the_sample_are_told_and_kept(run_command, tmp_path):
    file, page = tmp_path / "slopes.csv", tmp_path / "exposures.html"
    told = run_command("data", "exposures", "--date", "2024-06-03", "--csv", str(file), "--page", str(page))
    assert told.code == 0
    assert told.out.startswith("Exposures of sample on SIMULATED market sample, known for 2024-06-03: 104 weeks before")
    assert "ranks above a cash flow one in 100% of pairs" in told.out
    assert "The market has no series for: breakeven." in told.out
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["factor"] for row in rows} == {"real_yield", "credit_spread", "net_liquidity", "score"}
    text = page.read_text(encoding="utf-8")
    assert "This market is made up" in text
    assert "The baskets over time" in text
    machine = json.loads(run_command("data", "exposures", "--date", "2024-06-03", "--json").out)
    assert machine["baskets"][0]["ranking"] == "duration"
    assert machine["slopes"][0].keys() == {"factor", "asset", "slope", "error", "shrunk", "weeks"}
    assert machine["ranked"][0]["implied_duration"] is None
    found = reverse_qe.exposures("sample", day="2024-06-03")
    assert found.baskets["share"].tolist() == [row["share"] for row in machine["baskets"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--date", "1999-01-04"), "1999-01-04"),
        (("--market", "none"), "none"),
        (("--set", "universe.rule.by=duration"), "got names in speculative, cash_flow and a rule"),
    ],
)
def test_bad_input_is_one_line(run_command, words, told):
    outcome = run_command("data", "exposures", "sample", *words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert told in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
