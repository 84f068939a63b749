"""A sweep on a cluster: the bytes of a sweep here, a worker that is killed, and what is refused in one line."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import reverse_qe
from backtests.studies.sweeps import cluster
from backtests.studies.sweeps import folder as sweep_folder
from backtests.studies.sweeps.cluster import connected, play_part
from backtests.studies.sweeps.folder import as_parquet, run_into
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.errors import InputError

DAYS = {"run.start": "2022-01-03", "run.end": "2022-12-30"}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "sweeps.md"


def a_sweep(snapshot, values):
    return Sweep(SweepAsked("sample", DAYS, make_grid("sample", values, DAYS), snapshot))


@pytest.mark.slow
def test_a_part_of_a_worker_has_the_bytes_of_one_here(sample, monkeypatch):
    monkeypatch.setattr(cluster, "_SWEEP", {})
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.4, 0.5], "order_rules.band": [0.0, 0.05]})
    for span in ((0, 4), (4, 6)):
        found = play_part(sweep.asked, "it", cluster._identity(), *span, True)
        assert found == as_parquet(sweep.run(*span, keep_returns=True))
    (made,) = cluster._SWEEP.values()
    play_part(sweep.asked, "it", cluster._identity(), 0, 1, False)
    assert {"it": made} == cluster._SWEEP
    play_part(sweep.asked, "another", cluster._identity(), 0, 1, False)
    assert list(cluster._SWEEP) == ["another"]


def test_a_worker_of_another_version_is_refused_by_name(sample):
    sweep = a_sweep(sample, {"signal.enter": [0.3]})
    identity = cluster._identity() | {"numba": "0.1", "reverse-qe source": "0" * 16}
    with pytest.raises(InputError, match=r"a worker has reverse-qe source \w+, not 0{16}; numba [\d.]+, not 0\.1"):
        play_part(sweep.asked, "it", identity, 0, 1, False)


@contextmanager
def a_stranger():
    """Something that listens, answers anything, and is no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def answer():
            while True:
                try:
                    taken.append(server.accept()[0])
                    taken[-1].sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"9" * 64)
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for each in taken:
            each.close()


ADDRESSES = (
    "",
    "nowhere",
    "a b:1",
    "http://127.0.0.1:80",
    "127.0.0.1",
    "127.0.0.1:x",
    "me@there:1",
    "tls://127.0.0.1:1",
)


@pytest.mark.parametrize("address", [*ADDRESSES, "127.0.0.1:1", "127.0.0.1:99999"])
def test_where_there_is_no_scheduler_it_is_refused_in_one_line(tmp_path, monkeypatch, address):
    monkeypatch.setattr(cluster, "ANSWERS", 0.3)
    with pytest.raises(InputError, match=r"for the cluster, .*wanted the address of a scheduler") as refused:
        reverse_qe.sweep("sample", {"signal.enter": [0.3]}, cluster=address, out=tmp_path / "it")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "it").exists()


def test_something_else_that_answers_is_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWERS", 0.5)
    with (
        a_stranger() as address,
        pytest.raises(InputError, match="where no dask scheduler answers"),
        connected(address),
    ):
        pass


def test_the_command_says_so_and_ends_with_2(call, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWERS", 0.3)
    code, out, err = call("sweep", "sample", "--grid", "signal.enter=0.3", "--cluster", "127.0.0.1:1")
    assert (code, out) == (2, "")
    assert err == (
        "Error: got '127.0.0.1:1' for the cluster, where no dask scheduler answers; wanted the address of a scheduler "
        "such as 127.0.0.1:8786; one is started by: dask scheduler\n"
    )


def test_without_dask_it_is_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install '\.\[cluster\]' in the checkout"):
        reverse_qe.sweep("sample", {"signal.enter": [0.3]}, cluster="127.0.0.1:8786")


def test_threads_here_and_a_cluster_are_not_both_had():
    with pytest.raises(InputError, match="got 2 jobs and a cluster, wanted one of them"):
        reverse_qe.sweep("sample", {"signal.enter": [0.3]}, cluster="127.0.0.1:8786", jobs=2)


def test_files_of_the_user_stay_here(sample, tmp_path, monkeypatch):
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2016-01-04T00:00:00+00:00,SCARCE\n")
    monkeypatch.setattr("reverse_qe.sweeping.require_scheduler", lambda address: address)
    with pytest.raises(
        InputError, match=r"signal\.source: got .*regimes\.csv for a cluster, whose workers have no files"
    ):
        reverse_qe.sweep(
            "sample", {"policy.instrument_cap": [0.3]}, sample, set={"signal.source": str(tmp_path / "regimes.csv")},
            cluster="127.0.0.1:8786", out=tmp_path / "it",
        )  # fmt: skip


def commands_of_the_page():
    """The two commands of the docs that start a cluster, as they stand there."""
    found = re.findall(r"^    (dask (?:scheduler|worker) .*)$", PAGE.read_text(), re.MULTILINE)
    assert [each.split()[1] for each in found] == ["scheduler", "worker"]
    return found


@contextmanager
def started(command, port, folder):
    """A command of the page, at another port; what it says is kept, for whoever looks why it failed."""
    words = [str(Path(sys.executable).with_name("dask")), *shlex.split(command.replace("8786", str(port)))[1:]]
    with (folder / f"{words[1]}.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(found, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError("it did not come")


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_on_two_workers_of_which_one_is_killed_the_bytes_are_those_of_here(sample, tmp_path, monkeypatch):
    """The cluster is started by the commands of the page. Without a worker it is refused."""
    from distributed import Client

    monkeypatch.setattr(sweep_folder, "PART", 128)
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.4, 0.5, 0.6], "order_rules.band": [n / 2000 for n in range(640)]})
    whole = run_into(tmp_path / "here", sweep).read_bytes()
    port, (scheduler, worker) = free_port(), commands_of_the_page()
    with started(scheduler, port, tmp_path):
        wait_for(lambda: answers(port))
        monkeypatch.setattr(cluster, "FIRST_WORKER", 0.5)
        with pytest.raises(InputError, match="whose scheduler has no worker"), connected(f"127.0.0.1:{port}"):
            pass
        monkeypatch.setattr(cluster, "FIRST_WORKER", 60)
        with started(worker, port, tmp_path), Client(f"127.0.0.1:{port}", set_as_default=False) as watching:
            watching.wait_for_workers(2, timeout=60)
            workers = list(watching.run(os.getpid).values())
            assert len(workers) == 2
            killed = []

            def kill_one(done, size, rate):
                if 0 < done < size / 2 and not killed:
                    os.kill(workers[0], signal.SIGKILL)
                    killed.append(done)

            with connected(f"127.0.0.1:{port}") as runner:
                found = run_into(tmp_path / "there", sweep, report=kill_one, runner=runner)
    assert killed
    assert found.read_bytes() == whole
    assert sorted(path.name for path in found.parent.iterdir()) == ["spec.toml", "sweep.json", "variants.parquet"]
