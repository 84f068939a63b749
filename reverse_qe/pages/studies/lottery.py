"""The universe lottery as a page: what it says, its tables, and where the run stands among the draws."""

import numpy as np

from backtests.studies.lottery.lottery import Ending, Lottery
from reverse_qe.pages.charts.bar_cell import bar_cell
from reverse_qe.pages.kit import Html, Part, bullets, page, table, tag
from reverse_qe.words.lottery import HEAD, banners, ending_title, rows, sentences, title

BINS = 20


def lottery_page(found: Lottery) -> str:
    """Draw a lottery."""
    parts = [Part(ending_title(found, each), _table(each)) for each in found.endings]
    parts.append(Part("Where the run stands among the draws", _histogram(found.endings[0])))
    parts.append(Part("What could have been drawn", _pools(found)))
    return page(
        title=title(found),
        heading="Universe lottery",
        subtitle=title(found),
        banners=banners(found),
        lead=bullets(sentences(found)),
        parts=parts,
    )


def _table(ending: Ending) -> Html:
    return table([column.name for column in HEAD], rows(ending))


def _histogram(ending: Ending) -> Html:
    """How many draws grew by how much a year, with the run's own names among them."""
    values, own = ending.drawn_cagr, ending.cagr.result
    edges = np.linspace(min(values.min(), own), max(values.max(), own), BINS + 1)
    counts = np.histogram(values, edges)[0]
    place = min(int(np.searchsorted(edges, own, side="right")) - 1, BINS - 1)
    lines = [
        (
            f"{low:.1%} to {high:.1%}",
            int(count),
            bar_cell(float(count), 1.0 * counts.max()),
            "the run" if at == place else "",
        )
        for at, (low, high, count) in enumerate(zip(edges, edges[1:], counts, strict=False))
    ]
    note = tag("p", "Draws by their growth a year, at the run's own moments.")
    return note + table(["growth a year", "draws", "", ""], lines, texts={2, 3})


def _pools(found: Lottery) -> Html:
    world = found.world
    days = world.panel.decides_for
    lines = [
        (slot.symbol, slot.basket, str(days[slot.row].date()), len(pool), ", ".join(sorted(world.names(pool))))
        for slot, pool in zip(world.slots, world.pools, strict=True)
    ]
    return table(["in the place of", "basket", "chosen for", "names", "any of"], lines, texts={1, 4})
