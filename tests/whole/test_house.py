"""The house: no room is a heap, no rooms go round in a circle, and the page names the rooms as the contracts do."""

import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
PACKAGES: list[str] = TOOLS["importlinter"]["root_packages"]
FLAT = 16


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES)


def folders() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path.parent for path in sorted((ROOT / package).rglob("__init__.py")))


def test_no_folder_is_a_heap() -> None:
    sizes = {folder.relative_to(ROOT).as_posix(): len(list(folder.glob("*.py"))) - 1 for folder in folders()}
    assert {name: size for name, size in sizes.items() if size > FLAT} == {}
    assert sum(sizes.values()) > 100


def test_every_folder_says_what_it_holds() -> None:
    assert [str(folder) for folder in folders() if not (folder / "__init__.py").read_text().startswith('"""')] == []


def room(module: str) -> str:
    """A package's room, or its module outside of the rooms; the package itself for what it says of all of it."""
    return ".".join(module.split(".")[:2])


def test_no_rooms_go_round_in_a_circle(imports: grimp.ImportGraph) -> None:
    needs: dict[str, set[str]] = {}
    for importer in imports.modules:
        for imported in imports.find_modules_directly_imported_by(importer):
            if room(importer) != room(imported):
                needs.setdefault(room(importer), set()).add(room(imported))
    assert len(needs) > 40
    assert list(TopologicalSorter(needs).static_order())  # raises CycleError, which names the circle


def floors(package: str) -> list[str]:
    """The rooms of a package from the top floor down, as its contract has them."""
    (contract,) = [each for each in TOOLS["importlinter"]["contracts"] if each.get("containers") == [package]]
    return [room for floor in contract["layers"] for room in floor.split(" | ")]


@pytest.mark.parametrize("package", ["reverse_qe", "paper", "backtests", "signals", "data"])
def test_the_page_names_the_rooms_as_the_contracts_do(package: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition(f"### `{package}`\n")[2].partition("\n#")[0]
    named = [name for cell in re.findall(r"^\| (`.+?`) \|", table, re.M) for name in re.findall(r"`([^`]+)`", cell)]
    assert named == floors(package)
    for name in named:
        assert (ROOT / package / name).is_dir() or (ROOT / package / f"{name}.py").is_file()
