"""How long the liquidity signal takes, and how its time grows with the years.

The series are made up (random walks on the dates of the real ones), the events are those shipped with the project; all
four blocks, the threshold model. Times are of the signal alone, once its tables are in memory.

    python benchmarks/signal.py --json

That file calls this one, and says why there are two.

`ratios.*_over_5_years` are times over that of 5 years, beside `rows_*`, the same for sessions: time that grows in
proportion to the rows, or slower because a part of it is the same for every length, stays at or below them.

`seconds.turn_*` are of what would turn the regime at the last of 25 years, every move and the nearest three;
`ratios.turn_over_limit` is that of every move over 5 seconds.
"""

import argparse
import gc
import time
from statistics import median

import numpy as np
import pandas as pd
from measuring import show

from data.catalogue.publication import publication_times
from data.catalogue.series import series_entry
from data.clock import sessions_between
from data.events.editions import reference_events
from data.market.tables import CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES
from signals.block import SignalData
from signals.blocks.level import CENTRAL_BANK_ASSETS, TREASURY_WEDNESDAY
from signals.config import SignalConfig
from signals.liquidity import BLOCKS, LiquiditySignal, liquidity_signal, wanted_series
from signals.turn.turn import what_would_turn

CONFIG = SignalConfig()
LAST = pd.Timestamp("2026-10-09")
YEARS = (5, 11, 25)
ROUNDS = 9
LIMIT = 0.1
TURN_LIMIT, TURN_ROUNDS, NEAREST = 5.0, 3, 3
IN_MILLIONS = (CENTRAL_BANK_ASSETS, TREASURY_WEDNESDAY)


def made_up_data(years: int) -> SignalData:
    """Random walks of every series that the signal reads, and the shipped events, up to the same day."""
    random = np.random.default_rng(1)
    first = LAST - pd.DateOffset(years=years)
    parts = []
    for name in wanted_series(CONFIG):
        entry = series_entry(name)
        weekly = entry.publication == "weekly_h41"
        dates = pd.date_range(first, LAST, freq="W-WED") if weekly else pd.bdate_range(first, LAST)
        step = 1000.0 if name in IN_MILLIONS else 0.03
        values = 3.0 + step * random.normal(size=len(dates)).cumsum()
        known_at = publication_times(dates, entry.publication)
        parts.append(pd.DataFrame({"series": name, "date": dates, "value": values, "known_at": known_at}))
    events = reference_events()
    return SignalData(
        series=SERIES.conform(pd.concat(parts)),
        capex=events[CAPEX.name],
        guidance=events[GUIDANCE.name],
        funding=events[FUNDING.name],
        paces=events[PACES.name],
        coverage=events[COVERAGE.name],
        sessions=sessions_between(first, LAST),
    )


def seconds_of(data: SignalData) -> float:
    """Wall seconds of one signal; garbage is collected before, as `timeit` does it."""
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter()
        liquidity_signal(data, CONFIG)
        return time.perf_counter() - begin
    finally:
        gc.enable()


def seconds_of_turn(data: SignalData, nearest: int | None) -> float:
    """Median wall seconds of what would turn the regime, once it has run."""
    session = data.sessions[-1]
    what_would_turn(data, session, CONFIG, nearest=nearest)
    seconds = []
    for _ in range(TURN_ROUNDS):
        begin = time.perf_counter()
        what_would_turn(data, session, CONFIG, nearest=nearest)
        seconds.append(time.perf_counter() - begin)
    return median(seconds)


def require_whole(signal: LiquiditySignal) -> None:
    """All blocks live and every input has a value at the end, or the times mean nothing."""
    assert signal.live_blocks.iloc[-1] == len(BLOCKS)
    assert signal.values.iloc[-1].notna().all()


def main() -> None:
    """Measure the three lengths in turn, so that a slow spell of the machine hits all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    as_json = parser.parse_args().json
    data = {years: made_up_data(years) for years in YEARS}
    for each in data.values():
        require_whole(liquidity_signal(each, CONFIG))  # imports and caches too
    rounds = [{years: seconds_of(each) for years, each in data.items()} for _ in range(ROUNDS)]
    seconds = {f"signal_{years}_years": median(each[years] for each in rounds) for years in YEARS}
    shortest, *longer = YEARS
    ratios = {"signal_25_years_over_limit": seconds["signal_25_years"] / LIMIT}
    for years in longer:
        name = f"{years}_over_{shortest}_years"
        ratios[f"signal_{name}"] = median(each[years] / each[shortest] for each in rounds)
        ratios[f"rows_{name}"] = len(data[years].sessions) / len(data[shortest].sessions)
    seconds["turn_every_move"] = seconds_of_turn(data[YEARS[-1]], None)
    seconds["turn_nearest_moves"] = seconds_of_turn(data[YEARS[-1]], NEAREST)
    ratios["turn_over_limit"] = seconds["turn_every_move"] / TURN_LIMIT
    show("The liquidity signal, made-up series, shipped events, threshold model", ratios, seconds, as_json=as_json)
