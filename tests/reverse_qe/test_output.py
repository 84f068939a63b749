"""What is printed is text: no markup of rich is read from it, and nothing in it steers the terminal."""

import json
import re
import unicodedata
from pathlib import Path

import click
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.files.plain_text import printable
from reverse_qe.output import print_json, print_table, progress, say, show

HOSTILE = (
    "[red]x[/red]",
    "[/]",
    "[link=http://a]b[/link]",
    ":smiley:",
    "\x1b]0;title\x07\x1b[2J",
    "a\nError: b",
    "\u202eexe.txt",
    "\x9b31m",
    "\ud800",
    "\\[bold]",
)
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=20))
CAPTURED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def steering(printed: str) -> set[str]:
    return {each for each in printed if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n"}


@given(TEXT)
@CAPTURED
def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    show(text)
    say(text)
    assert capsys.readouterr() == (f"{printable(text)}\n", f"{printable(text)}\n")


def test_days_and_moments_have_one_form_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    moment = pd.Timestamp("2026-01-05 14:30", tz="UTC")
    print_json(
        {
            "day": pd.Timestamp("2026-01-05"),
            "date": pd.Timestamp("2026-01-05").date(),
            "midnight": pd.Timestamp("2026-01-05", tz="UTC"),
            "moment": moment.to_pydatetime(),
            "abroad": moment.tz_convert("Asia/Seoul"),
            "path": Path("runs/mine"),
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "day": "2026-01-05",
        "date": "2026-01-05",
        "midnight": "2026-01-05T00:00:00Z",
        "moment": "2026-01-05T14:30:00Z",
        "abroad": "2026-01-05T23:30:00+09:00",
        "path": "runs/mine",
    }


@given(TEXT)
@CAPTURED
def test_a_table_shows_text_as_it_is(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_table(text, (text, "b"), [(text, text)])
    printed = capsys.readouterr().out
    assert not steering(printed)
    whole = re.sub(r"\s", "", printed)
    # A long text is folded inside its cell: then its pieces are apart.
    assert whole.count(re.sub(r"\s", "", printable(text))) >= 4 or len(printable(text)) > 20 or not text.strip()


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1"), ("TERM", "xterm")])
def test_a_terminal_that_wants_no_styles_gets_text_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(click, "echo", lambda text, nl: print(text, end="\n" if nl else ""))
    monkeypatch.setattr("reverse_qe.output.terminal_width", lambda: 80)
    print_table("title", ("a",), [("1",)])
    assert ("\x1b" in capsys.readouterr().out) == (value == "xterm")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markup_is_read(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_table(text, (text,), [(text,)])
    assert capsys.readouterr().out.count(printable(text)) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_progress_reads_no_markup(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with progress(text) as report:
        report(text)
    assert not steering(capsys.readouterr().err)


@pytest.mark.parametrize("name", ["[red]x[/]", "a\x1b[31mb", "a\nb", "\u202eb"])
def test_what_is_refused_is_named_in_one_plain_line(call, name: str) -> None:
    for words in (("backtest", "--market", name), ("backtest", name), ("data", "show", name), (f"--{name}",), (name,)):
        status, out, err = call(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert not steering(err)
        assert any(told in err for told in (printable(name), repr(name)[1:-1], " ".join(name.split())))
