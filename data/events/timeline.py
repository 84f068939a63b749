"""The time-line of a market's events: what became known of results, guidance, funding and policy, in order of time."""

from collections.abc import Collection

import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot

RESULT = "result"
GUIDED = "guidance"
PACE = "balance_sheet_pace"
TIMELINE_COLUMNS = (
    "known_at",
    "date",
    "company",
    "kind",
    "about",
    "low_usd_bn",
    "high_usd_bn",
    "counts",
    "confidence",
    "source",
    "by_user",
)

_FIGURES = {"capex": "capex", "ocf": "cash flow"}


def event_timeline(snapshot: Snapshot) -> pd.DataFrame:
    """List every event of a market in the order in which decisions could first use it.

    A result has a row for each of its figures, capex and operating cash flow, for they may become known at different
    moments; a blank figure has none, for it was never known (`blank_figures` counts them).

    Returns:
        `TIMELINE_COLUMNS`, sorted by ``known_at``, date, company, kind and about. ``known_at`` is UTC. ``date`` is that
        of the announcement or act (naive). ``kind`` is ``result``, ``guidance`` or that of a funding or policy event.
        ``about`` is the figure of a result (cash flow is the operating one), a guidance and the end of its period, or
        what a funding event's date rests on. ``low_usd_bn`` and ``high_usd_bn`` are USD billions, equal for a single
        amount, NaN where open or without one. ``counts`` says whether the row may be counted: of guidance, whether it
        is comparable. An announced pace of a central bank's holdings is billions a month, + where they grow, and counts
        where it sets one. ``by_user`` is blank of a row that the package ships; of one that the user has given
        ``added``, or what it corrects.
    """
    parts = [*_results(snapshot), _guidance(snapshot), _funding(snapshot), _paces(snapshot)]
    rows = pd.concat([part[list(TIMELINE_COLUMNS)] for part in parts], ignore_index=True)
    return rows.sort_values(["known_at", "date", "company", "kind", "about"], kind="stable", ignore_index=True)


def select_events(
    timeline: pd.DataFrame,
    companies: Collection[str] = (),
    kinds: Collection[str] = (),
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Take from a time-line the rows of some companies and kinds that became known in a span of days.

    Args:
        timeline: of `event_timeline`.
        companies: none given takes all.
        kinds: none given takes all.
        first: first day (naive, UTC) on which a row may have become known.
        last: last such day, inclusive.

    Raises:
        InputError: a company or kind that the time-line does not hold, or `first` after `last`.
    """
    _require_held(timeline, "company", companies)
    _require_held(timeline, "kind", kinds)
    if first is not None and last is not None and first > last:
        raise InputError(
            f"got events from {first.date()} to {last.date()}, wanted the earlier day first; exchange them"
        )
    chosen = pd.Series(True, index=timeline.index)
    if companies:
        chosen &= timeline["company"].isin(list(companies))
    if kinds:
        chosen &= timeline["kind"].isin(list(kinds))
    day = timeline["known_at"].dt.tz_localize(None).dt.normalize()
    if first is not None:
        chosen &= day >= first
    if last is not None:
        chosen &= day <= last
    return timeline[chosen].reset_index(drop=True)


def amount_text(low: float, high: float) -> str:
    """Write an amount or a range for people, without its unit; a dash where both ends are NaN."""
    has_low, has_high = low == low, high == high  # NaN is not itself
    if not (has_low or has_high):
        return "-"
    if low == high:
        return f"{low:g}"
    return f"{low:g} to {high:g}" if has_low and has_high else f"from {low:g}" if has_low else f"up to {high:g}"


def own_mark(by_user: str) -> str:
    """What stands behind an event in a text for people: blank where the package ships it, else that it is yours."""
    return f" (yours: {by_user})" if by_user else ""


def blank_figures(snapshot: Snapshot) -> int:
    """Count the figures of results that are blank: a time-line cannot list them."""
    return int(snapshot.capex_actuals[[f"{figure}_usd_bn" for figure in _FIGURES]].isna().to_numpy().sum())


def _results(snapshot: Snapshot) -> list[pd.DataFrame]:
    results = snapshot.capex_actuals
    listed = []
    for figure, name in _FIGURES.items():
        amount = results[f"{figure}_usd_bn"]
        rows = results.assign(
            known_at=results[f"{figure}_known_at"],
            date=results["announced_at"],
            kind=RESULT,
            about=results["fiscal_period"] + " " + name,
            low_usd_bn=amount,
            high_usd_bn=amount,
            counts=True,
        )
        listed.append(rows[amount.notna()])
    return listed


def _guidance(snapshot: Snapshot) -> pd.DataFrame:
    guidance = snapshot.capex_guidance
    return guidance.assign(
        date=guidance["announced_at"],
        kind=GUIDED,
        about=guidance["event"] + ", to " + guidance["period_end"].dt.strftime("%Y-%m"),
        counts=guidance["comparable"],
    )


def _funding(snapshot: Snapshot) -> pd.DataFrame:
    funding = snapshot.funding_events
    amount = funding["amount_usd_bn"]
    return funding.assign(about=funding["date_basis"], low_usd_bn=amount, high_usd_bn=amount)


def _paces(snapshot: Snapshot) -> pd.DataFrame:
    paces = snapshot.balance_sheet_paces
    begins = paces["effective_from"].dt.strftime(" (from %Y-%m-%d)").fillna("")
    return paces.assign(
        date=paces["announced_at"],
        kind=PACE,
        about=paces["statement"] + begins,
        counts=paces["effective_from"].notna() & paces["pace_usd_bn_month"].notna(),
        low_usd_bn=paces["pace_usd_bn_month"],
        high_usd_bn=paces["pace_usd_bn_month"],
    )


def _require_held(timeline: pd.DataFrame, column: str, wanted: Collection[str]) -> None:
    held = sorted(timeline[column].unique())
    if unknown := [name for name in wanted if name not in held]:
        raise InputError(
            f"got {column} {', '.join(unknown)}, wanted one of: {', '.join(held) or 'none, it has no event'}"
        )
