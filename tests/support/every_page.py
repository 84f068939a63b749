"""Every kind of page of a command, and the edges of each: what a browser has to show of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reverse_qe
from backtests.archive.compared import compare
from backtests.archive.folder import write_run
from backtests.archive.stored import read_run
from backtests.prepare.span import Span
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from backtests.studies.audits.report import AuditReport, Check, Leak
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from backtests.studies.stress import stress_table
from data.clock import sessions_between
from data.market.snapshot import Snapshot, save
from data.quality.as_known import as_known, known_later
from data.quality.report import quality_report
from edge_runs import HOSTILE, edge_runs, market, policy, spec_of
from index_market import NAMES, planted_market
from paper.config import PaperConfig
from paper.explain.explain import explained
from paper.overview.history import read_history
from paper.overview.status import read_status
from paper.step.account import halt, run_step
from reverse_qe import api
from reverse_qe.pages.account import account_page
from reverse_qe.pages.account_parts.explanation import explanation_page
from reverse_qe.pages.as_known import as_known_page
from reverse_qe.pages.quality import quality_page
from reverse_qe.pages.run import run_page
from reverse_qe.pages.studies.audit import audit_page
from reverse_qe.pages.studies.compared import compared_page
from reverse_qe.pages.studies.event_study import event_study_page
from reverse_qe.pages.studies.exposures import exposures_page
from reverse_qe.pages.studies.lottery import lottery_page
from reverse_qe.results import BacktestResult

EDGES = (
    "one day",
    "two days",
    "never in one regime",
    "25 years",
    "60 instruments",
    "all cash",
    "user strategy",
    "loss of everything",
    "hostile names",
)
MORNINGS = tuple(f"signal, {name}" for name in ("one day", "25 years", "60 instruments", "hostile names"))
ACCOUNTS = tuple(f"account, {name}" for name in ("one day", "all cash", "loss of everything", "hostile names"))
# The command, and its pages.
OF_COMMAND: Mapping[str, tuple[str, ...]] = {
    "backtest": ("run", "rule universe", *EDGES),
    "signal": ("signal", "signal judged", *MORNINGS),
    "data verify": ("quality",),
    "data asof": ("as known",),
    "data exposures": ("exposures",),
    "events study": ("event study",),
    "paper status": ("account", *ACCOUNTS),
    "paper explain": ("explanation",),
    "runs compare": ("compared", "compared edges"),
    "sweep": ("sweep",),
    "evidence": ("evidence", "lottery"),
    "audit": ("audit",),
}
PAGES = tuple(page for pages in OF_COMMAND.values() for page in pages)


def write_pages(folder: Path, sample: Snapshot) -> None:
    """Write every page, each as a file of its name."""
    run = run_backtest(load_spec("sample"), sample)
    edges = edge_runs(folder / "edges")
    made: dict[str, Callable[[], str]] = {
        "run": lambda: run_page(run, stress_table(run)),
        "rule universe": partial(_rule_universe, sample),
        **{name: partial(run_page, edge) for name, edge in edges.items()},
        **_studies(run, sample),
        "signal": lambda: api.signal(run.spec, sample, day=run.panel.decides_for[-1]).page(),
        **{f"signal, {name}": partial(_morning, edge) for name, edge in edges.items() if f"signal, {name}" in MORNINGS},
        "sweep": partial(_sweep, folder / "sweep", sample),
        "compared": partial(_compared, folder / "compared", _changed(sample)),
        "compared edges": partial(
            _compared, folder / "compared edges", {name: edge for name, edge in edges.items() if name != "two days"}
        ),
    }
    pages = {name: make() for name, make in made.items()} | _accounts(folder / "accounts", sample)
    assert set(pages) == set(PAGES)
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")


def _studies(run: Backtest, sample: Snapshot) -> dict[str, Callable[[], str]]:
    moment = pd.Timestamp("2026-02-05", tz="UTC")
    nothing: dict[str, Any] = {"set": None, "kinds": (), "windows": (), "estimation": None, "symbols": ()}
    return {
        "signal judged": lambda: api.signal(
            "sample", sample, day="2024-06-03", judge=True, set={"run.start": "2022-01-03"}
        ).page(),
        "quality": lambda: quality_page(sample, quality_report(sample)),
        "as known": lambda: as_known_page(sample, as_known(sample, moment), known_later(sample, moment)),
        "exposures": lambda: exposures_page(api.exposures("sample", sample, day="2026-02-05")),
        "event study": lambda: event_study_page(
            api.studied_events("sample", sample, index=None, **nothing)[0], f"Chosen {HOSTILE}"
        ),
        "evidence": lambda: reverse_qe.evidence(BacktestResult(run)).page(),
        "lottery": lambda: lottery_page(universe_lottery(run.prepared, Asked(), 40)),
        "audit": _audit,
    }


def _morning(edge: Backtest) -> str:
    """The signal of an edge, as its market had it."""
    return api.signal(edge.spec, edge.snapshot).page()


def _rule_universe(sample: Snapshot) -> str:
    """The page of a run whose baskets a rule chooses, with more names than a market of the sample has."""
    values = {
        "run": {"name": "by-rule", "start": "2017-03-01", "end": "2018-08-30"},
        "universe": {"reserve": ["SIM-BILL"], "benchmark": "SIM-MARKET", "rule": {"names": list(NAMES)}},
    }
    return run_page(run_backtest(load_spec(values), planted_market(sample)))


def _audit() -> str:
    """The page of an audit that found a leak."""
    days = [pd.Timestamp(day) for day in ("2022-01-03", "2022-06-15", "2022-12-30")]
    wrong = "in 12 of 50 runs a row before changes: target weight of SIM-SAAS-A, 2022-06-15"
    row = {"tried": "without series DGS10", "regimes": 41, "targets": 40, "last": "2022-11-30", "sessions": 251}
    measured = {"cagr": 0.12, "cagr_as_it_is": 0.15, "sharpe": 0.9, "sharpe_as_it_is": 1.1}
    checks = (
        Check("again", "Run again as it is", 1, "holds", "the same to the last bit"),
        Check("stretch", "At each of 101 sessions, 2022-03-01 to 2022-07-22", 303, "LEAK", wrong),
        Check("without", "One input missing, in turn", 1, "told", "the most: DGS10", [{**row, **measured}]),
        Check("stopped", "One input stops, in turn", 1, "told", "-", [{"tried": "it", "column": "x", "sessions": 4}]),
    )
    names = ("bars of SIM-SAAS-A", 1, 12, 1, ("my_policy.py",), ("rebalancing", "cash"))
    leak = Leak("target", "target weight of SIM-SAAS-A", days[1], 0.2, None, "cut", days[1], *names)
    span = Span(days[0], days[2])
    return audit_page(AuditReport("mine", "sample", True, span, 50, 0, span, checks, (leak,), 430, 41.0))


def _sweep(folder: Path, sample: Snapshot) -> str:
    """The page of a small sweep."""
    grid: dict[str, list[Any]] = {
        "signal.enter": [0.3, 0.4],
        "order_rules.band": [0.0, 0.02],
        "policy.rebalance": ["monthly", "weekly"],
    }
    return reverse_qe.sweep(
        "sample", grid, sample, start="2022-01-03", end="2022-12-30", cpcv=(6, 2), out=folder
    ).page()


def _changed(sample: Snapshot) -> dict[str, Backtest]:
    """Three runs that differ in a setting."""
    changes: tuple[dict[str, Any], ...] = ({}, {"policy.instrument_cap": 0.2}, {"signal.half_life_sessions": 4})
    days = {"run.start": "2022-01-03"}
    return {
        f"run {number} <b>": run_backtest(load_spec("sample", {**days, **settings}), sample)
        for number, settings in enumerate(changes)
    }


def _compared(folder: Path, runs: Mapping[str, Backtest]) -> str:
    """The page of runs beside each other."""
    for name, run in runs.items():
        write_run(run, folder / name)
    return compared_page(compare([read_run(each) for each in sorted(folder.iterdir())]))


def _accounts(folder: Path, sample: Snapshot) -> dict[str, str]:
    """The pages of accounts, each a folder of its own, with markets in a home of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(folder / "home"))
        days = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-02-28")).drop("2024-02-01")
        usual = _stepped(folder / "usual", load_spec("sample"), "sample", days)
        halt(usual, "<b>by hand</b>")
        told = explained(usual)
        assert told is not None
        pages = {"account": _account(usual), "explanation": explanation_page(told)}
        for name, drift, settings, steps in (
            ("one day", 0.0003, {}, 1),
            ("all cash", 0.0003, policy(folder, "idle", "pass"), 6),
            ("loss of everything", -0.12, {}, 40),
            ("hostile names", 0.0003, {}, 6),
        ):
            traded = _hostile(market("2023-11-01", "2024-03-28", 4, name.replace(" ", "-"), drift), name)
            save(traded)
            spec = spec_of(traded, "2023-12-01", folder / name, settings)
            days = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-27"))[:steps]
            pages[f"account, {name}"] = _account(_stepped(folder / name, spec, traded.name, days))
    return pages


def _hostile(plain: Snapshot, name: str) -> Snapshot:
    """The market with symbols made to be read as markup, where its name asks for it."""
    if name != "hostile names":
        return plain
    names = {symbol: f"<b>{number}\"'&{{{{x}}}}" for number, symbol in enumerate(plain.instruments)}
    bars = plain.bars.assign(symbol=plain.bars["symbol"].map(names))
    return replace(plain, bars=bars, instruments={names[symbol]: each for symbol, each in plain.instruments.items()})


def _stepped(folder: Path, spec: Spec, market_name: str, days: pd.DatetimeIndex) -> PaperConfig:
    """An account that has taken a step on each of the days."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.toml"
    path.write_text(spec.to_toml(), encoding="utf-8")
    config = PaperConfig(market=market_name, spec=str(path), state={"path": folder / "state"})
    for day in days:
        run_step(config, day.date())
    return config


def _account(config: PaperConfig) -> str:
    return account_page(read_status(config), read_history(config), explained(config))
