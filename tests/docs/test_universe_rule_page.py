"""The pages on baskets by rule and on exposures: every command of them runs on real history."""

import re
import shlex
from dataclasses import replace

import pytest

from backtests.identity import ROOT
from backtests.spec.spec import load_spec
from data.market.snapshot import save

PAGES = (ROOT / "docs" / "universe-rule.md", ROOT / "docs" / "exposures.md")


def commands(page):
    return re.findall(r"^    reverse-qe (.+)$", page.read_text(encoding="utf-8"), re.M)


def test_the_spec_of_the_page_is_the_file():
    text = PAGES[0].read_text(encoding="utf-8")
    shown = re.search(r"```toml\n(.*?)```", text, re.S)[1]
    assert shown in (ROOT / "docs" / "universe-rule.toml").read_text(encoding="utf-8")
    assert load_spec(ROOT / "docs" / "universe-rule.toml").universe.hindsight == ""


@pytest.mark.slow
@pytest.mark.real_history
def test_every_command_of_the_pages_runs(run_command, shared, history, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "FOLDER").symlink_to(shared / "market" / "universe")
    save(replace(history, name="history"))
    for command in dict.fromkeys(each for page in PAGES for each in commands(page)):
        words = shlex.split(command)
        if words[0] == "backtest":
            words += ["--no-tearsheet", "--start", "2022-06-01"]
        outcome = run_command(*words)
        assert outcome.code == 0, f"{command}: {outcome.err}"
        if words[0] == "backtest":
            assert "HINDSIGHT" not in outcome.out + outcome.err
            assert "CLOSES ALONE" in outcome.out + outcome.err
