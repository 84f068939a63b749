"""The wheel alone, without the checkout, runs the main job: it holds every file that it needs."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import requires
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, as pip builds it of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("reverse_qe-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel):
    """A fresh environment with the wheel; the dependencies are those of the environment that runs the tests."""
    folder = wheel.parent
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    subprocess.run([*PIP, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    # A path in a .pth file brings the packages below it, but not the .pth files there: not the editable install.
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text("\n".join(each for each in sys.path if each.endswith("site-packages")))
    return folder / "env" / "bin"


def run(command, *arguments, cwd):
    return subprocess.run([command, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.slow
def test_the_main_job_runs_from_the_wheel(installed, tmp_path):
    where = run(installed / "python", "-c", "import data, backtests; print(data.__file__)", cwd=tmp_path).stdout
    assert str(installed.parent) in where
    done = run(installed / "reverse-qe", "backtest", "--start", "2026-01-02", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in (tmp_path / "run" / "tearsheet.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("shadow", ["data.py", "strategies/__init__.py"])
def test_a_shadowing_file_is_named_by_the_wheel_too(installed, tmp_path, shadow):
    path = tmp_path / shadow
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    done = run(installed / "python", "-c", "import reverse_qe", cwd=tmp_path)
    assert str(path) in done.stderr.splitlines()[-1]
    assert "rename it, start from another folder, or set PYTHONSAFEPATH=1" in done.stderr.splitlines()[-1]
    assert run(installed / "reverse-qe", "--help", cwd=tmp_path).returncode == 0
    module = run(installed / "python", "-m", "reverse_qe", "--version", cwd=tmp_path)
    assert (module.returncode != 0, module.stderr.count("\n")) == (True, 1)
    assert str(path) in module.stderr
    # The ways out that the message names.
    assert run(installed / "python", "-P", "-m", "reverse_qe", "--version", cwd=tmp_path).returncode == 0
    assert run(installed / "python", "-m", "reverse_qe", "--version", cwd=tmp_path.parent).returncode == 0
    path.rename(path.with_name("renamed.py"))
    assert run(installed / "python", "-m", "reverse_qe", "--version", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_script_beside_the_shadow_and_one_that_is_it_are_told(installed, tmp_path):
    (tmp_path / "data.py").write_text("import reverse_qe")
    (tmp_path / "mine.py").write_text("import reverse_qe")
    for script in ("data.py", "mine.py"):
        done = run(installed / "python", tmp_path / script, cwd=ROOT)
        assert f"is shadowed by {tmp_path / 'data.py'}: rename it" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_what_was_imported_before_or_stands_on_the_path_of_python_has_its_own_way_out(installed, tmp_path, monkeypatch):
    (tmp_path / "signals.py").write_text("")
    python = installed / "python"
    done = run(python, "-c", "import signals, reverse_qe", cwd=tmp_path)
    assert done.stderr.splitlines()[-1].endswith("or set PYTHONSAFEPATH=1, and start Python anew")
    code = "import sys, types; sys.modules['paper'] = types.ModuleType('paper'); import reverse_qe"
    assert "shadowed by a module that is no file" in run(python, "-c", code, cwd=tmp_path.parent).stderr
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for command in ([installed / "reverse-qe", "--version"], [python, "-c", "import reverse_qe"]):
        done = run(*command, cwd=tmp_path.parent)
        assert done.stderr.splitlines()[-1].endswith(f"rename it, or take {tmp_path} out of PYTHONPATH")


@pytest.mark.slow
def test_a_folder_of_data_shadows_nothing(installed, tmp_path):
    for name in ("data", "signals", "paper"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "prices.csv").write_text("")
    for command in ([installed / "reverse-qe"], [installed / "python", "-m", "reverse_qe"]):
        assert run(*command, "--version", cwd=tmp_path).stdout == f"reverse-qe, version {version()}\n"
    (tmp_path / "mine.py").write_text("import data, reverse_qe; print(data.__file__)")
    assert str(installed.parent) in run(installed / "python", "mine.py", cwd=tmp_path).stdout


def plain(pin):
    """A pin with its name as indices compare names."""
    name, _, number = pin.partition("==")
    return f"{canonicalize_name(name)}=={number}"


def pins():
    return [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line]


def test_what_is_pinned_is_what_the_project_allows_and_all_that_it_brings():
    """With the pins nothing is left to the day: not what is asked for, and not what that asks for."""
    pinned = {canonicalize_name(pin.partition("==")[0]): pin.partition("==")[2].partition(";")[0] for pin in pins()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [Requirement(each) for some in project["optional-dependencies"].values() for each in some]
    wanted = [*map(Requirement, project["dependencies"]), *(each for each in extras if each.name != "reverse-qe")]
    seen, left = set(), [each for each in wanted if each.marker is None or each.marker.evaluate()]
    for each in left:
        assert each.specifier.contains(pinned[canonicalize_name(each.name)]), each
    while left:
        each = left.pop()
        if (key := (canonicalize_name(each.name), frozenset(each.extras))) in seen:
            continue
        seen.add(key)
        assert key[0] in pinned, f"{each} is not pinned"
        given = [{"extra": extra} for extra in ("", *each.extras)]
        for brought in map(Requirement, requires(each.name) or ()):
            if brought.marker is None or any(brought.marker.evaluate(each) for each in given):
                left.append(brought)
    assert len(seen) > 80


def test_nothing_that_we_write_installs_it_by_name():
    """The name is nobody's on an index, or a stranger's: pages and messages install the checkout."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    asked = re.compile(r"\b(?:pipx?|uv)\s+(?:pip |tool )?(?:install|run|add)\b[^\n`]*|\buvx\s[^\n`]*")
    found = 0
    for name in listed:
        path = ROOT / name
        if name.startswith("tests/") or path.suffix not in {".md", ".py", ".toml", ".ipynb", ".tmpl", ""}:
            continue
        for command in asked.findall(path.read_text(encoding="utf-8")):
            found += 1
            what = re.sub(r"--from \S+ reverse-qe\b", "", command)
            assert not re.search(r"\breverse[-_]qe\b", what), f"{name}: {command}"
    assert found > 15


def test_the_page_names_every_extra_and_what_a_shadow_says():
    page = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in set(project["optional-dependencies"]) - {"dev", "docs", "test"}:
        assert f"'.[{extra}]'" in page
    assert "rename it, start from another folder, or set PYTHONSAFEPATH=1" in page


def version():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.mark.slow
def test_a_new_spec_names_the_schema_that_was_installed(installed, tmp_path):
    """As a URI, for spaces and drives; editors find the file there."""
    for command in (["spec", "new", "mine.toml", "--template", "weights"], ["paper", "init", "paper.toml"]):
        done = run(installed / "reverse-qe", *command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        first = (tmp_path / command[2]).read_text(encoding="utf-8").splitlines()[0]
        address = urlsplit(first.removeprefix("#:schema "))
        assert (first.startswith("#:schema "), address.scheme) == (True, "file")
        schema = Path(url2pathname(address.path))
        assert schema.is_relative_to(installed.parent.resolve())
        assert json.loads(schema.read_text(encoding="utf-8"))["type"] == "object"
    assert run(installed / "reverse-qe", "backtest", "mine.toml", "--dry-run", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_uv_runs_it_once(wheel, tmp_path):
    """With what constraints.txt pins, from an empty cache: it asks the package index that uv knows."""
    if shutil.which("uv") is None:
        pytest.skip("no uv at hand")
    command = ["uv", "tool", "run", "--cache-dir", tmp_path / "cache", "--python", sys.executable]
    pinned = ["--constraints", ROOT / "constraints.txt", "--from", wheel]
    done = run(*command, *pinned, "reverse-qe", "--version", cwd=tmp_path)
    if done.returncode and any(each in done.stderr for each in ("Failed to fetch", "network", "dns error")):
        pytest.skip(f"uv reached no package index: {done.stderr.splitlines()[-1]}")
    assert done.stdout == f"reverse-qe, version {version()}\n", done.stderr
    listing = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()), sep='\\n')"
    found = run(*command, *pinned, "python", "-c", listing, cwd=tmp_path).stdout.split()
    assert len(found) > 40
    assert {plain(each) for each in found} <= {plain(each) for each in pins()} | {f"reverse-qe=={version()}"}
