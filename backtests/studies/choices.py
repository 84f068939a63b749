"""Choices that form 2 of the signal could have made otherwise, one at a time: of its settings, and of what it reads.

They show how much of a result hangs on them. None of them is chosen by what it earns.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from backtests.studies.ablation import Variant
from data.market.snapshot import Snapshot
from signals.blocks.level import TREASURY_ACCOUNT, TREASURY_WEDNESDAY
from signals.config import SignalConfig
from signals.form_2.pipes import RESERVES_RATE

SPRING_2020 = (pd.Timestamp("2020-03-18"), pd.Timestamp("2020-06-09"))
"""Days between which purchases were announced by the day; each counts as a month of them."""


def setting_choices(config: SignalConfig) -> tuple[Variant, ...]:
    """Other values of single settings, on both sides of the default where there are two.

    Args:
        config: of the signal; values that it has already are left out.
    """
    gate = config.gate
    changes: dict[str, dict[str, Any]] = {
        **{
            f"width of the gate {width:.2f}": {"gate": gate.model_copy(update={"width": width})}
            for width in (0.02, 0.10)
        },
        **{f"events halve in {half} sessions": _both_half_lives(half) for half in (32, 126)},
        **{f"level over {length} sessions": {"level_change_sessions": length} for length in (21, 126)},
        **{f"prices of capital over {length} sessions alone": {"change_sessions": (length,)} for length in (20, 60)},
        **{f"score halves in {half} sessions": {"half_life_sessions": float(half)} for half in (5, 20)},
        **{f"enter at {enter:.1f}": {"enter": enter} for enter in (0.3, 0.5)},
        **{f"at least {dwell} sessions in a regime": {"dwell_sessions": dwell} for dwell in (5, 20)},
        "clip at 2": {"clip": 2.0},
    }
    variants = (Variant(name, config.model_copy(update=change)) for name, change in changes.items())
    return tuple(variant for variant in variants if variant.config != config)


def reading_choices(snapshot: Snapshot) -> Mapping[str, Snapshot]:
    """The market with something taken from it that form 2 reads.

    Args:
        snapshot: a market; what it has not got is left out.
    """
    paces, capex, series = snapshot.balance_sheet_paces, snapshot.capex_actuals, snapshot.series
    in_spring = paces["announced_at"].between(*SPRING_2020)
    changed = {
        "without the announced pace": replace(snapshot, balance_sheet_paces=paces.iloc[:0]),
        "without the daily targets of spring 2020": replace(snapshot, balance_sheet_paces=paces[~in_spring]),
        "gate by cash capex alone": replace(snapshot, capex_actuals=capex.assign(headline_capex_usd_bn=float("nan"))),
        f"{TREASURY_ACCOUNT} for {TREASURY_WEDNESDAY}": replace(
            snapshot, series=series[series["series"] != TREASURY_WEDNESDAY]
        ),
        f"repo against DFF, not {RESERVES_RATE}": replace(snapshot, series=series[series["series"] != RESERVES_RATE]),
        "without events": replace(
            snapshot, capex_guidance=snapshot.capex_guidance.iloc[:0], funding_events=snapshot.funding_events.iloc[:0]
        ),
    }
    held = set(series["series"])
    missing = {
        "without the announced pace": paces.empty,
        "without the daily targets of spring 2020": not in_spring.any(),
        f"{TREASURY_ACCOUNT} for {TREASURY_WEDNESDAY}": not {TREASURY_ACCOUNT, TREASURY_WEDNESDAY} <= held,
        f"repo against DFF, not {RESERVES_RATE}": RESERVES_RATE not in held,
    }
    return {name: market for name, market in changed.items() if not missing.get(name, False)}


def _both_half_lives(sessions: int) -> dict[str, float]:
    return {"event_half_life_sessions": float(sessions), "funding_half_life_sessions": float(sessions)}
