"""The judgement of a signal in rows and sentences."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtests.studies.judged.cells import ALL_YEARS, HORIZONS, LAGS, SCORE, WANTED
from backtests.studies.judged.judge import LEVEL, Judgement
from reverse_qe.tables import Column
from signals.explain.titles import input_title

Row = Sequence[str]

LEGS = {
    "crypto": "crypto",
    "speculative": "speculative",
    "cash_flow": "cash flow",
    "speculative_less_cash_flow": "spec. - cash flow",
    "crypto_less_cash_flow": "crypto - cash flow",
}
MARKS = "* its own interval leaves 0 out; ** so does it with all cells counted (Holm)"
SCORE_COLUMNS = (Column(""), Column("over"), *(Column(f"after {lag}") for lag in LAGS))
CELL_COLUMNS = (
    Column("", prose=True),
    Column("against", prose=True),
    Column("over"),
    Column("after"),
    Column("slope"),
    Column("rank", rank=2),
    Column("p", rank=3),
    Column("Holm"),
)
HIT_COLUMNS = (Column(""), *(Column(f"over {horizon}") for horizon in HORIZONS))
YEAR_HORIZON = 20
SHOWN = 15


def leg_name(leg: str) -> str:
    """A leg, a spread or a basket, for people."""
    return LEGS.get(leg, leg.replace("_", " "))


def year_columns(judged: Judgement) -> list[Column]:
    """The head of `year_rows`."""
    return [Column("decided in"), *(Column(leg_name(leg)) for leg in _legs(judged)), Column("score", rank=1)]


def score_rows(judged: Judgement) -> list[Row]:
    """Slope of the score, a row a leg and horizon, a column a lag, under `SCORE_COLUMNS`."""
    cells = score_cells(judged)
    return [
        (leg_name(leg), str(horizon), *(marked(cells[leg, horizon, lag]) for lag in LAGS))
        for leg in _legs(judged)
        for horizon in HORIZONS
    ]


def score_cells(judged: Judgement) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Those of the score by leg, horizon and lag."""
    cells = judged.cells[judged.cells["predictor"] == SCORE].to_dict("records")
    return {(str(cell["leg"]), int(cell["horizon"]), int(cell["lag"])): _named_values(cell) for cell in cells}


def marked(cell: Mapping[str, Any]) -> str:
    """A slope with its stars, see `MARKS`; "-" where it was not estimated."""
    if not math.isfinite(cell["slope"]):
        return "-"
    stars = 0 if not cell["p"] < LEVEL else 2 if cell["p_holm"] < LEVEL else 1
    return f"{cell['slope']:+.1%}{'*' * stars}"


def surest(judged: Judgement, count: int = SHOWN) -> pd.DataFrame:
    """Of each predictor and leg the surest of its cells, the surest pair first."""
    return judged.ranked.drop_duplicates(["kind", "predictor", "leg"]).head(count)


def cell_rows(cells: pd.DataFrame) -> list[Row]:
    """One row a cell, under `CELL_COLUMNS`."""
    return [
        (
            predictor_name(cell["kind"], cell["predictor"]),
            leg_name(cell["leg"]),
            str(cell["horizon"]),
            str(cell["lag"]),
            f"{cell['slope']:+.1%} [{cell['low'] * 100:+.1f}, {cell['high'] * 100:+.1f}]",
            f"{cell['rank_correlation']:+.2f}",
            chance(cell["p"]),
            chance(cell["p_holm"]),
        )
        for cell in cells.to_dict("records")
    ]


def predictor_name(kind: str, name: str) -> str:
    """What the signal says, for people."""
    if kind == "input":
        return input_title(name)
    return name.replace("_", " ") if kind == "score" else f"{name.replace('_', ' ')}, block"


def hit_rows(judged: Judgement) -> list[Row]:
    """Balanced accuracy of the regime with its p, a row a leg, a column a horizon, right after the decision."""
    chosen = judged.hits[(judged.hits["year"] == ALL_YEARS) & (judged.hits["lag"] == 0)].to_dict("records")
    hits = {(hit["leg"], hit["horizon"]): _named_values(hit) for hit in chosen}
    return [(leg_name(leg), *(_accuracy(hits[leg, horizon]) for horizon in HORIZONS)) for leg in _legs(judged)]


def year_rows(judged: Judgement) -> list[Row]:
    """Hit rate by year over `YEAR_HORIZON` sessions right after the decision, under `year_columns`; "-" without a call.

    Not the balanced accuracy, which is 50% in every year of one regime. The last column is the score's rank correlation
    with the last leg.
    """
    hits = judged.hits[(judged.hits["horizon"] == YEAR_HORIZON) & (judged.hits["lag"] == 0)]
    cells, legs = hits.set_index(["year", "leg"]), _legs(judged)
    return [
        (
            str(year),
            *(_percent(cells.loc[(year, leg), "hit_rate"]) for leg in legs),
            _signed(float(cells.loc[(year, legs[-1]), "rank_correlation"])),
        )
        for year in dict.fromkeys(hits["year"])
    ]


def agreement_rows(judged: Judgement) -> list[Row]:
    """Of each predictor and leg: how many of its cells leave 0 out, and which way."""
    return [(name, *map(_counted, counts)) for name, counts in agreements(judged)]


def agreements(judged: Judgement) -> list[tuple[str, list[tuple[int, int] | None]]]:
    """Each predictor's name, and by leg how many of its cells leave 0 out for the thesis and against it.

    None where no cell was estimated. Score, blocks and inputs, in this order.
    """
    order = {"score": 0, "block": 1, "input": 2}
    groups = [
        (str(kind), str(name), cells) for (kind, name), cells in judged.cells.groupby(["kind", "predictor"], sort=False)
    ]
    groups.sort(key=lambda each: order[each[0]])
    return [
        (predictor_name(kind, name), [_agreeing(cells[cells["leg"] == leg], WANTED[leg]) for leg in _legs(judged)])
        for kind, name, cells in groups
    ]


def verdicts(judged: Judgement) -> list[str]:
    """What the cells come to, in sentences."""
    if not judged.tested:
        return ["No cell could be tested: there are too few sessions, or nothing that the signal says ever moved."]
    told = judged.told
    chance_alone = LEVEL * judged.tested
    count = (
        f"{judged.tested:,} cells were tested, {judged.of_score:,} of the score, which is asked first, and the rest of "
        f"blocks and inputs. By their own intervals {judged.without_zero:,} leave 0 out; where nothing is linked "
        f"{chance_alone:,.0f} would on average, many more or none at once, for the cells are kin."
    )
    if told.empty:
        best = judged.ranked.sort_values("p_holm", kind="stable").iloc[0]
        return [
            count,
            f"With all of them counted (Holm) none is told from nothing; the surest is {_named(best)}, "
            f"p {chance(best['p'])}, with all counted {chance(best['p_holm'])}.",
            *_power(judged),
        ]
    rightly = sum(np.sign(row["slope"]) == WANTED[row["leg"]] for _, row in told.iterrows())
    return [
        count,
        f"With all of them counted (Holm) {len(told):,} are told from nothing, {rightly:,} of them as the thesis has "
        f"it; the surest is {_named(told.iloc[0])}.",
        *_power(judged),
    ]


def _power(judged: Judgement) -> list[str]:
    """How large a slope of the score has to be; nothing where none could be tested."""
    cells = judged.cells[(judged.cells["kind"] == SCORE) & (judged.cells["lag"] == 0)].dropna(subset="p")
    of_horizon = cells[cells["horizon"] == YEAR_HORIZON]
    if of_horizon.empty:
        return []
    named = "; ".join(
        f"{leg_name(row['leg'])} {row['detectable']:.1%} by itself, {row['detectable_holm']:.1%} with all counted"
        for row in of_horizon.to_dict("records")
    )
    return [f"Would be found in four of five cases, slopes of the score over {YEAR_HORIZON} sessions: {named}."]


EXPLAINED = (
    "Slope: return over so many sessions, from the open so many sessions after the decision, per standard deviation of "
    "what the signal says; + means scarcer. The thesis wants it below 0, for cash flow above. Intervals of 95% on "
    "sessions that do not overlap (reverse regression), as if each quarter of a year were one observation. Holm: the "
    "score's p raised for all cells of the score, those of blocks and inputs for all of theirs."
)
HITS_EXPLAINED = (
    "Balanced accuracy: share of the rises and of the falls that SCARCE and ABUNDANT called, averaged; 50% is chance. "
    "p: the calls moved to all other moments, each p by itself. NEUTRAL calls nothing."
)


def chance(value: float) -> str:
    """A p-value."""
    return "-" if not math.isfinite(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def _named_values(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _named(cell: pd.Series) -> str:
    return (
        f"{predictor_name(cell['kind'], cell['predictor'])} against {leg_name(cell['leg'])} over {cell['horizon']} "
        f"session{'' if cell['horizon'] == 1 else 's'}, {cell['lag']} after the decision ({cell['slope']:+.1%})"
    )


def _agreeing(cells: pd.DataFrame, sign: int) -> tuple[int, int] | None:
    if not cells["p"].notna().any():
        return None
    clear = cells[cells["p"] < LEVEL]
    agree = int((np.sign(clear["slope"]) == sign).sum())
    return agree, len(clear) - agree


def _counted(counts: tuple[int, int] | None) -> str:
    if counts is None:
        return "-"
    agree, against = counts
    return f"{agree} for" if not against else f"{against} against" if not agree else f"{agree} for, {against} against"


def _accuracy(hit: Mapping[str, Any]) -> str:
    return "-" if pd.isna(hit["balanced_accuracy"]) else f"{hit['balanced_accuracy']:.0%}, p {chance(hit['p_value'])}"


def _percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.0%}"


def _signed(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:+.2f}"


def _legs(judged: Judgement) -> list[str]:
    here = set(judged.cells["leg"])
    return [leg for leg in WANTED if leg in here]
