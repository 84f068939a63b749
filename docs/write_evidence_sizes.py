"""Write into docs/evidence.md how often its tests find what is not there, and what is.

    python docs/write_evidence_sizes.py --seeds 1000 --markets 50 --sweeps 20

It draws worlds in which the null of each test holds (see docs/evidence_sizes.py), and runs the rotation on seeds of the
sample market, in which the thesis holds. It needs the extras `evidence` and `sweep` and takes a quarter of an hour.
`make docs` does not run it.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.evidence.table import Verdict
from backtests.evidence.trials import TrialCount
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.evidence.of_run import run_evidence
from backtests.studies.evidence.of_sweep import SweptReturns, sweep_evidence
from backtests.studies.evidence.reruns import baseline_returns
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.sample import load_market
from evidence_sizes import NULLS, allowed
from page_parts import paragraphs
from page_parts import table as table_of

PAGE = Path(__file__).with_name("evidence.md")
MARKED = re.compile(r"(<!-- (sizes|power|sweeps): begin -->\n).*?(<!-- \2: end -->)", re.S)
ALONE = TrialCount(1, 1.0, None, None)
SWEPT = {"signal.enter": [0.3, 0.4, 0.5], "signal.half_life_sessions": [5.0, 20.0], "order_rules.band": [0.0, 0.05]}


def sizes_section(seeds: int) -> str:
    """How often each test finds something where its null holds."""
    rows = []
    for each in NULLS:
        _tell(each.test)
        share = sum(each.finds(seed) for seed in range(seeds)) / seeds
        low, high = allowed(each.kind, seeds)
        span = f"{low:.1%} to {high:.1%}" if low else f"at most {high:.1%}"
        holds = "yes" if low <= share <= high else "no"
        rows.append((each.test, each.null, each.kind, f"{share:.1%}", span, holds))
    told = f"{seeds:,} worlds a test, one a seed. All tests at 5%; the span of an exact one holds 99% of all cases."
    return f"{paragraphs(told)}\n\n" + table_of(("test", "its null here", "kind", "found", "may be", "holds"), rows)


def power_section(markets: int, nulls: int) -> str:
    """How often each test finds something on seeds of the sample market in which the thesis holds, and in which not."""
    there, called = _found_on("thesis", markets)
    nothing, miscalled = _found_on("null", nulls)
    named = {
        "Sharpe against the static mix": ("sharpe_against_the_mix", "static_mix"),
        "deflated Sharpe ratio, one trial": ("deflated_sharpe", "static_mix"),
        "circular shift": ("circular_shift", ""),
        "alpha on its own baskets": ("alpha", "its own baskets"),
        "best stays": ("best_stays", "static_mix"),
        "best days": ("best_days", "static_mix"),
        "best names": ("best_names", "static_mix"),
        "by year": ("by_year", "static_mix"),
        "costs": ("break_even_costs", "static_mix"),
        "delay": ("break_even_delay", "static_mix"),
    }
    rows = [(name, f"{there[key] / markets:.0%}", f"{nothing[key] / nulls:.0%}") for name, key in named.items()]
    rows.append(("called skill", f"{called / markets:.0%}", f"{miscalled / nulls:.0%}"))
    told = (
        f"{markets} seeds of the sample market in which the thesis holds, and {nulls} in which prices know nothing "
        "of the signal, each over the days of the shipped spec: how often each test speaks for the rotation, and how "
        "often all of those do that are needed to call it skill."
    )
    return f"{paragraphs(told)}\n\n" + table_of(("test", "for it where it is", "where it is not"), rows)


def _found_on(scenario: str, markets: int) -> tuple[Counter[tuple[str, str]], int]:
    """How often each test speaks for the rotation on seeds of a scenario, and how often the whole calls it skill."""
    spec, found, skill = load_spec("sample"), Counter[tuple[str, str]](), 0
    for seed in range(1, markets + 1):
        _tell(f"sample:{scenario}@{seed}")
        evidence = run_evidence(run_backtest(spec, load_market(f"sample:{scenario}@{seed}")), ALONE)
        skill += evidence.is_skill is True
        found.update((each.test, each.of) for each in evidence.rows if each.verdict is Verdict.FOR)
    return found, skill


def sweeps_section(markets: int) -> str:
    """How often each test finds something in a sweep of few variants on seeds of the sample market."""
    spec, grid, found = load_spec("sample"), make_grid("sample", SWEPT), Counter[tuple[str, str]]()
    for seed in range(1, markets + 1):
        _tell(f"sweep of sample market {seed}")
        sweep = Sweep(SweepAsked(spec, {}, grid, load_market(f"sample:thesis@{seed}")))
        prepared, table = sweep.base, sweep.run(0, grid.size, keep_returns=True)
        mix = baseline_returns(prepared)["static_mix"]
        bill = prepared.risk_free.loc[mix.index].to_numpy()
        sessions, numbers = pd.DatetimeIndex(mix.index), np.arange(grid.size)
        excess = np.array(table["returns"].tolist()) - bill
        swept = SweptReturns("sample", sessions, excess, numbers, grid.size, mix.to_numpy(), bill)
        rows = sweep_evidence(swept, Path(), ALONE).rows
        found.update((each.test, each.of) for each in rows if each.verdict is Verdict.FOR)
    named = {
        f"deflated Sharpe ratio of the best of {grid.size}": ("deflated_sharpe", "static_mix"),
        "superior ability, as they are": ("superior", "as they are"),
        "superior ability, at equal volatility": ("superior", "at equal volatility"),
        "overfitting by halves, 5% or less": ("overfitting", ""),
    }
    rows = [(name, f"{found[key] / markets:.0%}") for name, key in named.items()]
    told = (
        f"Of sweeps of {grid.size} variants ({', '.join(SWEPT)}) on {markets} of these seeds; the variants resemble "
        "each other, so that the best of one half need not be that of the other."
    )
    return f"{paragraphs(told)}\n\n" + table_of(("test", "for it"), rows)


def _tell(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr)


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000, help="worlds a test (default: 1000); 0: left as they are")
    parser.add_argument("--markets", type=int, default=50, help="seeds of the sample (default: 50); 0: likewise")
    parser.add_argument("--nulls", type=int, default=20, help="of those in which there is nothing (default: 20)")
    parser.add_argument("--sweeps", type=int, default=20, help="of them with a sweep (default: 20); 0: likewise")
    asked = parser.parse_args()
    made = {}
    if asked.seeds:
        made["sizes"] = sizes_section(asked.seeds)
    if asked.markets:
        made["power"] = power_section(asked.markets, asked.nulls)
    if asked.sweeps:
        made["sweeps"] = sweeps_section(asked.sweeps)
    text = PAGE.read_text(encoding="utf-8")
    text = MARKED.sub(lambda at: f"{at[1]}\n{made[at[2]]}\n\n{at[3]}" if at[2] in made else at[0], text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
