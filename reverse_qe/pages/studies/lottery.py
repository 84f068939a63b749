"""The universe lottery as a page: what it says, its tables, and where the run stands among the draws."""

from backtests.studies.lottery.lottery import Ending, Lottery
from reverse_qe.pages.charts.histogram import histogram
from reverse_qe.pages.kit import Html, Part, bullets, page, table
from reverse_qe.words.lottery import HEAD, banners, ending_title, rows, sentences, title


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
    below = float((values < own).mean())
    label = (
        f"{len(values):,} draws between {values.min():.1%} and {values.max():.1%} a year; the run is above {below:.0%}"
    )
    return histogram("Draws by their growth a year, at the run's own moments", label, values, own, "the run")


def _pools(found: Lottery) -> Html:
    world = found.world
    days = world.panel.decides_for
    lines = [
        (slot.symbol, slot.basket, str(days[slot.row].date()), len(pool), ", ".join(sorted(world.names(pool))))
        for slot, pool in zip(world.slots, world.pools, strict=True)
    ]
    return table(["in the place of", "basket", "chosen for", "names", "any of"], lines, texts={1, 4})
