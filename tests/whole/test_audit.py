"""The audit finds every kind of planted leak, names it, and finds none where there is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import planted
import reverse_qe
from data.errors import InputError
from data.market.snapshot import Snapshot
from reverse_qe.results import AuditResult

pytestmark = pytest.mark.slow


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process; how they are parted from each other is for the tests of code that resists."""
    monkeypatch.setattr("backtests.studies.audits.audit.Workers", planted.Here)
    monkeypatch.setattr("backtests.studies.audits.worker.FORKS", False)  # What listens would not end with the test.


def audited(path: Path, market: Snapshot, cuts: int = 1, **options: object) -> AuditResult:
    return reverse_qe.audit(path, market, cuts=cuts, leaks_only=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("leak", [each for each in planted.POLICIES if each != "every hundredth session"])
@pytest.mark.usefixtures("here")
def test_a_policy_that_looks_ahead_is_named_by_date_column_and_instrument(
    leak: str, tmp_path: Path, sample: Snapshot
) -> None:
    found = audited(planted.policy_spec(tmp_path, planted.POLICIES[leak]), planted.small(sample))

    assert not found.holds
    assert found.checks.loc["stretch", "verdict"] == "LEAK" or leak == "listing known early"
    [named] = found.leaks
    assert named.group == "target"
    assert named.column.startswith("target weight of SIM-")
    assert named.session <= named.cut
    assert named.files == ("mine.py",)
    assert named.explained_by.startswith("bars of SIM-")
    if leak == "future close":
        assert named.ahead == 5
    if leak == "same-bar fill":
        assert named.ahead == 1


@pytest.mark.usefixtures("here")
def test_one_session_ahead_on_every_hundredth_session_is_met_by_the_stretch_and_only_there(
    tmp_path: Path, sample: Snapshot
) -> None:
    path = planted.policy_spec(tmp_path, planted.POLICIES["every hundredth session"])
    found = audited(path, planted.small(sample), cuts=50, jobs=2)

    assert found.checks.loc["stretch", "verdict"] == "LEAK"
    [named] = found.leaks
    assert (named.ahead, named.sessions) == (1, 1)
    assert named.session == named.cut
    assert named.explained_by.startswith("bars of SIM-")


@pytest.mark.usefixtures("here")
def test_blocks_that_look_ahead_are_named_each_and_the_honest_one_is_not(tmp_path: Path, sample: Snapshot) -> None:
    market = planted.small(sample)
    market = replace(market, series=planted.revised(market.series, "DGS3MO"))
    found = audited(planted.block_spec(tmp_path), market)

    assert {leak.column.rpartition(" ")[2]: leak.explained_by for leak in found.leaks} == {
        "centred.it": "series DGS3MO",
        "scaled.it": "series DGS3MO",
        "undelayed.it": "series WALCL",
        "restated.it": "series DGS3MO",
        "smoothed.it": "series DGS3MO",
    }
    ahead = {leak.column.rpartition(" ")[2]: leak.ahead for leak in found.leaks}
    assert ahead["centred.it"] == 10


@pytest.mark.usefixtures("here")
def test_a_decision_on_an_adjusted_price_is_one_on_dividends_to_come(tmp_path: Path, sample: Snapshot) -> None:
    found = audited(planted.policy_spec(tmp_path, planted.ADJUSTED), planted.small(sample), cuts=1)

    assert found.checks.loc["dividends", "verdict"] == "LEAK"
    assert "explained by the adjustment of SIM-" in found.checks.loc["dividends", "text"]
    assert found.checks.loc["stretch", "verdict"] == "holds"


@pytest.mark.usefixtures("here")
def test_a_price_that_was_revised_is_found_by_the_version_from_before(tmp_path: Path, sample: Snapshot) -> None:
    market = planted.small(sample)
    before = replace(market, name="live.1", bars=market.bars[market.bars["date"] < "2023-04-03"])
    bars = market.bars.copy()
    wrong = (bars["symbol"] == "SIM-SAAS-A") & (bars["date"] == "2022-12-14")
    bars.loc[wrong, ["open", "high", "low", "close", "adj_close"]] *= 0.5
    now = replace(market, name="live.2", bars=bars)
    path = planted.policy_spec(tmp_path, planted.HONEST)

    held = audited(path, market, cuts=1, earlier=[before])
    found = audited(path, now, cuts=1, earlier=[before])

    assert held.checks.loc["versions", "verdict"] == "holds"
    assert held.holds
    assert found.checks.loc["versions", "verdict"] == "LEAK"
    assert "SIM-SAAS-A for 2022-12-15" in found.checks.loc["versions", "text"]


@pytest.mark.usefixtures("here")
def test_a_strategy_that_reads_the_bar_to_come_is_a_leak_by_line(tmp_path: Path, sample: Snapshot) -> None:
    path = planted.policy_spec(tmp_path, planted.HONEST)
    (tmp_path / "trades.py").write_text(
        "import backtrader as bt\n\n\nclass Trades(bt.Strategy):\n    def next(self):\n"
        "        if self.data.close[1] > self.data.close[0]:\n            self.buy(size=1)\n"
    )
    path.write_text(path.read_text().replace("[run]\n", '[run]\nstrategy = "trades.py:Trades"\n'))
    found = audited(path, planted.small(sample), cuts=1)
    assert found.checks["verdict"].to_dict() == {"run": "LEAK"}
    assert "trades.py, line 6: reads close of SIM-COIN-A, 1 bars after" in found.checks.loc["run", "text"]


@pytest.mark.parametrize(("hour", "verdict"), [(0, "LEAK"), (22, "holds")])
@pytest.mark.usefixtures("here")
def test_weights_stamped_with_the_date_of_the_close_that_made_them_know_their_own_session(
    hour: int, verdict: str, tmp_path: Path, sample: Snapshot
) -> None:
    symbols = ["SIM-SAAS-A", "SIM-SAAS-B", "SIM-MEMORY-A", "SIM-MEMORY-B"]
    path = planted.policy_spec(tmp_path, planted.HONEST)
    (tmp_path / "weights.csv").write_text(planted.weights_of_the_day(sample.bars, symbols, hour))
    path.write_text(path.read_text().replace('function = "mine.py:weights"', 'weights = "weights.csv"'))
    found = audited(path, planted.small(sample), cuts=1)
    assert found.checks.loc["foresight", "verdict"] == verdict
    assert ("are they dates?" in found.checks.loc["foresight", "text"]) == (hour == 0)
    assert found.checks.drop("foresight")["verdict"].isin(["holds", "not tried"]).all()


@pytest.mark.real_history
def test_the_shipped_spec_of_history_does_not_look_ahead(history: Snapshot) -> None:
    found = reverse_qe.audit("history", history, cuts=3, jobs=2, leaks_only=True)
    assert found.holds
    assert not found.leaks
    assert set(found.checks["verdict"]) == {"holds", "not tried"}


RESISTS = {
    "chance": ("rising = rising & (np.random.default_rng().random(prices.shape) > 0.01)", "again", "NOT REPEATABLE"),
    "memory": (
        "sys.mean = sys.mean if hasattr(sys, 'mean') else prices.mean(); rising = prices >= sys.mean",
        "cut",
        "LEAK",
    ),
    "past": ("\n    if prices.index[-1] < pd.Timestamp('2023-06-30'): raise ValueError('too short')", "cut", "FAILS"),
    "ends": ("\n    if prices.index[-1] < pd.Timestamp('2023-06-30'): import os; os._exit(3)", "cut", "FAILS"),
    "keeps": (
        "\n    from pathlib import Path\n    kept = Path(__file__).with_name('kept.csv')\n"
        "    if not kept.exists(): prices.mean().to_csv(kept)\n"
        "    rising = prices >= pd.read_csv(kept, index_col=0).iloc[:, 0]",
        "by_itself",
        "FAILS",
    ),
}


@pytest.mark.parametrize("how", RESISTS)
def test_code_that_resists_is_told_apart(how: str, tmp_path: Path, sample: Snapshot) -> None:
    code, row, verdict = RESISTS[how]
    found = audited(planted.policy_spec(tmp_path, code), planted.small(sample))
    assert found.checks.loc[row, "verdict"] == verdict
    assert found.holds == (verdict == "holds")
    assert bool(found.leaks) == (verdict == "LEAK")
    assert "\n" not in found.checks.loc[row, "text"]


def test_code_that_does_not_end_is_given_up_three_times(
    tmp_path: Path, sample: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtests.studies.audits.audit._SECONDS", 3.0)
    monkeypatch.setattr("backtests.studies.audits.audit._TIMES", 0.0)
    code = "\n    while prices.index[-1] < pd.Timestamp('2023-06-30'): pass"
    found = audited(planted.policy_spec(tmp_path, code), planted.small(sample))
    assert found.checks.loc["cut", "verdict"] == "FAILS"
    assert "took longer than 3 s" in found.checks.loc["cut", "text"]
    assert not found.holds


def test_what_code_prints_goes_to_stderr_once_and_its_stdin_is_empty(tmp_path: Path) -> None:
    code = "print('SAID'); import os; os.write(1, b'RAW\\n'); sys.stdin.read()"
    path = planted.policy_spec(tmp_path, code)
    words = [sys.executable, "-m", "reverse_qe", "audit", str(path), "--cuts", "1", "--leaks-only", "--json"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["holds"] is True
    assert (ended.stderr.count("SAID"), ended.stderr.count("RAW")) == (1, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cuts", "0"), "got 0 for cuts, wanted a whole number from 1"),
        (("--seed", "-1"), "got -1 for seed, wanted a whole number from 0"),
        (("--jobs", "0"), "got 0 for jobs, wanted a whole number from 1"),
        (("--jobs", "1000"), "got 1000 for jobs, wanted at most 256"),
        (("--market", "nowhere"), "no market nowhere"),
        (("--set", "run.start=1999-01-04"), "got the run 1999-01-04"),
        (("--set", "policy.function=none.py:weights"), "none.py cannot be read"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], said: str, call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = call("audit", "sample", *words)
    assert (code, out) == (2, "")
    [line] = err.strip().splitlines()
    assert said in line


def test_a_policy_that_fails_always_is_bad_input(tmp_path: Path, sample: Snapshot) -> None:
    with pytest.raises(InputError, match=r"mine\.py, line 11: ZeroDivisionError"):
        audited(planted.policy_spec(tmp_path, "1 / 0"), planted.small(sample))
