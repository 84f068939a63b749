"""`reverse-qe paper` as a stranger meets it: what it prints, refuses and leaves behind; keys are nowhere."""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import alpaca_double
from accounts import write_account_files
from data.files.locks import only_one
from data.market.snapshot import save
from hand_made import make_instrument, make_snapshot
from paper.config import PAPER_ENDPOINT
from paper.step.account import StepReport
from paper.step.account_files import LOCK_FILE
from paper.storage import database

REGIMES = {"2024-02-01T00:00:00Z": "NEUTRAL", "2024-03-05T22:00:00Z": "SCARCE"}
# A Thursday, twenty minutes after its decision.
NOW = datetime(2024, 3, 7, 0, 20, tzinfo=UTC)
ALERT_SECRET = "s3cretpassword"


class FixedTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW


Call = Callable[..., Any]


@pytest.fixture
def call(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_command: Callable[..., Any],
) -> Call:
    """Runs `reverse-qe paper` with the words given, in a folder with a spec of the market `hand-made`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    for module in ("paper.step.account", "paper.service.check", "paper.overview.status", "reverse_qe.commands.paper"):
        monkeypatch.setattr(f"{module}.datetime", FixedTime)
    sessions = ("2024-02-29", *(f"2024-03-{day:02d}" for day in (1, 4, 5, 6)))
    days = ("2024-02-29", *(f"2024-03-{day:02d}" for day in range(1, 7)))
    bars = {
        "STOCK": [(day, 100.0 + place, 101.0 + place) for place, day in enumerate(sessions)],
        "COIN": [(day, 50.0 + place, 51.0 + place) for place, day in enumerate(days)],
    }
    save(make_snapshot(bars, {"COIN": make_instrument("crypto")}, as_traded=True))
    write_account_files(tmp_path, start=date(2024, 3, 4), regimes=REGIMES)
    return partial(run_command, "paper")


@pytest.fixture
def account(call: Call) -> Call:
    """The same, with a configuration."""
    assert call("init", "--spec", "spec.toml", "--market", "hand-made").code == 0
    return call


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def assert_refused(outcome: Any, *named: str, status: int = 2) -> None:
    assert outcome.code == status
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    for name in named:
        assert name in outcome.err


def test_init_says_what_it_wrote_and_what_is_next(call: Call) -> None:
    outcome = call("init")
    assert (outcome.code, outcome.out, outcome.err) == (
        0,
        "Wrote paper.toml: account paper, market sample, broker simulated.\n",
        "Next: reverse-qe paper check\n",
    )
    assert_refused(call("init"), "paper.toml, which exists")
    assert "Next: reverse-qe paper step --config mine.toml" in call("init", "--broker", "alpaca", "mine.toml").err
    assert_refused(call("init", "--broker", "ibkr", "new.toml"), "ibkr", "simulated", "alpaca")
    assert_refused(call("init", "--spec", "nosuch", "new.toml"), "no spec nosuch")
    assert not Path("new.toml").exists()


def test_a_replay_from_the_first_step_to_its_status(account: Call) -> None:
    first = account("step", "--date", "2024-03-04")
    assert first.code == 0
    for word in ("Account paper, step for 2024-03-04", "NEUTRAL", "STOCK", "COIN", "buy", "Fills", "2024-03-04 14:30"):
        assert word in first.out
    second = account("step", "--date", "2024-03-05", "--json").json
    assert (second["session"], second["decision"]["intents"], second["halt"]) == ("2024-03-05", [], "")
    third = account("step", "--date", "2024-03-06", "--json").json
    assert [(each["symbol"], each["side"]) for each in third["sent"]] == [("COIN", "sell"), ("STOCK", "buy")]

    stands = account("status", "--json").json
    assert stands["comparison"]["largest_difference"] < 1e-9
    assert stands["comparison"]["sessions"] == 3
    held = {each["symbol"]: each for each in stands["positions"] if each["units"]}
    assert list(held) == ["STOCK"]
    assert stands["equity"] == pytest.approx(stands["cash"] + held["STOCK"]["units"] * 105.0)
    assert held["STOCK"]["value"] == pytest.approx(held["STOCK"]["units"] * 105.0)
    assert stands["next_session"] == "2024-03-07"
    said = account("status").out
    for word in ("the closes of 2024-03-06", "SCARCE", "replayed", "3 sessions", "Last step"):
        assert word in said
    assert account("reconcile").out == "Ledger and broker agree, and every invariant holds.\n"
    assert account("reconcile", "--json").json == {"account": "paper", "agree": True, "differences": []}


def test_a_step_of_today_is_safe_again_and_again(account: Call) -> None:
    first = account("step", "--json").json
    assert (first["session"], len(first["sent"])) == ("2024-03-07", 1)
    again = account("step")
    assert again.code == 0
    nothing, coming = again.out.splitlines()
    assert nothing == "Account paper, step for 2024-03-07: nothing to decide."
    assert coming.startswith("Step next at 2024-03-07 14:20 UTC, or let reverse-qe paper run do it")
    stands = account("status")
    assert "Open orders: paper-20240307-STOCK-buy" in stands.out
    assert "Next step: 2024-03-07 14:20 UTC" in stands.out
    assert "no session has ended yet" in stands.out


def test_a_dry_run_leaves_everything_as_it_was(account: Call) -> None:
    before = files()
    dry = account("step", "--dry-run")
    assert dry.code == 0
    assert "nothing is written or sent" in dry.out
    assert "STOCK" in dry.out
    assert files() == before
    account("step", "--date", "2024-03-04")
    before = files()
    assert account("step", "--date", "2024-03-05", "--dry-run", "--json").json["dry_run"] is True
    assert files() == before


def test_halted_by_hand_and_resumed(account: Call) -> None:
    assert_refused(account("halt", "--why", "early"), "not open yet", "take a step")
    account("step", "--date", "2024-03-04")
    assert_refused(account("resume", "--why", "too soon"), "not halted")
    assert account("halt", "--why", "away").out == "The account paper is halted: away\n"
    assert_refused(account("halt", "--why", "away"), "halted already")
    halted = account("step", "--date", "2024-03-05")
    assert halted.code == 1
    assert "HALTED: away" in halted.out
    assert "paper resume --why TEXT" in halted.err
    assert "HALTED since 2024-03-07" in account("status").out
    assert_refused(account("resume", "--why", "  "), "empty --why")
    assert_refused(account("resume"), "--why")
    assert account("resume", "--why", "back").code == 0
    assert account("step", "--date", "2024-03-05").code == 0


def test_a_kill_file_halts_until_it_is_gone(account: Call) -> None:
    account("step", "--date", "2024-03-04")
    path = Path("paper.toml")
    path.write_text(path.read_text().replace('# kill_file = "STOP"', 'kill_file = "STOP"'))
    Path("STOP").touch()
    assert "the kill file STOP is there" in account("step", "--date", "2024-03-05").out
    assert_refused(account("resume", "--why", "back"), "kill file", "delete it")
    Path("STOP").unlink()
    assert account("step", "--date", "2024-03-05").code == 1
    assert account("resume", "--why", "back").code == 0


def test_a_guard_halts_with_its_figures_and_nothing_is_sent(account: Call) -> None:
    path = Path("paper.toml")
    path.write_text(path.read_text().replace("largest_order = 0.5", "largest_order = 0.3"))
    refused = account("step", "--date", "2024-03-04")
    assert refused.code == 1
    assert "NOT SENT" in refused.out
    assert "largest order: buy STOCK for" in refused.out
    assert "(largest_order 30.0%)" in refused.out
    assert account("status", "--json").json["positions"] == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("step", "--config", "nosuch.toml"), ("no configuration nosuch.toml", "paper init")),
        (("step", "--date", "2024-03-09"), ("2024-03-09", "NYSE session")),
        (("step", "--date", "tomorrow"), ("tomorrow", "--help")),
        (("step", "--nosuch"), ("--nosuch",)),
        (("status",), ("not open yet", "reverse-qe paper step")),
        (("reconcile",), ("not open yet",)),
        (("nosuch",), ("nosuch",)),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(account: Call, words: tuple[str, ...], named: tuple[str, ...]) -> None:
    before = {name for name in files() if "lock" not in name}
    assert_refused(account(*words), *named)
    left = {name for name in files() if "lock" not in name and "sqlite" not in name}
    assert left == before


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "simulated"', 'kind = "ibkr"', ("broker.kind", "'ibkr'", "'simulated' or 'alpaca'")),
        (PAPER_ENDPOINT, "https://api.alpaca.markets", ("broker.endpoint", "api.alpaca.markets", "only paper")),
        ('market = "hand-made"', 'market = "nosuch"', ("no market nosuch",)),
        ('market = "hand-made"', 'market = "sample"', ("built in", "--date", "data fetch")),
        ('spec = "spec.toml"', 'spec = "nosuch.toml"', ("no spec", "nosuch.toml")),
        ('spec = "spec.toml"', 'spec = "history"', ("unknown symbol", "hand-made")),
        ('kind = "simulated"', 'kind = "alpaca"', ("ALPACA_API_KEY_ID",)),
        ("urls_env = []", 'urls_env = ["MY_ALERTS"]', ("alerts.urls_env", "MY_ALERTS", "not set")),
    ],
)
def test_a_bad_configuration_is_one_line_and_exit_2(
    account: Call, monkeypatch: pytest.MonkeyPatch, old: str, new: str, named: tuple[str, ...]
) -> None:
    for name in ("ALPACA_API_KEY_ID", "ALPACA_API_SECRET_KEY", "MY_ALERTS"):
        monkeypatch.delenv(name, raising=False)
    path = Path("paper.toml")
    path.write_text(path.read_text().replace(old, new))
    assert_refused(account("step"), *named)
    assert_refused(account("run"), *named)


def test_alerts_without_their_extra_are_one_line_and_exit_2(account: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ALERTS", f"json://user:{ALERT_SECRET}@127.0.0.1/")
    monkeypatch.setitem(sys.modules, "apprise", None)
    path = Path("paper.toml")
    path.write_text(path.read_text().replace("urls_env = []", 'urls_env = ["MY_ALERTS"]'))
    assert_refused(account("step"), "pip install '.[alerts]' in the checkout")
    assert account("check").code == 1


def test_a_second_step_at_once_is_one_line_that_names_the_first(account: Call, tmp_path: Path) -> None:
    with only_one(tmp_path / "home" / "paper" / "paper" / LOCK_FILE, "a step"):
        for words in (("step",), ("step", "--json")):
            assert_refused(account(*words), "is under way already, by process", status=1)


def steps_that(act: Callable[[int], StepReport]) -> Callable[..., StepReport]:
    """A double of `run_step` that counts its calls."""
    count = 0

    def run_step(*_given: Any) -> StepReport:
        nonlocal count
        count += 1
        return act(count)

    return run_step


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_between_two_steps_when_it_is_told_to(
    account: Call, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}

    def act(count: int) -> StepReport:
        assert count == 1
        signal.raise_signal(number)
        # It came in the middle of a step, which ends all the same.
        return StepReport("paper", None, NOW, False, notes=["nothing to decide now"])

    monkeypatch.setattr("paper.service.attended_step.run_step", steps_that(act))
    try:
        ended = account("run")
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    assert ended.code == 0
    first, planned, last = ended.out.splitlines()
    assert first.startswith("2024-03-07 00:20:00 UTC  nothing decided; ")
    assert planned.endswith("next step 2024-03-07 14:20 UTC")
    assert last.endswith("ended")


# Keys.


@pytest.fixture
def at_alpaca(account: Call, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A double of Alpaca, and `alpaca.toml` of an account there; its keys are in the environment."""
    pytest.importorskip("alpaca")
    pytest.importorskip("apprise")
    monkeypatch.setattr("paper.brokers.alpaca.requests.PER_SECOND", 1e6)
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    monkeypatch.setenv("MY_ALERTS", f"json://user:{ALERT_SECRET}@127.0.0.1:9/")
    with alpaca_double.running({"STOCK": 105.0, "COIN": 57.0}, now=NOW) as double:
        account("init", "--broker", "alpaca", "--spec", "spec.toml", "--market", "hand-made", "alpaca.toml")
        path = Path("alpaca.toml")
        text = path.read_text().replace(PAPER_ENDPOINT, double.url).replace("urls_env = []", 'urls_env = ["MY_ALERTS"]')
        path.write_text(text)
        yield double


def test_keys_are_in_no_file_and_in_nothing_that_is_said(
    account: Call, at_alpaca: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for words in (
        ("check", "alpaca.toml"),
        ("check", "alpaca.toml", "--json"),
        ("check", "alpaca.toml", "--test-alerts"),
        ("step", "--config", "alpaca.toml", "--dry-run"),
        ("step", "--config", "alpaca.toml", "--json"),
        ("status", "--config", "alpaca.toml"),
        ("status", "--config", "alpaca.toml", "--json"),
        ("reconcile", "--config", "alpaca.toml"),
        ("halt", "--config", "alpaca.toml", "--why", "to look"),
        ("step", "--config", "alpaca.toml"),
    ):
        outcome = account(*words)
        said.append(outcome.out + outcome.err)
    assert "paper-20240307" not in said[-1]
    assert len(at_alpaca.orders) == 1
    assert any("could not be delivered to MY_ALERTS" in each for each in said)
    assert_no_secret("\n".join([*said, caplog.text]))


def test_keys_that_alpaca_does_not_take_are_not_repeated(
    account: Call, at_alpaca: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET + "x")
    outcomes = [account("check", "alpaca.toml"), account("step", "--config", "alpaca.toml")]
    assert [each.code for each in outcomes] == [1, 2]
    assert_no_secret("\n".join(each.out + each.err for each in outcomes) + caplog.text)


def assert_no_secret(text: str) -> None:
    everywhere = [text.encode(), *files().values()]
    assert len(everywhere) > 5
    for secret in (alpaca_double.KEY, alpaca_double.SECRET, ALERT_SECRET):
        assert not any(secret.encode() in each for each in everywhere)


def test_a_market_that_an_account_is_to_trade_on(account: Call, data_command: Callable[..., Any]) -> None:
    said = "on which the account of paper.toml is to trade"
    assert_refused(data_command("remove", "hand-made"), "hand-made", said, "--force")
    assert account("step").code == 0
    assert data_command("remove", "hand-made", "--force").code == 0
    # It is not open, and no decision is due: the market is missed all the same.
    assert_refused(account("step"), "no market hand-made", "reverse-qe data fetch --name hand-made")


def test_a_market_on_which_an_account_trades_goes_by_force_alone(
    account: Call, data_command: Callable[..., Any]
) -> None:
    assert account("step", "--date", "2024-03-05").code == 0
    for words in (("hand-made",), ("hand-made", "--dry-run"), ("hand-made", "--json")):
        assert_refused(data_command("remove", *words), "hand-made", "the account paper trades", "--force")
    assert data_command("remove", "hand-made", "--force").out == "Deleted: hand-made. Kept: none.\n"
    for words in (("step", "--date", "2024-03-06"), ("status",), ("explain",)):
        assert_refused(account(*words), "no market hand-made", "reverse-qe data fetch --name hand-made")
    checked = account("check")
    assert (checked.code, "fault    market: no market hand-made" in checked.out) == (1, True)


@pytest.mark.usefixtures("call")
def test_a_market_is_free_again_for_an_account_of_which_there_is_no_trace(data_command: Callable[..., Any]) -> None:
    Path("home/paper/odd").mkdir(parents=True)
    Path("home/paper/odd/ledger.sqlite").write_bytes(b"no ledger")
    assert data_command("remove", "hand-made").code == 0
    save(make_snapshot({"STOCK": [("2024-03-04", 1.0, 1.0)]}, as_traded=True))
    assert data_command("show", "hand-made").code == 0
