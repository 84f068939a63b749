"""Runs beside each other, in rows and words."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from backtests.archive.compared import Comparison
from reverse_qe.tables import Column
from reverse_qe.words.runs.figures import MEASURES, measure_text
from reverse_qe.words.runs.stored import market_texts, what_was_run

Row = tuple[str, ...]

# Of the sessions on which regimes differ no more stays are told on a terminal; --json and the page have all.
STAYS = 12
_TRADES = (
    ("round trips", "round_trips", "{:,.0f}"),
    ("also in the first", "also_in_the_first", "{:,.0f}"),
    ("won", "won", "{:,.0f}"),
    ("mean sessions", "mean_sessions", "{:,.1f}"),
    ("best profit, USD", "best_profit", "{:,.0f}"),
    ("worst profit, USD", "worst_profit", "{:,.0f}"),
)


def compared_head(compared: Comparison, first: str = "") -> list[Column]:
    """A column for what is compared and one a run; where there is no room the last ones go first."""
    return [Column(first), *(Column(name, rank=place) for place, name in enumerate(compared.names))]


def run_lines(compared: Comparison) -> list[str]:
    """What each run is, in a sentence."""
    markets = market_texts(compared.runs)
    found = []
    for name, run, market in zip(compared.names, compared.runs, markets, strict=True):
        first, last = run.manifest["first_session"], run.manifest["last_session"]
        what = what_was_run(run, labelled=name != run.label)
        found.append(f"{name}: {what}, on {market}, {first} to {last}")
    return found


def difference_rows(compared: Comparison) -> list[Row]:
    """What differs of market, days, engine and spec; none: nothing does."""
    found = {**compared.market, **compared.spec}
    return [(key, *(_value_text(value) for value in values)) for key, values in found.items()]


def measure_rows(compared: Comparison) -> list[Row]:
    """Measures of the strategy, as a backtest tells them."""
    return [
        (
            label if key != "final_equity_usd" else f"{label}, USD",
            *(measure_text(key, value) for value in compared.measures.get(key, [None] * len(compared.runs))),
        )
        for label, key, _ in MEASURES
    ]


def trade_rows(compared: Comparison) -> list[Row]:
    """Round trips; a dash for a run whose version wrote none."""
    return [
        (label, *("-" if each is None else style.format(each[key]) for each in compared.trades))
        for label, key, style in _TRADES
    ]


def profit_rows(compared: Comparison) -> list[Row]:
    """Profit by basket, then by instrument of it; empty where a version wrote none."""
    table = compared.profits
    if table is None:
        return []
    rows: list[Row] = []
    for basket, part in table.groupby(level="basket", sort=False):
        rows.append((str(basket).replace("_", " "), *_dollars(part.sum())))
        if len(part) > 1:
            by_symbol = part.droplevel("basket")
            rows += [(f"  {symbol}", *_dollars(values)) for symbol, values in by_symbol.iterrows()]
    return [*rows, ("all", *_dollars(table.sum()))]


def stay_rows(compared: Comparison, most: int | None = None) -> list[Row]:
    """Stays that not all of the runs have, the return of the strategy in each; with `most` the newest of them."""
    stays = compared.stays
    lonely = stays[stays.isna().any(axis=1)]
    shown = lonely if most is None else lonely.iloc[max(len(lonely) - most, 0) :]
    return [
        (f"{start.date()} to {end.date()} {regime}", *("-" if pd.isna(each) else f"{each:+.1%}" for each in row))
        for (start, end, regime), row in zip(shown.index, shown.to_numpy().tolist(), strict=True)
    ]


def likeness_sentences(compared: Comparison) -> list[str]:
    """How alike each run is to the first: returns, regimes, stays."""
    found, stays = [], compared.stays
    first = compared.names[0]
    for place, name in enumerate(compared.names[1:], start=1):
        both = compared.growth[[first, name]].dropna()
        if both.empty:
            found.append(f"{name} and {first} have no session in common.")
            continue
        alike = compared.correlation[place]
        told = "returns that do not move" if alike is None else f"daily returns that correlate at {alike:.3f}"
        same = int(stays[[first, name]].notna().all(axis=1).sum())
        found.append(
            f"{name} beside {first}: {told} on {len(both):,} common sessions, another regime on "
            f"{compared.other_regimes[place]:,} of them, {same} stays the same to the day."
        )
    return found


def compared_json(compared: Comparison) -> dict[str, Any]:
    """A comparison for machines, in fractions."""
    profits = compared.profits
    stays = compared.stays
    return {
        "runs": [
            {"name": name, "folder": str(run.folder), "label": run.label or None, "run_id": run.manifest["run_id"]}
            for name, run in zip(compared.names, compared.runs, strict=True)
        ],
        "market": compared.market,
        "spec": compared.spec,
        "measures": compared.measures,
        "correlation": compared.correlation,
        "other_regimes": compared.other_regimes,
        "stays": [
            {"start": str(start.date()), "end": str(end.date()), "regime": regime, "returns": _numbers(row)}
            for (start, end, regime), row in zip(stays.index, stays.to_numpy().tolist(), strict=True)
        ],
        "trades": compared.trades,
        "profits": None
        if profits is None
        else [
            {"basket": basket, "symbol": symbol, "profits": _numbers(row)}
            for (basket, symbol), row in zip(profits.index, profits.to_numpy().tolist(), strict=True)
        ],
    }


def _numbers(row: Sequence[float]) -> list[float | None]:
    return [None if pd.isna(each) else each for each in row]


def _dollars(values: pd.Series) -> list[str]:
    return [f"{each:,.0f}" for each in values]


def _value_text(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:28]}...{text[-28:]}"
