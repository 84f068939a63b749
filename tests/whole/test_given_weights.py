"""Target weights from a CSV file, by hand, and every refusal."""

import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from hand_made import make_instrument, make_snapshot

DAYS = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-04-08"), pd.Timestamp("2024-05-10"))]
FREE = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")}
ROWS = "known_at,A,B\n2024-04-10T22:00:00+00:00,0.6,0.4\n2024-04-19T22:00:00+00:00,0.0,1.0\n"


def run(folder, text, **values):
    (folder / "w.csv").write_text(text)
    (folder / "regimes.csv").write_text("known_at,regime\n2024-04-01T00:00:00+00:00,SCARCE\n")
    bars = {name: [(day, 10.0, 10.0) for day in DAYS] for name in ("A", "B", "LATE")}
    given = {
        "run": {"name": "given", "start": DAYS[1], "initial_cash": 1000.0},
        "universe": {"speculative": ["A", "LATE"], "cash_flow": ["B"], "benchmark": "B"},
        "signal.source": str(folder / "regimes.csv"),
        "policy": {"weights": str(folder / "w.csv"), "rebalance": "regime"},
        "costs": FREE,
    }
    snapshot = make_snapshot(bars, {"LATE": make_instrument(listed="2024-04-25")})
    return run_backtest(load_spec("sample", given | values), snapshot)


def test_each_row_is_traded_once_at_the_open_after_it_is_known(tmp_path):
    """Known on the evening of the 10th: 60 of A and 40 of B on the 11th; all of it in B on Monday, the 22nd."""
    result = run(tmp_path, ROWS)
    orders = result.engine.orders[["session", "symbol", "side", "size"]].astype({"session": str}).values.tolist()
    assert orders == [
        ["2024-04-11", "A", "buy", pytest.approx(60.0)],
        ["2024-04-11", "B", "buy", pytest.approx(40.0)],
        ["2024-04-22", "A", "sell", pytest.approx(60.0)],
        ["2024-04-22", "B", "buy", pytest.approx(60.0)],
    ]
    assert result.plan.targets.loc["2024-04-10"].sum() == 0.0
    assert {file.path.name for file in result.user_files} == {"w.csv", "regimes.csv"}


def test_a_row_that_no_decision_has_used_is_told(tmp_path):
    """Friday evening, Saturday, Sunday: Monday's decision knows three rows and uses the last. A weekend is no fault."""
    weekend = "".join(f"2024-04-{day}T22:00:00+00:00,0.5,0.5\n" for day in (19, 20, 21))
    told = [each for each in run(tmp_path, ROWS.rpartition("2024-04-19")[0] + weekend).warnings if "w.csv" in each]
    assert told == [
        "w.csv: 2 rows had no effect, for the next was known before the next decision, at 00:00 UTC of a session: the "
        "first is known at 2024-04-19 22:00:00+00:00."
    ]
    assert not [each for each in run(tmp_path, ROWS).warnings if "w.csv" in each]


def test_rows_that_are_all_known_too_late_are_told(tmp_path):
    result = run(tmp_path, "known_at,A\n2025-04-10T22:00:00+00:00,1\n")
    assert result.engine.orders.empty
    (told,) = (each for each in result.warnings if "w.csv" in each)
    assert told == (
        "w.csv: its first row is known at 2025-04-10 22:00:00+00:00, after every decision of the run: all in cash."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: got the columns none"),
        ("known_at,A,A\n2024-04-10T22:00:00+00:00,1,0\n", "each once"),
        ("A,known_at\n1,2024-04-10T22:00:00+00:00\n", "wanted known_at, then a column an instrument"),
        ("known_at,A\n2024-04-10,1\n", r"line 2: known_at '2024-04-10', wanted a time with its offset"),
        ("known_at,A\n2024-04-10T22:00:00+00:00,1\n2024-04-10T22:00:00+00:00,1\n", "line 3: known_at .* ascending"),
        ("known_at,A\n2024-04-10T22:00:00+00:00,\n", "line 2: A: '', wanted a fraction"),
        ("known_at,A\n2024-04-10T22:00:00+00:00,-0.1\n", "line 2: A: '-0.1', wanted a fraction"),
        ("known_at,A\n2024-04-10T22:00:00+00:00,nan\n", "line 2: A: 'nan', wanted a fraction"),
        ("known_at,A,B\n2024-04-10T22:00:00+00:00,0.6,0.6\n", "line 2: weights of 1.2 together"),
        ("known_at,A,B\n2024-04-10T22:00:00+00:00,0.6\n", "line 2: 2 cells, wanted 3"),
        ("known_at,A,NOWHERE\n2024-04-10T22:00:00+00:00,0.6,0.1\n", "got weights of NOWHERE, wanted instruments"),
        ("known_at,LATE\n2024-04-10T22:00:00+00:00,0.6\n", "for 2024-04-11: got 0.6 for LATE, but it cannot be traded"),
    ],
)
def test_wrong_weights_are_refused_by_file_and_line(tmp_path, text, told):
    with pytest.raises(InputError, match=rf"w\.csv.*{told}"):
        run(tmp_path, text)


def test_a_function_beside_it_is_refused(tmp_path):
    with pytest.raises(InputError, match="weights and function cannot stand together"):
        run(tmp_path, ROWS, policy={"weights": "w.csv", "function": "p.py:weights"})
