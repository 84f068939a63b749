"""How near the simulated market comes to real history: volatility, correlation, and changes of yields and spreads.

``python -m data.sample.calibration SNAPSHOT`` prints the table against an imported snapshot of real history.
"""

import sys
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot
from data.sample.assets import MARKET, SESSIONS_A_YEAR
from data.sample.parameters import scenario_names, scenario_parameters

START = pd.Timestamp("2017-01-01")
CHANGE_SESSIONS = 20
PRICES_OF_CAPITAL = ("DGS10", "DFII10", "BAA10Y")
HISTORY_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "coin": ("BTC-USD", "ETH-USD"),
    "saas": ("CRM", "NOW", "ADBE", "WDAY"),
    "memory": ("MU", "WDC", "STX"),
    "market": ("SPY",),
}


def calibration_table(sample: Snapshot, history: Snapshot) -> pd.DataFrame:
    """Compare a simulated market with real history, from 2017 to the day on which the shorter one ends.

    Args:
        sample: of `data.sample.market.load_market`.
        history: with the bars of `HISTORY_MEMBERS` and the series of `PRICES_OF_CAPITAL`.

    Returns:
        By measure: ``unit``, ``sample``, ``history`` and ``ratio``, the sample over history. Returns are those from
        close to close of NYSE sessions; a volatility is the mean over the members of a kind, a correlation the mean
        over the pairs; the deviation of a change is that over 20 observations.

    Raises:
        InputError: a symbol or a series is not there.
    """
    end = min(sample.bars["date"].max(), history.bars["date"].max())
    members = {**scenario_parameters(scenario_names()[0]).kind.members, "market": (MARKET,)}
    table = pd.DataFrame(
        {"sample": _measures(sample, members, end), "history": _measures(history, HISTORY_MEMBERS, end)}
    )
    units = {"volatility": "a year", "correlation": "none", "20-session change": "basis points"}
    table.insert(0, "unit", [units[measure.split(",")[0]] for measure in table.index])
    return table.assign(ratio=table["sample"] / table["history"]).rename_axis("measure")


def _measures(snapshot: Snapshot, members: Mapping[str, tuple[str, ...]], end: pd.Timestamp) -> dict[str, float]:
    returns = _session_returns(snapshot, members, end)
    volatility = returns.std() * np.sqrt(SESSIONS_A_YEAR)
    correlation = returns.corr()
    measures = {f"volatility, {kind}": volatility[list(symbols)].mean() for kind, symbols in members.items()}
    for (one, ones), (other, others) in combinations(members.items(), 2):
        measures[f"correlation, {one} with {other}"] = correlation.loc[list(ones), list(others)].to_numpy().mean()
    for kind, symbols in members.items():
        pairs = [correlation.loc[pair] for pair in combinations(symbols, 2)]
        if pairs:
            measures[f"correlation, within {kind}"] = np.asarray(pairs, dtype=float).mean()
    for series in PRICES_OF_CAPITAL:
        measures[f"{CHANGE_SESSIONS}-session change, {series}"] = _change_deviation(snapshot, series, end)
    return {measure: float(value) for measure, value in measures.items()}


def _session_returns(snapshot: Snapshot, members: Mapping[str, tuple[str, ...]], end: pd.Timestamp) -> pd.DataFrame:
    wanted = [symbol for symbols in members.values() for symbol in symbols]
    _require(snapshot, wanted, "bars of", set(snapshot.bars["symbol"]))
    bars = snapshot.bars[snapshot.bars["date"].between(START, end)]
    closes = bars.pivot(index="date", columns="symbol", values="adj_close")
    return closes.loc[closes[members["market"][0]].notna(), wanted].pct_change()


def _change_deviation(snapshot: Snapshot, series: str, end: pd.Timestamp) -> float:
    _require(snapshot, [series], "the series", set(snapshot.series["series"]))
    rows = snapshot.series[(snapshot.series["series"] == series) & snapshot.series["date"].between(START, end)]
    return float(rows.set_index("date")["value"].dropna().diff(CHANGE_SESSIONS).std() * 100)


def _require(snapshot: Snapshot, wanted: list[str], what: str, there: set[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InputError(
            f"snapshot {snapshot.name} lacks {what} {', '.join(missing)}, which the calibration compares with; "
            "import them (reverse-qe data import)"
        )


def main(arguments: list[str]) -> int:
    """Print the table for the default sample and the snapshot named; 2 where the input is wrong."""
    from data.market.snapshot import load
    from data.sample.market import load_market

    if len(arguments) != 1:
        print("usage: python -m data.sample.calibration SNAPSHOT (one of real history)", file=sys.stderr)
        return 2
    try:
        table = calibration_table(load_market(), load(arguments[0]))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(table.round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
