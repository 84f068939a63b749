"""Whole runs: the ledger rebuilt from the files, the same bytes twice, where a run ends, what it refuses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.archive.folder import write_run
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.errors import InputError
from hand_made import make_instrument, make_snapshot
from rebuilt import rebuilt_equity
from reverse_qe.pages.run import run_page

SHORT = {"run.start": "2022-01-03", "run.end": "2023-06-30"}


def spec_of(name, **overrides):
    return load_spec(name, {key.replace("__", "."): value for key, value in overrides.items()})


@pytest.fixture(scope="module")
def sample_run(sample):
    return run_backtest(load_spec("sample"), sample)


def assert_ledger_agrees(run, folder):
    write_run(run, folder)
    written = pd.read_csv(folder / "equity.csv", parse_dates=["session"], index_col="session")
    np.testing.assert_allclose(rebuilt_equity(folder, run), written["equity"].to_numpy(), rtol=1e-9)


def test_equity_is_rebuilt_from_the_files_on_the_sample(sample_run, tmp_path):
    assert_ledger_agrees(sample_run, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.real_history
def test_equity_is_rebuilt_from_the_files_on_real_history(history, tmp_path):
    run = run_backtest(load_spec("history"), history)
    assert_ledger_agrees(run, tmp_path / "run")
    assert run.counts.orders.rejected == 0
    assert run.snapshot.simulated is False
    # The coins' files end on 2026-10-08, a session before the stocks'. Which is held decides.
    held = run.plan.targets.loc[run.sessions[-1], ["BTC-USD", "ETH-USD"]].sum() > 0
    assert run.sessions[-1] == pd.Timestamp("2026-10-08" if held else "2026-10-09")
    assert run.counts.bars_without_open["BTC-USD"] == 1


def test_no_order_is_rejected_and_cash_is_never_negative(sample_run):
    assert sample_run.counts.orders.rejected == 0
    assert sample_run.engine.equity["cash"].min() >= 0.0
    weights = sample_run.engine.positions.to_numpy() * sample_run.panel.close[1:]
    total = np.nansum(weights, axis=1) + sample_run.engine.equity["cash"].to_numpy()
    np.testing.assert_allclose(total, sample_run.engine.equity["equity"].to_numpy(), rtol=1e-12)


def test_two_runs_write_the_same_bytes(sample, tmp_path):
    spec = load_spec("sample", SHORT)
    pages = {"tearsheet.html": run_page}
    folders = [write_run(run_backtest(spec, sample), tmp_path / name, further=pages) for name in ("one", "two")]
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == sorted(path.name for path in folders[1].iterdir())
    assert names == [
        "attribution.csv",
        "cash.csv",
        "equity.csv",
        "evidence.json",
        "manifest.json",
        "metrics.json",
        "orders.csv",
        "positions.csv",
        "regime.csv",
        "returns.csv",
        "rotations.csv",
        "spec.toml",
        "targets.csv",
        "tearsheet.html",
        "timings.json",
        "trades.csv",
    ]
    for name in set(names) - {"timings.json"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    assert "SIMULATED" in (folders[0] / "tearsheet.html").read_text()


def test_a_file_that_ends_a_day_early_ends_the_run_unless_an_end_is_asked_for(sample):
    bars = sample.bars
    last = bars.loc[bars["symbol"] == "SIM-BILL", "date"].max()
    shorter = replace(sample, bars=bars[~((bars["symbol"] == "SIM-BILL") & (bars["date"] == last))])
    # The reserve is held in SCARCE and NEUTRAL; hold it throughout.
    budgets = {
        f"policy.budgets.{name}": {"speculative": 0.3, "cash_flow": 0.3, "reserve": 0.4}
        for name in ("ABUNDANT", "NEUTRAL", "SCARCE")
    }
    spec = load_spec("sample", {"run.start": "2026-06-01", **budgets})
    assert run_backtest(spec, shorter).sessions[-1] < last
    asked = load_spec("sample", {"run.start": "2026-06-01", "run.end": str(last.date()), **budgets})
    run = run_backtest(asked, shorter)
    assert run.sessions[-1] == last
    assert run.counts.stale_valuations == {"SIM-BILL": 1}
    assert any("SIM-BILL was held and valued at an old close on 1 session" in line for line in run.warnings)


def test_the_benchmarks_file_ends_the_run_too(sample):
    bars = sample.bars
    last = bars.loc[bars["symbol"] == "SIM-MARKET", "date"].max()
    shorter = replace(sample, bars=bars[~((bars["symbol"] == "SIM-MARKET") & (bars["date"] == last))])
    run = run_backtest(load_spec("sample", {"run.start": "2026-06-01"}), shorter)
    assert run.sessions[-1] < last
    assert run.counts.benchmark_sessions_without_bar == 0


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ({"run.start": "2013-01-02"}, "wanted days after 2014"),
        ({"run.end": "2099-01-02"}, "up to 2026"),
        ({"run.start": "2020-07-04", "run.end": "2020-07-05"}, "no NYSE session"),
        ({"universe.benchmark": "NOWHERE"}, "unknown symbol NOWHERE"),
        ({"universe.cash_flow": ["MU"]}, "unknown symbol MU"),
    ],
)
def test_spec_and_market_that_do_not_fit_are_refused(sample, overrides, wanted):
    with pytest.raises(InputError, match=wanted):
        run_backtest(load_spec("sample", overrides), sample)


def test_what_is_not_in_us_dollars_is_refused():
    foreign = make_instrument().model_copy(update={"currency": "KRW"})
    snapshot = make_snapshot({"S": [("2024-04-08", 1.0, 1.0)], "C": [("2024-04-08", 1.0, 1.0)]}, {"C": foreign})
    spec = load_spec(
        "sample",
        {"universe": {"speculative": ["S"], "cash_flow": ["C"], "benchmark": "S"}},
    )
    with pytest.raises(InputError, match=r"more than one place|C \(KRW\)"):
        run_backtest(spec, snapshot)


def test_too_many_bars_without_an_open_are_refused(sample):
    blank = sample.bars.copy()
    rows = blank.index[(blank["symbol"] == "SIM-SAAS-A") & (blank["date"] >= "2022-01-03")][:20]
    blank.loc[rows, "open"] = np.nan
    with pytest.raises(InputError, match=r"SIM-SAAS-A: 20 bars of the run .* have no open"):
        run_backtest(load_spec("sample", SHORT), replace(sample, bars=blank))


BASKETS = {
    "one coin": {"speculative": ["SIM-COIN-A"]},
    "one stock": {"cash_flow": ["SIM-MEMORY-A"]},
    "the reserve alone": {"reserve": ["SIM-BILL"]},
    "no speculative basket": {"cash_flow": ["SIM-MEMORY-A", "SIM-MEMORY-B"], "reserve": ["SIM-BILL"]},
    "no cash flow": {"speculative": ["SIM-COIN-A", "SIM-SAAS-A"], "reserve": ["SIM-BILL"]},
    "no reserve": {"speculative": ["SIM-COIN-A", "SIM-SAAS-A"], "cash_flow": ["SIM-MEMORY-A"]},
}


@pytest.mark.parametrize(
    "baskets",
    [
        pytest.param(baskets, id=name, marks=[] if name in ("one coin", "no reserve") else pytest.mark.slow)
        for name, baskets in BASKETS.items()
    ],
)
def test_any_basket_runs_and_its_books_are_whole(sample, tmp_path, baskets):
    universe = {"benchmark": "SIM-MARKET", **{key: [] for key in ("speculative", "cash_flow", "reserve")}, **baskets}
    run = run_backtest(load_spec("sample", {"universe": universe, **SHORT}), sample)
    assert_ledger_agrees(run, tmp_path / "run")
    assert run_page(run)
    # What a missing basket leaves goes to the reserve, and without one stays cash.
    targets = run.plan.targets
    held = targets[list(run.spec.universe.reserve)].sum(axis=1)
    named = [basket for basket in ("speculative", "cash_flow") if universe[basket]]
    budgets = pd.DataFrame(run.spec.policy.budgets.model_dump()).T.loc[run.signal.regime[targets.index]]
    if "reserve" in baskets:
        assert (targets.sum(axis=1) - budgets.sum(axis=1).to_numpy()).abs().max() < 1e-12
    for basket in named:
        cap = run.spec.policy.instrument_cap * len(universe[basket])
        wanted = np.minimum(budgets[basket].to_numpy(), cap)
        assert (targets[universe[basket]].sum(axis=1) <= wanted + 1e-12).all()
    assert (held <= 1.0 + 1e-12).all()


def test_twenty_names_run(tmp_path):
    days = pd.bdate_range("2024-02-20", "2024-05-24").strftime("%Y-%m-%d")
    names = [f"S{number}" for number in range(20)]
    bars = {
        name: [(day, 50.0 + number, 50.0 + number + place % 7) for place, day in enumerate(days)]
        for number, name in enumerate((*names, "MARKET"))
    }
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2024-01-02T00:00:00+00:00,NEUTRAL\n")
    spec = load_spec(
        {
            "run": {"name": "twenty", "start": "2024-03-01"},
            "universe": {"speculative": names[:12], "cash_flow": names[12:], "benchmark": "MARKET"},
            "signal": {"source": str(tmp_path / "regimes.csv")},
        }
    )
    run = run_backtest(spec, make_snapshot(bars))
    assert (run.engine.positions.iloc[-1] > 0).sum() == 20
    assert_ledger_agrees(run, tmp_path / "run")
