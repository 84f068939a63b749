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
    agreement_rows,
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
        _map(judged, legs),
        table(names, cell_rows(surest(judged, ON_THE_PAGE)), caption="The surest cell of each pair", texts=(1,)),
        table(
            ("", *(leg_name(leg) for leg in legs)),
            agreement_rows(judged),
            caption=f"Of {len(HORIZONS) * len(LAGS)} cells each: intervals that leave 0 out, for the thesis or against",
        ),
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
    if judged.gauge.hindsight:
        pieces.append(tag("p", f"HINDSIGHT: {judged.gauge.hindsight}", class_="soft small"))
    return Part("The signal judged", joined(pieces, "\n"))


def _map(judged: Judgement, legs: Sequence[str]) -> Html:
    """The score against every leg, on one scale of colours."""
    by, places = score_cells(judged), [(leg, lag) for leg in legs for lag in LAGS]
    sure = np.array([[by[leg, horizon, lag]["t"] * WANTED[leg] for horizon in HORIZONS] for leg, lag in places])
    texts = [[marked(by[leg, horizon, lag]) for horizon in HORIZONS] for leg, lag in places]
    label = (
        "Slope of the score by sessions of the return (columns), against each leg so many sessions after the decision "
        "(rows); "
        f"the stronger the colour, the surer it is as the thesis has it. {MARKS}"
    )
    rows = [f"{leg_name(leg)} {lag}" for leg, lag in places]
    return heat_map(label, rows, [f"over {horizon}" for horizon in HORIZONS], sure.astype(float), texts)
