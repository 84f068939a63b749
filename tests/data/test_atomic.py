"""Files and folders are there whole or not at all, whoever writes, fails or is killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.errors import InputError
from data.files.atomic import is_aside, remove_whole, require_free, write_new_file, write_whole, written_whole
from data.files.locks import BusyError, only_one

ROOT = Path(__file__).resolve().parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_the_bytes_that_it_is_given(tmp_path: Path) -> None:
    write_whole(tmp_path / "deep" / "text", "é\nand\r\n")
    write_whole(tmp_path / "deep" / "bytes", b"\x00\n")
    assert (tmp_path / "deep" / "text").read_bytes() == b"\xc3\xa9\nand\r\n"
    assert (tmp_path / "deep" / "bytes").read_bytes() == b"\x00\n"
    assert names(tmp_path / "deep") == ["bytes", "text"]


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    with pytest.raises(FileExistsError):
        write_whole(path, "new")
    assert path.read_text() == "old"
    write_whole(path, "new", replace=True)
    assert path.read_text() == "new"
    with pytest.raises(InputError, match="which exists"):
        write_new_file(path, "newer", "--out")
    assert names(tmp_path) == ["file"]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def write_half() -> None:
        with written_whole(tmp_path / "folder") as aside:
            aside.mkdir()
            (aside / "one").write_text("1")
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError):
        write_half()
    assert names(tmp_path) == []
    with written_whole(tmp_path / "folder") as aside:
        aside.mkdir()
        (aside / "one").write_text("1")
        assert not (tmp_path / "folder").exists()
    assert names(tmp_path / "folder") == ["one"]
    remove_whole(tmp_path / "folder")
    assert names(tmp_path) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot write --out .*file: .*No space left on device; choose another"):
        write_new_file(tmp_path / "file", "text", "--out")
    assert names(tmp_path) == []


def test_paths_that_cannot_be_written_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, why in ((tmp_path / "file", "which exists"), (tmp_path / "file" / "below", "is a file")):
        with pytest.raises(InputError, match=f"got --page .*{why}"):
            require_free(path, "--page")
    require_free(tmp_path / "new" / "deep")


def test_writers_at_once_leave_one_of_their_files(tmp_path: Path) -> None:
    contents = [bytes([number]) * 50_000 for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "raced", content, replace=True), contents))
    assert (tmp_path / "raced").read_bytes() in contents
    assert names(tmp_path) == ["raced"]


def test_what_a_killed_writer_leaves_is_known_and_no_target(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from data.files.atomic import written_whole\n"
        "with written_whole(Path(sys.argv[1]) / 'live.2') as aside:\n"
        "    aside.write_text('half'); print('there', flush=True); time.sleep(60)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer.stdout:
        assert writer.stdout.readline() == "there\n"
        writer.kill()
        writer.wait(20)
    (left,) = tmp_path.iterdir()
    assert is_aside(left, r"live\.[0-9]+")
    assert not is_aside(left, r"live")
    assert not is_aside(left.with_name("live.2"), r"live\.[0-9]+")


# Locks.


def test_a_lock_is_one_within_a_process_too(tmp_path: Path) -> None:
    with only_one(tmp_path / "lock", "a test"):
        with (
            pytest.raises(BusyError, match=f"by process {os.getpid()}; wait"),
            only_one(tmp_path / "lock", "another"),
        ):
            pytest.fail("two hold it")
        assert names(tmp_path) == ["lock", "lock.holder"]
    assert names(tmp_path) == []


def test_an_error_inside_lets_the_lock_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), only_one(tmp_path / "lock", "a test"):
        raise RuntimeError
    with only_one(tmp_path / "lock", "a test"):
        pass
    assert names(tmp_path) == []


def count_up(folder: Path, times: int) -> None:
    """Add one to a number in a file, so often, each time alone with it; some die while they hold the lock."""
    done = 0
    while done < times:
        try:
            with only_one(folder / "lock", "counting"):
                number = int((folder / "number").read_text())
                time.sleep(0.0005)
                write_whole(folder / "number", str(number + 1), replace=True)
                done += 1
        except BusyError:
            time.sleep(0.0003)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked on this system")
def test_no_two_processes_hold_a_lock_at_once(tmp_path: Path) -> None:
    """The file goes with the lock, so that others lock files that are gone: they must begin anew."""
    (tmp_path / "number").write_text("0")
    context = multiprocessing.get_context("fork")
    counters = [context.Process(target=count_up, args=(tmp_path, 40)) for _ in range(4)]
    for each in counters:
        each.start()
    for each in counters:
        each.join(120)
    assert [each.exitcode for each in counters] == [0] * 4
    assert (tmp_path / "number").read_text() == "160"
    assert names(tmp_path) == ["number"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the child would lock in another way than this process")
def test_a_killed_holder_blocks_nobody(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from data.files.locks import only_one\n"
        "with only_one(Path(sys.argv[1]), 'a test'): print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path / "lock"], cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        holder.stdout.readline()
        with pytest.raises(BusyError, match=f"by process {holder.pid};"), only_one(tmp_path / "lock", "another"):
            pytest.fail("two hold it")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(20)
    with only_one(tmp_path / "lock", "another"):
        pass
    assert names(tmp_path) == []
