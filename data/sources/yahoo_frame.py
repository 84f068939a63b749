"""From Yahoo's chart to prices as they were traded: restored, compared, checked by the calendar."""

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.clock import calendar_sessions
from data.errors import InputError
from data.market.units import coin_volume
from data.net.errors import SourceError
from data.prices.adjustment import CAPITAL_GAIN, DIVIDEND, SPLIT, adjusted_close, units_to_come
from data.prices.settlement import settled
from data.prices.told_actions import added_up
from data.sources.answers import PriceAnswer
from data.sources.yahoo_chart import PRICES, Chart

# Yahoo gives prices to seven digits. Its adjusted close and ours may differ by what that makes of many dividends.
ADJUSTED_TOLERANCE = 1e-5

_DIGITS = 7
# numpy rounds to more digits by dividing by infinity.
_MOST_DIGITS = 300
_UTC = ("UTC", "Etc/UTC")
_KINDS = {DIVIDEND: "Dividends", CAPITAL_GAIN: "Capital Gains", SPLIT: "Stock Splits"}


def price_answer(
    symbol: str, instrument: Instrument, chart: Chart, first: pd.Timestamp, last: pd.Timestamp, now: pd.Timestamp
) -> PriceAnswer:
    """Restore what was quoted on each day, and check it.

    Dividends and splits are known as their ex-date begins. They are announced days or weeks before, but Yahoo does not
    tell when; a price of the ex-date is without them, and the decision for that day must know.

    Args:
        symbol: of the instrument.
        instrument: its entry.
        chart: of its days up to today.
        first: naive date of the first bar that is wanted.
        last: naive date of the last one; its UTC day is over.
        now: UTC, of the answer.

    Raises:
        SourceError: there is no bar at all, the days of a coin are not those of UTC, a dividend or split is none, or
            the prices do not follow a split.
    """
    if instrument.is_crypto and chart.zone not in _UTC:
        raise SourceError(f"Yahoo: {symbol}: got days of {chart.zone}, wanted UTC days of a coin")
    actions = _actions(symbol, chart.days)
    bars = _bars(chart.days, actions)
    if instrument.is_crypto:  # Yahoo tells their volumes in US dollars.
        bars["volume"] = coin_volume(bars)
    _require_split_prices(symbol, bars, actions)
    try:
        told = settled(bars.rename(columns={"source_adj_close": "adj_close"}), added_up(actions))
    except InputError as error:
        raise SourceError(f"Yahoo: {symbol}: {error}") from None
    actions = told.actions
    notes = _adjustment_notes(symbol, bars, actions)
    unfinished = int((bars["date"] > (now - pd.Timedelta(days=1)).tz_convert(None)).sum())
    if unfinished:
        notes.append(f"bars left out because their UTC day is not over: {unfinished}")
    bars = bars.loc[bars["date"].between(first, last)].reset_index(drop=True)
    if bars.empty:
        asked = f"asked for the days {first.date()} to {last.date()}"
        raise SourceError(f"Yahoo: {symbol}: {asked}, got no bar; try again later", retry_later=True)
    days, sessions = pd.DatetimeIndex(bars["date"]), calendar_sessions(instrument.calendar, first, last)
    in_span = actions["date"].between(first, last)
    return PriceAnswer(
        symbol=symbol,
        bars=bars.drop(columns="source_adj_close"),
        actions=actions[in_span].reset_index(drop=True),
        aside=told.aside[told.aside["date"].between(first, last)].reset_index(drop=True),
        missing=sessions.difference(days),
        notes=tuple(notes),
    )


def _actions(symbol: str, told: pd.DataFrame) -> pd.DataFrame:
    rows = pd.concat(
        pd.DataFrame({"date": told.index, "kind": kind, "value": told[column].to_numpy(dtype=float)})
        for kind, column in _KINDS.items()
    )
    rows = rows[rows["value"].fillna(0.0) != 0.0].sort_values(["date", "kind"], kind="stable", ignore_index=True)
    wrong = rows[~((rows["value"] > 0) & np.isfinite(rows["value"]))]
    if len(wrong):
        fault = wrong.iloc[0]
        raise SourceError(f"Yahoo: {symbol}: got a {fault['kind']} of {fault['value']} on {fault['date'].date()}")
    units = units_to_come(pd.DatetimeIndex(rows["date"]), rows)
    value = rows["value"].where(rows["kind"] == SPLIT, rows["value"] * units)
    return rows.assign(value=value, known_at=rows["date"].dt.tz_localize("UTC"))


def _bars(told: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Prices and volumes of the day, and the source's adjusted close as it is; only days with a close.

    A close of 0 is none: Yahoo says so of what it lacks.
    """
    priced = told[told["Close"].notna() & (told["Close"] != 0)]
    units = units_to_come(pd.DatetimeIndex(priced.index), actions)
    bars = pd.DataFrame({ours: _restored(priced[theirs].to_numpy(), units) for theirs, ours in PRICES.items()})
    bars.index = priced.index
    bars["volume"] = priced["Volume"] / units
    bars["source_adj_close"] = priced["Adj Close"]
    return bars.reset_index()


def _restored(prices: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Prices of the day: what a split has divided is known to seven digits, and what it was quoted at has no more."""
    restored = prices * units
    with np.errstate(divide="ignore"):
        digits = _DIGITS - 1 - np.floor(np.log10(np.abs(restored)))
    # Of 0, of what has no end and of what is next to 0 no digits are known.
    rounded = [
        round(price, int(count)) if abs(count) < _MOST_DIGITS else price
        for price, count in zip(restored, digits, strict=True)
    ]
    return np.where(units == 1.0, prices, rounded)


def _require_split_prices(symbol: str, bars: pd.DataFrame, actions: pd.DataFrame) -> None:
    """Refuse prices that Yahoo has not divided by a split of which it tells: restoring them would make them wrong."""
    for split in actions[actions["kind"] == SPLIT].to_dict("records"):
        before = bars.loc[bars["date"] < split["date"], "close"]
        after = bars.loc[bars["date"] >= split["date"], "close"]
        if before.empty or after.empty:
            continue
        move = np.log(after.iloc[0] * split["value"] / before.iloc[-1])
        # Restored twice, a price is off by the whole ratio; a split of a few percent is told from no real move.
        if abs(move) > max(abs(np.log(split["value"])) / 2, np.log(1.25)):
            raise SourceError(
                f"Yahoo: {symbol}: got a split of {split['value']:g} for 1 on {split['date'].date()} that its prices "
                f"do not follow: {before.iloc[-1]:g} before it, {after.iloc[0]:g} after it"
            )


def _adjustment_notes(symbol: str, bars: pd.DataFrame, actions: pd.DataFrame) -> list[str]:
    """How our adjusted close differs from the source's, both as the last bar has it."""
    if bars.empty:
        return []
    try:
        ours = adjusted_close(bars, actions)
    except InputError as error:
        raise SourceError(f"Yahoo: {symbol}: {error}") from None
    ratio = ours / bars["source_adj_close"]
    gap = (ratio / ratio.iloc[-1] - 1.0).abs()
    differing = ~(gap <= ADJUSTED_TOLERANCE)
    if not differing.any():
        return []
    widest = gap.idxmax() if gap.notna().any() else differing.idxmax()
    return [
        f"our adjusted close differs from Yahoo's on {int(differing.sum())} of {len(bars)} days, most on "
        f"{bars['date'][widest].date()} by {gap[widest]:.2%}; ours follows from prices, splits and dividends"
    ]
