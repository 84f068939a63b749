"""The part of docs/signal-evidence.md in which the signal is judged on real history, and the power to find anything."""

from collections.abc import Callable, Sequence

import pandas as pd

from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.spec.spec import load_spec
from backtests.studies.judged.cells import SCORE
from backtests.studies.judged.judge import Judgement, judge_spec
from data.clock import previous_session
from data.sample import load_market
from page_parts import paragraphs, table
from reverse_qe.words.signal.judged import (
    CELL_COLUMNS,
    HIT_COLUMNS,
    MARKS,
    SCORE_COLUMNS,
    agreement_rows,
    cell_rows,
    hit_rows,
    leg_name,
    predictor_name,
    score_rows,
    surest,
    verdicts,
    year_columns,
    year_rows,
)

WEEK = 5
LEGS = ("crypto", "speculative", "cash_flow", "speculative_less_cash_flow", "crypto_less_cash_flow")


def judged_sample(name: str) -> Judgement:
    """A sample market, judged."""
    spec, market = load_spec("sample"), load_market(name)
    coming = session_to_come(market)
    return judge_spec(spec, market, read_signal(spec, market, coming), previous_session(coming))


def judged_section(judged: Judgement, seeds: int, tell: Callable[[str], None]) -> str:
    """Everything that was measured, and how often the same finds what the sample market has planted.

    Args:
        judged: real history.
        seeds: sample markets with the effect, and as many without.
        tell: is told each.
    """
    return "\n\n".join(
        (
            paragraphs(" ".join(verdicts(judged))),
            paragraphs(f"Slope of the score, by sessions of the return (rows) and after the decision. {MARKS}:"),
            table([column.name for column in SCORE_COLUMNS], score_rows(judged)),
            paragraphs(
                "Over a week, right after the decision: what crypto did after each block and input. Before all cells "
                f"are counted, 0 is outside of the intervals of: {_clear(judged)}."
            ),
            table([column.name for column in CELL_COLUMNS], cell_rows(_week(judged))),
            paragraphs("The surest cell of each predictor and leg:"),
            table([column.name for column in CELL_COLUMNS], cell_rows(surest(judged))),
            paragraphs("Of the 16 cells of each pair, how many intervals leave 0 out, for the thesis or against it:"),
            table(("", *(leg_name(leg) for leg in LEGS)), agreement_rows(judged)),
            paragraphs(
                "Balanced accuracy of the regime right after the decision, p by the calls moved to all other moments; "
                "20 such numbers stand here, and none of the p is corrected for that:"
            ),
            table([column.name for column in HIT_COLUMNS], hit_rows(judged)),
            paragraphs("Share of its calls that were right, by year, over 20 sessions; - where it called nothing:"),
            table([column.name for column in year_columns(judged)], year_rows(judged)),
            _power(seeds, tell),
        )
    )


def _week(judged: Judgement) -> pd.DataFrame:
    cells = judged.cells
    return cells[(cells["leg"] == "crypto") & (cells["horizon"] == WEEK) & (cells["lag"] == 0)]


def _clear(judged: Judgement) -> str:
    week = _week(judged)
    clear = [predictor_name(row["kind"], row["predictor"]) for row in week[week["p"] < 0.05].to_dict("records")]
    return "; ".join(clear) or "none"


def _power(seeds: int, tell: Callable[[str], None]) -> str:
    """How often something is told in sample markets with the effect of the thesis, and without any."""
    found: dict[str, list[Judgement]] = {"thesis": [], "null": []}
    for scenario in found:
        for seed in range(1, seeds + 1):
            tell(f"sample market {scenario} {seed}, judged")
            found[scenario].append(judged_sample(f"sample:{scenario}@{seed}"))
    rows = [
        ("any cell", *(_share([not each.told.empty for each in found[name]]) for name in found)),
        *(
            (
                f"the score against {leg_name(leg)}",
                *(_share([_tells(each, leg) for each in found[name]]) for name in found),
            )
            for leg in LEGS
        ),
    ]
    told = (
        f"How often the same table tells something with all its cells counted, in {seeds} sample markets that are "
        f"made by the thesis and {seeds} in which prices know nothing of the signal. These are the powers: what is "
        "not told on real history can be there all the same where they are low."
    )
    return f"{paragraphs(told)}\n\n{table(('', 'where the thesis is planted', 'where nothing is'), rows)}"


def _tells(judged: Judgement, leg: str) -> bool:
    return bool(((judged.told["predictor"] == SCORE) & (judged.told["leg"] == leg)).any())


def _share(hits: Sequence[bool]) -> str:
    return f"{sum(hits)} of {len(hits)}"
