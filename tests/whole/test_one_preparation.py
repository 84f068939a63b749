"""A run is prepared once, and calls only downwards: traced, call by call."""

import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pandas as pd
import pytest

from backtests.archive.folder import write_run
from backtests.prepare.span import last_bars
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from data.market.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
ONCE = ("data.prices.panel.build_panel", "backtests.execution.fill_rules.fill_rules")
# Everything that looks back before the run: volatilities, and the benchmark's average.
LOOKING_BACK: Mapping[str, Any] = {
    "run.start": "2024-01-02",
    "policy.volatility_target": 0.2,
    "policy.weighting": "inverse_volatility",
    "cash.interest": "bill",
}

Call = tuple[str, str]


def traced(work: Callable[[], Any]) -> Counter[Call]:
    """How often each function of ours was called directly by another one of ours: (caller, callee), both by module."""
    calls: Counter[Call] = Counter()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_back is not None:
            calls[_name(frame.f_back), _name(frame)] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    ours = tuple(f"{package}." for package in _floors()[""])
    return Counter({call: count for call, count in calls.items() if all(name.startswith(ours) for name in call)})


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}"


@cache
def _floors() -> dict[str, dict[str, int]]:
    """The floor of each room by the folder that holds it; the folders' own stand under the empty name. 0 is on top."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    floors: dict[str, dict[str, int]] = {}
    for contract in tool["contracts"]:
        if contract["type"] == "layers":
            places = {
                room.strip(): place for place, layer in enumerate(contract["layers"]) for room in layer.split("|")
            }
            floors |= dict.fromkeys(contract.get("containers", [""]), places)
    return floors


def goes_up(caller: str, callee: str) -> bool:
    """Whether a call leads to a higher folder, or to a higher room of the same folder."""
    mine, theirs = caller.split("."), callee.split(".")
    container, at = ("", 0) if mine[0] != theirs[0] else (mine[0], 1)
    floors = _floors().get(container, {})
    if mine[at] not in floors or theirs[at] not in floors:
        return False
    return floors[theirs[at]] < floors[mine[at]]


def run_and_write(spec: Spec, snapshot: Snapshot, folder: Path) -> tuple[Backtest, Counter[Call]]:
    """A run and its calls; the folder is written too."""
    finished: list[Backtest] = []

    def work() -> None:
        finished.append(run_backtest(spec, snapshot))
        write_run(finished[0], folder)

    calls = traced(work)
    return finished[0], calls


@pytest.fixture(scope="module")
def whole(sample: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> tuple[Backtest, Counter[Call]]:
    return run_and_write(load_spec("sample", LOOKING_BACK), sample, tmp_path_factory.mktemp("traced") / "run")


def counted(calls: Counter[Call]) -> dict[str, int]:
    return {name: sum(count for (_, callee), count in calls.items() if callee == name) for name in ONCE}


@pytest.mark.slow
def test_a_run_builds_its_panel_and_its_rules_of_filling_once(whole: tuple[Backtest, Counter[Call]]) -> None:
    assert counted(whole[1]) == dict.fromkeys(ONCE, 1)


def test_so_does_a_run_whose_end_is_cut(sample: Snapshot, tmp_path: Path) -> None:
    """The reserve's file ends ten days early: the panel is cut, not built again, and is what a shorter run builds."""
    bars, symbol = sample.bars, "SIM-BILL"
    last = bars["date"].max()
    gone = (bars["symbol"] == symbol) & (bars["date"] > last - pd.Timedelta(days=10))
    shorter, spec = replace(sample, bars=bars[~gone]), load_spec("sample", {"run.start": "2026-01-05"})
    run, calls = run_and_write(spec, shorter, tmp_path / "run")
    assert counted(calls) == dict.fromkeys(ONCE, 1)
    assert run.sessions[-1] <= last_bars(shorter, spec.universe)[symbol] < last
    asked = run_backtest(load_spec(spec, {"run.end": str(run.sessions[-1].date())}), shorter)
    for name, column in vars(run.prepared.market).items():
        other = vars(asked.prepared.market)[name]
        if isinstance(column, bool):
            assert column is other, name
        else:
            pd.testing.assert_frame_equal(pd.DataFrame(column), pd.DataFrame(other))
    pd.testing.assert_frame_equal(run.plan.targets, asked.plan.targets, check_exact=True)
    pd.testing.assert_series_equal(run.plan.rebalance, asked.plan.rebalance, check_exact=True)
    pd.testing.assert_frame_equal(run.returns, asked.returns, check_exact=True)
    assert run.measures == asked.measures
    assert run.counts == asked.counts
    (told,) = set(run.warnings) - set(asked.warnings)
    assert told.startswith(
        f"The run ends on {run.sessions[-1].date()}, not with the market on {last.date()}: the file of"
    )
    assert set(asked.warnings) < set(run.warnings)


def test_no_call_goes_upwards(whole: tuple[Backtest, Counter[Call]]) -> None:
    _, calls = whole
    assert len(calls) > 300
    # A stage of the signal is handed over to be worked out once: whoever calls it knows nothing of it.
    handed_over = {call for call in calls if call[0] == "signals.facts.Facts.once" and call[1].endswith(".<lambda>")}
    assert sorted(call for call in calls if goes_up(*call) and call not in handed_over) == []


@pytest.mark.parametrize(
    ("caller", "callee", "up"),
    [
        ("data.clock.sessions_between", "backtests.run.play", True),
        ("backtests.run.play", "data.clock.sessions_between", False),
        ("signals.liquidity.liquidity_signal", "strategies.policy.make_plan", False),
        ("backtests.prepare.prepared.prepare", "backtests.run.run_backtest", True),
        ("backtests.run.run_backtest", "backtests.prepare.prepared.prepare", False),
        ("data.prices.panel.build_panel", "data.prices.actions.listed_bars", False),
        ("data.files.home.home", "data.prices.panel.build_panel", True),
    ],
)
def test_what_upwards_means(caller: str, callee: str, up: bool) -> None:
    assert goes_up(caller, callee) is up
