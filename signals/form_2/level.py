"""The water in the tank, and what is announced to flow in or out: falling is scarcer."""

from typing import NamedTuple

import numpy as np

from data.catalogue.series import series_entry
from data.errors import InputError
from signals.blocks.level import (
    CENTRAL_BANK_ASSETS,
    MILLIONS_PER_BILLION,
    NAME,
    REVERSE_REPO,
    TREASURY_ACCOUNT,
    TREASURY_WEDNESDAY,
)
from signals.blocks.rates import change_over
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.members import with_members
from signals.form_2.scales import enough_values, over_usual, usual_change
from signals.known import DAY, NAT, Array, Known, Observations, known_values, microseconds, on_weeks, together
from signals.reading import RawInput, Reading
from signals.standardize import clipped

CENTRAL_BANK = "Fed"
SESSIONS_A_MONTH = 21


class Pace(NamedTuple):
    """The announced pace of the central bank's holdings at each decision.

    Attributes:
        value: USD billions a month, + where they grow; NaN where none is in force, or the table has ended.
        observed: the day of the announcement in force; `NAT` where there is none.
        known: from when it was known.
    """

    value: Array
    observed: Array
    known: Array


class _Tank(NamedTuple):
    """What the level is read from: the change as an input, the pace, the change that it announces, what is said."""

    tank: RawInput
    pace: Pace | None
    to_come: Array | None
    notes: list[str]


def level_reading(facts: Facts, config: SignalConfig) -> Reading:
    """What the change of net liquidity reads, with the pace that is announced for as long again.

    The change is in USD billions over `config.level_change_sessions`, between the level known at the decision and that
    known so many sessions before; the pace counts for as many months as these sessions are. Both are of one kind, so
    they are added before they are read. The change counts alone where the table of paces is not complete from the first
    reading of the level on, in the whole run; after the table has ended; and until the sum has values enough.

    Raises:
        InputError: see `signals.facts.Facts.series`; the market has neither series of the Treasury's account.
    """
    taken = facts.once("level", config, lambda keys: _tank(facts, keys))
    usual, usual_alone = facts.once("usual changes of the level", config, lambda keys: _usual_changes(facts, keys))
    change, inputs, notes = taken.tank.value, [taken.tank], list(taken.notes)
    if taken.pace is not None and taken.to_come is not None and usual is not None:
        inputs.append(RawInput(f"{NAME}.announced_pace", "USD billions a month", taken.pace.value, -1, *taken.pace[1:]))
        both = -(change + taken.to_come)
        whole = clipped(over_usual(both, usual), config)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(both == 0, 0.0, whole / both)
        reads = np.column_stack([-change * share, -taken.to_come * share])
        missing = np.isnan(whole)
        alone = clipped(over_usual(-change[missing], usual_alone[missing]), config)
        reads[missing] = np.column_stack([alone, np.zeros_like(alone)])
    else:
        reads = clipped(over_usual(-change, usual_alone), config)[:, None]
        notes.append("the level leaves the announced pace of the balance sheet out: the market has no complete table")
    reads = np.where(np.isnan(reads[:, :1]), np.nan, reads)
    return with_members(Reading(NAME, tuple(inputs), reads, notes=tuple(notes)), facts, config)


def _tank(facts: Facts, config: SignalConfig) -> _Tank:
    known, notes = net_liquidity(facts)
    change = change_over(known.value, config.level_change_sessions)
    tank = RawInput(f"{NAME}.net_liquidity", "USD billions", change, -1, known.observed, known.known)
    pace = announced_pace(facts, config)
    to_come = None if pace is None else pace.value * config.level_change_sessions / SESSIONS_A_MONTH
    return _Tank(tank, pace, to_come, notes)


def _usual_changes(facts: Facts, config: SignalConfig) -> tuple[Array | None, Array]:
    """What is usual of change and pace together, None where the pace is left out, and of the change where it is alone.

    The latter is looked for up to the last session on which it is asked.
    """
    taken = facts.once("level", config, lambda keys: _tank(facts, keys))
    change = taken.tank.value
    begin = facts.sessions[enough_values(change, config)][:1]
    span = facts.span("balance_sheet_pace", CENTRAL_BANK)
    if taken.to_come is None or span is None or (begin < span.begin).any():
        return None, usual_change(change, config, facts.windows)
    both = change + taken.to_come
    usual = usual_change(both, config, facts.windows)
    last = int(np.flatnonzero(np.isnan(usual) | np.isnan(both)).max(initial=-1)) + 1
    alone = np.full(len(change), np.nan)
    alone[:last] = usual_change(change[:last], config, facts.windows)
    return usual, alone


def net_liquidity(facts: Facts) -> tuple[Known, list[str]]:
    """Central-bank assets less Treasury account less reverse repo of one Wednesday, USD billions, as known.

    Reverse repo is of the last business day up to the Wednesday. The Treasury's account is that of the Wednesday, or,
    where the market lacks it, its mean of the week, which is said.

    Raises:
        InputError: the market has neither; see `signals.facts.Facts.series` too.
    """
    notes = []
    treasury = TREASURY_WEDNESDAY
    if not facts.has(TREASURY_WEDNESDAY):
        if not facts.has(TREASURY_ACCOUNT):
            raise InputError(
                f"series {TREASURY_WEDNESDAY}: got no row, wanted the Treasury's account on Wednesdays; import "
                f"{TREASURY_WEDNESDAY}.csv, or {TREASURY_ACCOUNT}.csv, its mean of the week"
            )
        treasury = TREASURY_ACCOUNT
        notes.append(f"the level takes {TREASURY_ACCOUNT}, a mean of the week: the market lacks {TREASURY_WEDNESDAY}")
    assets = facts.series(CENTRAL_BANK_ASSETS)
    repo = on_weeks(facts.series(REVERSE_REPO), np.unique(assets.day))
    day, known, values = together([assets, facts.series(treasury), repo])
    level = (values[:, 0] - values[:, 1]) / MILLIONS_PER_BILLION - values[:, 2]
    stale_after_days = max(series_entry(name).stale_after_days for name in (CENTRAL_BANK_ASSETS, treasury))
    return known_values(Observations(day, level, known), facts.sessions, stale_after_days), notes


def announced_pace(facts: Facts, config: SignalConfig) -> Pace | None:
    """Find the announced pace in force at each decision; None where the market has no table of them.

    In force is the newest announcement known that has taken effect, of several steps of one announcement the latest.
    After the span in which the table is complete, and `config.capex_stale_days` more, none is known to be in force.
    """
    paces = facts.data.paces
    rows = paces[paces["effective_from"].notna() & paces["pace_usd_bn_month"].notna() & paces["known_at"].notna()]
    span = facts.span("balance_sheet_pace", CENTRAL_BANK)
    if rows.empty or span is None:
        return None
    known, takes_effect = microseconds(rows["known_at"]), microseconds(rows["effective_from"])
    begins = np.maximum(known, takes_effect)
    # The rank of an announcement: newer ones stand above older ones, of one the later step above the earlier.
    rank = np.empty(len(rows), dtype=np.int64)
    rank[np.lexsort((takes_effect, known))] = np.arange(len(rows))
    order = np.argsort(begins, kind="stable")
    highest = np.maximum.accumulate(rank[order])
    by_rank = np.argsort(rank)
    place = np.searchsorted(begins[order], facts.sessions, side="right") - 1
    none = place < 0
    row = by_rank[highest[np.maximum(place, 0)]]
    end = span.end + config.capex_stale_days * DAY
    told = rows["pace_usd_bn_month"].to_numpy(dtype=float)
    return Pace(
        np.where(none | (facts.sessions > end), np.nan, told[row]),
        np.where(none, NAT, microseconds(rows["announced_at"])[row]),
        np.where(none, NAT, known[row]),
    )
