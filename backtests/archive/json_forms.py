"""The records of a run as JSON has them, in `metrics.json` and `manifest.json`: read by people and other programs."""

from dataclasses import asdict
from typing import Any

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
