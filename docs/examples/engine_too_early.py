"""What happens where a signal is joined to bars by a date: it is traded before it was decided.

    python docs/examples/engine_too_early.py

A rule that hears, after the close, which way a stock will open next, and holds it for so long as that is upwards.
Nobody can trade at a close what is told after it. The market is the built-in one, which is SIMULATED.
"""

import tempfile
from pathlib import Path

import pandas as pd

import reverse_qe

STOCK, FIRST, LAST = "SIM-SAAS-A", "2019-01-02", "2023-12-29"


def told_after_the_close(bars):
    """The signal of that rule: at 22:00 UTC of each session it knows the next open."""
    rises = bars["open"].shift(-1) > bars["close"]
    rows = pd.DataFrame({"regime": rises.map({True: "ABUNDANT", False: "SCARCE"})})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "regimes.csv"
        rows.set_axis(bars.index.tz_localize("UTC") + pd.Timedelta("22h")).rename_axis("known_at").to_csv(path)
        return reverse_qe.signal(set={"signal.source": str(path), "signal.dwell_sessions": 1})


def results():
    """What 100,000 US dollars become at closes, the signal joined by its date and by its moment."""
    bars = reverse_qe.open_market("sample").bars.query("symbol == @STOCK").set_index("date")
    reading, closes = told_after_the_close(bars), bars["close"].loc[FIRST:LAST]
    by_date = reading.history["regime"].set_axis(reading.history.index.tz_convert("America/New_York").date)
    joined = {
        "by the date in New York, which is that of the close before": by_date.reindex(closes.index.date),
        "by the moment of the close": reading.at(closes.index.tz_localize("UTC") + pd.Timedelta("21h"))["regime"],
    }
    gains = closes.pct_change().shift(-1).fillna(0.0).to_numpy()
    return {name: 1e5 * (1.0 + gains * (regime == "ABUNDANT").to_numpy()).prod() for name, regime in joined.items()}


if __name__ == "__main__":
    for name, worth in results().items():
        print(f"{name:<60}{worth:>22,.2f}")
