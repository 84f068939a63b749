"""What is said before it is known: spec, signal, code and market frozen by hash, with one endpoint and its test.

The endpoint does not use the universe: it is one slope, of how speculative growth does against what earns now on the
two readings of scarcity that the idea is about. Only decisions after the market's newest moment of knowledge count.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.any_day import tightest_at, values_needed
from backtests.evidence.group_sequential import NORMAL, bounds, crossings, drift_for_power, spent_alpha
from backtests.evidence.newey_west import CONFIDENCE, newey_west
from backtests.identity import ROOT, package_versions, source_hash
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.spec.spec import Spec
from data.clock import decision_times, next_session
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.market.tables import EVENT_TABLES, PACES
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal, wanted_series

PAIRS = (("IGV", "SMH"), ("ARKK", "QQQ"))
BLOCKS = ("drain", "price_of_capital")
ALPHA, POWER, YEARS = 0.05, 0.8, 10
EFFECT = 0.001
"""Fall of the outcome a session, per standard deviation of the predictor, that the stated power is for."""

CODE = ("data", "signals")
FEWEST = 252


def registration(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal) -> dict[str, Any]:
    """Freeze an endpoint on a market.

    Args:
        spec: whose signal it is.
        snapshot: with bars of `PAIRS`.
        signal: of the spec, over all sessions of the market.

    Returns:
        What the file holds, by table.

    Raises:
        InputError: the market lacks an instrument, or the signal one of `BLOCKS`, or there are fewer than `FEWEST`
            sessions from which the power could be reckoned; the extra `evidence` is not installed.
    """
    newest = newest_known_at(snapshot, spec.signal)
    first = next_session(newest.tz_localize(None).normalize() - pd.Timedelta(days=1))
    while decision_times(pd.DatetimeIndex([first]))[0] <= newest:
        first = next_session(first)
    text = spec.to_toml()
    rows = endpoint_rows(snapshot, signal)
    if len(rows) < FEWEST:
        raise InputError(
            f"got {len(rows)} sessions with endpoint and predictor in market {snapshot.name}, wanted {FEWEST} or more "
            "to reckon the power from; register on a longer market"
        )
    begin = newest.tz_localize(None).normalize()
    fractions = [year / YEARS for year in range(1, YEARS + 1)]
    limits = bounds(fractions, ALPHA)
    return {
        "registered_at": newest.isoformat(),
        "first_decision": str(first.date()),
        "counts": "decisions from the first one on, and only what became known after registered_at",
        "spec": {"name": spec.run.name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "toml": text},
        "signal": {"form": spec.signal.form},
        "code": {"sha256": source_hash(ROOT, CODE), "of": list(CODE), "packages": package_versions()},
        "market": {
            "name": snapshot.name,
            "simulated": snapshot.simulated,
            "sha256": snapshot.content_hash,
            "newest_known_at": newest.isoformat(),
        },
        "endpoint": {
            "outcome": "mean of "
            + " and ".join(f"{long} less {short}" for long, short in PAIRS)
            + ": total return from the close of the session decided for to that of the next session",
            "predictor": f"mean of what the blocks {' and '.join(BLOCKS)} give to the score decided for the session",
            "statistic": "slope of the outcome on the predictor, least squares with a constant",
            "expected": "below 0, one-sided: scarcer money, and speculative growth falls behind",
        },
        "looks": {
            "error": "Newey and West, lags 4 (n / 100)^(2/9) rounded down; z is the slope over it, its sign turned",
            "alpha": ALPHA,
            "spending": "Lan and DeMets after O'Brien and Fleming, equal fractions of the information",
            "decides": "the first look whose z is above its bound says yes; the last one without says no",
            "look": [
                {
                    "date": str((begin + pd.DateOffset(years=year)).date()),
                    "fraction": fraction,
                    "alpha_spent": spent_alpha(fraction, ALPHA),
                    "bound": limit,
                }
                for year, fraction, limit in zip(range(1, YEARS + 1), fractions, limits, strict=True)
            ],
        },
        "daily": {
            "error": "confidence sequence of Waudby-Smith and others (2024), one-sided, the slope's own deviation",
            "alpha": ALPHA,
            "rho": tightest_at(YEARS * SESSIONS_PER_YEAR, ALPHA),
            "decides": "nothing: it may be looked at on every day between the looks",
        },
        "power": _power(rows, fractions, limits),
    }


def endpoint_rows(snapshot: Snapshot, signal: LiquiditySignal) -> pd.DataFrame:
    """Predictor and outcome of every session that has both.

    Returns:
        By session decided for: ``predictor``, + scarcer; ``outcome``, a fraction, known at the close of the session
        after.

    Raises:
        InputError: the market lacks an instrument, or the signal a block.
    """
    held = set(snapshot.bars["symbol"].unique())
    if missing := [symbol for pair in PAIRS for symbol in pair if symbol not in held]:
        raise InputError(
            f"got a market {snapshot.name} without {', '.join(missing)}, wanted one with the pairs of the endpoint "
            f"({', '.join('/'.join(pair) for pair in PAIRS)}); import their prices"
        )
    if signal.live is None or (lacking := [name for name in BLOCKS if name not in signal.blocks]):
        lack = "blocks" if signal.live is None else ", ".join(lacking)
        raise InputError(f"got a signal without {lack}, wanted that of thresholds with {', '.join(BLOCKS)}")
    sessions = pd.DatetimeIndex(signal.score.index)

    def ahead(symbol: str) -> pd.Series:
        closes = snapshot.bars_of(symbol).set_index("date")["adj_close"].reindex(sessions)
        return closes.shift(-1) / closes - 1.0

    outcome = sum((ahead(long) - ahead(short) for long, short in PAIRS), pd.Series(0.0, sessions)) / len(PAIRS)
    live = signal.live[list(BLOCKS)].all(axis=1)
    predictor = signal.blocks[list(BLOCKS)].mean(axis=1).where(live)
    return pd.DataFrame({"predictor": predictor, "outcome": outcome}).dropna()


def slope_and_error(rows: pd.DataFrame) -> tuple[float, float]:
    """The slope of the endpoint's rows and its error, by Newey and West; so many rows make t normal."""
    regressors = pd.DataFrame({"constant": 1.0, "predictor": rows["predictor"]}, rows.index)
    fit = newey_west(rows["outcome"], regressors)
    value, low, high = (float(fit[column].iloc[-1]) for column in ("value", "low", "high"))
    return value, (high - low) / (2.0 * NORMAL.inv_cdf((1.0 + CONFIDENCE) / 2.0))


def newest_known_at(snapshot: Snapshot, config: SignalConfig) -> pd.Timestamp:
    """The newest moment (UTC) at which anything became known on which the endpoint rests; of a bar the end of its day.

    A series that the signal does not read tells nothing of it: by a rule that errs to the late side it may seem to be
    known later than everything else.
    """
    read = {*wanted_series(config), *(each.series for each in config.inputs)}
    moments = [snapshot.bars["date"].max().tz_localize("UTC") + pd.Timedelta(days=1)]
    moments.append(snapshot.series.loc[snapshot.series["series"].isin(read), "known_at"].max())
    for table in (*EVENT_TABLES, PACES):
        frame = snapshot.table(table)
        moments += [frame[name].max() for name, kind in table.columns.items() if kind == "time"]
    newest: pd.Timestamp = max(moment for moment in moments if not pd.isna(moment))
    return newest


def years_needed(
    slope: float, error: float, sessions: int, fractions: Sequence[float], limits: Sequence[float]
) -> float:
    """Years until the looks have said yes with the probability `POWER`.

    Args:
        slope: of the endpoint, its sign turned: above 0 as expected.
        error: of a slope from so many sessions.
        sessions: that the error is of.
        fractions: of the information at the looks, of which there is one a year.
        limits: bounds at them.

    Returns:
        The year of the look; where all of them together have less power, how long looks of the same fractions would
        have to last; infinity where the slope is not above 0.
    """
    if slope <= 0:
        return math.inf
    a_year = SESSIONS_PER_YEAR / sessions * (slope / error) ** 2
    yes = np.cumsum(crossings(fractions, limits, (a_year * YEARS) ** 0.5))
    if (yes >= POWER).any():
        return float(np.argmax(yes >= POWER) + 1)
    return drift_for_power(fractions, limits, POWER) ** 2 / a_year


def _power(rows: pd.DataFrame, fractions: list[float], limits: list[float]) -> Mapping[str, Any]:
    """The years needed, by the slope of the market so far, and at the stated effect."""
    value, error = slope_and_error(rows)
    deviation = float(np.std(rows["predictor"]))
    wanted = EFFECT / deviation
    daily = values_needed(wanted / (error * len(rows) ** 0.5), ALPHA, tightest_at(YEARS * SESSIONS_PER_YEAR, ALPHA))
    so_far = years_needed(-value, error, len(rows), fractions, limits)
    return {
        "power": POWER,
        "effect": EFFECT,
        "effect_is": "fall of the outcome a session, per standard deviation of the predictor",
        "years_needed": years_needed(wanted, error, len(rows), fractions, limits),
        "years_needed_daily": daily / SESSIONS_PER_YEAR,
        "so_far": {
            "note": "what the market showed before; it counts for nothing",
            "sessions": len(rows),
            "first": str(rows.index[0].date()),
            "last": str(rows.index[-1].date()),
            "slope": value,
            "error": error,
            "deviation_of_predictor": deviation,
            "years_needed_at_this_slope": "never" if math.isinf(so_far) else so_far,
        },
    }
