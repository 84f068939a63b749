"""The checklist: every line of it turns to a fault, with a remedy, when what it looks at is broken."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import alpaca_double
from accounts import write_account_files
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot, save
from hand_made import make_instrument, make_snapshot
from paper.config import PaperConfig
from paper.errors import BrokerUnavailable
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.service.check import Finding, check, require_ready
from paper.step.account import run_step

# A Tuesday after a holiday, twenty minutes after its decision.
NOW = datetime(2024, 1, 16, 0, 20, tzinfo=UTC)


@pytest.fixture
def market() -> Snapshot:
    first, last = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-15")
    stock = [(f"{day:%Y-%m-%d}", 100.0, 101.0) for day in sessions_between(first, last)]
    coin = [(f"{day:%Y-%m-%d}", 50.0, 51.0) for day in pd.date_range(first, last)]
    snapshot = make_snapshot({"STOCK": stock, "COIN": coin}, {"COIN": make_instrument("crypto")}, as_traded=True)
    save(snapshot)
    return snapshot


@pytest.fixture
def account(market: Snapshot, tmp_path: Path) -> Callable[..., PaperConfig]:
    """Makes a configuration in which all is well, but for what is given."""
    spec = write_account_files(tmp_path, start=date(2024, 1, 9), regimes={"2024-01-01T00:00:00Z": "NEUTRAL"})

    def make(**sections: Any) -> PaperConfig:
        values = {"market": "hand-made", "spec": str(spec), "state": {"path": tmp_path / "state"}}
        return PaperConfig.model_validate(values | sections)

    return make


def found(config: PaperConfig, what: str, now: datetime = NOW) -> Finding:
    """The one line about something; everything else is no fault."""
    findings = check(config, now)
    (finding,) = [each for each in findings if each.what == what]
    assert [each for each in findings if each.verdict == "fault" and each.what != what] == []
    return finding


def test_all_is_well(account: Callable[..., PaperConfig]) -> None:
    findings = check(account(), NOW)
    assert [(each.what, each.verdict) for each in findings] == [
        ("spec", "ok"),
        ("market", "ok"),
        ("data", "ok"),
        ("broker", "ok"),
        ("state", "ok"),
        ("account", "ok"),
        ("kill file", "ok"),
        ("alerts", "warning"),
    ]
    (data,) = [each.says for each in findings if each.what == "data"]
    assert data == "coins to 2024-01-15, stocks to 2024-01-12; the next decision is for 2024-01-16"


def test_nothing_is_made_or_changed(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    check(account(), NOW)
    assert sorted(tmp_path.rglob("*")) == before
    run_step(account(), now=NOW)
    before_bytes = {path: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    check(account(), NOW)
    assert {path: path.read_bytes() for path in (tmp_path / "state").iterdir()} == before_bytes


def test_no_spec_and_no_market(account: Callable[..., PaperConfig]) -> None:
    assert "nosuch.toml" in found(account(spec="nosuch.toml"), "spec").says
    assert found(account(market="nosuch"), "market").says.startswith("no market nosuch")
    refreshed = found(account(market="nosuch", refresh=True), "market")
    assert refreshed.verdict == "fault"
    assert refreshed.says.count("reverse-qe data fetch --name nosuch") == 1


def test_a_spec_that_the_market_does_not_fit(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    assert "unknown symbol BTC-USD" in found(account(spec="history"), "market").says
    spec = tmp_path / "spec.toml"
    whole = spec.read_text()
    spec.write_text(whole.replace("[signal]", '[signal]\ndwell = "long"\n'))
    assert "signal.dwell" in found(account(), "spec").says
    (tmp_path / "mine.py").write_text("")
    spec.write_text(whole.replace("[universe]", 'strategy = "mine.py:Mine"\n\n[universe]'))
    assert found(account(), "strategy").says.endswith("has no Mine; define it there, or mend the name in the spec")


def test_data_that_lie_behind(account: Callable[..., PaperConfig], market: Snapshot) -> None:
    late = datetime(2024, 1, 18, 0, 20, tzinfo=UTC)
    behind = found(account(), "data", late)
    assert behind.verdict == "fault"
    assert "2 sessions behind the decision for 2024-01-18" in behind.says
    assert "was imported and does not grow" in behind.says
    assert found(account(limits={"stale_sessions_halt": 3}), "data", late).verdict == "ok"
    save(replace(market, name="live.1"), FetchRecord(symbols=("STOCK",)))
    assert "reverse-qe data fetch --name live" in found(account(market="live"), "data", late).says
    assert "reverse-qe data fetch --name live" in found(account(market="live.1"), "data", late).says
    assert found(account(market="live", refresh=True), "data", late).verdict == "warning"


def test_the_sample_is_for_replays(account: Callable[..., PaperConfig]) -> None:
    finding = found(account(market="sample", spec="sample"), "data", datetime(2026, 11, 3, 1, tzinfo=UTC))
    assert finding.verdict == "warning"
    assert "paper step --date" in finding.says
    assert load_spec("sample").run.name == "sample"


def test_a_state_folder_that_is_none(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        assert found(account(state={"path": path}), "state").verdict == "fault"


def test_a_halt_in_force_and_an_account_of_another_spec(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    run_step(account(), now=NOW)
    assert found(account(), "account").says == "paper: decided up to 2024-01-16"
    spec = tmp_path / "spec.toml"
    whole = spec.read_text()
    spec.write_text(whole + "\n[order_rules]\nband = 0.05\n")
    assert "is not the one that the account paper was opened with" in found(account(), "account").says
    spec.write_text(whole)
    with Ledger(tmp_path / "state" / LEDGER_FILE) as ledger:
        ledger.write_event("halt", "drawdown: too deep", NOW)
    halted = found(account(), "account")
    assert halted.verdict == "fault"
    assert "drawdown: too deep" in halted.says
    assert "reverse-qe paper resume --why TEXT" in halted.says


def test_a_ledger_that_is_none(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / LEDGER_FILE).write_text("no database at all, but a text that is long enough to be read")
    assert found(account(), "account").verdict == "fault"


def test_a_kill_file(account: Callable[..., PaperConfig], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "STOP").touch()
    assert "delete it, then resume" in found(account(), "kill file").says


def test_alerts(account: Callable[..., PaperConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("apprise")
    monkeypatch.delenv("MY_ALERTS", raising=False)
    config = account(alerts={"urls_env": ("MY_ALERTS",)})
    assert "MY_ALERTS, which is not set" in found(config, "alerts").says
    monkeypatch.setenv("MY_ALERTS", "json://user:s3cret@127.0.0.1/ json://127.0.0.1/")
    assert found(config, "alerts").says.startswith("2 receivers of halt, fault")
    assert "s3cret" not in str(check(config, NOW))
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "pip install '.[alerts]' in the checkout" in found(config, "alerts").says


# Alpaca.


@pytest.fixture
def at_alpaca(account: Callable[..., PaperConfig], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Configurations of an account at a double of Alpaca, and the double."""
    pytest.importorskip("alpaca")
    monkeypatch.setattr("paper.brokers.alpaca.requests.PER_SECOND", 1e6)
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    with alpaca_double.running({"STOCK": 101.0, "COIN": 51.0}, cash=5000.0, now=NOW) as double:
        yield account(broker={"kind": "alpaca", "endpoint": double.url}), double


def test_an_account_at_alpaca(at_alpaca: Any) -> None:
    config, double = at_alpaca
    assert found(config, "broker").says == f"alpaca at {double.url}: 5,000.00 USD in cash, 0 positions"
    assert found(config, "clock").says == "the broker's agrees with ours; the next open is 2024-01-16 14:30 UTC"
    assert {method for method, _ in (each[0].split(" ", 1) for each in double.asked)} == {"GET"}


def test_keys_that_are_missing_or_wrong(at_alpaca: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = at_alpaca
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", "wrong")
    assert found(config, "broker").verdict == "fault"
    monkeypatch.delenv("ALPACA_API_SECRET_KEY")
    keys = [each for each in check(config, NOW) if each.what == "key"]
    assert [each.verdict for each in keys] == ["ok", "fault"]
    assert "ALPACA_API_SECRET_KEY is not set" in keys[1].says
    assert alpaca_double.KEY not in str(keys)


def test_a_clock_or_a_calendar_that_does_not_agree(at_alpaca: Any) -> None:
    config, double = at_alpaca
    double.holidays.add(NOW.date())
    findings = {each.verdict: each.says for each in check(config, NOW) if each.what == "broker"}
    assert "calendar" in findings["fault"]


def test_a_broker_that_does_not_answer(at_alpaca: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config, double = at_alpaca
    double.close()
    from data.net.settings import SourceSettings

    monkeypatch.setattr("paper.brokers.alpaca.requests.ASKING", SourceSettings(attempts=1, pause=0.0, longest_wait=1.0))
    assert found(config, "broker").verdict == "fault"
    # It may answer the next step: a step is not refused for it.
    with pytest.raises(BrokerUnavailable):
        require_ready(config, NOW)
