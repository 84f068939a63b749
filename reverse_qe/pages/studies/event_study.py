"""The event study as a page: what it comes to, then each kind of event with its chart and its tables."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from backtests.studies.event_study.study import EventStudy
from reverse_qe.pages.charts.event_path import Path, event_path
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.tables import Column
from reverse_qe.words.studies.event_study import (
    LEGEND,
    SLOPE_HEAD,
    SLOPES,
    TERCILE_HEAD,
    TEST_HEAD,
    sentences,
    slope_rows,
    tercile_rows,
    test_rows,
    title,
    wide_legs,
)

LINES = ("c1", "c3", "c2", "c4")


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
        lead=bullets(sentences(found)),
        parts=[*(_kind(found, kind) for kind in kinds), _single(found)],
    )


def _kind(found: EventStudy, kind: str) -> Part:
    of_kind = _only(found, kind)
    legs = wide_legs(found)
    pieces = [_chart(found, kind), _table(TEST_HEAD, test_rows(of_kind, legs), "Cumulative abnormal returns")]
    pieces.append(tag("p", LEGEND, class_="soft small"))
    if rows := tercile_rows(of_kind, legs):
        pieces.append(table(TERCILE_HEAD, rows, caption="By tercile of the week's news", texts=(1, 2, 3, 4, 5)))
        pieces.append(_table(SLOPE_HEAD, slope_rows(of_kind, legs), "Slope on the week's news"))
        pieces.append(tag("p", SLOPES, class_="soft small"))
    return Part(kind.capitalize(), joined(pieces, "\n"))


def _chart(found: EventStudy, kind: str) -> Html:
    of_kind = found.paths[found.paths["kind"] == kind]
    sessions = sorted(of_kind["session"].unique().tolist())
    paths = []
    for leg, line in zip(wide_legs(found), LINES, strict=False):
        path = of_kind[of_kind["leg"] == leg].set_index("session").reindex(sessions)
        mean, low, high = (path[name].to_numpy(dtype=float) for name in ("mean", "low", "high"))
        paths.append(Path(leg.replace("_", " "), mean, low, high, line))
    shaded = f", with the 95% interval of {paths[0].name}" if paths else ""
    return event_path(f"Cumulative abnormal return around {kind}, by session{shaded}", sessions, paths)


def _single(found: EventStudy) -> Part:
    names = [leg for leg in found.legs if leg not in wide_legs(found)]
    return Part("Single names", _table(TEST_HEAD, test_rows(found, names), "Every instrument by itself"))


def _table(head: Sequence[Column], rows: list[tuple[str, ...]], caption: str) -> Html:
    return table([column.name for column in head], rows, caption=caption, texts=(1,))


def _only(found: EventStudy, kind: str) -> EventStudy:
    def of_kind(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["kind"] == kind]

    return replace(found, tests=of_kind(found.tests), surprises=of_kind(found.surprises), slopes=of_kind(found.slopes))
