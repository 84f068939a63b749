"""The inputs of a spec: named, in an order, and markets without one, with one that stopped, or with shorter history."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.prepare.needs import needs_of
from backtests.spec.extensions import Extensions
from backtests.spec.spec import Spec
from backtests.studies.audits.futures import BARS, FIGURES, name_of, rows_of, with_tables
from data.market.snapshot import Snapshot
from data.prices.basis import price_basis

_SAID = {
    "bars": "bars of {}",
    "series": "series {}",
    "capex_actuals": "results of {}",
    "capex_guidance": "guidance of {}",
    "funding_events": "funding of {}",
    "balance_sheet_paces": "announced pace of {}",
    "actions": "dividends and splits of {}",
    "filed_results": "filed results of {}",
    "given": "rows of {}",
}
EVENTS = ("capex_actuals", "capex_guidance", "funding_events", "balance_sheet_paces")
_PRICES = ("open", "high", "low", "close", "adj_close")


@dataclass(frozen=True)
class Input:
    """An input of a run: a table of the market and whose rows of it, or a file of rows that the user gives.

    Attributes:
        table: of the market; "given": a file.
        name: of the instrument, series or company; of the file; "": the whole table.
    """

    table: str
    name: str = ""

    def __str__(self) -> str:
        return _SAID[self.table].format(self.name or "all")


def inputs_of(spec: Spec, snapshot: Snapshot, given: Extensions) -> list[Input]:
    """All that a spec may read of a market, files of rows first, then series, events, bars."""
    files = [Input("given", file.path.name) for file in (given.source, given.weights) if file is not None]
    found = [*files, *(Input("series", name) for name in dict.fromkeys(snapshot.series["series"]))]
    for table in FIGURES:
        if table != "series":
            frame = getattr(snapshot, table)
            found += [Input(table, name) for name in dict.fromkeys(frame[name_of(table)]) if name]
    held = set(snapshot.bars["symbol"].unique())
    return [*found, *(Input("bars", symbol) for symbol in needs_of(spec).symbols if symbol in held)]


def told_inputs(spec: Spec, snapshot: Snapshot) -> list[Input]:
    """What may be missing or stop by itself: each series, the results of each company, each table of other events."""
    if spec.signal.source is not None:
        return []
    found = [each for each in inputs_of(spec, snapshot, Extensions()) if each.table in ("series", "capex_actuals")]
    return [*found, *(Input(table) for table in EVENTS[1:] if len(getattr(snapshot, table)))]


def without(snapshot: Snapshot, only: Input) -> Snapshot:
    """The market with no value of a series or a company: a row of it stays, and tells nothing."""
    return stopped(snapshot, only, pd.Timestamp.min.tz_localize("UTC"))


def stopped(snapshot: Snapshot, only: Input, moment: pd.Timestamp) -> Snapshot:
    """The market in which nothing of an input becomes known after a moment; an instrument has no bar from then on."""
    if only.table == "bars":
        bars = snapshot.bars
        gone = ((bars["symbol"] == only.name) & (bars["date"] >= moment.tz_localize(None))).to_numpy()
        return with_tables(snapshot, {BARS: bars[~gone]})
    frame = getattr(snapshot, only.table)
    left, mine = frame.copy(), rows_of(frame, only.table, only.name)
    blank = mine.copy()
    for known_at, figures in FIGURES[only.table].items():
        later = mine & ~(frame[known_at] <= moment).to_numpy()
        left.loc[later, list(figures)] = np.nan
        blank &= later
    first = ~frame[name_of(only.table)].duplicated().to_numpy()
    kept = ~blank | (first if only.table in ("series", "capex_actuals") else False)
    return with_tables(snapshot, {only.table: left[kept]})


def since(snapshot: Snapshot, day: pd.Timestamp) -> Snapshot:
    """The market whose bars and observations begin on a day; an instrument or series without any keeps its last row."""
    tables: dict[str, pd.DataFrame] = {}
    for table, column in (("bars", "symbol"), ("series", "series")):
        frame = getattr(snapshot, table)
        kept = (frame["date"] >= day).to_numpy()
        none = ~frame[column].isin(frame.loc[kept, column].unique()).to_numpy()
        tables[table] = frame[kept | (none & ~frame[column].duplicated(keep="last").to_numpy())]
    return with_tables(snapshot, tables)


def scaled_by_dividends(snapshot: Snapshot, only: Input | None) -> Snapshot:
    """The market as dividends after its end would scale it: every adjusted price of an instrument by one factor.

    The factors are powers of two, so that nothing is rounded. Prices as traded stay what they were; where the closes
    are adjusted ones themselves, all prices of a bar are scaled.
    """
    bars = snapshot.bars.copy()
    for place, symbol in enumerate(dict.fromkeys(bars["symbol"])):
        if (only is not None and symbol != only.name) or snapshot.instruments[symbol].is_crypto:
            continue
        mine = slice(*bars["symbol"].searchsorted([symbol, symbol + "\x00"]))
        traded = price_basis(snapshot, symbol) == "as_traded"
        columns = ["adj_close"] if traded else list(_PRICES)
        rows = bars.index[mine]
        bars.loc[rows, columns] *= 0.5 if place % 2 else 0.25
    return with_tables(snapshot, {BARS: bars})
