"""What is changed: the modules that make the numbers. And where this folder keeps what it found out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".mutation"
GLOBS = (
    "signals/**/*.py",
    "strategies/*.py",
    "backtests/engines/*.py",
    "backtests/execution/*.py",
    "backtests/prepare/*.py",
    "backtests/measures/*.py",
    "backtests/evidence/*.py",
    "data/market/*.py",
    "data/prices/*.py",
    "data/sources/edgar_quarters.py",
    "paper/step/*.py",
)
# Where the tests of these modules are.
TESTS = ("tests/data", "tests/signals", "tests/strategies", "tests/backtests", "tests/paper", "tests/whole")

# What is made of these is kept in the user's cache, named by their files, which a trial leaves as they are.
KEPT_BY_FILE = ("strategies/", "backtests/execution/", "backtests/engines/", "signals/models/")


def core_modules() -> list[Path]:
    """The modules of the core, without those that hold a docstring only."""
    found = {path for pattern in GLOBS for path in ROOT.glob(pattern) if path.name != "__init__.py"}
    return sorted(found)


def name_of(path: Path) -> str:
    """A module's path as it is told: below the checkout."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """A module's dotted name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
