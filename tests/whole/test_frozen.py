"""Nothing of the core changes under the hands of whoever holds it: what is a record there is frozen."""

import importlib
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from data.market.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
CORE = ("signals", "strategies", "backtests", "data/market", "data/prices", "paper/step")
# A book and what is noted of it grow session by session, so do round trips; a report grows step by step.
GROWING = [
    "backtests.execution.book.Notes",
    "backtests.execution.book.Book",
    "backtests.measures.round_trips._Trip",
    "backtests.measures.round_trips._Holding",
    "paper.step.step_report.StepReport",
]


def records():
    for folder in CORE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            module = importlib.import_module(
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            )
            for name, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    yield f"{module.__name__}.{name}", value


def test_every_record_is_frozen():
    found = [(name, kind) for name, kind in records() if is_dataclass(kind)]
    assert len(found) > 50
    thawed = [name for name, kind in found if not kind.__dataclass_params__.frozen]
    assert thawed == GROWING
    # They hold tables and have identities of their own: comparing them would compare tables, which has no one answer.
    by_identity = [name for name, kind in found if not kind.__dataclass_params__.eq]
    assert by_identity == [
        "strategies.rule.Choice",
        "backtests.archive.compared.Comparison",
        "backtests.archive.stored.StoredRun",
        "backtests.evidence.trials.Tried",
        "backtests.prepare.prepared.Prepared",
        "backtests.prepare.weeks.Weeks",
        "backtests.studies.evidence.of_sweep.SweptReturns",
        "backtests.studies.exposures.Exposures",
        "backtests.studies.lottery.lottery.Ending",
        "backtests.studies.lottery.lottery.Lottery",
        "backtests.studies.lottery.world.World",
        "backtests.studies.sweeps.grid.Grid",
        "data.market.snapshot.Snapshot",
    ]


def test_every_configuration_is_frozen_and_takes_no_further_key():
    found = [(name, kind) for name, kind in records() if issubclass(kind, BaseModel)]
    assert len(found) > 12
    assert [name for name, kind in found if not kind.model_config.get("frozen")] == []
    assert [name for name, kind in found if kind.model_config.get("extra") != "forbid"] == []


def test_a_market_is_itself_alone(sample: Snapshot):
    """Two of the same content are told apart by their hash, not by comparing tables, which has no one answer."""
    other = replace(sample)
    assert (sample == other, sample == sample, len({sample, other})) == (False, True, 2)
    assert sample.content_hash == other.content_hash
    with pytest.raises(FrozenInstanceError):
        setattr(sample, fields(sample)[0].name, "another")
