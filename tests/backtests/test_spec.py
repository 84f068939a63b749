import tomllib
from datetime import date
from pathlib import Path

import pytest

from backtests.spec.spec import SHIPPED, load_spec, shipped_specs
from data.errors import InputError

MINIMAL = """
[run]
name = "mine"
start = 2020-01-02
[universe]
speculative = ["S"]
cash_flow = ["C"]
benchmark = "B"
"""


@pytest.fixture
def spec_file(tmp_path):
    path = tmp_path / "mine.toml"

    def write(text):
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_defaults_are_written_out_and_read_back_the_same(spec_file):
    spec = load_spec(spec_file(MINIMAL))
    written = tomllib.loads(spec.to_toml())
    assert written["policy"]["budgets"]["SCARCE"] == {"speculative": 0.0, "cash_flow": 0.8, "reserve": 0.2}
    assert written["costs"]["crypto"]["commission_bp"] == 25.0
    assert written["costs"]["crypto"]["units"] == "fractional"
    assert load_spec(spec_file(spec.to_toml())) == spec


def test_what_is_set_wins_over_the_file_and_none_leaves_it(spec_file):
    path = spec_file(MINIMAL + "[policy]\ninstrument_cap = 0.5\n")
    spec = load_spec(path, {"run.start": date(2022, 1, 3), "run.end": None, "policy.instrument_cap": 0.25})
    assert spec.policy.instrument_cap == 0.25
    assert spec.run.start == date(2022, 1, 3)
    assert load_spec(path, {"policy.instrument_cap": None}).policy.instrument_cap == 0.5


def test_a_path_a_mapping_and_a_spec_say_the_same(spec_file):
    path = spec_file(MINIMAL)
    values = tomllib.loads(MINIMAL)
    asked = {"policy.instrument_cap": 0.1}
    spec = load_spec(path)
    assert spec == load_spec(Path(path)) == load_spec(values) == load_spec(spec)
    assert load_spec(path, asked) == load_spec(values, asked) == load_spec(spec, asked)
    assert values == tomllib.loads(MINIMAL)


def test_one_share_of_a_budget_is_changed_and_the_others_keep_their_defaults():
    budgets = load_spec("sample", {"policy.budgets.NEUTRAL.reserve": 0.0}).policy.budgets
    assert budgets.NEUTRAL.model_dump() == {"speculative": 0.4, "cash_flow": 0.4, "reserve": 0.0}
    assert budgets.SCARCE == load_spec("sample").policy.budgets.SCARCE
    asked = {"policy.budgets.SCARCE.speculative": 0.5, "policy.budgets.SCARCE.cash_flow": 0.3}
    assert load_spec("sample", asked).policy.budgets.SCARCE.model_dump() == {
        "speculative": 0.5,
        "cash_flow": 0.3,
        "reserve": 0.2,
    }
    with pytest.raises(
        InputError, match=r"policy.budgets.SCARCE: .* 1.5 \(speculative 0.5, cash_flow 0.8, reserve 0.2\)"
    ):
        load_spec("sample", {"policy.budgets.SCARCE.speculative": 0.5})


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"policy.instrument_caps": 0.2}, "unknown key policy.instrument_caps, the nearest is policy.instrument_cap"),
        ({"policy.budget.SCARCE.reserve": 0.2}, "unknown key policy.budget, the nearest is policy.budgets"),
        ({"polcy.instrument_cap": 0.2}, "unknown key polcy, the nearest is policy"),
        ({"signal.instrument_cap": 0.2}, "unknown key signal.instrument_cap, the nearest is policy.instrument_cap"),
        ({"order_rules.rebalance": "daily"}, "unknown key order_rules.rebalance, the nearest is policy.rebalance"),
        ({"signal.gates.width": 1}, "unknown key signal.gates, the nearest is signal.gate"),
        ({"signal.gate.widths": 1}, "unknown key signal.gate.widths, the nearest is signal.gate.width"),
        (
            {"costs.crypto.comission_bp": 1},
            "unknown key costs.crypto.comission_bp, the nearest is costs.crypto.commission_bp",
        ),
        ({"zzz": 1}, "unknown key zzz, take it out or mend its spelling"),
        ({"a.b.c": 1, "signal.enter": "x"}, "unknown key a, take it out or mend its spelling"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(asked, wanted):
    with pytest.raises(InputError) as refusal:
        load_spec("sample", asked)
    assert wanted in str(refusal.value)


def test_a_mark_of_the_encoding_that_windows_writes_changes_nothing(tmp_path):
    """As in tomli 304, telegraf 1378 and tomlkit 108, where a file that Notepad had saved was refused."""
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text((SHIPPED / "sample.toml").read_text(encoding="utf-8"), encoding="utf-8")
    marked.write_text(plain.read_text(encoding="utf-8").replace("\n", "\r\n"), encoding="utf-8-sig")
    assert marked.read_bytes().startswith(b"\xef\xbb\xbf")
    assert load_spec(marked) == load_spec(plain)


def test_what_is_no_file_is_told_for_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "mine.toml").touch()
    for name, said in (
        ("folder.toml", "spec folder.toml is a folder; wanted a TOML file"),
        ("/dev/null", "spec /dev/null is no regular file; wanted a TOML file"),
        ("mine", "no spec mine: wanted a TOML file or one of history, sample; is mine.toml meant?"),
        ("histry", "is history meant?"),
    ):
        with pytest.raises(InputError) as refusal:
            load_spec(name)
        assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("run.name", "letters, digits, dashes and underscores alone"), ("run.market", "the name of a market")],
)
def test_a_name_is_wanted_in_words(name, wanted):
    with pytest.raises(InputError, match=rf"{name}: got 'a b', wanted {wanted}$"):
        load_spec("sample", {name: "a b"})


def test_every_fault_is_named():
    faults = {"policy.instrument_cap": 2, "signal.entr": 1, "costs.nosuch": 1, "cash.nosuch": 1, "run.nosuch": 1}
    with pytest.raises(InputError) as refusal:
        load_spec("sample", faults)
    for key in faults:
        assert key in str(refusal.value)
    assert "and 2 more, in " in str(refusal.value)
    assert str(refusal.value).count("got") == 1


@pytest.mark.parametrize("given", [5, None, ["sample"], b"sample"])
def test_what_is_no_spec_is_refused(given):
    with pytest.raises(
        InputError, match="wanted a path, the name of a shipped spec, a mapping of its values or a Spec"
    ):
        load_spec(given)


@pytest.mark.parametrize("given", ["run.start=2021-01-04", ["run.start"], 5])
def test_what_is_set_is_a_mapping(given):
    with pytest.raises(InputError, match="wanted a mapping of values by key"):
        load_spec("sample", given)


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_load_and_repeat_no_default(name):
    load_spec(name)
    assert set(tomllib.loads((SHIPPED / f"{name}.toml").read_text())) == {"run", "universe"}


@pytest.mark.parametrize(
    ("text", "settings", "wanted"),
    [
        (MINIMAL + "[polcy]\ncap = 1\n", {}, "unknown key polcy"),
        (MINIMAL + "[policy]\ncap = 1\n", {}, "unknown key policy.cap"),
        (MINIMAL + '[policy]\ninstrument_cap = "much"\n', {}, "policy.instrument_cap: got 'much'"),
        (MINIMAL, {"policy.instrument_cap": 2}, "policy.instrument_cap: got 2"),
        (MINIMAL, {"signal.leave": 0.9}, "leave"),
        (MINIMAL, {"run.end": "2019-01-02"}, "start 2020-01-02 is after end 2019-01-02"),
        (MINIMAL, {"run.initial_cash": -1}, "run.initial_cash: got -1"),
        (MINIMAL, {"nonsense": 1}, "unknown key nonsense"),
        (MINIMAL, {"": 1}, "got the key ''"),
        (MINIMAL, {5: 1}, "got the key 5"),
        (MINIMAL, {"run.name.more": 1}, "name is a value"),
        (MINIMAL.replace('name = "mine"', ""), {}, "run.name is missing"),
        ("not TOML at all", {}, "is no TOML"),
        ("a." * 100_000 + "a = 1", {}, "a key of more than 100 parts"),
        ("[" + "a . " * 100_000 + "a]", {}, "a key of more than 100 parts"),
        (MINIMAL.replace('["C"]', '["S"]'), {}, "more than one place"),
    ],
)
def test_bad_specs_are_refused_in_one_line(spec_file, text, settings, wanted):
    with pytest.raises(InputError, match=r"spec|key") as refusal:
        load_spec(spec_file(text), settings)
    assert wanted in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["nowhere", "../specs/history", "/etc/hostname/x"])
def test_no_such_spec(name):
    with pytest.raises(InputError, match=r"no spec .*history"):
        load_spec(name)
