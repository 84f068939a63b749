"""Count in how many simulated markets the studies tell of something: where nothing is linked, and by the thesis.

    python docs/study_sizes.py --markets 100

Each market takes some seconds, and there are two of each number. The counts stand in docs/event-study.md,
docs/exposures.md and docs/decisions/judged.md; no page is written.
"""

import argparse
from collections.abc import Iterator

import pandas as pd

from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.spec.spec import load_spec
from backtests.studies.event_study.study import event_study
from backtests.studies.exposures import study_exposures
from backtests.studies.judged.judge import judge_spec
from data.clock import previous_session
from data.sample import load_market
from strategies.exposures import DURATION

LEVEL = 0.05
WIDE = ("crypto", "speculative", "cash_flow")


def told(name: str) -> Iterator[tuple[str, bool]]:
    """By family of tests, whether a market is told from nothing at 5% with the family's count taken into account."""
    spec, market = load_spec("sample"), load_market(name)
    coming = session_to_come(market)
    events = event_study(spec, market)
    for what, table in (("means", events.tests), ("slopes", events.slopes)):
        for legs, of_legs in (("baskets", table["leg"].isin(WIDE)), ("single names", ~table["leg"].isin(WIDE))):
            yield f"event study, {what} of {legs}", bool((table.loc[of_legs, "holm"] < LEVEL).any())
    baskets = study_exposures(spec, market, coming).baskets.dropna(subset="p_value").set_index("ranking")
    yield "exposures, duration", bool(baskets["p_value"].get(DURATION, 1.0) < LEVEL)
    others = baskets.drop(index=DURATION, errors="ignore")
    yield "exposures, other rankings", bool((others["p_value"] < LEVEL / len(others)).any())
    cells = judge_spec(spec, market, read_signal(spec, market, coming), previous_session(coming)).cells
    of_score = cells["kind"] == "score"
    yield "judged, the score", bool((cells.loc[of_score, "p_holm"] < LEVEL).any())
    yield "judged, blocks and inputs", bool((cells.loc[~of_score, "p_holm"] < LEVEL).any())


def counts(markets: int) -> pd.DataFrame:
    """Markets told from nothing, by family, without a link and by the thesis."""
    found = {
        kind: pd.DataFrame([dict(told(f"sample:{kind}@{seed}")) for seed in range(1, markets + 1)]).sum()
        for kind in ("null", "thesis")
    }
    return pd.DataFrame(found).rename_axis("family")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=100, help="of each kind (default: 100)")
    print(counts(parser.parse_args().markets).to_string())
