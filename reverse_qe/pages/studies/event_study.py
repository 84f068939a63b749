"""The event study as a page: what it comes to, then each kind of event with its chart and its tables."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from backtests.studies.event_study.study import EventStudy
from reverse_qe.pages.charts.event_path import Path, event_paths
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.tables import Column
from reverse_qe.words.studies.event_study import (
    LEGEND,
    SLOPE_HEAD,
    SLOPES,
    TERCILE_HEAD,
    TEST_HEAD,
    count_sentences,
    slope_rows,
    tercile_rows,
    test_rows,
    title,
    verdicts,
    wide_legs,
)


def event_study_page(found: EventStudy, hindsight: str = "") -> str:
    """Draw an event study.

    Args:
        found: what prices did.
        hindsight: why the choice of instruments knows the outcome; empty where it does not.
    """
    banners = [("SIMULATED", "Its prices are made by a model; the events are real.")] if found.simulated else []
    kinds = found.counts["kind"].tolist()
    return page(
        title=f"{title(found)} - Reverse QE",
        heading="Event study",
        subtitle=title(found),
        banners=banners + ([("HINDSIGHT", hindsight)] if hindsight else []),
        lead=bullets(verdicts(found)),
        parts=[*(_kind(found, kind) for kind in kinds), _single(found)],
    )


def _kind(found: EventStudy, kind: str) -> Part:
    of_kind = _only(found, kind)
    legs = wide_legs(found)
    pieces = [tag("p", count_sentences(found)[kind]), _chart(found, kind)]
    pieces.append(_table(TEST_HEAD[1:], _without_kind(test_rows(of_kind, legs)), "Cumulative abnormal returns"))
    pieces.append(tag("p", LEGEND, class_="soft small"))
    if rows := tercile_rows(of_kind, legs):
        terciles = _without_kind(rows)
        pieces.append(table(TERCILE_HEAD[1:], terciles, caption="By tercile of the week's news", texts=(2, 3, 4)))
        pieces.append(_table(SLOPE_HEAD[1:], _without_kind(slope_rows(of_kind, legs)), "Slope on the week's news"))
        pieces.append(tag("p", SLOPES, class_="soft small"))
    return Part(kind.capitalize(), joined(pieces, "\n"))


def _chart(found: EventStudy, kind: str) -> Html:
    of_kind = found.paths[found.paths["kind"] == kind]
    sessions = sorted(of_kind["session"].unique().tolist())
    paths = []
    for leg in wide_legs(found):
        path = of_kind[of_kind["leg"] == leg].set_index("session").reindex(sessions)
        mean, low, high = (path[name].to_numpy(dtype=float) for name in ("mean", "low", "high"))
        paths.append(Path(leg.replace("_", " "), mean, low, high))
    label = (
        f"Cumulative abnormal return around {kind} by session, shaded its 95% interval; 0 is the first session "
        "that could answer"
    )
    return event_paths(label, sessions, paths)


def _single(found: EventStudy) -> Part:
    names = [leg for leg in found.legs if leg not in wide_legs(found)]
    head = [column.name for column in TEST_HEAD]
    return Part("Single names", table(head, test_rows(found, names), caption="Every instrument by itself", texts=(1,)))


def _without_kind(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows of one kind, which the heading names."""
    return [row[1:] for row in rows]


def _table(head: Sequence[Column], rows: list[tuple[str, ...]], caption: str) -> Html:
    return table([column.name for column in head], rows, caption=caption)


def _only(found: EventStudy, kind: str) -> EventStudy:
    def of_kind(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["kind"] == kind]

    return replace(found, tests=of_kind(found.tests), surprises=of_kind(found.surprises), slopes=of_kind(found.slopes))
