"""The process beside a backtest: the same part of the page, a part in any case, and none that outlives its command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reverse_qe.pages import quantstats_part as drawing
from reverse_qe.pages.beside import worker as worker_module
from reverse_qe.pages.beside.worker import HERE, RenderWorker, render_worker
from reverse_qe.pages.kit import Html, Part
from reverse_qe.pages.quantstats_part import ReportInput

COMMAND = Path(sys.executable).with_name("reverse-qe")
DRAWN_HERE = Part("drawn", Html("here"))
# Asks for more than a pipe holds at once, in a process that has imported nothing, beside files named as modules are.
ASKS = """
import sys
from reverse_qe.pages.beside import worker as worker_module
assert "pandas" not in sys.modules and "subprocess" in sys.modules
with worker_module.render_worker(True) as worker:
    import numpy as np, pandas as pd
    from reverse_qe.pages.quantstats_part import ReportInput, quantstats_part
    days = pd.bdate_range("2015-01-02", periods=5000)
    steps = np.arange(10_000.0).reshape(5000, 2)
    returns = pd.DataFrame(0.01 * np.sin(steps * 1.7), days, ["strategy", "benchmark"])
    given = ReportInput(returns, "INDEX $A$ <b>", 0.02, "0123456789ab", 1_700_000_000)
    worker.ask(given)
    part = worker._answered()
    assert part is not None, "the worker has not answered"
    assert "quantstats" not in sys.modules
    assert part == worker(given) == quantstats_part(given), "another part"
assert worker._process is None
"""


def given() -> ReportInput:
    days = pd.bdate_range("2020-01-01", periods=5)
    returns = pd.DataFrame(np.linspace(-0.01, 0.02, 10).reshape(5, 2), days, ["strategy", "benchmark"])
    return ReportInput(returns, "INDEX", 0.02, "0123456789ab", 1_700_000_000)


def process_of(code: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    words = [sys.executable, "-S", "-c", code]
    return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0)


@pytest.fixture
def drawn_here(monkeypatch: pytest.MonkeyPatch) -> list[ReportInput]:
    """What was drawn in this process."""
    asked: list[ReportInput] = []

    def draw(report: ReportInput) -> Part:
        asked.append(report)
        return DRAWN_HERE

    monkeypatch.setattr(drawing, "quantstats_part", draw)
    return asked


@pytest.mark.slow
def test_the_part_is_that_of_this_process_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    for name in ("pickle", "queue", "data", "reverse_qe", "matplotlib", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the folder was imported')")
    affinity = "import os; os.sched_getaffinity = lambda _: {0, 1}\n"  # on one processor none would be started
    done = subprocess.run(
        [sys.executable, "-P", "-c", affinity + ASKS], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "import os; os.close(0); import time; time.sleep(600)",
        "import sys; sys.stdin.buffer.read(8); raise MemoryError",
        "import os; os.read(0, 100_000); os.write(1, bytes(4))",
        "import os; os.read(0, 100_000); os.write(1, (99).to_bytes(8, 'big') + b'half of it')",
        "import os; os.read(0, 100_000); os.write(1, (1).to_bytes(8, 'big') + b'too much')",
        "import time; time.sleep(600)",
    ],
)
def test_a_worker_that_gives_no_whole_answer_costs_nothing_but_time(
    code: str, drawn_here: list[ReportInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "PATIENCE_SECONDS", 0.3 if "sleep" in code else 60.0)
    process, report = process_of(code), given()
    worker = RenderWorker(process)
    worker.ask(report)
    assert worker(report) is DRAWN_HERE
    assert drawn_here == [report]
    worker.end()
    assert process.returncode is not None


def test_a_worker_that_was_never_asked_is_ended(drawn_here: list[ReportInput]) -> None:
    process = process_of("import time; time.sleep(600)")
    worker = RenderWorker(process)
    assert worker(given()) is DRAWN_HERE
    worker.end()
    assert process.returncode is not None
    worker.end()


def test_no_process_where_none_can_be_had(monkeypatch: pytest.MonkeyPatch, drawn_here: list[ReportInput]) -> None:
    monkeypatch.setattr(worker_module, "_pays", lambda: True)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with render_worker(True) as worker:
        worker.ask(given())
        assert worker(given()) is DRAWN_HERE


def test_a_worker_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "FAREWELL_SECONDS", 0.05)
    code = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); import time; time.sleep(600)"
    )
    process = process_of(code)
    assert process.stdout is not None
    assert process.stdout.read(1) == b"\n"
    RenderWorker(process).end()
    assert process.returncode == -signal.SIGKILL


def test_no_process_where_it_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_options: object) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(worker_module, "_pays", lambda: True)
    monkeypatch.setattr(worker_module, "TemporaryDirectory", full)
    with render_worker(True) as worker:
        assert worker is HERE


def test_no_process_where_it_saves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_scratch: str) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(worker_module, "_started", refuse)
    with render_worker(True):  # pandas is imported here
        pass
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0}, raising=False)
    with render_worker(True):
        pass
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1}, raising=False)
    with render_worker(False):
        pass
    with pytest.raises(AssertionError), render_worker(True):
        pass


def test_an_error_of_the_drawing_is_told_here() -> None:
    report = ReportInput(given().returns[["strategy"]], "INDEX", 0.02, "0", 0)
    worker = RenderWorker(process_of("raise SystemExit(1)"))
    worker.ask(report)
    with pytest.raises(Exception, match="wanted at least one row of strategy, benchmark"):
        worker(report)
    worker.end()


def test_without_a_worker_all_is_drawn_here(drawn_here: list[ReportInput]) -> None:
    report = given()
    HERE.ask(report)
    assert HERE(report) is DRAWN_HERE
    HERE.end()
    assert drawn_here == [report]


@pytest.mark.slow
def test_nothing_is_left_where_matplotlib_has_no_folder_to_write_in(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "a file").touch()
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path / "a file"), "TMPDIR": str(tmp_path / "scratch")}
    words = [COMMAND, "backtest", "--start", "2024-01-02", "--out", "run"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    assert "matplotlib" not in done.stderr
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (tmp_path / "run" / "tearsheet.html").exists()


def children(process: int) -> list[int]:
    """Processes that a process has started and that live."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for pid, parent, state in rows if int(parent) == process and not state.startswith("Z")]


def lives(process: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def waited(patience: float) -> Iterator[None]:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        yield
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["at once", "later"])
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_no_worker_outlives_its_command(tmp_path: Path, how: str, when: str) -> None:
    (tmp_path / "scratch").mkdir()
    process = subprocess.Popen(
        [COMMAND, "backtest"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
    )  # fmt: skip
    found = next((living for _ in waited(60) if (living := children(process.pid))), [])
    assert len(found) == 1, "no worker was started: has this machine one processor?"
    if when == "later":
        time.sleep(1.0)
    # Ctrl-C reaches every process of the terminal.
    os.killpg(process.pid, signal.SIGINT) if how == "SIGINT" else os.kill(process.pid, getattr(signal, how))
    assert process.stderr is not None
    told = process.communicate(timeout=60)[1]
    assert process.returncode == {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}[how]
    assert "Traceback" not in told
    assert any(not lives(found[0]) for _ in waited(30)), "the worker lives on"
    # A process that is killed takes nothing away.
    assert how == "SIGKILL" or list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_a_page_is_the_same_bytes_with_a_worker_and_without(call, tmp_path: Path) -> None:
    words = ["backtest", "--start", "2024-01-02", "--out"]
    subprocess.run([COMMAND, *words, "beside"], cwd=tmp_path, check=True, capture_output=True)
    assert call(*words, "here")[0] == 0
    for path in sorted((tmp_path / "here").iterdir()):
        if path.name != "timings.json":
            assert path.read_bytes() == (tmp_path / "beside" / path.name).read_bytes(), path.name
    assert {"tearsheet", "files"} <= json.loads((tmp_path / "beside" / "timings.json").read_text())["seconds"].keys()


@pytest.mark.parametrize("fault", [ImportError("an import that was interrupted"), None])
def test_whatever_is_made_of_being_told_to_end_it_is_the_end(
    monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    from reverse_qe import cli

    def run() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except SystemExit:
            if fault is not None:
                raise fault from None
        return 2

    monkeypatch.setattr(cli, "_run", run)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended.value.code == 143
