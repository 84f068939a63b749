"""What makes a run itself: its spec, its snapshot, files of the user, our source files, the packages beside them."""

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

PACKAGES = ("data", "signals", "strategies", "backtests", "paper", "reverse_qe")
ROOT = Path(__file__).resolve().parent.parent
DEPENDENCIES = (
    "backtrader",
    "exchange_calendars",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "quantstats",
    "reverse-qe",
)


def run_id(spec_toml: str, snapshot_hash: str, user_files: Sequence[bytes] = (), engine: str = "event") -> str:
    """Twelve hex digits that name a run: the same for the same spec, content of the market and of files, and code.

    Args:
        spec_toml: complete.
        snapshot_hash: of the market's content.
        user_files: contents of the files that the spec names, in its order.
        engine: that played it; the last digits of its numbers may be its own.
    """
    digest = hashlib.sha256()
    files = [hashlib.sha256(content).hexdigest() for content in user_files]
    others = () if engine == "event" else (engine,)
    for part in (spec_toml, snapshot_hash, *files, source_hash(ROOT), *others):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:12]


def package_versions(extras: Sequence[str] = ()) -> dict[str, str]:
    """Versions of what a result depends on, by package.

    Args:
        extras: packages of this run beside those of every run.
    """
    return {name: metadata.version(name) for name in sorted({*DEPENDENCIES, *extras})}


def source_hash(root: Path, packages: Sequence[str] = PACKAGES) -> str:
    """Hash every file of our packages, whatever its kind: what the wheel carries can change what a run is.

    Args:
        root: the folder in which the packages lie.
        packages: those that count.
    """
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
