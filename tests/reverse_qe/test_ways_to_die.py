"""Every way to die: killed, terminated, with nowhere to write, with nobody who reads, with names that nothing holds."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("reverse-qe")
# The page is what takes longest; here it never ends.
HANGS = """
import sys, time
from reverse_qe import api, cli
def hang(*_, **__):
    print("hanging", file=sys.stderr, flush=True)
    time.sleep(600)
api.run_page = hang
sys.argv = ["reverse-qe", "backtest", "--start", "2026-09-01"]
cli.main()
"""
LONG = "x" * 256


@pytest.fixture
def written(call, tmp_path):
    """A folder of a run."""
    assert call("backtest", "--start", "2026-09-01", "--no-tearsheet")[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    return folder


def begun(tmp_path: Path) -> subprocess.Popen[str]:
    """A backtest that is half written."""
    process = subprocess.Popen([sys.executable, "-c", HANGS], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "hanging" in process.stderr.readline()
    assert [path.name[0] for path in (tmp_path / "runs").iterdir()] == ["."]
    return process


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_backtest_that_is_told_to_end_leaves_nothing(call, tmp_path, how):
    process = begun(tmp_path)
    process.send_signal(getattr(signal, how))
    assert process.wait(60) == (130 if how == "SIGINT" else 128 + getattr(signal, how))
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_backtest_that_is_killed_leaves_nothing_that_is_listed(call, tmp_path):
    process = begun(tmp_path)
    process.kill()
    process.wait(60)
    assert json.loads(call("runs", "list", "--json")[1]) == {"runs": [], "damaged": []}
    status, out, err = call("runs", "list")
    assert (status, err) == (0, "")
    assert "No run below runs/" in out


@pytest.mark.parametrize(
    ("file", "content", "wanted"),
    [
        ("manifest.json", b"", "manifest.json is no JSON"),
        ("manifest.json", b"[]", "manifest.json is no JSON object"),
        ("manifest.json", b"{}", "manifest.json has no run_id"),
        ("manifest.json", b"\xff\xfe", "manifest.json is no JSON"),
        ("manifest.json", b"[" * 100_000, "manifest.json is no JSON"),
        ("manifest.json", b'{"a": NaN}', "NaN is no number of JSON"),
        ("metrics.json", None, "metrics.json: No such file"),
        ("metrics.json", b"{}", "metrics.json has no measures of strategy"),
        ("metrics.json", b'{"strategy": {"cagr": "much"}}', "metrics.json has no measures of strategy"),
        ("metrics.json", b'{"strategy": {"cagr": 1' + b"0" * 400 + b"}}", "metrics.json has no measures of strategy"),
        ("metrics.json", b'{"strategy": {}, "by_regime": {"SCARCE": 5}}', "has no measures of by_regime.SCARCE"),
    ],
)
def test_a_bad_run_costs_its_own_line(call, written, file, content, wanted):
    bad = written.with_name("bad\x1b[31m")
    shutil.copytree(written, bad)
    (bad / file).unlink()
    if content is not None:
        (bad / file).write_bytes(content)
    status, out, err = call("runs", "list")
    assert status == 0
    assert written.name in out
    assert (err.startswith("! "), err.count("\n"), wanted in err, "\x1b" in err) == (True, 1, True, False)
    told = json.loads(call("runs", "list", "--json")[1])
    assert (len(told["runs"]), len(told["damaged"])) == (1, 1)
    status, out, err = call("runs", "show", bad)
    assert (status, out, err.count("\n"), wanted in err) == (2, "", 1, True)


@pytest.mark.parametrize(
    ("damage", "wanted"),
    [
        (lambda folder: (folder / "bars.parquet").write_bytes(b"PAR1"), "was changed: bars.parquet has hash"),
        (lambda folder: (folder / "bars.parquet").unlink(), "was changed: bars.parquet is gone"),
        (lambda folder: rewritten(folder, "bars.parquet", b"PAR1"), "cannot be read"),
        (lambda folder: rewritten(folder, "bars.parquet", b""), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"[]"), "is no manifest"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{" * 50_000), "is no manifest"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"\xff"), "is no manifest"),
    ],
)
def test_a_bad_market_costs_its_own_line(call, sample, damage, wanted):
    from dataclasses import replace

    from data.market.snapshot import save

    for name in ("good", "bad"):
        folder = save(replace(sample, name=name))
    damage(folder)
    status, out, err = call("data", "show", "bad")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert wanted in err
    status, out, err = call("data", "list")
    assert status == 0
    assert "good" in out
    assert err.count("\n") <= 1


def rewritten(folder: Path, name: str, content: bytes) -> None:
    """Put other content into a snapshot, with a manifest that says so."""
    import hashlib

    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", LONG),
        ("backtest", "--market", LONG),
        ("backtest", "--out", LONG),
        ("backtest", "--out", f"{LONG}/below"),
        ("backtest", "--out", "a/" * 2100),
        ("backtest", "--out", ""),
        ("backtest", "--set", f"policy.function={LONG}.py:f"),
        ("backtest", "--set", f"signal.source={LONG}.csv"),
        ("backtest", "--set", 'signal.source="a\\u0000b.csv"'),
        ("backtest", "--set", 'run.strategy="a\\u0000b.py:f"'),
        ("backtest", "--start", "0001-01-01"),
        ("backtest", "--end", "9999-12-31"),
        ("backtest", "~nosuchuser/spec.toml"),
        ("signal", "--history", LONG),
        ("signal", "--page", LONG),
        ("signal", "--date", "0001-01-01"),
        ("signal", "--date", "9999-12-31"),
        ("data", "show", LONG),
        ("data", "verify", LONG),
        ("data", "diff", "sample", LONG),
        ("data", "remove", LONG),
        ("data", "import", "--prices", LONG, "--name", "x"),
        ("data", "import", "--prices", ".", "--macro", LONG, "--name", "x"),
        ("data", "import", "--prices", ".", "--name", LONG),
        ("data", "import", "--prices", "~nosuchuser", "--name", "x"),
        ("events", "list", "--market", LONG),
        ("runs", "list", "--folder", LONG),
        ("runs", "list", "--folder", "~nosuchuser"),
        ("runs", "show", LONG),
        ("paper", "init", LONG),
        ("paper", "check", LONG),
        ("paper", "step", "--config", LONG),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_names_and_days_that_nothing_can_hold_are_refused_in_one_line(call, tmp_path, words):
    status, out, err = call(*words)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []


@pytest.mark.parametrize("day", ["0001-01-01", "1677-01-01", "2262-12-31", "9999-12-31"])
def test_events_take_the_ends_of_the_calendar(call, day):
    for words in (("--from", day), ("--to", day)):
        status, out, _ = call("events", "list", *words)
        assert status == 0
        assert "SIMULATED market sample" in out


@pytest.mark.parametrize("home", ["~nosuchuser/x", LONG])
def test_a_home_that_cannot_be_is_refused(call, monkeypatch, home):
    monkeypatch.setenv("REVERSE_QE_HOME", home)
    status, out, err = call("data", "list")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "REVERSE_QE_HOME" in err


def shell(script: str, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=cwd, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["runs list", "events list", "events list --json", "--help", "runs --help", "data"])
def test_a_full_disk_is_told_in_one_line(tmp_path, words):
    status, _, err = shell(f"{COMMAND} {words} > /dev/full", tmp_path)
    assert (status, err.count("\n")) == (1, 1)
    assert "No space left on device" in err


def test_a_closed_output_is_told_in_one_line(tmp_path):
    status, _, err = shell(f"{COMMAND} runs list >&-", tmp_path)
    assert (status, err) == (1, "Error: standard output is closed; name a file or /dev/null for it\n")
    status, out, _ = shell(f"{COMMAND} runs list 2>&-", tmp_path)
    assert (status, out.count("\n")) == (0, 1)
    assert shell(f"{COMMAND} runs show nosuch 2>&-", tmp_path)[:2] == (2, "")
    assert shell(f"{COMMAND} runs show nosuch 2>/dev/full", tmp_path)[:2] == (2, "")


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("words", ["events list", "events list --json"])
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path, words, buffered):
    script = f"PYTHONUNBUFFERED={buffered} {COMMAND} {words} | head -1; echo ${{PIPESTATUS[0]}}"
    status, out, err = shell(script, tmp_path)
    assert (status, out.splitlines()[-1], err) == (0, "141", "")


def test_an_output_that_knows_few_letters_gets_them_written_out(tmp_path):
    status, out, err = shell(f"PYTHONIOENCODING=latin-1 {COMMAND} events list", tmp_path)
    assert (status, out.isascii(), "-----" in out) == (0, True, True)
    assert "Traceback" not in err


def test_on_a_terminal_the_newest_runs_are_listed_and_counted(call, written, tmp_path, monkeypatch):
    for number in range(60):
        shutil.copytree(written, written.with_name(f"{number:02}"))
    assert call("runs", "list")[1].count("\n") == 65
    monkeypatch.setattr("reverse_qe.output.terminal_width", lambda: 200)
    monkeypatch.setattr("reverse_qe.commands.runs.terminal_width", lambda: 200)
    names = sorted(path.name for path in written.parent.iterdir())
    out = call("runs", "list")[1].splitlines()
    assert "the newest 50 of 61; --all: all" in out[0]
    assert [line.split()[0] for line in out[3:-1]] == [name[-12:] if "Z-" in name else name for name in names[-50:]]
    assert "61" in call("runs", "list", "--all")[1].splitlines()[0]


def test_ten_thousand_runs_are_read_file_by_file(call, written, tmp_path):
    """No test measures time: two small files a run are read, whatever else lies in its folder."""
    opened = []
    read = Path.read_bytes

    def counted(path: Path) -> bytes:
        opened.append(path.name)
        return read(path)

    from unittest import mock

    with mock.patch.object(Path, "read_bytes", counted):
        call("runs", "list")
    assert sorted(opened) == ["manifest.json", "metrics.json"]
