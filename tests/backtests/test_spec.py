import tomllib
from datetime import date

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


def test_settings_win_over_the_file_and_overrides_over_both(spec_file):
    path = spec_file(MINIMAL + "[policy]\ninstrument_cap = 0.5\n")
    spec = load_spec(path, ["policy.instrument_cap=0.25", "run.start=2021-01-04"], {"run.start": date(2022, 1, 3)})
    assert spec.policy.instrument_cap == 0.25
    assert spec.run.start == date(2022, 1, 3)


def test_a_setting_may_be_a_bare_word(spec_file):
    assert load_spec(spec_file(MINIMAL), ["policy.weighting=inverse_volatility"]).policy.weighting.startswith("inverse")


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_load_and_repeat_no_default(name):
    load_spec(name)
    assert set(tomllib.loads((SHIPPED / f"{name}.toml").read_text())) == {"run", "universe"}


@pytest.mark.parametrize(
    ("text", "settings", "wanted"),
    [
        (MINIMAL + "[polcy]\ncap = 1\n", (), "unknown key polcy"),
        (MINIMAL + "[policy]\ncap = 1\n", (), "unknown key policy.cap"),
        (MINIMAL + '[policy]\ninstrument_cap = "much"\n', (), "policy.instrument_cap: got 'much'"),
        (MINIMAL, ("policy.instrument_cap=2",), "policy.instrument_cap: got 2"),
        (MINIMAL, ("signal.leave=0.9",), "leave"),
        (MINIMAL, ("run.end=2019-01-02",), "start 2020-01-02 is after end 2019-01-02"),
        (MINIMAL, ("run.initial_cash=-1",), "run.initial_cash: got -1"),
        (MINIMAL, ("nonsense",), "got --set nonsense"),
        (MINIMAL, ("run.name.more=1",), "name is a value"),
        (MINIMAL.replace('name = "mine"', ""), (), "run.name is missing"),
        ("not TOML at all", (), "is no TOML"),
        (MINIMAL.replace('["C"]', '["S"]'), (), "more than one place"),
    ],
)
def test_bad_specs_are_refused_in_one_line(spec_file, text, settings, wanted):
    with pytest.raises(InputError, match=r"spec|--set|key") as refusal:
        load_spec(spec_file(text), settings)
    assert wanted in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["nowhere", "../specs/history", "/etc/hostname/x"])
def test_no_such_spec(name):
    with pytest.raises(InputError, match=r"no spec .*history"):
        load_spec(name)
