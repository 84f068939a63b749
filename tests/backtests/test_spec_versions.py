"""What a spec leaves out means, in every later version, what it meant for the version that wrote it."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from backtests.spec import versions
from backtests.spec.spec import Spec, load_spec, read_written_spec
from backtests.spec.versions import VERSION, differing_keys, fill_missing, has_key, put, take_version
from data.errors import InputError

OLD = Path(__file__).resolve().parents[1] / "old"
WRITTEN_BY_1 = (OLD / "0.1.0" / "runs" / "sample" / "spec.toml").read_text(encoding="utf-8")
BY_HAND = 'name = "mine"\nstart = 2020-01-02\n[universe]\nspeculative = ["S"]\ncash_flow = ["C"]\nbenchmark = "B"\n'

WriteSpec = Callable[[str], str]


@pytest.fixture
def spec_file(tmp_path: Path) -> WriteSpec:
    def write(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def a_changed_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if version 2 had changed a default, and version 3 the same one and another."""
    monkeypatch.setattr(versions, "VERSION", 3)
    changed: dict[str, Any] = {"policy.instrument_cap": 0.9, "signal.dwell_sessions": 33}
    monkeypatch.setattr(versions, "BEFORE", {2: {"policy.instrument_cap": 0.8}, 3: changed})
    monkeypatch.setattr(fill_missing, "__defaults__", (versions.BEFORE,))


def test_a_written_spec_says_its_version_first(spec_file: WriteSpec) -> None:
    spec = load_spec("sample")
    assert spec.to_toml().startswith(f"version = {VERSION}\n")
    assert load_spec(spec_file(spec.to_toml())) == spec
    assert read_written_spec(spec.to_toml(), "it") == (spec, VERSION)


def test_a_spec_of_version_1_is_known_by_its_keys() -> None:
    assert read_written_spec(WRITTEN_BY_1, "it")[1] == 1
    for key in versions._ALL_WRITTEN_BY_1:
        values = tomllib.loads(WRITTEN_BY_1)
        section, _, name = key.rpartition(".")
        held: Any = values
        for part in section.split("."):
            held = held[part]
        del held[name]
        assert take_version(values, "it") == VERSION


def test_no_default_has_changed_its_meaning_unsaid(spec_file: WriteSpec) -> None:
    """A default that differs from that of version 0.1.0 must stand in `BEFORE`; left out, the key means the old one."""
    written = tomllib.loads(WRITTEN_BY_1)
    bare = {"version": 1, "run": written["run"], "universe": written["universe"]}
    assert load_spec(spec_file(tomli_w.dumps(bare))).differences(read_written_spec(WRITTEN_BY_1, "it")[0]) == []
    keys = {key for changed in versions.BEFORE.values() for key in changed}
    dumped = load_spec("sample").model_dump()
    assert all(has_key(dumped, key) for key in keys)


@pytest.mark.usefixtures("a_changed_default")
def test_missing_keys_have_the_values_of_the_version_that_wrote_the_spec(spec_file: WriteSpec) -> None:
    cap = {1: 0.8, 2: 0.9, 3: 0.3}
    for version, wanted in cap.items():
        spec = load_spec(spec_file(f"version = {version}\n[run]\n{BY_HAND}"))
        assert spec.policy.instrument_cap == wanted
        assert spec.signal.dwell_sessions == (10 if version == 3 else 33)
    # What the spec says, or a setting, wins.
    text = f"version = 1\n[run]\n{BY_HAND}[policy]\ninstrument_cap = 0.5\n"
    assert load_spec(spec_file(text)).policy.instrument_cap == 0.5
    assert load_spec(spec_file(f"version = 1\n[run]\n{BY_HAND}"), {"policy.instrument_cap": 0.4}).policy == (
        load_spec(spec_file(text), {"policy.instrument_cap": 0.4}).policy
    )
    assert load_spec("sample", {"version": 1}).policy.instrument_cap == 0.8
    # By hand, without a version: today's, or those of the account that it is read for.
    assert load_spec(spec_file(f"[run]\n{BY_HAND}"), by_hand=3).policy.instrument_cap == 0.3
    assert load_spec(spec_file(f"[run]\n{BY_HAND}"), by_hand=2).policy.instrument_cap == 0.9


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        (
            str(VERSION + 1),
            f"version: got {VERSION + 1}, wanted a whole number of 1 to {VERSION}; use the newer program",
        ),
        ("0", "version: got 0, wanted a whole number"),
        ("true", "version: got True, wanted a whole number"),
        ('"2"', "version: got '2', wanted a whole number"),
        ("2.0", "version: got 2.0, wanted a whole number"),
    ],
)
def test_a_version_that_is_not_known_is_refused(version: str, wanted: str, spec_file: WriteSpec) -> None:
    with pytest.raises(InputError, match=wanted):
        load_spec(spec_file(f"version = {version}\n[run]\n{BY_HAND}"))


def test_a_section_that_is_a_value_is_told_by_the_check_of_values(spec_file: WriteSpec) -> None:
    values = {"policy": 3}
    fill_missing(values, 1, {2: {"policy.instrument_cap": 0.8}})
    assert values == {"policy": 3}
    with pytest.raises(InputError, match="a is a value, not a section"):
        put({"a": 1}, "a.b", 2)


def test_specs_are_compared_key_by_key() -> None:
    one, other = load_spec("sample"), load_spec("sample", {"policy.instrument_cap": 0.2, "run.end": "2020-01-03"})
    assert one.differences(other) == ["policy.instrument_cap", "run.end"]
    assert one.differences(Spec.model_validate(one.model_dump())) == []
    assert differing_keys({"a": {"b": None}}, {"a": {}}) == ["a.b"]


def test_text_that_is_no_spec_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="it is no TOML"):
        read_written_spec("= 3", "it")
