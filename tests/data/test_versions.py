"""Versions of a market: their order, what their names stand for, who may change them, what remove takes away."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import InputError
from data.files.kept import snapshot_names, snapshots_dir
from data.files.locks import BusyError, only_one
from data.market.snapshot import load, save
from data.market.versions import (
    in_order,
    locked,
    next_version,
    remove,
    require_market_name,
    require_no_version,
    resolve,
    sweep,
    versions_of,
)
from data.markets import open_market
from hand_made import make_snapshot


@pytest.fixture
def keep() -> Callable[..., None]:
    def run(*names: str) -> None:
        for place, name in enumerate(names):
            save(make_snapshot({"MU": [("2024-01-02", 1.0, 1.0 + place)]}, name=name))

    return run


def test_versions_are_ordered_by_number_not_by_letter(keep: Callable[..., None]) -> None:
    keep("live.10", "live.9", "live.2", "live-eu.3", "other", "live.x", "live.07")

    assert versions_of("live") == ["live.2", "live.9", "live.10"]
    assert next_version("live") == "live.11"
    assert next_version("new") == "new.1"
    assert in_order(["live.10", "other", "live.9", "live"]) == ["live", "live.9", "live.10", "other"]


def test_a_market_stands_for_its_newest_version(keep: Callable[..., None]) -> None:
    keep("live.1", "live.2", "plain")

    assert open_market("live").bars["close"].tolist() == [2.0]
    assert open_market("live.1").name == "live.1"
    assert resolve("plain") == "plain"
    with pytest.raises(InputError, match=r"no market lvie; there are: sample, live\.1, live\.2, plain"):
        open_market("lvie")


def test_a_snapshot_of_exactly_that_name_wins(keep: Callable[..., None]) -> None:
    keep("live", "live.1")

    assert resolve("live") == "live"


def test_a_name_has_versions_or_is_a_snapshot(keep: Callable[..., None]) -> None:
    keep("live.1", "plain")

    require_market_name("live")
    require_no_version("plain")
    for name, reason in {
        "plain": "is a snapshot without versions",
        "live.1": "the name of one version; wanted that of the market: live",
        "sample": "which is built in",
    }.items():
        with pytest.raises(InputError, match=reason):
            require_market_name(name)
    for name, reason in {
        "live": r"live is a market of which live\.1 is kept",
        "x.7": "stands for a version of x",
    }.items():
        with pytest.raises(InputError, match=reason):
            require_no_version(name)


@pytest.mark.parametrize(("keeping", "deleted"), [(1, ["live.1", "live.2"]), (2, ["live.1"]), (3, []), (9, [])])
def test_remove_deletes_the_oldest_and_never_the_newest(
    keep: Callable[..., None], keeping: int, deleted: list[str]
) -> None:
    keep("live.1", "live.2", "live.3", "other.1", "plain")

    assert remove("live", keeping, dry_run=True) == deleted
    assert len(snapshot_names()) == 5
    assert remove("live", keeping) == deleted
    assert snapshot_names() == sorted({"live.1", "live.2", "live.3", "other.1", "plain"} - set(deleted))
    assert [path.name for path in snapshots_dir().iterdir() if path.name.startswith(".")] == []
    assert load("live.3").bars["close"].tolist() == [3.0]


def test_a_market_a_version_and_a_snapshot_go_and_their_names_are_free_again(keep: Callable[..., None]) -> None:
    keep("live.1", "live.2", "live.3", "other.1", "plain")

    assert remove("live.2") == ["live.2"]
    assert remove("plain", dry_run=True) == ["plain"]
    assert remove("plain") == ["plain"]
    assert remove("live") == ["live.1", "live.3"]
    assert snapshot_names() == ["other.1"]
    assert [path.name for path in snapshots_dir().iterdir() if path.name.startswith(".")] == []
    keep("live.1", "plain")
    assert snapshot_names() == ["live.1", "other.1", "plain"]
    assert next_version("live") == "live.2"


def test_remove_of_nothing_is_refused(keep: Callable[..., None]) -> None:
    keep("plain", "live.1")

    for name, count, why in (
        ("nothing", 0, "no market nothing is kept"),
        ("live.7", 0, "no market live.7 is kept"),
        ("plain", 1, "got versions to keep of plain, which has none"),
        ("live.1", 1, "got versions to keep of live.1, which has none"),
        ("sample", 0, "sample is built in"),
    ):
        with pytest.raises(InputError, match=why):
            remove(name, count)
    assert snapshot_names() == ["live.1", "plain"]


def test_what_a_killed_writer_left_is_swept_and_nothing_else(keep: Callable[..., None]) -> None:
    keep("live.1")
    left = [".live.2.0123abcd.tmp", ".live.1.89abcdef.tmp"]
    others = [".livelier.2.0123abcd.tmp", ".live.eu.2.0123abcd.tmp", ".plain.0123abcd.tmp"]
    for name in (*left, *others):
        (snapshots_dir() / name).mkdir()

    sweep("live")

    assert sorted(path.name for path in snapshots_dir().iterdir()) == sorted([*others, "live.1"])


def test_the_lock_is_held_by_one_and_named(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()

    def hold() -> None:
        with only_one(tmp_path / "deep" / "lock", "a test"):
            held.set()
            release.wait(20)

    other = context.Process(target=hold)
    other.start()
    assert held.wait(20)
    with (
        pytest.raises(BusyError, match=f"a test is under way already, by process {other.pid}; wait for its end"),
        only_one(tmp_path / "deep" / "lock", "a test"),
    ):
        pytest.fail("two hold it")
    other.kill()  # The kernel lifts the lock of a process that is gone; its file stays behind.
    other.join(20)
    assert (tmp_path / "deep" / "lock").exists()
    with only_one(tmp_path / "deep" / "lock", "a test"):
        pass
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_lock_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(InputError, match=r"cannot write the lock .*/file/lock: .*; check REVERSE_QE_HOME"),
        only_one(tmp_path / "file" / "lock", "a test"),
    ):
        pytest.fail("it was held")


def test_locks_of_two_markets_are_two() -> None:
    with locked("live"), locked("other"):
        pass
