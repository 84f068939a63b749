"""Sessions kept on disk: whatever becomes of the file, it costs time and no result."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from exchange_calendars import get_calendar

from data import clock
from data.clock import calendar_sessions, trading_hours
from data.files.cache import cache_folder, keep_cached, read_cached

FIRST, LAST = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, and nothing remembered in the process."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    clock._whole.cache_clear()
    yield cache_folder()
    clock._whole.cache_clear()


def anew(calendar: str = "XNYS") -> pd.DatetimeIndex:
    """The sessions as a new process would get them."""
    clock._whole.cache_clear()
    return calendar_sessions(calendar, FIRST, LAST)


def only_file(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


@pytest.mark.parametrize("calendar", ["XNYS", "24/7"])
def test_what_is_read_is_what_the_library_says(calendar: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = get_calendar(calendar, start="2023-12-01", end="2026-01-31").schedule.loc[FIRST:LAST]

    assert list(anew(calendar)) == list(expected.index)
    monkeypatch.setattr(clock, "_built", None)  # From here on there is the file alone.
    assert list(anew(calendar)) == list(expected.index)
    assert len(list(folder.iterdir())) == 1
    if calendar == "XNYS":
        for day in ("2024-03-08", "2024-07-03", "2025-11-28"):
            assert trading_hours(pd.Timestamp(day)) == tuple(expected.loc[day, ["open", "close"]])


def test_a_warm_process_does_not_load_the_library(folder: Path, tmp_path: Path) -> None:
    anew()
    code = (
        "import sys, platformdirs; platformdirs.user_cache_dir = lambda name, appauthor: sys.argv[1] + '/' + name\n"
        "import pandas as pd; from data.clock import sessions_between\n"
        "print(len(sessions_between(pd.Timestamp('2024-01-01'), pd.Timestamp('2024-12-31'))))\n"
        "print('exchange_calendars' in sys.modules)"
    )
    root = Path(clock.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["252", "False"]


def flipped(content: bytes) -> bytes:
    """The session in the middle one day later: it looks like any other."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x40]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [flipped, lambda content: content[:-8], lambda content: content[:7], lambda _content: b"", lambda c: c + c],
    ids=["a bit", "cut off", "cut short", "empty", "twice"],
)
def test_a_damaged_file_is_made_anew(damage: Callable[[bytes], bytes], folder: Path) -> None:
    expected = list(anew())
    path = only_file(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))

    assert list(anew()) == expected
    assert only_file(folder).read_bytes() == whole


def test_the_file_of_one_calendar_is_never_taken_for_another(folder: Path) -> None:
    anew("24/7")
    only_file(folder).rename(next(folder.iterdir()).with_name(only_file(folder).name.replace("24_7", "XNYS")))

    assert pd.Timestamp("2024-07-04") not in anew("XNYS")


def test_another_version_of_the_library_is_another_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anew()
    monkeypatch.setattr(clock.metadata, "version", lambda _package: "99.0")
    anew()

    assert sorted(path.name.rsplit("-", 1)[1] for path in folder.iterdir())[-1] == "99.0"
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_cannot_be_made_costs_time_only(folder: Path) -> None:
    folder.write_text("a file where the folder should be")

    assert pd.Timestamp("2024-07-05") in anew()
    assert folder.read_text() == "a file where the folder should be"


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    assert pd.Timestamp("2024-07-05") in anew()
    assert not list(folder.iterdir())


def test_many_writers_at_once_leave_one_whole_file(folder: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda content: keep_cached("raced", content), contents):
            assert read_cached("raced") in [None, *contents]

    assert read_cached("raced") in contents
    assert only_file(folder).name == "raced"


def test_a_calendar_that_ends_early_serves_the_days_that_it_has(folder: Path) -> None:
    # Shanghai is known to the end of a year that the library names; no margin may carry a question beyond it.
    last = get_calendar("XSHG").bound_max()

    assert len(calendar_sessions("XSHG", last - pd.Timedelta(days=60), last)) > 30
    with pytest.raises(clock.InputError, match=f"XSHG.*and {last.date()}.*exchange_calendars"):
        calendar_sessions("XSHG", last, last + pd.Timedelta(days=1))


def test_days_before_the_clock_are_served_too(folder: Path) -> None:
    # Black Monday was a session, the Sunday before it was none.
    days = calendar_sessions("XNYS", pd.Timestamp("1987-10-18"), pd.Timestamp("1987-10-19"))

    assert [f"{day:%Y-%m-%d}" for day in days] == ["1987-10-19"]
