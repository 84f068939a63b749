"""What was tried, in words and rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from backtests.archive.stored import StoredRun
from backtests.archive.trials.counting import NOT_ASKED, Counted
from backtests.evidence.trials import TrialCount
from reverse_qe.tables import Column
from reverse_qe.words.runs.changes import changes_text

TRIALS_HEAD = (
    Column("row"),
    Column("what was tried", prose=True),
    Column("trials", rank=1),
    Column("CAGR", rank=1),
    Column("Sharpe"),
    Column("market", rank=2),
    Column("first", rank=4),
    Column("last", rank=4),
    Column("at (UTC)", rank=3),
    Column("run", rank=5),
)


def counted_words(counted: Counted) -> str:
    """Which trial a result is, or why it is none."""
    if counted.row is None:
        return f"NOT counted as a trial: {counted.reason}"
    count, so_far = int(counted.row["trials"]), int(counted.row["so_far"]["trials"])
    what = "trial" if count == 1 else f"{count:,} trials, up to number"
    again = "" if counted.is_new else ", as before"
    return f"{what} {so_far:,} of this project on {kind_of_market(counted.row['simulated'])}{again}"


def loud_line(counted: Counted) -> str | None:
    """What must not be missed: a result that was to be counted and was not."""
    if counted.row is not None or counted is NOT_ASKED:
        return None
    return f"! NOT COUNTED as a trial, though it was one: {counted.reason}"


def counted_json(counted: Counted) -> dict[str, Any]:
    """The same for machines: what the log alone determines, and no run folder holds."""
    row = counted.row
    told = {"reason": counted.reason} if row is None else {"row": row["row"], "so_far": row["so_far"]}
    return {"counted": row is not None, "new": counted.is_new, **told}


def kind_of_market(simulated: bool) -> str:
    """What trials are counted by, beside the project."""
    return "simulated markets" if simulated else "real markets"


def trial_rows(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Rows of the log, each under `TRIALS_HEAD`; one that was changed may hold anything."""
    return [
        (
            str(row["row"]),
            _what(row),
            _formatted(row.get("trials"), "{:,}"),
            _formatted(row.get("cagr"), "{:.1%}"),
            _formatted(row.get("sharpe"), "{:.2f}"),
            f"{row.get('market')}{' (SIMULATED)' if row.get('simulated') else ''}",
            str(row.get("first_session")),
            str(row.get("last_session")),
            str(row.get("at"))[:16].replace("T", " "),
            str(row.get("run_id") or "-"),
        )
        for row in rows
    ]


def _what(row: Mapping[str, Any]) -> str:
    try:
        return what_was_tried(row)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "what cannot be read: the row was changed"


def what_was_tried(row: Mapping[str, Any]) -> str:
    """Label, spec, and what differs from the shipped one; of a sweep its grid."""
    changed = changes_text(row.get("differs") or {})
    label = f"{row['label']}: " if row.get("label") else ""
    if row.get("kind") != "sweep":
        return f"{label}{row.get('spec')}{' with ' if changed else ''}{changed}"
    grid = row.get("grid") or {}
    keys = ", ".join(f"{key} ({len(values)})" for key, values in (grid.get("keys") or {}).items())
    walk = f", walk-forward ({grid['walk_forward']})" if grid.get("walk_forward") else ""
    counts_as = f"; as {row['effective']:.1f} independent ones" if isinstance(row.get("effective"), float) else ""
    return (
        f"{label}sweep of {row.get('spec')}{' with ' if changed else ''}{changed} over {keys}{walk}: "
        f"{row.get('variants'):,} variants{counts_as}"
    )


def count_sentence(count: TrialCount, simulated: bool) -> str:
    """How many trials there were, and as how many they count."""
    several = f"{count.trials:,} trial{'' if count.trials == 1 else 's'}"
    likeness = "" if count.correlation is None else f" (mean correlation over the static mix {count.correlation:.2f})"
    return (
        f"On {kind_of_market(simulated)}: {several}, which count as {count.effective:,.1f} independent "
        f"one{'' if round(count.effective, 1) == 1 else 's'}{likeness}."
    )


def unlogged_sentence(runs: Sequence[StoredRun]) -> str:
    """Runs that stand in no row, and what that can mean; empty where there are none."""
    if not runs:
        return ""
    names = ", ".join(run.name for run in runs[:3])
    more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
    stand = "A run stands" if len(runs) == 1 else f"{len(runs):,} runs stand"
    return (
        f"{stand} in no row: {names}{more}. Made with count=False, made elsewhere, not counted at the time, or the log "
        "is an older copy of itself."
    )


def _formatted(value: Any, style: str) -> str:
    return style.format(value) if isinstance(value, int | float) and abs(value) < 1e9 else "-"
