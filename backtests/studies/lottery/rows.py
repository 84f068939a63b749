"""The lottery in short, as rows of the evidence: names by lot, and the timing of whatever was drawn."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from backtests.evidence.table import Question, Row, Verdict, by_interval, measured
from backtests.prepare.prepared import Prepared
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from data.errors import InputError

DRAWS, SHIFTS = 120, 100
LOTTERY, TIMING = "lottery", "timing_of_drawn_names"


def lottery_rows(prepared: Prepared) -> Iterator[Row]:
    """Draw a few names from the market of a run, at a few moments.

    Args:
        prepared: the run, as far as it goes.

    Returns:
        What the names brought, against it where that is more than chance; and what the timing brought with drawn names,
        for it where that is more than chance in growth and in Sharpe ratio.
    """
    yield from measured(Question.NAMES, LOTTERY, lambda: _rows(prepared))


def _rows(prepared: Prepared) -> Sequence[Row]:
    found = universe_lottery(prepared, Asked(), DRAWS, shifts=SHIFTS)
    growth, sharpe = found.endings[0].cagr, found.endings[0].sharpe
    if not math.isfinite(sharpe.timing.value):
        raise InputError("got a run that never moves, wanted one that trades; nothing of it is names or timing")
    drawn = {"value": growth.drawn, "low": growth.drawn_low, "high": growth.drawn_high}
    names = {"result": growth.result, "names": asdict(growth.names), "drawn": drawn, "draws": found.draws}
    # The draws end with the first file of a name that could have been drawn: earlier than the run, it may be.
    names["last"] = str(found.world.panel.sessions[-1].date())
    timing = {
        "timing": asdict(growth.timing),
        "sharpe": asdict(sharpe.timing),
        "draws": found.draws,
        "shifts": found.shifts,
    }
    verdict = Verdict.AGAINST if growth.names.low > 0 else Verdict.OPEN
    both = (min(growth.timing.low, sharpe.timing.low), max(growth.timing.high, sharpe.timing.high))
    return [
        Row(Question.NAMES, LOTTERY, verdict, "", names),
        Row(Question.TIMING, TIMING, by_interval(*both), "", timing),
    ]
