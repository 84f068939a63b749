"""The log of trials: what is taken out of it, changed, moved about or half written is seen, and nothing is lost."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.archive.trials.lines import HEAD, LOG, RETURNS, line_hash
from backtests.archive.trials.log import add_trial
from backtests.archive.trials.verify import verify_log
from data.files.locks import BusyError, only_one

DAYS = 20


def values(number, project="/p", simulated=False, trials=1):
    return {"project": project, "simulated": simulated, "key": f"{number:064x}", "trials": trials, "kind": "backtest"}


def columns(number):
    return {"strategy": np.random.default_rng(number).standard_normal(DAYS) / 100, "static_mix": np.zeros(DAYS)}


def add(folder, number, **more):
    return add_trial(folder, values(number, **more), columns(number))


@pytest.fixture
def log(tmp_path):
    """A log of five rows."""
    folder = tmp_path / "trials"
    for number in range(1, 6):
        add(folder, number)
    assert verify_log(folder).faults == ()
    return folder


def lines(folder):
    return (folder / LOG).read_bytes().splitlines(keepends=True)


def rewrite(folder, parts):
    (folder / LOG).write_bytes(b"".join(parts))


def test_rows_are_chained_and_counted_by_project_and_kind_of_market(tmp_path):
    add(tmp_path, 1)
    add(tmp_path, 2, project="/q", trials=50)
    add(tmp_path, 3, simulated=True)
    row = add(tmp_path, 4, trials=10).row
    assert row["so_far"] == {"rows": 2, "trials": 11}
    assert add(tmp_path, 5, project="/q").row["so_far"] == {"rows": 2, "trials": 51}
    found = verify_log(tmp_path)
    assert ([each["row"] for each in found.rows], found.faults, found.notes) == ([1, 2, 3, 4, 5], (), ())
    raw = lines(tmp_path)
    assert [json.loads(line)["previous"] for line in raw[1:]] == [line_hash(line.rstrip(b"\n")) for line in raw[:-1]]


def test_the_same_trial_adds_nothing_and_another_of_its_key_does(log):
    before = lines(log)
    again = add(log, 3)
    assert (again.is_new, again.row["row"]) == (False, 3)
    assert lines(log) == before
    nearly = {**columns(3), "strategy": columns(3)["strategy"] + 1e-12}
    assert not add_trial(log, values(3), nearly).is_new
    # Other code may have answered otherwise; shorter ones are another run.
    assert add_trial(log, values(3), {**columns(3), "strategy": columns(3)["strategy"] + 1e-4}).is_new
    assert add_trial(log, values(3), {name: each[:-1] for name, each in columns(3).items()}).is_new
    assert verify_log(log).faults == ()


def test_no_log_is_no_fault(tmp_path):
    assert verify_log(tmp_path / "none") == verify_log(tmp_path)
    assert verify_log(tmp_path).rows == ()


@given(st.data())
@settings(max_examples=40)
def test_any_byte_that_is_changed_is_seen(data):
    folder = _kept_log()
    for name in (LOG, HEAD):
        content = bytearray((folder / name).read_bytes())
        at = data.draw(st.integers(0, len(content) - 1), name)
        content[at] ^= data.draw(st.integers(1, 255))
        if name == HEAD and _means_the_same(bytes(content), folder):
            continue
        copy = folder.with_name(f"{folder.name}-changed")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        (copy / name).write_bytes(content)
        found = verify_log(copy)
        assert found.faults or found.notes
        assert found.faults or name == HEAD  # of the mark, where it was begun alone is no fault


def _means_the_same(content, folder):
    try:
        return json.loads(content) == json.loads((folder / HEAD).read_bytes())
    except ValueError:
        return False


_KEPT: list[Path] = []


def _kept_log():
    """A log that the examples of one test share."""
    if not _KEPT:
        import tempfile

        _KEPT.append(Path(tempfile.mkdtemp()) / "trials")
        for number in range(1, 4):
            add(_KEPT[0], number)
    return _KEPT[0]


def test_an_edited_row_is_named(log):
    parts = lines(log)
    parts[2] = parts[2].replace(b'"trials":1', b'"trials":0')
    rewrite(log, parts)
    assert verify_log(log).faults == ("row 3 is not what row 4 follows",)
    parts = lines(log)
    parts[4] = parts[4].replace(b'"trials":1', b'"trials":0')
    rewrite(log, parts)
    assert verify_log(log).faults[-1] == "row 5 is not what the mark of the end says"


@pytest.mark.parametrize(
    ("gone", "said"),
    [([0], "row 1 is missing"), ([1, 2], "rows 2 to 3 are missing"), ([4], "row 5 is missing")],
)
def test_rows_that_were_taken_out_are_missed(log, gone, said):
    rewrite(log, [line for place, line in enumerate(lines(log)) if place not in gone])
    assert verify_log(log).faults == (said,)
    add(log, 9)
    found = verify_log(log)
    assert found.faults == (said,)
    assert found.rows[-1]["row"] == 6


def test_rows_out_of_order_or_doubled_are_seen(log):
    parts = lines(log)
    rewrite(log, [parts[0], parts[2], parts[1], *parts[3:]])
    assert verify_log(log).faults == ("row 2 stands twice or out of its order, in line 3",)
    rewrite(log, [*parts, parts[2]])
    assert verify_log(log).faults == ("row 3 stands twice or out of its order, in line 6",)


def test_a_tail_cut_in_the_midst_of_a_row_is_missed_for_ever(log):
    whole = (log / LOG).read_bytes()
    (log / LOG).write_bytes(whole[:-100])
    assert "row 5 is missing" in verify_log(log).faults
    add(log, 6)
    found = verify_log(log)
    assert "row 5 is missing" in found.faults
    assert [each["row"] for each in found.rows] == [1, 2, 3, 4, 6]


def test_a_log_without_its_mark_is_a_fault_that_stays(log):
    rewrite(log, lines(log)[:-1])
    (log / HEAD).unlink()
    (fault,) = verify_log(log).faults
    assert "the mark of its end, is missing" in fault
    add(log, 6)
    (fault,) = verify_log(log).faults
    assert fault == "row 5 follows a log without its mark: rows may be missing before it"


def test_a_log_that_is_gone_is_missed_by_its_mark(log):
    (log / LOG).unlink()
    assert verify_log(log).faults[0] == "rows 1 to 5 are missing"
    assert add(log, 6).row["row"] == 6
    assert verify_log(log).faults[0] == "rows 1 to 5 are missing"


def test_the_log_of_another_home_is_no_substitute(log, tmp_path):
    other = tmp_path / "other" / "trials"
    for number in range(5):
        add(other, 100 + number)
    mine = (log / LOG).read_bytes()
    shutil.copy(other / LOG, log / LOG)
    assert "row 1 is of another log" in verify_log(log).faults
    (log / LOG).write_bytes(mine)
    copied = tmp_path / "copied"
    shutil.copytree(log, copied / "trials")
    found = verify_log(copied / "trials")
    assert found.faults == ()
    assert found.notes == (f"the log was begun in {tmp_path.resolve()}: it was moved or copied",)


def test_returns_that_are_missing_or_changed_are_a_fault(log):
    first, second, *_ = [json.loads(line)["returns"]["file"] for line in lines(log)]
    (log / RETURNS / f"{first}.npy").unlink()
    path = log / RETURNS / f"{second}.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert verify_log(log).faults == tuple(f"the returns of row {n} are missing or were changed" for n in (1, 2))
    add(log, 1)  # cannot be told from another trial of its key, and counts
    assert len(verify_log(log).rows) == 6


def test_what_a_killed_process_left_costs_nothing(log):
    """Killed before the mark: the row counts. Killed in the midst of the row: nobody was told of it."""
    mark = (log / HEAD).read_bytes()
    add(log, 6)
    (log / HEAD).write_bytes(mark)
    assert (verify_log(log).faults, len(verify_log(log).rows)) == ((), 6)
    add(log, 7)
    assert (verify_log(log).faults, len(verify_log(log).rows)) == ((), 7)
    with (log / LOG).open("ab") as file:
        file.write(lines(log)[-1][:40])
    found = verify_log(log)
    assert (found.faults, len(found.rows), len(found.notes)) == ((), 7, 1)
    add(log, 8)
    found = verify_log(log)
    assert (found.faults, len(found.rows), found.notes) == ((), 8, ())


@pytest.mark.parametrize("tail", [b"\0" * 300, b'{"row":6,"previous":"\xc3', b"{" + b"\0" * 40])
def test_a_tail_that_was_never_written_is_taken_away(log, tail):
    """After a power cut a file may end in zeros, or in half a letter; the next row is no part of that line."""
    with (log / LOG).open("ab") as file:
        file.write(tail)
    assert verify_log(log).faults == ()
    add(log, 6)
    found = verify_log(log)
    assert (found.faults, [each["row"] for each in found.rows]) == ((), [1, 2, 3, 4, 5, 6])
    content = (log / LOG).read_bytes()
    (log / LOG).write_bytes(content[:-50] + b"\0" * 50)
    add(log, 7)
    found = verify_log(log)
    assert "row 6 is missing" in found.faults
    assert found.rows[-1]["row"] == 7


def _adds(folder, begin, count):
    for number in range(begin, begin + count):
        add(folder, number)


@pytest.mark.slow
def test_processes_at_once_lose_no_row(tmp_path):
    folder, context = tmp_path / "trials", multiprocessing.get_context("fork")
    workers = [context.Process(target=_adds, args=(folder, 1000 * worker, 25)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = verify_log(folder)
    assert ([worker.exitcode for worker in workers], found.faults, len(found.rows)) == ([0] * 4, (), 100)
    assert found.rows[-1]["so_far"] == {"rows": 100, "trials": 100}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_process_that_is_killed_at_any_moment_breaks_nothing(tmp_path):
    """It says each row that it has added: none of those is lost, and what stands in the log verifies."""
    folder = tmp_path / "trials"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_trial_log import add\nfrom pathlib import Path\nimport sys\n"
        "number = int(sys.argv[2])\n"
        "while True:\n    number += 1\n    print(add(Path(sys.argv[1]), number).row['row'], flush=True)\n"
    )
    told = 0
    for attempt in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(10_000 * (attempt + 1))], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(3 + attempt):
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        told = max([told, *(int(each) for each in rest)])
        found = verify_log(folder)
        assert found.faults == ()
        assert len(found.rows) >= told


def test_who_holds_the_log_too_long_is_named_and_the_log_as_it_was(log, monkeypatch):
    monkeypatch.setattr("backtests.archive.trials.log.PATIENCE", 0.1)
    before = (log / LOG).read_bytes()
    with only_one(log / ".lock", "something else"), pytest.raises(BusyError, match=f"by process {os.getpid()}; wait"):
        add(log, 6)
    assert (log / LOG).read_bytes() == before
    assert add(log, 6).row["row"] == 6


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_an_error_and_the_log_as_it_was(log):
    before = (log / LOG).read_bytes()
    log.chmod(0o500)
    try:
        with pytest.raises(Exception, match=r"cannot write|Permission"):
            add(log, 6)
    finally:
        log.chmod(0o700)
    assert (log / LOG).read_bytes() == before


@pytest.mark.parametrize("allowed", [0, 1, 30, 500, 10_000])
def test_a_full_disk_leaves_the_log_as_it_was(log, monkeypatch, allowed):
    """The disk takes so many bytes of what this process writes, and no more."""
    import errno

    from backtests.archive.trials import log as module

    before = (log / LOG).read_bytes(), (log / HEAD).read_bytes()
    real = module._write_line

    def half(file, size, line):
        if allowed < 10_000:
            file.seek(size)
            file.write(line[:allowed])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, size, line)

    def no_mark(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write_line", half)
    if allowed == 10_000:
        monkeypatch.setattr(module, "write_head", no_mark)
    with pytest.raises(OSError, match="No space left"):
        add(log, 6)
    assert ((log / LOG).read_bytes(), (log / HEAD).read_bytes()) == before
    monkeypatch.undo()
    add(log, 6)
    assert verify_log(log).faults == ()
