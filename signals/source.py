"""A regime, or a score, that someone else has made: a CSV file of what was known when, in the place of all blocks."""

import math
from datetime import datetime
from pathlib import Path

import pandas as pd

from data.errors import InputError
from data.files.cells import number_in
from data.files.known_rows import next_moment, rows_by_line
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal
from signals.observations import sample_at_decisions
from signals.regime import MIN_LIVE_BLOCKS, Regime, regime_path

NAME = "source"
SCORES = {Regime.ABUNDANT: -1.0, Regime.NEUTRAL: 0.0, Regime.SCARCE: 1.0}


def read_source(path: Path, content: bytes) -> pd.DataFrame:
    """Read a source.

    Args:
        path: of the file, for messages.
        content: CSV with the columns ``known_at`` (ISO 8601 with an offset from UTC, ascending) and either ``regime``
            (a name of `signals.regime.Regime`) or ``score`` (a number, + means scarcer).

    Returns:
        ``known_at`` (UTC) and the other column, in the order of the file.

    Raises:
        InputError: file, line and reason of the first fault.
    """
    rows = rows_by_line(path, content)
    header = rows[0][1] if rows else []
    kind = next((name for name in ("regime", "score") if sorted(header) == ["known_at", name]), None)
    if kind is None or len(rows) == 1:
        raise InputError(
            f"{path}, line 1: got the columns {','.join(header) or 'none'} and {max(len(rows) - 1, 0)} rows, wanted "
            "the columns known_at,regime or known_at,score and at least one row"
        )
    times: list[datetime] = []
    values: list[str | float] = []
    for line, row in rows[1:]:
        try:
            cells = dict(zip(header, row, strict=True))
            times.append(next_moment(cells["known_at"], times))
            values.append(_regime(cells["regime"]) if kind == "regime" else _score(cells["score"]))
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}") from error
    return pd.DataFrame({"known_at": pd.DatetimeIndex(times).as_unit("us"), kind: values})


def source_signal(rows: pd.DataFrame, sessions: pd.DatetimeIndex, config: SignalConfig) -> LiquiditySignal:
    """Make a signal of a source: each row holds from the first decision at or after its ``known_at`` on.

    A regime is taken as it is, and its score is -1 (ABUNDANT), 0 or +1 (SCARCE). A score is neither standardized nor
    smoothed; `signals.regime.regime_path` makes regimes of it. Before the first row the regime is NEUTRAL.

    Args:
        rows: as `read_source` returns them.
        sessions: naive NYSE sessions, increasing.
        config: the thresholds and `dwell_sessions`.

    Returns:
        A signal with one block and one input; the input's ``observed`` is the day of its ``known_at``.
    """
    kind = str(rows.columns[1])
    states = rows.assign(known=rows["known_at"], observed=rows["known_at"].dt.tz_localize(None).dt.normalize())
    if kind == "regime":
        states["score"] = states["regime"].map(SCORES)
    known = sample_at_decisions(states.set_index("known_at"), sessions)
    live = known["known"].notna()
    score = known["score"].astype(float).fillna(0.0).rename("score")
    if kind == "regime":
        regime = known["regime"].fillna(Regime.NEUTRAL.value).astype("str").rename("regime")
    else:
        # The rule on too few blocks is about the four: a source that has spoken is enough by itself.
        regime = regime_path(score, live * MIN_LIVE_BLOCKS, config)
    name = f"{NAME}.{kind}"
    return LiquiditySignal(
        score=score,
        regime=regime,
        blocks=score.to_frame(NAME),
        inputs=score.to_frame(name),
        values=known["score"].astype(float).to_frame(name),
        observed=known["observed"].to_frame(name),
        known=known["known"].to_frame(name),
        live_blocks=live.astype(int).rename("live_blocks"),
        units={name: "-1 ABUNDANT, +1 SCARCE" if kind == "regime" else "score"},
        needed_blocks=1,
        is_given=kind == "regime",
    )


def _regime(cell: str) -> str:
    if cell not in list(Regime):
        raise ValueError(f"regime {cell!r}, wanted one of {', '.join(Regime)}")
    return cell


def _score(cell: str) -> float:
    score = number_in(cell)
    if not math.isfinite(score):
        raise ValueError(f"score {cell!r}, wanted a number")
    return score
