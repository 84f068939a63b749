"""What makes a run itself: every file of the packages of the wheel counts, and nothing else."""

import shutil
import tomllib
from pathlib import Path

import pytest

from backtests.identity import PACKAGES, ROOT, source_hash

IGNORE = shutil.ignore_patterns("__pycache__")


def kinds() -> dict[str, Path]:
    """One file of each kind that lies in a package."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found.setdefault(path.suffix or path.name, path.relative_to(ROOT))
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=IGNORE)
    return tmp_path


def test_the_packages_are_those_of_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert sorted(PACKAGES) == sorted(wheel["packages"])
    assert {".py", ".toml", ".csv", ".tmpl"} <= kinds().keys()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_file_of_any_kind_makes_it_another(kind: str, checkout: Path) -> None:
    before = source_hash(checkout)
    path = checkout / kinds()[kind]
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    assert source_hash(checkout) != before
    path.write_bytes(content)
    assert source_hash(checkout) == before
    path.rename(path.with_name("another" + path.suffix))
    assert source_hash(checkout) != before


def test_what_python_leaves_behind_does_not_count(checkout: Path) -> None:
    before = source_hash(checkout)
    (checkout / "data" / "__pycache__").mkdir()
    (checkout / "data" / "__pycache__" / "clock.cpython-311.pyc").write_bytes(b"x")
    assert source_hash(checkout) == before == source_hash(ROOT)
