import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

import loopback
from data.market.snapshot import Snapshot
from outcomes import Outcome

# No test measures time: how long an example takes says more of the machine than of the code.
# Examples are drawn anew in every run, but where a run is to be a judgement of the commit alone.
settings.register_profile("suite", deadline=None, derandomize="REVERSE_QE_SAME_EXAMPLES" in os.environ)
settings.load_profile("suite")

# A suite that runs in the background of a script finds these ignored, and so would the commands that it starts.
for _name, _usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def _no_home_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nor does a fixture that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's snapshots."""
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real history beside the checkout."""
    if not (SHARED / "market").is_dir():
        pytest.skip(f"real history is not there: no folder {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def payloads() -> Path:
    """The folder of recorded answers of real servers beside the checkout."""
    if not (SHARED / "payloads").is_dir():
        pytest.skip(f"recorded answers are not there: no folder {SHARED / 'payloads'}")
    return SHARED / "payloads"


@pytest.fixture(scope="session")
def sample() -> Snapshot:
    """The built-in simulated market."""
    from data.markets import open_market

    return open_market("sample")


@pytest.fixture(scope="session")
def history(shared: Path) -> Snapshot:
    """Real history, imported from the folder beside the checkout; its events are the shipped ones."""
    from data.importing.folders import import_snapshot

    market = shared / "market"
    snapshot, _ = import_snapshot(market / "prices", [market / "macro", market / "macro_more"], None, "history")
    return snapshot


@pytest.fixture
def server() -> Iterator[loopback.LoopbackServer]:
    """A running `loopback.LoopbackServer`, with `server.answers`, `server.url` and `server.asked`."""
    with loopback.running() as running:
        yield running


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run `reverse-qe` with the words given."""
    from reverse_qe.cli import main

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["reverse-qe", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture
def data_command(run_command: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Run `reverse-qe data` with the words given."""
    return partial(run_command, "data")


@pytest.fixture
def call(
    run_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in an empty folder: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: astuple(run_command(*words))
