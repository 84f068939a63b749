"""Does code of a user look ahead? What it makes is made again of what was known by a few decisions, and compared.

The future after the decision for a session is taken away, and for blocks also replaced by another one; every row up to
that session must stay the same to the bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.execution.result import EngineResult
from data.clock import decision_times
from data.files.user_code import LookAheadError, UserCallable
from data.files.user_world import unheard
from signals.block import SignalData
from signals.liquidity import BLOCKS, LiquiditySignal

CUTS = 3
# Sessions on either side of a cut among which it may move to where more is about to become known.
_NEIGHBOURHOOD = 31
_CAPEX_KNOWN = {"capex_usd_bn": "capex_known_at", "ocf_usd_bn": "ocf_known_at"}
_CAPEX_FIGURES = [*_CAPEX_KNOWN, "finance_lease_principal_usd_bn", "headline_capex_usd_bn"]
_GUIDANCE_FIGURES = ["low_usd_bn", "high_usd_bn", "prior_low_usd_bn", "prior_high_usd_bn"]


def check_blocks(
    signal: LiquiditySignal,
    signal_of: Callable[[SignalData], LiquiditySignal],
    data: SignalData,
    start: pd.Timestamp,
    blocks: Sequence[UserCallable],
) -> None:
    """Refuse blocks of the user that look ahead.

    Args:
        signal: of all data; the user's blocks are its last ones.
        signal_of: makes the signal of data.
        data: all.
        start: of the run; the cuts lie after it where there are sessions enough.
        blocks: the user's.

    Raises:
        LookAheadError: see `require_same_past`.
    """
    files = dict(zip(signal.blocks.columns[len(BLOCKS) :], (block.file.path for block in blocks), strict=True))
    run = data.sessions[data.sessions >= start]
    cuts = telling_sessions(data, run if len(run) > CUTS else data.sessions)

    def again(future: Callable[[SignalData, pd.Timestamp], SignalData]) -> Callable[[pd.Timestamp], pd.DataFrame]:
        return lambda cut: _signal_table(signal_of(future(data, cut)))

    # Where a value did not move, taking the newest one away shows nothing; replacing it does.
    for future in (known_by, with_another_future):
        require_same_past(_signal_table(signal), again(future), cuts, lambda column: _file_of(column, files))


def check_policy(
    weights: pd.DataFrame, weights_upto: Callable[[pd.Timestamp], pd.DataFrame], policy: UserCallable
) -> None:
    """Refuse a policy of the user that looks ahead.

    Args:
        weights: for all sessions, those before the run among them.
        weights_upto: makes those of what was known up to the decision for a session.
        policy: the user's.

    Raises:
        LookAheadError: see `require_same_past`.
    """

    def table(made: pd.DataFrame) -> pd.DataFrame:
        return made.add_prefix("target weight of ")

    cuts = spread(pd.DatetimeIndex(weights.index))
    require_same_past(table(weights), lambda cut: table(weights_upto(cut)), cuts, lambda _: policy.file.path)


def check_strategy(
    engine: EngineResult, play_upto: Callable[[pd.Timestamp], EngineResult], strategy: UserCallable
) -> None:
    """Refuse a strategy of the user that looks ahead: a run that ends early sends the same orders.

    Args:
        engine: the whole run.
        play_upto: runs the strategy over what is there up to the decision for a session.
        strategy: the user's.

    Raises:
        LookAheadError: see `require_same_past`.
    """

    def table(run: EngineResult) -> pd.DataFrame:
        return run.decided.add_prefix("units ordered of ")

    sessions = pd.DatetimeIndex(engine.decided.index)
    require_same_past(table(engine), lambda cut: table(play_upto(cut)), spread(sessions), lambda _: strategy.file.path)


def require_same_past(
    whole: pd.DataFrame,
    again: Callable[[pd.Timestamp], pd.DataFrame],
    cuts: Sequence[pd.Timestamp],
    file_of: Callable[[str], object],
) -> None:
    """Compare what was made of everything with what is made of the part that was known.

    Args:
        whole: by session decided for.
        again: the same, made of what the decision for a session knew; its rows end with that session.
        cuts: the sessions after whose decisions the future is taken away.
        file_of: the user's file to name for a column.

    Raises:
        LookAheadError: a row changes; names the first column, its first session and the file.
    """
    for cut in cuts:
        before = whole.loc[:cut]
        with unheard():
            known = again(cut).reindex(index=before.index, columns=before.columns)
        same = (known == before) | (known.isna() & before.isna())
        for column in same.columns[~same.all()]:
            session = same.index[~same[column]][0]
            raise LookAheadError(
                f"{file_of(str(column))} looks ahead: {column} for {session.date()} is "
                f"{before.loc[session, column]}, and {known.loc[session, column]} with another future, or none, "
                f"after the decision for {cut.date()}; let it use what is known at its decision alone"
            )


def spread(sessions: pd.DatetimeIndex) -> list[pd.Timestamp]:
    """A few sessions that cut a run into parts of the same length; never the first."""
    places = {max(1, len(sessions) * part // (CUTS + 1)) for part in range(1, CUTS + 1)}
    return [sessions[place] for place in sorted(places) if place < len(sessions)]


def telling_sessions(data: SignalData, sessions: pd.DatetimeIndex) -> list[pd.Timestamp]:
    """A few sessions, spread over a run, at whose decisions much is about to become known of days already past.

    Code that takes a date for the time at which its value was known shows there. Each cut moves to where most series
    and companies are in that state, those first that none of the cuts before it has found so.

    Args:
        data: of the signal.
        sessions: of the run.
    """
    figures = _figures(data)
    chosen: list[pd.Timestamp] = []
    covered: set[tuple[str, bool]] = set()
    for middle in spread(sessions):
        place = int(sessions.searchsorted(middle))
        near = sessions[max(1, place - _NEIGHBOURHOOD) : place + _NEIGHBOURHOOD]
        rows = figures[(figures["known_at"] > decision_times(near)[0]) & (figures["about"] <= near[-1])]
        pending = [_pending(rows, session) for session in near]
        best = int(np.argmax([len(names) + len(figures) * len(names - covered) for names in pending]))
        chosen.append(near[best])
        covered |= pending[best]
    return chosen


def known_by(data: SignalData, session: pd.Timestamp) -> SignalData:
    """What blocks are made from, as the decision for a session knew it, and the sessions up to it.

    Of a series, or of the results of a company, of which nothing was known one blank row is left: that it exists is no
    secret.
    """
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    series = data.series.copy()
    later = ~(series["known_at"] <= decision)
    series.loc[later, "value"] = np.nan
    capex = data.capex.copy()
    for figure, known_at in _CAPEX_KNOWN.items():
        unknown = ~(capex[known_at] <= decision)
        capex.loc[unknown, figure] = np.nan
        capex.loc[unknown, known_at] = pd.NaT
    blank = capex[[*_CAPEX_KNOWN.values()]].isna().all(axis=1)
    capex.loc[blank, _CAPEX_FIGURES] = np.nan
    return replace(
        data,
        series=_without(series, later, "series"),
        capex=_without(capex, blank, "company"),
        guidance=data.guidance[data.guidance["known_at"] <= decision].reset_index(drop=True),
        funding=data.funding[data.funding["known_at"] <= decision].reset_index(drop=True),
        sessions=data.sessions[data.sessions <= session],
        paces=data.paces[data.paces["known_at"] <= decision].reset_index(drop=True),
    )


def with_another_future(data: SignalData, session: pd.Timestamp) -> SignalData:
    """What blocks are made from, up to a session; what became known after its decision has other values."""
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    random = np.random.default_rng(0)
    series, capex, guidance, funding, paces = (
        table.copy() for table in (data.series, data.capex, data.guidance, data.funding, data.paces)
    )
    for table, figures, known_at in (
        (series, ["value"], "known_at"),
        *((capex, [figure], known_at) for figure, known_at in _CAPEX_KNOWN.items()),
        (guidance, _GUIDANCE_FIGURES, "known_at"),
        (funding, ["amount_usd_bn"], "known_at"),
        (paces, ["pace_usd_bn_month"], "known_at"),
    ):
        later = table[known_at] > decision
        # Figures of the same size, never the same; the ends of a range keep their order.
        factors = random.uniform(1.5, 2.0, int(later.sum()))
        table.loc[later, figures] = table.loc[later, figures].mul(factors, axis=0) + 1.0
    sessions = data.sessions[data.sessions <= session]
    return replace(data, series=series, capex=capex, guidance=guidance, funding=funding, paces=paces, sessions=sessions)


def _signal_table(signal: LiquiditySignal) -> pd.DataFrame:
    """Everything that a signal says, by session: inputs first, then what is made of them."""
    parts = {
        "value of": signal.values,
        "date of": signal.observed,
        "known_at of": signal.known,
        "contribution of": pd.concat([signal.inputs, signal.blocks], axis=1),
    }
    if signal.probability is not None:
        parts["probability of"] = signal.probability
    named = [frame.add_prefix(f"{said} ") for said, frame in parts.items()]
    return pd.concat([*named, signal.score, signal.regime, signal.live_blocks], axis=1)


def _without(table: pd.DataFrame, rows: pd.Series, name: str) -> pd.DataFrame:
    """The table without these rows; the first of a name that would lose all of its rows stays."""
    kept = set(table.loc[~rows, name])
    first = ~table[name].isin(kept) & ~table[name].duplicated()
    return table[~rows | first].reset_index(drop=True)


def _pending(figures: pd.DataFrame, session: pd.Timestamp) -> set[tuple[str, bool]]:
    """Whose figures become known after the decision for a session, and whether they are about the day itself."""
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    later = figures[(figures["known_at"] > decision) & (figures["about"] <= session)]
    return set(zip(later["name"], later["about"] == session, strict=True))


def _figures(data: SignalData) -> pd.DataFrame:
    """Whose each figure is (``name``), what date it is ``about``, and when it became known."""
    parts = [data.series.dropna().rename(columns={"series": "name", "date": "about"})]
    for known_at in _CAPEX_KNOWN.values():
        columns = {"company": "name", "period_end": "about", known_at: "known_at"}
        parts.append(data.capex[list(columns)].dropna().rename(columns=columns))
    parts.append(data.guidance.rename(columns={"company": "name", "announced_at": "about"}))
    parts.append(data.funding.rename(columns={"company": "name", "date": "about"}))
    parts.append(data.paces.rename(columns={"company": "name", "announced_at": "about"}))
    return pd.concat([part[["name", "about", "known_at"]] for part in parts], ignore_index=True)


def _file_of(column: str, files: Mapping[str, object]) -> object:
    """The file that makes a column of `_signal_table`, by block; all of them for what all blocks make."""
    block = column.split(" ")[-1].split(".")[0]
    return files.get(block, ", ".join(sorted({str(path) for path in files.values()})))
