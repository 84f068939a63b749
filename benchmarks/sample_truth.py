"""Does the signal find the regimes of the simulated market, and does the rotation earn by it? Over many seeds.

The market without a link (`null`) is run before costs: there, the rotation must not differ from the static mix.
"""

import argparse
import time
from statistics import median

import pandas as pd
from measuring import show

from backtests.spec.spec import load_spec
from backtests.studies.truth import before_costs, compare_with_truth
from data.sample import load_market, true_regime
from data.sample.parameters import scenario_names

SEEDS = 50
BEFORE_COSTS = ("null",)
MEASURES = ("kappa", "sharpe_difference")


def compare_seeds(scenario: str, seeds: int) -> pd.DataFrame:
    """One run for each seed from 1 on: columns `MEASURES` and the seconds it took."""
    spec = load_spec("sample")
    if scenario in BEFORE_COSTS:
        spec = before_costs(spec)
    rows = []
    for seed in range(1, seeds + 1):
        begin = time.perf_counter()
        name = f"sample:{scenario}@{seed}"
        found = compare_with_truth(spec, load_market(name), true_regime(name))
        rows.append((found.kappa, found.sharpe_difference, time.perf_counter() - begin))
    return pd.DataFrame(rows, columns=[*MEASURES, "seconds"])


def spread(values: pd.Series) -> dict[str, float]:
    """Quartiles, mean and standard error of the mean."""
    return {
        "lower_quartile": values.quantile(0.25),
        "median": values.median(),
        "upper_quartile": values.quantile(0.75),
        "mean": values.mean(),
        "standard_error": values.sem(),
    }


def truth_table(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The spread of each measure over the seeds, a row a scenario and measure."""
    rows = {
        (scenario, measure.replace("_", " ")): {
            "costs": "before" if scenario in BEFORE_COSTS else "with",
            "seeds": len(runs),
            **spread(runs[measure]),
        }
        for scenario, runs in found.items()
        for measure in MEASURES
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["scenario", "measure"])
    return table.rename(columns=lambda name: name.replace("_", " ")).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=["thesis", "null"], help=", ".join(scenario_names()))
    parser.add_argument("--seeds", type=int, default=SEEDS, help="1 to this number are run, at least 2")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error(f"--seeds: got {arguments.seeds}, wanted at least 2: one run has no spread")
    for scenario in arguments.scenarios:
        if scenario not in scenario_names():
            parser.error(f"got the scenario {scenario}, wanted one of {', '.join(scenario_names())}")
    found = {scenario: compare_seeds(scenario, arguments.seeds) for scenario in arguments.scenarios}
    seconds = {f"{scenario}_run": median(runs["seconds"]) for scenario, runs in found.items()}
    seconds |= {f"{scenario}_all_seeds": runs["seconds"].sum() for scenario, runs in found.items()}
    ratios = {
        f"{scenario}_{measure}_{name}": value
        for scenario, runs in found.items()
        for measure in MEASURES
        for name, value in spread(runs[measure]).items()
    }
    if not arguments.json:
        print(truth_table(found).to_string(index=False, float_format="{:.3f}".format), end="\n\n")
    show("Time", ratios if arguments.json else {}, seconds, as_json=arguments.json)


if __name__ == "__main__":
    main()
