"""`reverse-qe data asof`: the world as it was known at a moment."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import PATH, json_option, market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    import pandas as pd


@click.command("asof")
@click.argument("time")
@market_option
@click.option("--later", is_flag=True, help="Show, too, what was revised or announced later; nothing else does.")
@click.option("--page", type=PATH, help="Web page to make.")
@json_option
def show_as_known(time: str, market: str, later: bool, page: Path | None, as_json: bool) -> None:
    """Show the world as it was known at TIME: values, results, guidance and events, with age and source.

    TIME is a day, for the decision at 00:00 UTC of it, or a moment as in 2026-07-29T22:00Z. The week before it is told
    by itself. On screen stand the newest value of each series, the newest results, guidance about periods that are not
    over, and other events of the last year; --json has every event.
    """
    from data.markets import open_market
    from data.quality.as_known import as_known, known_later
    from reverse_qe.arguments import as_moment
    from reverse_qe.pages.as_known import as_known_page
    from reverse_qe.pages.page_files import require_page_path, write_page

    moment = as_moment(time, "TIME")
    if page is not None:
        require_page_path(page)
    with progress(f"Read {market}"):
        snapshot = open_market(market)
        known = as_known(snapshot, moment)
        after = known_later(snapshot, moment) if later else None
        if page is not None:
            write_page(page, as_known_page(snapshot, known, after))
    if as_json:
        told = {"values": known.values, "events": known.events, "published": known.published}
        tables = {**told, **({} if after is None else {"later": after})}
        head = {"market": snapshot.name, "simulated": snapshot.simulated, "moment": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
        print_json({**head, **{name: _records(rows) for name, rows in tables.items()}})
    else:
        _print(f"{'SIMULATED market' if snapshot.simulated else 'Market'} {snapshot.name}", known, after)
    if page is not None:
        say(f"Page: {page}")


def _print(market: str, known: Any, after: "pd.DataFrame | None") -> None:
    from data.events.timeline import GUIDED, RESULT
    from reverse_qe.words import as_known as words

    show(f"{market} as known at {known.moment:%Y-%m-%d %H:%M} UTC. {words.counts_sentence(known)}")
    print_table("Series: the newest value of each", words.VALUE_HEAD, words.value_rows(known))
    print_table("Results", words.EVENT_HEAD, words.event_rows(known, [RESULT]))
    print_table("Guidance about periods that are not over", words.EVENT_HEAD, words.event_rows(known, [GUIDED]))
    print_table("Funding and policy of the last year", words.EVENT_HEAD, words.event_rows(known, ()))
    print_table("Published in the seven days before", words.PUBLISHED_HEAD, words.published_rows(known))
    if after is not None:
        print_table("Revised or announced later", words.LATER_HEAD, words.later_rows(after))


def _records(rows: "pd.DataFrame") -> list[dict[Any, Any]]:
    """Rows for machines: moments and days as text, None for what is not there."""
    texts = rows.assign(known_at=rows["known_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if "date" in texts:
        texts = texts.assign(date=texts["date"].dt.strftime("%Y-%m-%d"))
    values = texts.astype(object)
    return [dict(record) for record in values.where(values.notna(), None).to_dict("records")]
