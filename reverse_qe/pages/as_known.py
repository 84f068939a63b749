"""The world as it was known at a moment, as a page: nothing of it was known later."""

from collections.abc import Sequence

import pandas as pd

from data.events.timeline import GUIDED, RESULT
from data.market.snapshot import Snapshot
from data.quality.as_known import AsKnown
from reverse_qe.pages.kit import Html, Part, page, table, tag, unbroken_days
from reverse_qe.tables import Column
from reverse_qe.words.as_known import (
    EVENT_HEAD,
    LATER_HEAD,
    PUBLISHED_HEAD,
    VALUE_HEAD,
    Row,
    counts_sentence,
    event_rows,
    later_rows,
    published_rows,
    value_rows,
)


def as_known_page(snapshot: Snapshot, known: AsKnown, later: pd.DataFrame | None = None) -> str:
    """The page; a future that is another one changes no byte of it unless `later` is given.

    Args:
        snapshot: of the market.
        known: of the moment.
        later: what was revised or announced after it, as `data.quality.as_known.known_later` has it.
    """
    parts = [
        Part("Series", _table(VALUE_HEAD, value_rows(known), (2, 3, 5, 6))),
        Part("Results", _table(EVENT_HEAD, event_rows(known, [RESULT]), (1, 2, 4, 6, 7, 8))),
        Part("Guidance", _table(EVENT_HEAD, event_rows(known, [GUIDED]), (1, 2, 4, 6, 7, 8))),
        Part("Funding and policy of the last year", _table(EVENT_HEAD, event_rows(known, ()), (1, 2, 4, 6, 7, 8))),
        Part("Published in the week before", _table(PUBLISHED_HEAD, published_rows(known), (1, 2, 3))),
    ]
    if later is not None:
        parts.append(Part("Revised or announced later", _table(LATER_HEAD, later_rows(later), (1, 2, 3))))
    moment = f"{known.moment:%Y-%m-%d %H:%M} UTC"
    return page(
        title=f"{snapshot.name} as known at {moment}",
        heading=f"As known at {moment}",
        subtitle=f"Market {snapshot.name}. {snapshot.origin}",
        lead=tag("p", counts_sentence(known)),
        banners=[("SIMULATED", "Prices and series of this market are made by a model; its events are real.")]
        if snapshot.simulated
        else [],
        parts=parts,
    )


def _table(head: Sequence[str | Column], rows: list[Row], texts: tuple[int, ...]) -> Html:
    names = [column.name if isinstance(column, Column) else column for column in head]
    whole = [[unbroken_days(str(cell)) for cell in row] for row in rows]
    return table(names, whole, texts=texts) if rows else tag("p", "None.")
