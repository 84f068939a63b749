"""The event study in words: its tables, and what they come to."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from backtests.studies.event_study.study import EventStudy
from reverse_qe.tables import Column

TEST_HEAD = (
    Column("events"),
    Column("of"),
    Column("sessions"),
    Column("weeks", rank=1),
    Column("mean"),
    Column("95%"),
    Column("p, t", rank=4),
    Column("p, BMP", rank=3),
    Column("p, KP", rank=5),
    Column("p, Corrado", rank=6),
    Column("Holm", rank=2),
)
SLOPE_HEAD = (
    Column("events"),
    Column("of"),
    Column("sessions"),
    Column("weeks", rank=1),
    Column("slope"),
    Column("95%"),
    Column("p", rank=3),
    Column("Holm", rank=2),
    Column("would be found", rank=4),
)
TERCILE_HEAD = ("events", "of", "sessions", "low news", "middle", "high news")
LEGEND = (
    "Mean: cumulative abnormal return, the events of a calendar week being one observation. p-values, two-sided: t "
    "plain; BMP standardised, for events that raise the variance; KP of all members, for names that move together; "
    "Corrado by ranks. Holm: the p-value of BMP, raised for as many tests as there are rows."
)
SLOPES = (
    "Slope: the cumulative abnormal return for news larger by one of its standard deviations. Would be found: a slope "
    "that such a study finds in four of five cases."
)
NEVER = "It is evidence: nothing of it enters a signal."
_LEVEL = 0.05


def title(found: EventStudy) -> str:
    """What was studied, on one line."""
    market = f"{'SIMULATED market' if found.simulated else 'market'} {found.market}"
    begin, end = found.config.estimation
    return (
        f"Event study on {market}, {found.first.date()} to {found.last.date()}: returns beyond {found.index}, by a fit "
        f"over the sessions {begin} to {end}"
    )


def wide_legs(found: EventStudy) -> list[str]:
    """Crypto and baskets: what is shown first."""
    return [leg for leg, members in found.legs.items() if members != (leg,)]


def test_rows(found: EventStudy, legs: Iterable[str]) -> list[tuple[str, ...]]:
    """Mean and tests of some legs, one row a kind, leg and window, under `TEST_HEAD`."""
    rows = found.tests[found.tests["leg"].isin(list(legs))]
    return [
        (
            *_what(row),
            f"{row['weeks']:,}",
            _percent(row["mean"]),
            _interval(row),
            *(_p_value(row[f"p_{name}"]) for name in ("t", "bmp", "kp", "corrado")),
            _p_value(row["holm"]),
        )
        for row in _records(rows)
    ]


def slope_rows(found: EventStudy, legs: Iterable[str]) -> list[tuple[str, ...]]:
    """Slopes on news, under `SLOPE_HEAD`."""
    rows = found.slopes[found.slopes["leg"].isin(list(legs))]
    return [
        (
            *(*_what(row), f"{row['weeks']:,}", _percent(row["slope"]), _interval(row)),
            *(_p_value(row["p_slope"]), _p_value(row["holm"]), _percent(row["detectable"], "{:.2%}")),
        )
        for row in _records(rows)
    ]


def tercile_rows(found: EventStudy, legs: Iterable[str]) -> list[tuple[str, ...]]:
    """Means by tercile of news, under `TERCILE_HEAD`."""
    rows = found.surprises[found.surprises["leg"].isin(list(legs))]
    keys = ["kind", "leg", "first", "last"]
    return [
        (
            *_what(dict(zip(keys, key, strict=True))),
            *(f"{_percent(row['mean'])} {_interval(row)}" for row in _records(group)),
        )
        for key, group in rows.groupby(keys, sort=False)
    ]


def sentences(found: EventStudy) -> list[str]:
    """How many events there were, and what the tests come to."""
    return [*count_sentences(found).values(), *verdicts(found)]


def count_sentences(found: EventStudy) -> dict[str, str]:
    """How many events there were, by kind."""
    return {
        row["kind"]: f"{row['kind'].capitalize()}: {_counted(row['events'], 'event')} on "
        f"{_counted(row['days'], 'day')} in {_counted(row['weeks'], 'week')}"
        + (f", of which {row['overlapping']} begin in the window of the one before" if row["overlapping"] else "")
        + _effective(found, row["kind"])
        for row in _records(found.counts)
    }


def verdicts(found: EventStudy) -> list[str]:
    """What the tests come to, and what was left out."""
    told = [_verdict(found, wide_legs(found), "crypto and baskets")]
    told.append(_verdict(found, [leg for leg in found.legs if leg not in wide_legs(found)], "single names"))
    told.append(_slope_verdict(found))
    told += _missing(found)
    if found.left_out:
        told.append(f"No fit at all, for too few returns or none beyond {found.index}: {', '.join(found.left_out)}.")
    return [*told, NEVER]


def _effective(found: EventStudy, kind: str) -> str:
    """As many independent answers of members as stand behind the test of Kolari and Pynnonen."""
    rows = found.tests[(found.tests["kind"] == kind) & found.tests["leg"].isin(wide_legs(found))]
    counts = rows.loc[rows["effective"] > 0, "effective"].round().astype(int)
    if counts.empty:
        return "."
    low, high = counts.min(), counts.max()
    return (
        f"; the answers of a leg's names are as good as {low if low == high else f'{low} to {high}'} independent ones."
    )


def _missing(found: EventStudy) -> list[str]:
    told = []
    if found.outside:
        told.append(f"{_counted(found.outside, 'event')} outside of these sessions left out.")
    answers, unfitted, blank = (int(found.counts[name].sum()) for name in ("answers", "unfitted", "blank"))
    if unfitted + blank:
        told.append(
            f"Of {answers:,} answers of one name to one day {unfitted:,} have no fit (fewer than {found.config.least} "
            f"returns before them, or nothing beyond {found.index}), and {blank:,} lack a return in a window; they are "
            "left out."
        )
    return told


def _verdict(found: EventStudy, legs: list[str], what: str) -> str:
    tests = found.tests[found.tests["leg"].isin(legs) & found.tests["p_bmp"].notna()]
    if tests.empty:
        return f"Of {what} no test could be made."
    alone, together = int((tests["p_bmp"] < _LEVEL).sum()), int((tests["holm"] < _LEVEL).sum())
    chance = f"{_LEVEL * len(tests):.1f} would be by chance"
    return (
        f"Of {len(tests)} tests of {what}, {alone or 'none'} {_are(alone)} below 5% alone ({chance}), and "
        f"{together or 'none'} when all are taken into account."
    )


def _slope_verdict(found: EventStudy) -> str:
    slopes = found.slopes[found.slopes["leg"].isin(wide_legs(found)) & found.slopes["slope"].notna()]
    if slopes.empty:
        return "No event bears news that is scored: there is no slope."
    apart, together = slopes[slopes["p_slope"] < _LEVEL], slopes[slopes["holm"] < _LEVEL]
    chance = f"{_LEVEL * len(slopes):.1f} would be by chance"
    named = "; ".join(f"{' '.join(_what(row)[:2])}, sessions {_what(row)[2]}" for row in _records(together))
    return (
        f"Of {len(slopes)} slopes on news, {len(apart) or 'none'} {_are(len(apart))} below 5% alone ({chance}), and "
        f"{len(together) or 'none'} when all are taken into account{f': {named}' if named else ''}."
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _what(row: dict[str, Any]) -> tuple[str, str, str]:
    return str(row["kind"]), str(row["leg"]).replace("_", " "), f"{row['first']:+d} to {row['last']:+d}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _percent(value: float, style: str = "{:+.2%}") -> str:
    return "-" if math.isnan(value) else style.format(value)


def _interval(row: dict[str, Any]) -> str:
    return "-" if math.isnan(row["low"]) else f"[{row['low'] * 100:+.1f}, {row['high'] * 100:+.1f}]"


def _p_value(value: float) -> str:
    return "-" if math.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
