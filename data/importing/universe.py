"""A folder of an index: closes of all its members, dead ones among them, and who was a member when.

It holds prices alone, without opens and volumes; a run on it fills at the close (`data.prices.panel.build_panel`).
"""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument, instrument_catalogue
from data.catalogue.own import is_name
from data.clock import next_session, sessions_between
from data.errors import InputError
from data.events.times import filing_times
from data.importing.beside import beside
from data.importing.listing import blamed
from data.market.gate import refuse_faults
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, BARS, CAPEX, FUNDING, GUIDANCE, MEMBERSHIPS, SERIES
from data.prices.actions import DELISTING
from data.quality.report import QualityReport, quality_report

PRICES, SYMBOLS = "prices_adj_close.parquet", "symbols.csv"
MEMBERS, INDUSTRIES = "sp500_ivv_monthly.csv.gz", "sp500_sectors_current.csv"
_STILL_TRADED = "traded_to_"
_CONTINUES = re.compile(r"same company continues as ([A-Za-z0-9._-]+)")
# Two columns that move alike, to so much a day, for so many sessions before one of them ends, are one company.
_ALIKE_SESSIONS, _APART, _MOST = 60, 2e-3, 0.8
_MARK = re.compile(r"(\d+(?:\.\d+)?) on (\d{4}-\d{2}-\d{2})")


def is_universe(folder: Path) -> bool:
    """Whether a folder is laid out as that of an index."""
    return (folder / PRICES).is_file() and (folder / SYMBOLS).is_file()


def import_universe(folder: Path, name: str, market: Snapshot | None = None) -> tuple[Snapshot, QualityReport]:
    """Read the folder of an index, and what is odd in it; arguments and errors as for `read_universe`.

    Args:
        folder: of the index.
        name: of the market.
        market: that it is laid beside, see `data.importing.beside`; None: it stands alone.
    """
    snapshot, notes = read_universe(folder, name)
    if market is not None:
        snapshot, further = beside(snapshot, market, name)
        notes += further
    return snapshot, replace(quality_report(snapshot), notes=tuple(notes))


def read_universe(folder: Path, name: str) -> tuple[Snapshot, list[str]]:
    """Read the folder of an index as a market of closes alone; nothing is written.

    Args:
        folder: holds ``prices_adj_close.parquet`` (sessions by symbols, adjusted closes, blank where there is none),
            ``symbols.csv`` (``symbol``, ``name``, a column ``traded_to_...`` that says whether it still trades,
            ``final_mark`` such as "0 on 2023-03-10", ``note``), ``sp500_ivv_monthly.csv.gz`` (``date``,
            ``panel_column``, ``sector``: the members on some days) and, where there is such,
            ``sp500_sectors_current.csv`` (``Symbol``, ``GICS Sub-Industry``), whose day is not told: it counts from the
            evening of the newest close.
        name: of the market.

    Returns:
        The market, and notes on what was left out. A name that no longer trades is delisted on the day of its last
        close, which is known that evening: for its final mark; for its last close where the same company goes on under
        another symbol; else for a price that is not known. A table of members is known in the evening of the session
        after its day, and holds until the next one.

    Raises:
        InputError: a file is missing, or has a fault.
    """
    for needed in (PRICES, SYMBOLS, MEMBERS):
        if not (folder / needed).is_file():
            raise InputError(
                f"{folder} holds no {needed}, wanted the folder of an index: {PRICES}, {SYMBOLS} and {MEMBERS}"
            )
    with blamed(folder / PRICES):
        closes = _closes(folder / PRICES)
    with blamed(folder / SYMBOLS):
        entries = _symbols(folder / SYMBOLS, closes)
    with blamed(folder / MEMBERS):
        members, notes = _members(folder / MEMBERS, closes)
    if (folder / INDUSTRIES).is_file():
        with blamed(folder / INDUSTRIES):
            members = _with_industries(members, folder / INDUSTRIES, closes)
    bars = closes.rename_axis(index="date").reset_index().melt("date", var_name="symbol", value_name="close").dropna()
    bars = bars.assign(adj_close=bars["close"], **dict.fromkeys(("open", "high", "low", "volume"), np.nan))
    with blamed(folder / PRICES):
        refuse_faults(bars)
    notes.append(
        f"closes alone: what is decided for a session fills at its close; {len(closes.columns):,} names, "
        f"{int((~entries['trades']).sum())} of which no longer trade"
    )
    snapshot = Snapshot(
        name=name,
        simulated=False,
        instruments={symbol: _instrument(symbol, entries, closes) for symbol in closes.columns},
        bars=BARS.conform(bars),
        series=SERIES.empty(),
        capex_actuals=CAPEX.empty(),
        capex_guidance=GUIDANCE.empty(),
        funding_events=FUNDING.empty(),
        actions=_endings(entries, closes),
        memberships=MEMBERSHIPS.conform(members),
        origin=f"folder of an index: {folder}",
        made_at=datetime.now(UTC),
        bar_units={symbol: BarUnits(prices="adjusted") for symbol in closes.columns},
    )
    return snapshot, notes


def _closes(file: Path) -> pd.DataFrame:
    """Sessions by symbols."""
    import pyarrow as pa

    try:
        frame = pd.read_parquet(file)
        frame = frame.set_index("date") if "date" in frame else frame
        days = pd.DatetimeIndex(pd.to_datetime(frame.index, format="%Y-%m-%d")).as_unit("us")
        closes = frame.astype(float).set_axis(days)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise InputError(f"cannot be read: {error}; wanted days by symbols, numbers or blank") from error
    if closes.empty or not days.is_monotonic_increasing or not days.is_unique:
        raise InputError("got no day, or days twice or out of order, wanted one row a session, in order")
    if (closes.columns.duplicated()).any() or not all(is_name(str(symbol)) for symbol in closes.columns):
        raise InputError("got a column twice or one that names no symbol, wanted one column a symbol")
    others = days.difference(sessions_between(days[0], days[-1]))
    if len(others):
        raise InputError(f"got the day {others[0].date()}, which is no NYSE session; take the row out")
    return closes.dropna(axis="columns", how="all")


def _table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot be read: {error}") from error
    if lacking := [name for name in columns if name not in table]:
        raise InputError(f"got no column {', '.join(lacking)}, wanted {', '.join(columns)}")
    return table


def _days(texts: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(texts, format="%Y-%m-%d").astype("datetime64[us]")
    except ValueError as error:
        raise InputError(f"column {texts.name}: {error}; wanted days as 2016-12-30") from error


def _symbols(file: Path, closes: pd.DataFrame) -> pd.DataFrame:
    """Name, final mark, note and whether it still trades, by symbol of the closes."""
    table = _table(file, ("symbol", "name", "final_mark", "note"))
    traded = [str(name) for name in table if str(name).startswith(_STILL_TRADED)]
    if len(traded) != 1 or not table[traded[0]].isin(["True", "False"]).all():
        raise InputError(f"wanted one column {_STILL_TRADED}<month> of True and False: whether a name still trades")
    if table["symbol"].duplicated().any() or (absent := sorted({*closes.columns} - {*table["symbol"]})):
        raise InputError(f"wanted one row a symbol of {PRICES}; got {', '.join(absent[:5]) or 'one'} not, or twice")
    return table.assign(trades=table[traded[0]] == "True").set_index("symbol").loc[list(closes.columns)]


def _instrument(symbol: str, entries: pd.DataFrame, closes: pd.DataFrame) -> Instrument:
    shipped = instrument_catalogue().get(symbol)
    if shipped is not None:
        return shipped
    return Instrument(
        name=entries.at[symbol, "name"] or symbol,
        currency="USD",
        calendar="XNYS",
        asset_class="us_stock",
        listed=closes.index[closes[symbol].notna()][0].date(),
        quantum=1e-6,
    )


def _endings(entries: pd.DataFrame, closes: pd.DataFrame) -> pd.DataFrame:
    """A delisting of every name that no longer trades."""
    rows = []
    moves = pd.DataFrame(np.log(closes.to_numpy()), closes.index, closes.columns).diff()
    for symbol, text, note in zip(entries.index, entries["final_mark"], entries["note"], strict=True):
        if entries.at[symbol, "trades"]:
            continue
        last = closes.index[closes[symbol].notna()][-1]
        known, value, source = last, math.nan, note or "no close after this day"
        if mark := _MARK.match(text):
            known, value, source = max(last, pd.Timestamp(mark[2])), float(mark[1]), text
        elif text:
            raise InputError(f"{symbol}: got the final mark {text!r}, wanted one as '0 on 2023-03-10'")
        elif other := _goes_on_as(symbol, note, moves, last):
            value, source = float(closes.loc[last, symbol]), f"goes on as {other}"
        rows.append((symbol, last, DELISTING, value, known, source))
    table = pd.DataFrame(rows, columns=["symbol", "date", "kind", "value", "known_on", "source"])
    if table.empty:
        return ACTIONS.empty()
    return ACTIONS.conform(table.assign(known_at=filing_times(table["known_on"]), into="", factor=np.nan))


def _goes_on_as(symbol: str, note: str, moves: pd.DataFrame, last: pd.Timestamp) -> str:
    """The column in which a company goes on, as its note says, or as its last closes are those of; empty: none."""
    if told := _CONTINUES.search(note):
        return told[1]
    end = int(moves.index.searchsorted(last)) + 1
    window, after = moves.iloc[max(end - _ALIKE_SESSIONS, 0) : end], moves.iloc[end : end + _ALIKE_SESSIONS]
    if window[symbol].notna().mean() < _MOST:
        return ""
    apart = window.sub(window[symbol], axis=0).abs().max()
    others = apart[(apart < _APART) & (after.notna().mean() >= _MOST)]
    return str(others.idxmin()) if len(others) else ""


def _members(file: Path, closes: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A row where the membership or the sector of a name changes, and notes."""
    table = _table(file, ("date", "panel_column", "sector"))
    has_closes = table["panel_column"].isin(closes.columns)
    notes = []
    if lacking := int((~has_closes).sum()):
        notes.append(f"{file.name}: {lacking:,} of {len(table):,} rows are of members without closes, and left out")
    table = table[has_closes].assign(date=_days(table["date"])).drop_duplicates(["date", "panel_column"])
    sectors = table.pivot(index="date", columns="panel_column", values="sector").sort_index()
    changed = sectors.ne(sectors.shift()) & ~(sectors.isna() & sectors.shift().isna())
    rows, columns = np.nonzero(changed.to_numpy())
    told = pd.Series(sectors.to_numpy()[rows, columns])
    members = pd.DataFrame(
        {
            "symbol": sectors.columns[columns],
            "date": sectors.index[rows],
            "member": told.notna(),
            "sector": told.fillna(""),
            "industry": "",
        }
    )
    evening = pd.Series([next_session(day) for day in members["date"]], dtype="datetime64[us]")
    return members.assign(known_at=filing_times(evening)), notes


def _with_industries(members: pd.DataFrame, file: Path, closes: pd.DataFrame) -> pd.DataFrame:
    """The same with what the newest table says of industries, as a later row of each name."""
    table = _table(file, ("Symbol", "GICS Sub-Industry")).drop_duplicates("Symbol").set_index("Symbol")
    last = members.sort_values("date").drop_duplicates("symbol", keep="last")
    last = last[(last["member"] & last["symbol"].isin(table.index)).to_numpy()]
    newest = max(closes.index[-1], members["date"].max() + pd.Timedelta(days=1))
    industry = table["GICS Sub-Industry"].reindex(list(last["symbol"])).to_numpy()
    evening = filing_times(pd.Series(newest, index=last.index))
    return pd.concat([members, last.assign(date=newest, industry=industry, known_at=evening)], ignore_index=True)
