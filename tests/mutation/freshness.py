"""Keeps what `reach` found out, and finds it out again for what has changed since."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core import KEPT, ROOT, core_modules, name_of

FILE = KEPT / "reach.json"


def digests(paths: list[Path]) -> dict[str, str]:
    """Of files by their name."""
    return {name_of(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def refresh(folders: tuple[str, ...]) -> None:
    """Time the tests whose file is new or changed, and those that run a module that has changed."""
    tests = digests([path for folder in folders for path in (ROOT / folder).rglob("test_*.py")])
    modules = digests(core_modules())
    known: dict[str, Any] = {"seconds": {}, "takes": {}, "lines": {}, "tests": {}, "modules": {}}
    if FILE.exists():
        known |= json.loads(FILE.read_text(encoding="utf-8"))
    files = {name for name, digest in tests.items() if known["tests"].get(name) != digest}
    for name, digest in modules.items():
        if known["modules"].get(name) != digest:
            files |= {test.partition("::")[0] for test in known["lines"].get(name, {}) if "::" in test}
    files &= tests.keys()
    if files:
        print(f"looking which lines the tests of {len(files)} files run", flush=True)
        fresh = KEPT / "reach-new.json"
        command = [sys.executable, "-m", "pytest", "-p", "reach", "-p", "no:cacheprovider", "--quiet", "-m", "not slow"]
        paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        subprocess.run(
            [*command, "--no-summary", "--reach", fresh, *sorted(files)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        known = merged(known, json.loads(fresh.read_text(encoding="utf-8")), files)
        fresh.unlink()
    FILE.write_text(json.dumps({**known, "tests": tests, "modules": modules}))


def merged(known: dict[str, Any], new: dict[str, Any], files: set[str]) -> dict[str, Any]:
    """What is known, with the tests of these files as they are now."""

    def other(test: str) -> bool:
        return test.partition("::")[0] not in files

    for part in ("seconds", "takes"):
        known[part] = {test: value for test, value in known[part].items() if other(test)} | new[part]
    for module, contexts in new["lines"].items():
        kept = {test: lines for test, lines in known["lines"].get(module, {}).items() if other(test)}
        for context, lines in contexts.items():
            shared = kept.get(context, []) if "::" not in context else []
            kept[context] = sorted({*shared, *lines})
        known["lines"][module] = kept
    return known
