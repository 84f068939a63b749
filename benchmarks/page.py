"""The page of a run beside QuantStats' stock page on the same returns: time to render, bytes."""

import argparse
import gc
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

from main_job import stored_history
from measuring import show

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from reverse_qe.pages.run import run_page

ROUNDS = 7


def stock_page(run: Backtest, output: Path) -> int:
    """Render QuantStats' own page of the run's returns as its users do; its size in bytes."""
    import quantstats

    with warnings.catch_warnings(action="ignore"):
        quantstats.reports.html(
            run.returns["strategy"].copy(), benchmark=run.returns["benchmark"].copy(), output=str(output)
        )
    return output.stat().st_size


def processor_seconds(work: Callable[[], object]) -> float:
    gc.collect()
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    import matplotlib

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    arguments = parser.parse_args()
    matplotlib.use("agg")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # the stock page asks for Arial over and over
    run = run_backtest(load_spec("history"), stored_history(arguments.shared))
    output = Path(tempfile.mkdtemp(prefix="reverse-qe-benchmark-")) / "stock.html"
    sizes = len(run_page(run).encode()), stock_page(run, output)  # imports and caches, too
    ours, stock = [], []
    for _ in range(ROUNDS):
        ours.append(processor_seconds(lambda: run_page(run)))
        stock.append(processor_seconds(lambda: stock_page(run, output)))
    show(
        f"The page of a run ({sizes[0]:,} bytes) and QuantStats' stock one ({sizes[1]:,}), processor seconds, warm",
        {
            "page_over_quantstats": median(one / other for one, other in zip(ours, stock, strict=True)),
            "page_bytes_over_quantstats": sizes[0] / sizes[1],
        },
        {"page": median(ours), "quantstats": median(stock)},
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
