"""The records of a run as JSON has them, in `metrics.json`, `evidence.json` and `manifest.json`."""

from dataclasses import asdict
from typing import Any

from backtests.evidence.honest_lines import HonestLines
from backtests.evidence.sharpe_difference import CONFIDENCE, RESAMPLES, SharpeDifference
from backtests.measures.counts import RunCounts
from backtests.measures.run_measures import RunMeasures


def measures_json(measures: RunMeasures) -> dict[str, Any]:
    """The measures of each portfolio by its name, then ``by_regime`` and ``by_year``."""
    return {
        **{name: asdict(each) for name, each in measures.portfolios.items()},
        "by_regime": {name: asdict(each) for name, each in measures.by_regime.items()},
        "by_year": {year: dict(each) for year, each in measures.by_year.items()},
    }


def counts_json(counts: RunCounts) -> dict[str, Any]:
    """The counts by name; the numbers of live blocks as texts, as every key of JSON is one."""
    live_blocks = {str(number): share for number, share in counts.live_blocks.items()}
    return {**asdict(counts), "live_blocks": live_blocks}


def evidence_json(lines: HonestLines) -> dict[str, Any]:
    """The honest lines: ``luck`` and ``rivals`` (differences of Sharpe ratios), ``one_stay``, ``names``.

    What cannot be measured is null, and ``unknown`` says why.
    """
    stay = lines.best_stay
    days = {} if stay is None else {"start": str(stay.start.date()), "end": str(stay.end.date())}
    return {
        "luck": None if lines.luck is None else _difference_json(lines.luck),
        "rivals": {name: _difference_json(each) for name, each in lines.rivals.items()},
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "one_stay": None if stay is None else {**asdict(stay), **days},
        "names": lines.names,
        "unknown": lines.unknown,
    }


def _difference_json(difference: SharpeDifference) -> dict[str, Any]:
    value = asdict(difference)
    return {"sharpe_difference": value.pop("value"), **value, "told_from_luck": difference.excludes_zero}
