"""The folder of snapshots and state: what cannot be one is refused, and not taken for an empty one."""

from pathlib import Path

import pytest

from data.errors import InputError
from data.files.home import home


def test_the_folder_that_is_named_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "to come"))
    assert home() == tmp_path / "to come"


def test_a_file_in_its_place_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("REVERSE_QE_HOME", str(file))
    with pytest.raises(InputError, match="file, which is a file; name a folder"):
        home()


def test_a_user_who_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERSE_QE_HOME", "~nosuchuser/markets")
    with pytest.raises(InputError, match="no such user"):
        home()
