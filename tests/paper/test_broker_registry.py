"""A broker is one entry of the registry: another one needs no other line of code."""

import ast
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import paper
from paper import broker_registry, config
from paper.broker_registry import BROKERS, DEFAULT_BROKER, BrokerEntry, Extra
from paper.config import BrokerSection, PaperConfig
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.service.check import check
from paper.step.account import run_step

ROOT = Path(paper.__file__).parent


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> Callable[..., BrokerEntry]:
    """Registers a third broker, which is the simulated one under another name."""

    def register(**changes: Any) -> BrokerEntry:
        entry = BROKERS["simulated"]._replace(name="third", title="a third one", **changes)
        for module in (broker_registry, config):
            monkeypatch.setattr(module, "BROKERS", {**BROKERS, "third": entry})
        return entry

    return register


def test_every_room_of_a_broker_has_its_entry_and_every_entry_opens() -> None:
    rooms = {path.name for path in (ROOT / "brokers").iterdir() if (path / "broker.py").is_file()}
    assert rooms == set(BROKERS)
    assert DEFAULT_BROKER in BROKERS
    for entry in BROKERS.values():
        module, _, function = entry.opener.partition(":")
        assert module == f"paper.brokers.{entry.name}.broker"
        assert function == "open_account"
        assert set(entry.keys) <= set(entry.settings) <= set(BrokerSection.model_fields)
        assert not entry.lacks_extra()


def test_no_code_outside_registry_and_rooms_names_a_broker() -> None:
    for path in [*ROOT.rglob("*.py"), *(ROOT.parent / "reverse_qe").rglob("*.py")]:
        if path.name == "broker_registry.py" or "brokers" in path.parts:
            continue
        named = {node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)}
        compared = {
            constant.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Compare)
            for constant in ast.walk(node)
            if isinstance(constant, ast.Constant) and constant.value in BROKERS
        }
        assert not compared, path
        assert "alpaca" not in named, path


def test_a_third_broker_is_chosen_checked_and_stepped(another: Callable[..., BrokerEntry], tmp_path: Path) -> None:
    entry = another()
    account = PaperConfig.model_validate(
        {"market": "sample", "spec": "sample", "broker": {"kind": "third"}, "state": {"path": tmp_path / "state"}}
    )
    assert account.broker.entry == entry
    assert [each.says for each in check(account) if each.what == "broker"] == ["third: a third one"]
    told = run_step(account, date(2021, 1, 4))
    assert told.sent
    with LedgerReader(tmp_path / "state" / LEDGER_FILE) as ledger:
        opened = ledger.account()
    assert opened is not None
    assert opened.broker == "third"


def test_what_a_third_broker_lacks_is_a_fault(another: Callable[..., BrokerEntry], tmp_path: Path) -> None:
    another(extra=Extra("third", "third-py", "no_such_module"), settings=("key_env",), keys=("key_env",), replays=False)
    account = PaperConfig.model_validate(
        {
            "market": "sample",
            "spec": "sample",
            "broker": {"kind": "third", "key_env": "NO_SUCH_KEY"},
            "state": {"path": tmp_path / "state"},
        }
    )
    faults = [each.says for each in check(account) if each.verdict == "fault"]
    assert faults[:2] == [
        "third-py is not installed: pip install '.[third]' in the checkout",
        "NO_SUCH_KEY is not set; export it (keys of a third one)",
    ]


def test_a_broker_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'fourth', wanted 'simulated' or 'alpaca'"):
        BrokerSection(kind="fourth")
