"""The honest lines of a run: is it luck, is it one stay, who chose the names; and how it stands to its rivals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from backtests.evidence.best_stay import BestStay
from backtests.evidence.sharpe_difference import SharpeDifference, sharpe_differences
from data.errors import InputError

MIX = "static_mix"
NEVER_TRADED = "it never traded: all of it stayed cash, and there is nothing to judge"


@dataclass(frozen=True)
class HonestLines:
    """What must be known before a result is believed.

    Attributes:
        luck: the strategy's Sharpe ratio less that of the static mix; None where they cannot be compared.
        rivals: the same against each rival, by name; empty where they cannot be compared.
        unknown: why there are no such differences; empty where there are.
        best_stay: None where the strategy or the mix lost everything.
        names: in which way the choice of instruments knows the outcome; empty where it does not.
    """

    luck: SharpeDifference | None
    rivals: Mapping[str, SharpeDifference]
    unknown: str
    best_stay: BestStay | None
    names: str


def honest_lines(
    returns: pd.DataFrame,
    rivals: Sequence[str],
    risk_free: pd.Series,
    stay: BestStay | None,
    names: str,
    traded: bool = True,
) -> HonestLines:
    """Draw the lines of a run.

    Args:
        returns: by session, columns strategy, static_mix and the rivals.
        rivals: their names.
        risk_free: daily, on the same sessions.
        stay: see `backtests.evidence.best_stay.best_stay`.
        names: see `strategies.universe.Universe.hindsight`.
        traded: whether the strategy ever did; what stayed cash is compared with nothing.
    """
    differences, unknown = _differences(returns, rivals, risk_free) if traded else ({}, NEVER_TRADED)
    return HonestLines(
        luck=differences.pop(MIX, None),
        rivals=differences,
        unknown=unknown,
        best_stay=stay,
        names=names,
    )


def _differences(
    returns: pd.DataFrame, rivals: Sequence[str], risk_free: pd.Series
) -> tuple[dict[str, SharpeDifference], str]:
    try:
        return sharpe_differences(returns["strategy"], returns[[MIX, *rivals]], risk_free), ""
    except InputError as error:
        return {}, str(error)
