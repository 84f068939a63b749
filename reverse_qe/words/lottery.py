"""The universe lottery in words: what knowing the names brought, and what the timing."""

import math
from collections.abc import Callable

from backtests.studies.lottery.lottery import Ending, Lottery
from backtests.studies.lottery.pools import DRAWN
from backtests.studies.lottery.shares import Shares
from reverse_qe.tables import Column

HEAD = (
    Column("names and moments"),
    Column("a year"),
    Column("95%", rank=1),
    Column("above", rank=2),
    Column("Sharpe"),
    Column("95%", rank=3),
    Column("above", rank=4),
)
TODAY = (
    "Sectors and industries are those of today, known to nobody when the names were chosen; names that have none are "
    "left out, most of them dead."
)
_NAMED = 5


def title(found: Lottery) -> str:
    """What was drawn for which run, on one line."""
    world = found.world
    prepared, days = world.prepared, world.panel.sessions
    simulated = "SIMULATED market" if prepared.snapshot.simulated else "market"
    return (
        f"Universe lottery of {prepared.spec.run.name} on {simulated} {prepared.snapshot.name}, {days[1].date()} to "
        f"{days[-1].date()}: {found.draws:,} draws from {found.market.name}"
    )


def banners(found: Lottery) -> list[tuple[str, str]]:
    """What must not be overlooked, label and text."""
    prepared = found.world.prepared
    made_up = sorted({market.name for market in (prepared.snapshot, found.market) if market.simulated})
    told = [("SIMULATED", f"The prices and series of market {name} are made by a model.") for name in made_up]
    if prepared.spec.universe.hindsight:
        told.append(("HINDSIGHT", prepared.spec.universe.hindsight))
    if found.labels == "today":
        told.append(("HINDSIGHT", TODAY))
    if found.world.at_close:
        told.append(
            (
                "CLOSES ALONE",
                f"Market {found.market.name} has no opens: what is decided for a session, by what was known before it, "
                "fills at the session's close, for the spec's own stocks too.",
            )
        )
    return told


def sentences(found: Lottery) -> list[str]:
    """What the lottery says, and what it drew from."""
    ending = found.endings[0]
    return [*_said(ending, found.shifts, _knowing(found)), *_endings(found), *_drawn_from(found)]


def _knowing(found: Lottery) -> str:
    """What explains a return that the names explain."""
    return "hindsight" if found.world.prepared.spec.universe.hindsight else "the choice of names"


def _said(ending: Ending, shifts: int, knowing: str) -> list[str]:
    """Names, timing, and the four parts of the growth a year."""
    growth = ending.cagr
    return [
        f"Names: {_names(ending, knowing)}.",
        f"Timing: {_timing(ending, shifts)}.",
        f"In all: {growth.result:.1%} = {growth.neither:.1%} with neither names nor timing "
        f"{_plus(growth.names_alone)} the names alone {_plus(growth.timing_alone)} the timing alone "
        f"{_plus(growth.together)} both together.",
    ]


def rows(ending: Ending) -> list[tuple[str, ...]]:
    """The table under `HEAD`: each value, between what 95% of chance lie, and the share of chance that it is above."""
    columns = [_column(ending.cagr, _percent), _column(ending.sharpe, _ratio)]
    names = (
        "the run's names, its moments",
        "drawn names, its moments",
        "the run's names, moved moments",
        "drawn names, moved moments",
        "brought by knowing the names",
        "brought by timing, drawn names",
        "brought by timing, the run's names",
    )
    return [(name, *growth, *sharpe) for name, growth, sharpe in zip(names, *columns, strict=True)]


def _column(each: Shares, text: Callable[[float], str]) -> list[tuple[str, str, str]]:
    """One measure, line by line."""
    return [
        (text(each.result), "", ""),
        (text(each.drawn), f"{text(each.drawn_low)} to {text(each.drawn_high)}", ""),
        (text(each.neither + each.names_alone), "", ""),
        (text(each.neither), "", ""),
        *(
            (
                text(share.value),
                f"{text(share.low)} to {text(share.high)}",
                _above(share.percentile),
            )
            for share in (each.names, each.timing, each.own_timing)
        ),
    ]


def ending_title(found: Lottery, ending: Ending) -> str:
    """What is lost where a name dies at no known price; of no matter where none can."""
    if len(found.endings) == 1:
        return "Names and moments, each the run's own or drawn by lot"
    return _lost(ending)


def _lost(ending: Ending) -> str:
    if ending.haircut:
        return f"A name that dies at no known price loses {ending.haircut:.0%} of its last close"
    return "A name that dies at no known price ends at its last close"


def _names(ending: Ending, knowing: str) -> str:
    growth, by_sharpe = ending.cagr, ending.sharpe.names
    share, whole = growth.names, f"{growth.result:.1%} a year"
    if share.holds_zero:
        told = f"knowing them is not shown to explain any of {whole}"
    elif share.value > 0:
        told = f"{knowing} explains {share.value:.1%} of {whole}"
    else:
        told = f"the run's own make {whole}, worse than chance"
    differs = "" if share.holds_zero or not by_sharpe.holds_zero else "; in Sharpe ratio chance would do"
    return (
        f"{told}; drawn names make {growth.drawn:.1%} [{growth.drawn_low:.1%}, {growth.drawn_high:.1%}] with the same "
        f"timing, and the run's own are above {share.percentile:.1%} of the draws{differs}"
    )


def _timing(ending: Ending, shifts: int) -> str:
    growth, by_sharpe = ending.cagr, ending.sharpe.timing
    share = growth.timing
    told = f"with drawn names it brings {share.value:+.1%} a year [{share.low:+.1%}, {share.high:+.1%}]"
    place = f"above {share.percentile:.0%} of {shifts} moved moments"
    own = f"with the run's own above {growth.own_timing.percentile:.0%}"
    verdict = "more than luck explains" if share.low > 0 else "worse than luck" if share.high < 0 else "luck would do"
    differs = "" if share.holds_zero or not by_sharpe.holds_zero else ", but not in Sharpe ratio"
    return f"{told}, {place} ({own}): {verdict}{differs}"


def _endings(found: Lottery) -> list[str]:
    return [
        f"{_lost(each)}: {_knowing(found)} then explains {each.cagr.names.value:.1%} of {each.cagr.result:.1%}, and "
        f"the timing brings {each.cagr.timing.value:+.1%}."
        for each in found.endings[1:]
    ]


def _drawn_from(found: Lottery) -> list[str]:
    world = found.world
    sizes = [len(pool) for pool in world.pools]
    fixed = [slot.symbol for slot in world.slots if len({*found.drawn[:, slot.column].tolist()}) == 1]
    how = "each by its asset class" if not world.sectors else f"stocks of {_sectors(found)}, all else by its class"
    told = [
        f"Drawn for {len(sizes)} places from {len(found.names):,} names ({min(sizes)} to {max(sizes)} a place), "
        f"{found.dead} of which no longer trade: {how}, as known when the run's own name was first held."
    ]
    if fixed:
        told.append(f"Nothing else could have been drawn for {', '.join(fixed)}.")
    if world.cut_by:
        day = world.panel.sessions[-1].date()
        names = sorted(world.cut_by)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        told.append(f"It ends on {day}, with the files of {', '.join(names[:_NAMED])}{more}.")
    return [*told, *(f"{note[0].upper()}{note[1:]}." for note in world.notes)]


def _sectors(found: Lottery) -> str:
    parts = [f"{'; '.join(found.world.sectors[name])} for {name}" for name in DRAWN if name in found.world.sectors]
    return " and ".join(parts)


def _above(percentile: float) -> str:
    return "-" if math.isnan(percentile) else _percent(percentile)


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _ratio(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _plus(value: float) -> str:
    return f"{'-' if value < 0 else '+'} {abs(value):.1%}"
