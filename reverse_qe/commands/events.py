"""`reverse-qe events`: what became known of capex, guidance, funding and policy, and whether the tables are sound."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.commands.events_own import add_event, remove_event
from reverse_qe.commands.events_study import study_events
from reverse_qe.options import DAY, json_option, market_option
from reverse_qe.output import print_json, print_table, progress, say, show
from reverse_qe.tables import Column, ranked
from reverse_qe.terminal.noun import Noun

if TYPE_CHECKING:
    import pandas as pd

    from data.events.findings import EventCheck
    from data.market.snapshot import Snapshot

EVENT_HEAD = ("known at (UTC)", "date", "company", "kind", "about", "USD bn", "counts", "confidence")
DUE_HEAD = ("expected", "company", "kind", "about", "status", "days late", "rests on")
PUBLISHED_HEAD = ("calendar quarter", "companies", "gross", "proceeds", "net", "published", "difference", "explanation")


@click.group("events", cls=Noun)
def command() -> None:
    """List, validate and study the events of a market, and add your own: results, guidance, funding and policy.

    The events of the built-in sample are real ones, shipped with the package, though its prices are simulated.
    """


for subcommand in (add_event, remove_event, study_events):
    command.add_command(subcommand)


@command.command("list")
@market_option
@click.option("--company", "companies", multiple=True, help="Only this company. May be given again.")
@click.option(
    "--kind", "kinds", multiple=True, help="Only this kind: result, guidance, bond_issue ... May be given again."
)
@click.option("--from", "first", type=DAY, help="Only what became known on or after this day (UTC).")
@click.option("--to", "last", type=DAY, help="Only what became known on or before this day (UTC).")
@click.option("--due", is_flag=True, help="In their place: results and guidance that should have come, or come next.")
@json_option
def list_events(
    market: str,
    companies: tuple[str, ...],
    kinds: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    due: bool,
    as_json: bool,
) -> None:
    """List what became known, in order of time.

    A result has a line for its capex and one for its operating cash flow: they may become known at different moments.

    With --due, by the dates of the year before and as known at the end of the day --to (default: now): what is overdue,
    and the next result and guidance of each company.
    """
    import pandas as pd

    from data.events.timeline import RESULT, blank_figures, event_timeline, select_events
    from data.markets import open_events

    if due:
        if first is not None:
            raise click.UsageError("--due looks at what is known at the end of --to, and takes no --from; leave it out")
        _list_due(market, companies, kinds, last, as_json)
        return
    with progress("Events"):
        snapshot = open_events(market)
        span = (None if day is None else pd.Timestamp(day) for day in (first, last))
        events = select_events(event_timeline(snapshot), companies, kinds, *span)
    blanks = blank_figures(snapshot)
    _say_own_events(snapshot)
    if as_json:
        print_json({**_identity(snapshot), "blank_figures": blanks, "events": _records(events, ["known_at"], ["date"])})
        return
    of_user = [Column("by you", 1)] if (events["by_user"] != "").any() else []
    print_table(
        f"Events of {_market_name(snapshot)}, in order of when they became known: {len(events)}",
        [*ranked(EVENT_HEAD, ranks=(1, 2, 0, 0, 0, 0, 3, 4), prose=(4,)), *of_user],
        [_row(event)[: 8 + len(of_user)] for event in events.itertuples(index=False)],
    )
    if blanks and (not kinds or RESULT in kinds):
        say(f"Not listed, for they are blank: {blanks} figures of results. See: reverse-qe events validate")


def _list_due(
    market: str, companies: tuple[str, ...], kinds: tuple[str, ...], last: datetime | None, as_json: bool
) -> None:
    import pandas as pd

    from data.events.due import due_in
    from data.markets import open_events

    now = pd.Timestamp.now("UTC").floor("s")
    moment = now if last is None else pd.Timestamp(last, tz="UTC") + pd.Timedelta("23:59:59")
    with progress("Events"):
        snapshot = open_events(market)
        due = due_in(snapshot, moment, companies, kinds)
    _say_own_events(snapshot)
    if as_json:
        told = {**_identity(snapshot), "known_until": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
        print_json({**told, "due": _records(due, days=["expected"])})
        return
    print_table(
        f"Due in {_market_name(snapshot)}, as known at {moment:%Y-%m-%d %H:%M} UTC",
        ranked(DUE_HEAD, ranks=(0, 0, 0, 0, 0, 1, 2), prose=(6,)),
        [_due_row(row) for row in due.itertuples(index=False)],
    )
    if due["overdue"].any():
        say(
            "What is overdue has come or moved since: fetch or import the market again, or give the row: "
            "reverse-qe events add"
        )


def _due_row(row: Any) -> tuple[object, ...]:
    status, late = ("OVERDUE", row.days_late) if row.overdue else ("coming", "-")
    return (row.expected.date(), row.company, row.kind, row.about, status, late, row.basis)


@command.command("validate")
@market_option
@click.option(
    "--against",
    default="reference",
    show_default=True,
    help="Compare the results with those of this market; reference is the shipped events, edgar asks the SEC.",
)
@json_option
@click.pass_context
def validate(context: click.Context, market: str, against: str, as_json: bool) -> None:
    """Check that the events are sound, and compare them; exit 1 where a check does not hold.

    A defect contradicts a rule of the tables. A note is a fact of the sources that one should know, such as a blank.
    Results are laid beside those of another market, and capex beside published sums; a difference there is no defect.
    """
    from data.events.comparison import compare_results, compare_with_published
    from data.events.validation import validate_events
    from data.markets import open_market

    with progress("Events") as report:
        snapshot = open_market(market)
        checks = validate_events(snapshot)
        compared = compare_results(snapshot.capex_actuals, _other_results(against, snapshot, report))
        published = compare_with_published(snapshot.capex_actuals)
    holds = all(check.holds for check in checks)
    _say_own_events(snapshot)
    if as_json:
        unlike = compared[compared["status"] != "alike"]
        print_json(
            {
                **_identity(snapshot),
                "holds": holds,
                "checks": [_check_as_json(check) for check in checks],
                "comparison": {
                    "against": against,
                    "alike": len(compared) - len(unlike),
                    "differences": _records(unlike, ["ours_known_at", "theirs_known_at"]),
                },
                "published": _records(published),
            }
        )
    else:
        _print_checks(snapshot, checks)
        _print_comparison(against, compared)
        _print_published(published)
    context.exit(0 if holds else 1)


def _other_results(against: str, snapshot: "Snapshot", report: Callable[[str], None]) -> "pd.DataFrame":
    """The results to compare with: of a market, the shipped ones, or those that the SEC has of the same companies."""
    from data.markets import results_of

    if against != "edgar":
        return results_of(against)
    from data.errors import InputError
    from data.net.settings import SourceSettings
    from data.sources.edgar import fetch_results

    if not (companies := sorted(set(snapshot.capex_actuals["company"]))):
        raise InputError(f"got market {snapshot.name}, which has no results to compare; wanted one that has")
    results, notes = fetch_results(companies, SourceSettings(), report)
    for note in notes:
        say(f"! {note}")
    return results


def _say_own_events(snapshot: "Snapshot") -> None:
    from reverse_qe.words.own_events import own_events_notes

    for note in own_events_notes(snapshot):
        say(f"! {note}")


def _identity(snapshot: "Snapshot") -> dict[str, Any]:
    return {"market": snapshot.name, "simulated": snapshot.simulated, "origin": snapshot.origin}


def _market_name(snapshot: "Snapshot") -> str:
    return (
        f"SIMULATED market {snapshot.name} (its events are real)" if snapshot.simulated else f"market {snapshot.name}"
    )


def _records(rows: "pd.DataFrame", times: Sequence[str] = (), days: Sequence[str] = ()) -> list[dict[Any, Any]]:
    """Rows for machines: moments and days as text, None for what is not there."""
    texts = rows.assign(
        **{name: rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in times},
        **{name: rows[name].dt.strftime("%Y-%m-%d") for name in days},
    ).astype(object)
    return [dict(record) for record in texts.where(texts.notna(), None).to_dict("records")]


def _row(event: Any) -> tuple[object, ...]:
    from data.events.timeline import amount_text

    return (
        "never" if event.known_at != event.known_at else f"{event.known_at:%Y-%m-%d %H:%M}",
        event.date.date(),
        event.company,
        event.kind,
        event.about,
        amount_text(event.low_usd_bn, event.high_usd_bn),
        "yes" if event.counts else "no",
        event.confidence,
        event.by_user or "-",
    )


def _check_as_json(check: "EventCheck") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(check), "holds": check.holds}


def _print_checks(snapshot: "Snapshot", checks: tuple["EventCheck", ...]) -> None:
    print_table(
        f"Checks of the events of {_market_name(snapshot)}",
        [Column("check", prose=True), Column("defects"), Column("notes")],
        [(f"{check.name}: {check.wanted}", len(check.defects), len(check.notes)) for check in checks],
    )
    for title, attribute in (("Defects", "defects"), ("Notes", "notes")):
        lines = [f"  {check.name}: {line}" for check in checks for line in getattr(check, attribute)]
        show(f"{title}:{'' if lines else ' none'}")
        for line in lines:
            show(line)


def _print_comparison(against: str, compared: "pd.DataFrame") -> None:
    from data.events.comparison import one_sided

    differing = compared[compared["status"] == "differs"]
    alike = (compared["status"] == "alike").sum()
    names = {"reference": "the shipped reference events", "edgar": "the SEC"}
    name = names.get(against, f"market {against}")
    show(f"Results beside those of {name}: {alike} figures alike, {len(differing)} differ")
    if len(differing):
        print_table(
            "Figures that differ in value or in the moment from which they were known (UTC)",
            ("figure", "ours, USD bn", "theirs", "difference", "percent", "ours known", "theirs known"),
            [_comparison_row(row) for row in differing.itertuples(index=False)],
        )
    for line in one_sided(compared):
        show(f"  {line}")


def _comparison_row(row: Any) -> tuple[object, ...]:
    return (
        f"{row.company} {row.fiscal_period} {row.figure}",
        f"{row.ours_usd_bn:.3f}",
        f"{row.theirs_usd_bn:.3f}",
        f"{row.difference_usd_bn:+.3f}",
        "-" if row.difference != row.difference else f"{row.difference:+.1%}",
        f"{row.ours_known_at:%Y-%m-%d %H:%M}",
        f"{row.theirs_known_at:%Y-%m-%d %H:%M}",
    )


def _print_published(published: "pd.DataFrame") -> None:
    print_table(
        "Capex beside published sums, USD bn",
        ranked(PUBLISHED_HEAD, ranks=(0, 3, 2, 2, 0, 0, 0, 1), prose=(7,)),
        [_published_row(row) for row in published.itertuples(index=False)],
    )


def _published_row(row: Any) -> tuple[object, ...]:
    sums = (row.gross_usd_bn, row.proceeds_usd_bn, row.net_usd_bn, row.published_usd_bn, row.difference_usd_bn)
    told = ["-" if number != number else f"{number:.3f}" for number in sums]
    return (row.calendar_quarter, row.companies, *told, row.explanation)
