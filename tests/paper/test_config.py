"""The configuration of a paper account: every key broken in every way is one line; keys never stand in it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import tomli_w
from pydantic import BaseModel

import malformed
from backtests.spec.spec import load_spec
from data.errors import InputError
from paper.config import DEFAULT_FILE, PAPER_ENDPOINT, PaperConfig, read_config
from paper.template import TEMPLATE, write_config

# Keys whose type alone does not say what they take, and values that are wrong for them.
VALUES_OF_THEIR_OWN = {
    "broker.endpoint": ("https://api.alpaca.markets", "http://paper-api.alpaca.markets", "", "nowhere", "http://[", 5),
    "broker.key_env": ("", "lower_case", "PKABCDEF", "WITH SPACE", 5, ["A_B"]),
    "broker.secret_env": ("", "s3cret/of+mine", 5),
    "alerts.urls_env": (["mailto://me:s3cret@example.com"], "A_B", [5], 5),
    "limits.kill_file": (5, [], True),
    "state.path": (5, [], True),
}


@pytest.fixture
def paper_file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / DEFAULT_FILE
    write_config(path, "sample", "sample", "simulated")
    return path


def put(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    *sections, name = key.split(".")
    inner = values
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[name] = value
    return values


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        kinds = malformed.unwrapped(field.annotation)
        if isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel):
            yield from keys_of(kinds[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def wrong_values(field: Any) -> Iterator[Any]:
    """Values of other types, out of range, and outside a list of words."""
    kinds = malformed.unwrapped(field.annotation)
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if Path in kinds:
        return
    for value in malformed.VALUES:
        if value not in words and not malformed.takes(field.annotation, value):
            yield value
    yield from malformed.out_of_range(field.metadata)


FAULTS = [
    (key, value)
    for key, field in keys_of(PaperConfig)
    for value in VALUES_OF_THEIR_OWN.get(key, tuple(wrong_values(field)))
]


def test_every_key_has_a_fault_to_try() -> None:
    assert {key for key, _ in FAULTS} == {key for key, _ in keys_of(PaperConfig)}
    assert len(FAULTS) > 150


@pytest.mark.parametrize("key", sorted({key for key, _ in FAULTS}))
def test_a_wrong_value_is_one_line_that_names_the_key(paper_file: Path, key: str) -> None:
    for value in [value for broken, value in FAULTS if broken == key]:
        paper_file.write_text(tomli_w.dumps(put({"market": "sample", "spec": "sample"}, key, value)))
        with pytest.raises(InputError) as refused:
            read_config(paper_file)
        assert key in str(refused.value), value
        assert "\n" not in str(refused.value)
        assert "s3cret" not in str(refused.value)
        assert "PKABCDEF" not in str(refused.value)


def test_bounds_themselves_are_taken(paper_file: Path) -> None:
    for key, value in (
        ("limits.drawdown_halt", 1.0),
        ("schedule.decide_after", 0),
        ("schedule.repeat", 1),
        ("limits.stale_sessions_halt", 1),
        ("orders.crypto.time_in_force", "ioc"),
        ("broker.endpoint", "http://127.0.0.1:8080/"),
        ("broker.endpoint", PAPER_ENDPOINT + "/"),
    ):
        paper_file.write_text(tomli_w.dumps(put({"market": "sample", "spec": "sample"}, key, value)))
        read_config(paper_file)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "market is missing"),
        ('market = "sample"', "spec is missing"),
        ('market = "sample"\nspec = "sample"\nnosuch = 1', "unknown key nosuch"),
        ('market = "sample"\nspec = "sample"\n[broker]\nnosuch = 1', "unknown key broker.nosuch"),
        ('market = "sample"\nspec = "sample"\nbroker = "alpaca"', "broker: got 'alpaca', wanted a section"),
        ('market = "sample"\nspec = "sample"\n[broker]\nkind = "ibkr"', "broker.kind: got 'ibkr'"),
        ('market = "sample"\nspec = "sample"\n[broker]\npaper = false', "only paper accounts are traded"),
        ('market = "sample"\nspec = "sample"\n[broker]\nsecret_key = "s3cret"', "a file holds no keys"),
        ("market = ", "is no TOML"),
        ('market = "live.3"\nspec = "history"\nrefresh = true', "wanted the market's name, live"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(paper_file: Path, text: str, named: str) -> None:
    paper_file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_config(paper_file)
    assert named in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.alpaca.markets",
        "https://API.alpaca.markets/v2",
        "https://broker-api.alpaca.markets",
        "https://paper-api.alpaca.markets.example.com",
        "https://paper-api.alpaca.markets@api.alpaca.markets",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "ftp://localhost",
        "https://paper-api.alpaca.markets/../api.alpaca.markets",
    ],
)
def test_only_paper_endpoints_are_taken(paper_file: Path, endpoint: str) -> None:
    paper_file.write_text(tomli_w.dumps({"market": "sample", "spec": "sample", "broker": {"endpoint": endpoint}}))
    with pytest.raises(InputError, match="only paper accounts are traded"):
        read_config(paper_file)


def test_a_live_endpoint_is_refused_by_name(paper_file: Path) -> None:
    paper_file.write_text(
        tomli_w.dumps({"market": "sample", "spec": "sample", "broker": {"endpoint": "https://api.alpaca.markets"}})
    )
    with pytest.raises(InputError, match=r"the endpoint of live accounts, api\.alpaca\.markets"):
        read_config(paper_file)


def test_the_template_says_every_default_and_every_key(paper_file: Path) -> None:
    assert read_config(paper_file).model_dump() == PaperConfig(market="sample", spec="sample").model_dump()
    section, named = "", set()
    for line in TEMPLATE.read_text().splitlines():
        if head := re.match(r"\[([\w.]+)\]", line):
            section = f"{head[1]}."
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            named.add(f"{section}{key[1]}")
    assert named == {key for key, _ in keys_of(PaperConfig)}


def test_what_is_out_commented_in_the_template_is_right_too(paper_file: Path) -> None:
    shown = re.sub(r"^# (\w+ = )", r"\1", paper_file.read_text(), flags=re.M)
    paper_file.write_text(shown)
    config = read_config(paper_file)
    assert (config.state_folder, config.kill_file) == (paper_file.parent / "state", paper_file.parent / "STOP")
    assert config.account.initial_cash == load_spec("sample").run.initial_cash


def test_paths_begin_at_the_folder_of_the_configuration(paper_file: Path, tmp_path: Path) -> None:
    config = read_config(paper_file)
    assert config.state_folder == tmp_path / "home" / "paper" / "paper"
    assert config.kill_file == config.state_folder / "STOP"
    assert config.load_spec() == load_spec("sample")
    (paper_file.parent / "mine.toml").write_text(load_spec("sample", {"run.name": "mine"}).to_toml())
    paper_file.write_text('market = "sample"\nspec = "mine.toml"')
    assert read_config(paper_file).load_spec().run.name == "mine"
    paper_file.write_text('market = "sample"\nspec = "nosuch.toml"')
    with pytest.raises(InputError, match=r"no spec .*nosuch\.toml: wanted a TOML file or one of history, sample"):
        read_config(paper_file).load_spec()


def test_a_spec_of_the_users_is_named_from_the_folder_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('it\'s "mine".toml').write_text(load_spec("sample", {"run.name": "mine"}).to_toml())
    write_config(Path("folder/paper.toml"), "sample", 'it\'s "mine".toml', "simulated")
    config = read_config(Path("folder/paper.toml"))
    assert config.spec == '../it\'s "mine".toml'
    assert config.load_spec().run.name == "mine"
    with pytest.raises(InputError, match="no spec nosuch"):
        write_config(Path("other.toml"), "sample", "nosuch", "simulated")
    assert not Path("other.toml").exists()


def test_a_configuration_is_not_overwritten(paper_file: Path) -> None:
    before = paper_file.read_text()
    with pytest.raises(InputError, match="which exists"):
        write_config(paper_file, "live", "history", "alpaca")
    assert paper_file.read_text() == before
    assert [path.name for path in paper_file.parent.iterdir()] == ["paper.toml"]


def test_a_configuration_for_alpaca_refreshes_its_market(tmp_path: Path) -> None:
    assert write_config(tmp_path / "alpaca.toml", "live", "history", "alpaca") == "alpaca"
    values = tomllib.loads((tmp_path / "alpaca.toml").read_text())
    assert (values["market"], values["refresh"], values["broker"]["kind"]) == ("live", True, "alpaca")
    assert values["account"] == {"name": "alpaca"}


def test_an_account_is_named_after_its_file(tmp_path: Path) -> None:
    name = write_config(tmp_path / f"my first. {'x' * 60}.toml", "sample", "sample", "simulated")
    assert name == "my-first--" + 30 * "x"
    assert read_config(tmp_path / f"my first. {'x' * 60}.toml").account.name == name


def test_no_configuration_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make one with reverse-qe paper init"):
        read_config(tmp_path / "paper.toml")
