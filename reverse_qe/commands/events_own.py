"""`reverse-qe events add` and `remove`: a user's own rows of events, over the shipped ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, json_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    from data.events.adding import NewRow

KINDS = ("result", "guidance", "funding", "pace", "coverage")


def _cells(_context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """Texts by column, of texts ``column=value``."""
    cells: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        name = name.strip()
        if not separator or not name:
            raise click.BadParameter(f"got {text!r}, wanted COLUMN=VALUE", param_hint=parameter.opts[0])
        if name in cells:
            raise click.BadParameter(f"got {name} twice, wanted it once; leave one out", param_hint=parameter.opts[0])
        cells[name] = value
    return cells


dry_run_option = click.option("--dry-run", is_flag=True, help="Check and show, and keep nothing.")
cells_argument = click.argument("cells", nargs=-1, metavar="COLUMN=VALUE...", callback=_cells)


@click.command("add")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@cells_argument
@click.option(
    "--correct",
    multiple=True,
    metavar="COLUMN=VALUE",
    callback=_cells,
    help="Correct the one row of which this holds, shipped or yours; may be given again. What is not given anew stays.",
)
@click.option("--beside", is_flag=True, help="It is another event than one like it that is there.")
@click.option(
    "--draft", metavar="COMPANY", help="Add nothing: show what new filings of a company say, as drafts of rows."
)
@click.option("--since", type=DAY, help="With --draft: filings after this day.  [default: after what is known]")
@dry_run_option
@json_option
def add_event(
    kind: str | None,
    cells: Mapping[str, str],
    correct: Mapping[str, str],
    beside: bool,
    draft: str | None,
    since: datetime | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a row of events of your own, or correct one; it is checked as by events validate.

    Columns are those of the shipped tables, money in billions of US dollars. A source and a confidence (low, medium,
    high) are wanted; session may be a time in New York (16:05); when it was known follows from the rules.

    Markets that take the shipped events take it too, from the next data fetch or data import on; those that are there
    stay as they are. The sample never takes it.

    --draft asks the SEC for new earnings releases, prospectuses and term sheets, and shows their sentences and rows of
    tables with links. A draft has a question mark wherever you have to say what a filing means; nothing is guessed.
    """
    import pandas as pd

    if draft is not None:
        if kind or cells or correct or beside or dry_run:
            raise click.UsageError("--draft takes a company and --since alone; leave the others out")
        _show_drafts(draft, since, as_json)
        return
    if since is not None:
        raise click.UsageError("got --since without --draft; leave it out")
    if kind is None:
        raise click.UsageError(f"Missing argument KIND, one of: {', '.join(KINDS)}")

    from data.events.adding import new_row
    from data.events.editions import reference_events
    from data.events.own_rows import append_change, changing_own_rows, own_rows, own_rows_file

    now = pd.Timestamp.now("UTC")
    with progress("Events"), changing_own_rows():
        row = new_row(kind, cells, reference_events(), own_rows(), now, correct=correct or None, beside=beside)
        if not dry_run:
            append_change(row.change)
    if as_json:
        print_json(_as_json(row, dry_run))
        return
    verb = ("Would correct" if correct else "Would add") if dry_run else ("Corrected" if correct else "Added")
    kept = row.change.row or {}
    print_table(
        f"{verb}: {row.name}",
        ("column", "value", "was"),
        [(name, _text(cell), row.was.get(name, "")) for name, cell in kept.items() if cell not in (None, "")],
    )
    for note in row.notes:
        show(f"! {note}")
    if not dry_run:
        say(
            f"Kept in {own_rows_file()}. A market takes it when it is made next: reverse-qe data fetch, or data import "
            "under another name."
        )


def _show_drafts(company: str, since: datetime | None, as_json: bool) -> None:
    import pandas as pd

    from data.events.own_rows import current_events
    from data.net.settings import SourceSettings
    from data.sources.edgar_drafts import fetch_drafts

    with progress(f"Filings of {company}") as report:
        drafts = fetch_drafts(
            company,
            current_events()[0],
            SourceSettings(),
            pd.Timestamp.now("UTC"),
            None if since is None else since.date(),
            report,
        )
    if as_json:
        from dataclasses import asdict

        print_json(asdict(drafts))
        return
    from reverse_qe.words.drafts import draft_lines

    for line in draft_lines(drafts):
        show(line)


@click.command("remove")
@click.argument("kind", type=click.Choice(KINDS))
@cells_argument
@dry_run_option
@json_option
def remove_event(kind: str, cells: Mapping[str, str], dry_run: bool, as_json: bool) -> None:
    """Take away a row of events of your own; a shipped row that it corrected holds again.

    The row is named by some of its columns. What was given and taken away stays in the history of the file.
    """
    import pandas as pd

    from data.events.adding import removal
    from data.events.own_rows import append_change, changing_own_rows, own_rows

    with progress("Events"), changing_own_rows():
        row = removal(kind, cells, own_rows(), pd.Timestamp.now("UTC"))
        if not dry_run:
            append_change(row.change)
    if as_json:
        print_json(_as_json(row, dry_run))
        return
    show(f"{'Would remove' if dry_run else 'Removed'}: {row.name}")
    if not dry_run:
        say("Markets that hold it keep it until they are made again: reverse-qe data fetch, or data import.")


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _as_json(row: "NewRow", dry_run: bool) -> dict[str, Any]:
    from dataclasses import asdict

    return {"dry_run": dry_run, "name": row.name, **asdict(row.change), "was": dict(row.was), "notes": list(row.notes)}
