"""Documentation that is out of step is a defect."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from backtests.archive.folder import manifest
from backtests.spec.spec import Spec, load_spec
from backtests.spec.versions import VERSION
from reverse_qe.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")])


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_what_help_says():
    expected = load_script("write_command_reference").command_reference()
    assert (ROOT / "docs" / "commands.md").read_text() == expected, "run: make docs"


def test_the_changelog_begins_with_what_is_unreleased_and_the_version_of_the_package():
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert heads[:2] == ["Unreleased", tomllib.load(file)["project"]["version"]]


def test_the_readme_is_for_somebody_with_a_minute():
    assert len((ROOT / "README.md").read_text().split()) < 700


@pytest.mark.slow
def test_the_notebook_shows_what_it_computes():
    script = load_script("write_notebook")
    shown = script.text_outputs(script.nbformat.read(script.NOTEBOOK, as_version=4))
    assert len(shown) >= 5
    assert shown == script.text_outputs(script.executed()), "run: make docs"


def test_the_readme_names_every_command_and_make_target_it_should():
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"reverse-qe {name}" in text
    for target in ("make backtest", "make test"):
        assert target in text


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z-]+)`|^ *make ([a-z-]+)", page.read_text(), re.M))
        assert {first or second for first, second in named} <= targets, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_page_on_run_files_names_every_file_that_is_written(sample, tmp_path):
    from backtests.archive.folder import write_run
    from backtests.run import run_backtest

    run = run_backtest(load_spec("sample", {"run.start": "2026-06-01"}), sample)
    text = (ROOT / "docs" / "run-files.md").read_text()
    written = {path.name for path in write_run(run, tmp_path / "run", label="mine").iterdir()}
    assert set(re.findall(r"^\| `([a-z]+\.[a-z]+)`", text, re.M)) == written | {"tearsheet.html", "members.csv"}
    for column in run.engine.orders.columns.difference(["symbol", "side"]):
        assert f"`{column}`" in text
    assert manifest(run)["packages"]["backtrader"]


def test_no_page_or_source_names_a_machine_path():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".csv", ".tmpl", ""} and path.is_file():
            assert not re.search(r"(?<![\w.])/(home|root|work|Users)/", path.read_text()), name


def keys_of(model, prefix=""):
    """Every key of a section and of the sections inside it, dotted."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and hasattr(inner, "model_fields"):
            yield from keys_of(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_the_commented_spec_is_the_shipped_one_and_names_every_key():
    path = ROOT / "docs" / "default-spec.toml"
    assert load_spec(str(path)).to_toml() == load_spec("history").to_toml()
    section, named = "", set()
    for line in path.read_text().splitlines():
        if head := re.match(r"\[([\w.]+)\]", line):
            section = head[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            named.add(f"{section}.{key[1]}" if section else key[1])
    assert named == {"version", *keys_of(Spec)}
    assert f"version = {VERSION}\n" in path.read_text()


@pytest.mark.real_history
@pytest.mark.slow
def test_the_readme_shows_the_honest_lines_of_real_history(history):
    from backtests.run import run_backtest

    written = load_script("write_headline").readme_with_headline(run_backtest(load_spec("history"), history))
    assert written == (ROOT / "README.md").read_text(), "run the command that it names"
