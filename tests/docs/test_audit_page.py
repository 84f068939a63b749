"""docs/audit.md, command by command, in a folder with its files."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from backtests.identity import ROOT
from outcomes import Outcome

PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[tuple[str, str]]:
    return re.findall(rf"^```{kind}(?: (\S+))?\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.slow
def test_what_the_page_says_is_what_happens(
    run_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in [*blocks("toml"), *blocks("python")]:
        Path(name).write_text(text, encoding="utf-8")
    (_, held), (code, found) = blocks("sh")
    word, *words = shlex.split(held)
    assert word == "reverse-qe"
    assert run_command(*words).code == 0
    told = run_command(*shlex.split(found)[1:])
    assert told.code == int(code)
    shown = re.search(r"^    (LEAK: .*?)\n\n", PAGE, re.M | re.S)
    assert shown is not None
    assert " ".join(shown[1].split()) in " ".join(told.out.split())
    assert "It looks ahead." in Path("audit.html").read_text(encoding="utf-8")
