"""An account keeps its spec: compared key by key, and what it leaves out means what it meant when it was opened."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from backtests.spec import versions
from backtests.spec.spec import load_spec
from backtests.spec.versions import VERSION
from data.errors import InputError
from paper.config import PaperConfig
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.ledger.records import AccountRecord
from paper.step.requirements import require_same_account, spec_of

NOW = datetime(2021, 1, 4, 12, tzinfo=UTC)


def opened(folder: Path, spec: str) -> Ledger:
    ledger = Ledger(folder / LEDGER_FILE)
    ledger.open_account(AccountRecord("paper", "simulated", date(2021, 1, 4), "adjusted", spec, NOW), 1e5)
    return ledger


def require(ledger: Ledger) -> Any:
    config = PaperConfig(market="sample", spec="sample")
    spec = spec_of(config, ledger.account())
    require_same_account(config, spec, ledger, NOW, is_replay=True)
    return spec


def test_a_new_default_changes_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the account leaves the key out, whose default was another one when the account was opened."""
    before = {2: {"signal.dwell_sessions": 33}}
    monkeypatch.setattr(versions, "BEFORE", before)
    monkeypatch.setattr(versions.fill_missing, "__defaults__", (before,))
    written = load_spec("sample", {"version": 1}).to_toml().replace(f"version = {VERSION}\n", "")
    assert "dwell_sessions = 33\n" in written
    with opened(tmp_path, written) as ledger:
        assert require(ledger).signal.dwell_sessions == 33
    # A key that version 1 did not have yet: the ledger's spec lacks it too.
    with opened(tmp_path / "other", written.replace("dwell_sessions = 33\n", "")) as ledger:
        assert require(ledger).signal.dwell_sessions == 33


def test_another_spec_is_refused_and_the_keys_are_named(tmp_path: Path) -> None:
    other = load_spec("sample", {"policy.instrument_cap": 0.2, "run.end": "2021-02-01"}).to_toml()
    with (
        opened(tmp_path, other) as ledger,
        pytest.raises(InputError, match=re.escape("it differs in policy.instrument_cap, run.end; put it back")),
    ):
        require(ledger)


def test_a_ledger_of_a_later_version_is_refused(tmp_path: Path) -> None:
    later = load_spec("sample").to_toml().replace(f"version = {VERSION}\n", f"version = {VERSION + 1}\n")
    with (
        opened(tmp_path, later) as ledger,
        pytest.raises(InputError, match=r"the spec in the ledger of the account paper: version: got .* newer program"),
    ):
        require(ledger)
