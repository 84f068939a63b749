"""The part of the signal's page that judges it: maps of the score, the surest cells, the regime as a forecast."""

from collections.abc import Sequence

import numpy as np

from backtests.studies.judged.cells import HORIZONS, LAGS, WANTED
from backtests.studies.judged.judge import Judgement
from reverse_qe.pages.charts.heat_map import heat_map
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.words.run import PARTING_HEAD, RESPONSE_HEAD, parting_rows, response_rows
from reverse_qe.words.signal.judged import (
    CELL_COLUMNS,
    EXPLAINED,
    HIT_COLUMNS,
    HITS_EXPLAINED,
    MARKS,
    YEAR_HORIZON,
    agreements,
    cell_rows,
    hit_rows,
    leg_name,
    marked,
    score_cells,
    surest,
    verdicts,
    year_columns,
    year_rows,
)

ON_THE_PAGE = 40


def judged_part(judged: Judgement) -> Part:
    """What prices did after the signal, with every claim corrected for all that was looked at."""
    legs = [leg for leg in WANTED if leg in set(judged.cells["leg"])]
    week = "Return of the week that follows, per standard deviation of the score and of its change"
    by_regime = "Mean return a year of the weeks that begin in each regime"
    names = [column.name for column in CELL_COLUMNS]
    pieces: list[Html] = [
        *(tag("p", sentence, class_="said") for sentence in verdicts(judged)),
        tag("p", f"{EXPLAINED} {HITS_EXPLAINED}", class_="soft small"),
        table(RESPONSE_HEAD, response_rows(judged.gauge), caption=week),
        table(PARTING_HEAD, parting_rows(judged.gauge), caption=by_regime),
        tag("div", _map(judged, legs), _agreement(judged, legs), class_="maps"),
        table(names, cell_rows(surest(judged, ON_THE_PAGE)), caption="The surest cell of each pair", texts=(1,)),
        table(
            [column.name for column in HIT_COLUMNS],
            hit_rows(judged),
            caption="Balanced accuracy of the regime, by sessions after the decision",
        ),
        table(
            [column.name for column in year_columns(judged)],
            year_rows(judged),
            caption=f"Share of calls that were right by year, over {YEAR_HORIZON} sessions; score: its rank "
            "correlation with the last",
        ),
    ]
    return Part("The signal judged", joined(pieces, "\n"))


def _map(judged: Judgement, legs: Sequence[str]) -> Html:
    """The score against every leg, on one scale of colours."""
    by, places = score_cells(judged), [(leg, lag) for leg in legs for lag in LAGS]
    sure = np.array([[by[leg, horizon, lag]["t"] * WANTED[leg] for horizon in HORIZONS] for leg, lag in places])
    texts = [[marked(by[leg, horizon, lag]) for horizon in HORIZONS] for leg, lag in places]
    label = (
        "Slope of the score by sessions of the return (columns), against each leg, so many sessions after the decision "
        f"(rows). The stronger the colour, the surer it is: blue as the thesis has it, orange against it. {MARKS}"
    )
    rows = [f"{leg_name(leg)}, after {lag}" for leg, lag in places]
    columns = [f"over {horizon}" for horizon in HORIZONS]
    return heat_map(label, rows, columns, sure.astype(float), texts, from_zero=True)


def _agreement(judged: Judgement, legs: Sequence[str]) -> Html:
    """Every predictor against every leg: how many cells have an interval that leaves 0 out, and which way."""
    found = agreements(judged)
    values = [[np.nan if each is None else float(each[0] - each[1]) for each in counts] for _, counts in found]
    texts = [[_told(each) for each in counts] for _, counts in found]
    label = (
        f"Of {len(HORIZONS) * len(LAGS)} cells each, how many intervals leave 0 out: blue and + for the thesis, orange "
        "and - against it"
    )
    # The key of an input stands in the table of cells.
    names, columns = [name.partition(" (")[0] for name, _ in found], [leg_name(leg) for leg in legs]
    return heat_map(label, names, columns, np.array(values), texts, from_zero=True)


def _told(counts: tuple[int, int] | None) -> str:
    """How many for, how many against; a dash where nothing was estimated."""
    if counts is None:
        return "-"
    agree, against = counts
    return f"+{agree} -{against}" if agree and against else f"+{agree}" if agree else f"-{against}" if against else "0"
