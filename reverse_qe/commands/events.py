"""`reverse-qe events`: what became known of capex, guidance, funding and policy, and whether the tables are sound."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.output import json_option, market_option, print_json, print_table, progress, say

if TYPE_CHECKING:
    import pandas as pd

    from data.event_validation import EventCheck
    from data.snapshot import Snapshot

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("events")
def command() -> None:
    """List and validate the events of a market: results, guidance, funding and policy.

    The events of the built-in sample are real ones, shipped with the package, though its prices are simulated.
    """


@command.command("list")
@market_option
@click.option("--company", "companies", multiple=True, help="Only this company. May be given again.")
@click.option(
    "--kind", "kinds", multiple=True, help="Only this kind: result, guidance, bond_issue ... May be given again."
)
@click.option("--from", "first", type=DAY, help="Only what became known on or after this day (UTC).")
@click.option("--to", "last", type=DAY, help="Only what became known on or before this day (UTC).")
@json_option
def list_events(
    market: str,
    companies: tuple[str, ...],
    kinds: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    as_json: bool,
) -> None:
    """List what became known, in order of time.

    A result has a line for its capex and one for its operating cash flow: they may become known at different moments.
    """
    import pandas as pd

    from data.event_listing import RESULT, blank_figures, event_timeline, select_events
    from data.markets import open_market

    with progress("Events"):
        snapshot = open_market(market)
        events = select_events(
            event_timeline(snapshot),
            companies,
            kinds,
            pd.Timestamp(first) if first else None,
            pd.Timestamp(last) if last else None,
        )
    blanks = blank_figures(snapshot)
    if as_json:
        print_json({**_identity(snapshot), "blank_figures": blanks, "events": _records(events)})
        return
    print_table(
        f"Events of {_market_name(snapshot)}, in order of when they became known: {len(events)}",
        ("known at (UTC)", "date", "company", "kind", "about", "USD bn", "counts", "confidence"),
        [_row(event) for event in events.itertuples(index=False)],
    )
    if blanks and (not kinds or RESULT in kinds):
        say(f"Not listed, for they are blank: {blanks} figures of results. See: reverse-qe events validate")


@command.command("validate")
@market_option
@json_option
def validate(market: str, as_json: bool) -> None:
    """Check that the events are sound; exit 1 where a check does not hold.

    A defect contradicts a rule of the tables. A note is a fact of the sources that one should know, such as a blank.
    """
    from data.event_validation import validate_events
    from data.markets import open_market

    with progress("Events"):
        snapshot = open_market(market)
        checks = validate_events(snapshot)
    holds = all(check.holds for check in checks)
    if as_json:
        print_json({**_identity(snapshot), "holds": holds, "checks": [_check_as_json(check) for check in checks]})
    else:
        _print_checks(snapshot, checks)
    if not holds:
        raise SystemExit(1)


def _identity(snapshot: "Snapshot") -> dict[str, Any]:
    return {"market": snapshot.name, "simulated": snapshot.simulated, "origin": snapshot.origin}


def _market_name(snapshot: "Snapshot") -> str:
    return (
        f"SIMULATED market {snapshot.name} (its events are real)" if snapshot.simulated else f"market {snapshot.name}"
    )


def _records(events: "pd.DataFrame") -> list[dict[Any, Any]]:
    texts = events.assign(
        known_at=events["known_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), date=events["date"].dt.strftime("%Y-%m-%d")
    ).astype(object)
    return [dict(record) for record in texts.where(texts.notna(), None).to_dict("records")]


def _row(event: Any) -> tuple[object, ...]:
    return (
        "never" if event.known_at != event.known_at else f"{event.known_at:%Y-%m-%d %H:%M}",
        event.date.date(),
        event.company,
        event.kind,
        event.about,
        _amount(event.low_usd_bn, event.high_usd_bn),
        "yes" if event.counts else "no",
        event.confidence,
    )


def _amount(low: float, high: float) -> str:
    has_low, has_high = low == low, high == high  # NaN is not itself
    if not (has_low or has_high):
        return "-"
    if low == high:
        return f"{low:g}"
    return f"{low:g} to {high:g}" if has_low and has_high else f"from {low:g}" if has_low else f"up to {high:g}"


def _check_as_json(check: "EventCheck") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(check), "holds": check.holds}


def _print_checks(snapshot: "Snapshot", checks: tuple["EventCheck", ...]) -> None:
    print_table(
        f"Checks of the events of {_market_name(snapshot)}",
        ("check", "defects", "notes"),
        [(f"{check.name}: {check.wanted}", len(check.defects), len(check.notes)) for check in checks],
    )
    for title, attribute in (("Defects", "defects"), ("Notes", "notes")):
        lines = [f"  {check.name}: {line}" for check in checks for line in getattr(check, attribute)]
        click.echo(f"{title}:{'' if lines else ' none'}")
        for line in lines:
            click.echo(line)
