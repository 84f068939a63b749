"""What has come of a registration since it was made: its looks at fixed dates, and a bound of every day."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.any_day import AnyDay, any_day, running_mean, running_slope
from backtests.evidence.table import LOOKS, EvidenceTable, Question, Row, Verdict
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.studies.registration import endpoint_rows, slope_and_error
from data.clock import next_session
from data.errors import InputError
from data.files.toml import read_toml
from data.market.snapshot import Snapshot
from signals.liquidity import LiquiditySignal

# An account's stated effect: what it earns over the static mix, over its deviation, both of a year.
STATED_RATIO = 0.5
FEWEST_AT_A_LOOK = 30


def is_registration(path: Path) -> bool:
    """Whether a TOML file says of itself that it is one."""
    try:
        return "registered_at" in tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False


def read_registration(path: Path) -> dict[str, Any]:
    """The tables of a registration.

    Raises:
        InputError: a table is missing or not as it was written, or its spec is not the one that its hash is of.
    """
    told = read_toml(path, f"the registration {path}", f"there is no registration {path}")
    try:
        pd.Timestamp(told["registered_at"]), pd.Timestamp(told["first_decision"])
        text, digest = str(told["spec"]["toml"]), told["spec"]["sha256"]
        float(told["daily"]["rho"]), float(told["power"]["effect"])
        float(told["power"]["so_far"]["error"]), float(told["power"]["so_far"]["deviation_of_predictor"])
        str(told["market"]["name"]), bool(told["market"]["simulated"]), str(told["code"]["sha256"])
        for look in told["looks"]["look"]:
            pd.Timestamp(look["date"]), float(look["bound"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"got {path} in which {error} is missing or wrong, wanted a registration as `reverse-qe evidence SPEC "
            "--register FILE` writes it; take the file that was written"
        ) from None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise InputError(
            f"got {path} whose spec is not the one that its hash is of, wanted the registration as it was written; "
            "whoever changes a word of it makes another one"
        )
    return told


def registration_evidence(
    told: Mapping[str, Any], snapshot: Snapshot, signal: LiquiditySignal, same_code: bool
) -> EvidenceTable:
    """Judge what became known after a registration.

    Args:
        told: the registration.
        snapshot: a market that has gone on.
        signal: of the registered spec, over all sessions of the market.
        same_code: whether the code that has made the signal is the one that was registered.
    """
    rows = registered_rows(told, snapshot, signal)
    return EvidenceTable((looks_row(told, rows, snapshot, same_code), slope_row(told, rows)))


def registered_rows(told: Mapping[str, Any], snapshot: Snapshot, signal: LiquiditySignal) -> pd.DataFrame:
    """Predictor and outcome of the decisions that count: those from the first one on."""
    if snapshot.simulated != told["market"]["simulated"]:
        raise InputError(
            f"got {'a simulated' if snapshot.simulated else 'a real'} market {snapshot.name}, wanted one of the kind "
            f"that was registered; name it by --market (it was {told['market']['name']})"
        )
    rows = endpoint_rows(snapshot, signal)
    return rows[rows.index >= pd.Timestamp(told["first_decision"])]


def looks_row(told: Mapping[str, Any], rows: pd.DataFrame, snapshot: Snapshot, same_code: bool) -> Row:
    """The looks that have come; the first one above its bound says yes, the last one without says no.

    A look has come when the market has a session after its date; it reads what was known by the end of that date.
    """
    last = pd.Timestamp(snapshot.bars["date"].max())
    planned: Sequence[Mapping[str, Any]] = told["looks"]["look"]
    come = [look for look in planned if pd.Timestamp(look["date"]) < last]
    known_on = pd.DatetimeIndex([next_session(day) for day in rows.index])
    found = [
        {"date": look["date"], "bound": float(look["bound"]), "z": _z(rows[known_on <= pd.Timestamp(look["date"])])}
        for look in come
    ]
    yes = any(look["z"] > look["bound"] for look in found)
    ended = len(come) == len(planned)
    following = None if yes or ended else planned[len(come)]
    values = {
        "looks": found,
        "planned": len(planned),
        "next": None if following is None else following["date"],
        "bound": None if following is None else float(following["bound"]),
        "code_as_registered": same_code,
    }
    verdict = Verdict.FOR if yes else Verdict.AGAINST if ended else Verdict.OPEN
    return Row(Question.SINCE, LOOKS, verdict, values=values)


def slope_row(told: Mapping[str, Any], rows: pd.DataFrame) -> Row:
    """The slope, its sign turned, and its bound of every day; it decides nothing."""
    so_far = told["power"]["so_far"]
    single = so_far["error"] * so_far["sessions"] ** 0.5
    effect = told["power"]["effect"] / so_far["deviation_of_predictor"] / single
    outcome = -rows["outcome"].to_numpy(dtype="float64")
    found = any_day(*running_slope(rows["predictor"].to_numpy(dtype="float64"), outcome), told["daily"]["rho"], effect)
    return any_day_row(
        "the slope",
        found,
        pd.DatetimeIndex(rows.index),
        value_is="the slope, its sign turned, times 1,000,",
        scale=1000.0,
        effect_is="the registered effect",
    )


def lead_row(strategy: pd.Series, mix: pd.Series, name: str, rho: float) -> Row:
    """What an account has earned over the static mix, and its bound of every day.

    Args:
        strategy: returns by session, all of them later than the account's beginning.
        mix: of the same sessions.
        name: of the mix.
        rho: of the mixture.
    """
    lead = (strategy - mix).to_numpy(dtype="float64")
    found = any_day(*running_mean(lead), rho, STATED_RATIO / SESSIONS_PER_YEAR**0.5)
    return any_day_row(
        f"the lead over the {name.replace('_', ' ')}",
        found,
        pd.DatetimeIndex(strategy.index),
        value_is="percent a year",
        scale=100.0 * SESSIONS_PER_YEAR,
        effect_is=f"a ratio of {STATED_RATIO} a year",
    )


def any_day_row(
    of: str, found: AnyDay, sessions: pd.DatetimeIndex, *, value_is: str, scale: float, effect_is: str
) -> Row:
    """What may be looked at on every day, as a row.

    Args:
        of: what it is of, for people.
        found: so far.
        sessions: of its values.
        value_is: what people are told of the value.
        scale: the value times this is what they are told.
        effect_is: that the sessions needed are for.
    """
    values = {
        "sessions": found.count,
        "value": found.value,
        "bound": found.bound,
        "value_is": value_is,
        "scale": scale,
        "yes_on": None if found.yes_at is None else str(sessions[found.yes_at - 1].date()),
        "sessions_needed": found.count_needed,
        "sessions_still_needed": max(0.0, found.count_needed - found.count),
        "effect_is": effect_is,
    }
    return Row(Question.SINCE, "any_day", Verdict.OPEN if found.yes_at is None else Verdict.FOR, of, values)


def _z(rows: pd.DataFrame) -> float:
    """The slope over its error, its sign turned; 0 of too few sessions, or where the predictor has not moved."""
    if len(rows) < FEWEST_AT_A_LOOK or float(np.ptp(rows["predictor"].to_numpy())) == 0:
        return 0.0
    value, error = slope_and_error(rows)
    return -value / error
