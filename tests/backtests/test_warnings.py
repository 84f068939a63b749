"""What a run met with, counted and told: a market in which all of it happens, a known number of times."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.market.tables import ACTIONS, SERIES
from hand_made import make_snapshot

SESSIONS = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-08-30"))
DAYS = [f"{day:%Y-%m-%d}" for day in SESSIONS]
RUN = len(DAYS) - 2  # sessions: the first is before it, the last after it


def bars(skip=(), blank=(), first=0, last=None, price=100.0):
    last = len(DAYS) if last is None else last
    return [
        (day, None if place in blank else price, price)
        for place, day in enumerate(DAYS)
        if first <= place < last and place not in skip
    ]


def market():
    snapshot = make_snapshot(
        {
            "WHOLE": bars(),
            "HOLES": bars(skip=(30, 31, 60), blank=(40,)),
            "LATE": bars(first=12),
            "GONE": bars(last=80),
            "STOPS": bars(last=90),
            "DUMB": bars(),
            "LAST": bars(first=len(DAYS) - 1),
            "BENCH": bars(skip=(50, 51)),
        }
    )
    told = ("GONE", DAYS[79], "delisting", 70.0, f"{DAYS[79]} 21:30", "made for a test")
    actions = pd.DataFrame([dict(zip(ACTIONS.columns, told, strict=True))])
    actions = actions.assign(
        date=pd.to_datetime(actions["date"]), known_at=pd.to_datetime(actions["known_at"], utc=True)
    )
    frame = snapshot.bars.copy()
    dumb = (frame["symbol"] == "DUMB") & frame["date"].isin(SESSIONS[[20, 21, 22]])
    frame.loc[dumb, "volume"] = np.nan
    # The bill is known from the evening of session 10 on.
    known = pd.DataFrame(
        {
            "series": "DGS3MO",
            "date": SESSIONS[10:],
            "value": 5.0,
            "known_at": (SESSIONS[10:] + pd.Timedelta(hours=22)).tz_localize("UTC"),
        }
    )
    return replace(snapshot, bars=frame, actions=actions, series=SERIES.conform(known))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    # SCARCE is known for the session 5: on the five before it the source has said nothing.
    (folder / "regimes.csv").write_text(f"known_at,regime\n{DAYS[5]}T00:00:00+00:00,SCARCE\n")
    values = {
        "run": {"name": "told", "start": DAYS[1], "end": DAYS[-2]},
        "universe": {
            "speculative": ["LAST"],
            "cash_flow": ["WHOLE", "HOLES", "LATE", "GONE", "STOPS", "DUMB"],
            "benchmark": "BENCH",
            "hindsight": "chosen for a test",
        },
        "signal.source": str(folder / "regimes.csv"),
        "policy.rebalance": "daily",
        "costs.us_stock": {"participation": 0.1, "commission_bp": 0.0},
    }
    return run_backtest(load_spec("sample", values), market())


def test_what_is_counted(run):
    counts = run.counts
    assert counts.sessions == RUN
    assert counts.orders.total == len(run.engine.orders)
    by_status = run.engine.orders["status"].value_counts().to_dict()
    assert counts.orders.filled == by_status.get("filled", 0)
    assert counts.orders.reduced == by_status.get("reduced", 0)
    assert counts.orders.unfilled == by_status.get("unfilled", 0)
    assert counts.orders.rejected == 0
    assert counts.bars_without_open == {"HOLES": 1}
    assert counts.bars_without_volume == {"DUMB": 3}
    assert counts.benchmark_sessions_without_bar == 2
    # Three holes; and STOPS is held for ten sessions after its last bar, to be closed out at the open of the next.
    assert counts.stale_valuations == {"HOLES": 3, "STOPS": 10}
    assert counts.close_outs == 1
    gone = run.engine.positions["GONE"].iloc[78]
    assert list(counts.delistings) == ["GONE"]
    assert counts.delistings["GONE"] == pytest.approx(70.0 * gone)
    # Sessions 1 to 10: known at 22:00 UTC of session 10, after its decision.
    assert counts.sessions_without_bill_yield == 10
    assert counts.live_blocks == {0: pytest.approx(4 / (RUN)), 1: pytest.approx(1 - 4 / (RUN))}


def test_what_is_told(run):
    warnings, notes = " ".join(run.warnings), " ".join(run.notes)
    told = [
        "HINDSIGHT: chosen for a test",
        "HOLES was held and valued at an old close on 3 sessions without a bar.",
        "STOPS was held and valued at an old close on 10 sessions without a bar.",
        "HOLES has 1 bar without an open in the run: valued, not traded on.",
        "The benchmark has no bar on 2 sessions: its return there is 0.",
        "1 holding without bars closed out below the last close.",
        "DUMB has 3 bars without a volume in the run",
        "LAST has no price in the run.",
        f"DGS3MO is not known on 10 of {RUN} sessions",
        "On 2% of the sessions the source said nothing yet: the regime was NEUTRAL.",
    ]
    assert [each for each in told if each not in warnings] == []
    assert "SIMULATED" not in warnings
    assert "Rejected" not in warnings
    assert "WHOLE" not in warnings
    amount = run.counts.delistings["GONE"]
    noted = [
        f"GONE was held when it was delisted: {amount:,.2f} US dollars were paid for it.",
        f"LATE can be traded from {DAYS[13]} on.",
    ]
    assert [each for each in noted if each not in notes] == []
    assert "WHOLE" not in notes
    assert "HOLES can" not in notes
    reduced, unfilled = run.counts.orders.reduced, run.counts.orders.unfilled
    assert (f"cash or the volume there was: {reduced}; not filled: {unfilled}." in notes) == bool(reduced or unfilled)
