"""Debian's Chromium, driven by playwright: what a page does when somebody looks at it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FAULTS = ("error", "warning")
NAMES = ("chromium", "chromium-browser", "google-chrome")
# What of the machine `.ci/run` found there: a test that needs it may not skip then.
MUST_RUN = "REVERSE_QE_MUST_RUN"


@dataclass
class Visit:
    """A page that was opened, and what it said, of that what was a warning or an error, and asked for since."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def chromium() -> str:
    """The path of Chromium; without one the test is skipped, or fails where the machine is known to have it."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = f"no {' or '.join(NAMES)} on this machine; install it: apt-get install chromium"
        if "chromium" in os.environ.get(MUST_RUN, "").split():
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def visit(browser: Any, path: Path, width: int = 1600, scheme: str = "light", scripts: bool = True) -> Iterator[Visit]:
    """Open a page that is a file.

    Args:
        browser: of `browsing`.
        path: of the page.
        width: of the window, pixels.
        scheme: light or dark.
        scripts: whether they may run.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
    )
    page = context.new_page()
    seen = Visit(page)
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("console", lambda message: seen.faults.append(message.text) if message.type in FAULTS else None)
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("pageerror", lambda error: seen.faults.append(str(error)))
    page.on("request", lambda request: seen.asked.append(request.url))
    page.goto(path.as_uri())
    yield seen
    context.close()
