"""The wheel alone, without the checkout, runs the main job: it holds every file that it needs."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment with the wheel; the dependencies are those of the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("reverse_qe-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    # A path in a .pth file brings the packages below it, but not the .pth files there: not the editable install.
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
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
    assert run(installed / "reverse-qe", "--help", cwd=tmp_path).returncode == 0
