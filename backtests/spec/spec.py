"""The spec of a run: a TOML file that composes the sections which the layers own."""

import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from backtests.spec.cash import CashConfig
from backtests.spec.costs import Costs
from backtests.spec.versions import VERSION, by_dotted_key, differing_keys, fill_missing, put, take_version
from data.catalogue.own import OwnCatalogue
from data.errors import InputError
from data.files.toml import read_toml, refusal, validated
from data.files.user_code import Reference
from data.market.snapshot import is_built_in
from data.prices.actions import Basis
from signals.config import SignalConfig
from strategies.order_rules import OrderRulesConfig
from strategies.policy import PolicyConfig
from strategies.universe import Universe

SHIPPED = Path(__file__).parent / "shipped"
REAL_HISTORY = "history"
# The keys under which a user names files, and the folder of a run in which copies of them are kept.
FILE_KEYS = ("signal.blocks", "signal.source", "policy.function", "policy.weights", "run.strategy")
COPIES = "user"
# What users of other engines may look for.
NEVER = dict.fromkeys(
    ("borrowing", "leverage", "margin", "short", "shorting", "short_selling"),
    "borrowing and short sales are not supported",
)


class RunSection(BaseModel):
    """What is run, over which days.

    Attributes:
        name: of the spec; part of the run folder's name.
        start: first day of the run.
        end: last day; None: the last session on which no held instrument lacks its bar because its file ends.
        initial_cash: US dollars.
        prices: ``adjusted``: dividends and splits are in the prices, as if every dividend bought more of its stock.
            ``raw``: as quoted; dividends are paid in cash and splits change units. It needs a market with actions.
        market: that is run where the command names none: ``sample``, an imported market, one version of a fetched one,
            or its newest. None: ``sample``.
        strategy: ``file.py:Class`` of a `backtrader.Strategy` that trades in the place of the rotation.
        warmup_sessions: sessions before the run that a policy or strategy of the user is given to look back on; at most
            ten years. None: as many as the market has, up to a year.
        idea_known: day on which the idea was published. The evidence parts the run there, for what came before may have
            made the idea; no result depends on it. None: it is not parted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)
    start: date
    end: date | None = None
    initial_cash: float = Field(default=100_000.0, gt=0, le=1e15)
    prices: Basis = "adjusted"
    market: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._:@-]*$", max_length=200)
    strategy: Reference | None = None
    warmup_sessions: int | None = Field(default=None, ge=0, le=2520)
    idea_known: date | None = None

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.end is not None and self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}; exchange them")
        return self


class Spec(BaseModel):
    """All that decides a run, besides the snapshot. Sections that a file leaves out keep their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: RunSection
    universe: Universe
    signal: SignalConfig = SignalConfig()
    policy: PolicyConfig = PolicyConfig()
    order_rules: OrderRulesConfig = OrderRulesConfig()
    costs: Costs = Costs()
    cash: CashConfig = CashConfig()
    catalogue: OwnCatalogue = OwnCatalogue()
    _folders: dict[str, Path] = PrivateAttr(default_factory=dict)

    def __init__(self, **values: Any) -> None:
        """Take the sections; what is wrong with them is one line, as of a file.

        Raises:
            InputError: an unknown key, one that is missing, or a wrong value.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise refusal(error, type(self), "the spec", "spec", NEVER) from None

    # Files are validated as JSON, strictly: that goes by the fields, as of every model, and not by this method.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def user_path(self, key: str, file: str) -> Path:
        """Where a file is that the spec names.

        Args:
            key: of `FILE_KEYS`, under which it is named.
            file: as it is written. A relative path begins at the spec's folder, or where it was set at the current one.
                Beside the ``spec.toml`` of a run the copy that the run has kept stands in for it.
        """
        folder = self._folders.get(key, Path())
        copy = folder / COPIES / Path(file).name
        return copy if copy.is_file() and (folder / "manifest.json").is_file() else folder / file

    def to_toml(self) -> str:
        """The spec, complete, every default written out, with the version that writes it."""
        return tomli_w.dumps(self._values())

    def on(self, market: str | None) -> "Spec":
        """The same, run on another market; None: one that names none."""
        return self.model_copy(update={"run": self.run.model_copy(update={"market": market})})

    def differences(self, other: "Spec") -> list[str]:
        """The dotted keys in which another spec differs, sorted."""
        return differing_keys(self._values(), other._values())

    def by_key(self) -> dict[str, Any]:
        """Every value by its dotted key, as JSON has it; a key without a value is left out."""
        return by_dotted_key(self._values())

    def _values(self) -> dict[str, Any]:
        """What a file would hold."""
        values = self.model_dump(mode="json", exclude_none=True)
        if not self.catalogue:
            del values["catalogue"]
        return {"version": VERSION, **values}


def shipped_specs() -> list[str]:
    """Names of the specs that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_spec(
    spec: "str | Path | Mapping[str, Any] | Spec", set: Mapping[str, Any] | None = None, by_hand: int = VERSION
) -> Spec:
    """Read a spec. Keys that it lacks have the values that they had for the version that wrote it.

    Args:
        spec: path of a TOML file, the name of a shipped spec, the values that a file would hold, or a spec.
        set: values by dotted key, as in ``{"policy.instrument_cap": 0.25}``; they win over the spec; None is no value.
        by_hand: the version of a spec that does not say which one wrote it.

    Raises:
        InputError: no such spec, no TOML, an unknown key or a wrong value: the key, what was got, what was wanted.
    """
    what, values = _read(spec)
    named_here = [key for key, value in _pairs(set) if value is not None]
    for key, value in _pairs(set):
        if value is not None:
            put(values, key, value)
    loaded = _complete(values, what, by_hand)
    for file_key in FILE_KEYS:
        folder = _folder_of(spec, file_key)
        if folder is not None and _value(loaded, file_key) and not _is_set(file_key, named_here):
            loaded._folders[file_key] = folder
    return loaded


def spec_values(
    spec: "str | Path | Mapping[str, Any] | Spec", set: Mapping[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """The values of a spec by section, as `load_spec` validates them; arguments and errors as of it."""
    what, values = _read(spec)
    for key, value in _pairs(set):
        if value is not None:
            put(values, key, value)
    fill_missing(values, take_version(values, what))
    return values


def _read(spec: "str | Path | Mapping[str, Any] | Spec") -> tuple[str, dict[str, Any]]:
    """What a spec is called in messages, and its values, free to be changed."""
    if isinstance(spec, Spec):
        return f"spec {spec.run.name}", spec._values()
    if isinstance(spec, Mapping):
        return "the spec that was given", deepcopy(dict(spec))
    if not isinstance(spec, str | Path):
        wanted = "wanted a path, the name of a shipped spec, a mapping of its values or a Spec"
        raise InputError(f"got {reprlib.repr(spec)} as a spec, {wanted}")
    path = SHIPPED / f"{spec}.toml" if is_shipped(spec) else Path(spec)
    with_ending = [f"{spec}.toml"] if _is_file(Path(f"{spec}.toml")) else []
    near = with_ending or get_close_matches(str(spec), shipped_specs(), n=1)
    wanted = f"wanted a TOML file or one of {', '.join(shipped_specs())}{f'; is {near[0]} meant?' if near else ''}"
    return f"spec {spec}", read_toml(path, f"spec {spec}", f"no spec {spec}: {wanted}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # of a name that is too long to be one
        return False


def _pairs(set: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    if not isinstance(set, Mapping | None):
        got = reprlib.repr(set)
        raise InputError(
            f'got {got} to set, wanted a mapping of values by key, as in {{"policy.instrument_cap": 0.25}}'
        )
    for key, value in (set or {}).items():
        if not isinstance(key, str) or not all(part.strip() for part in key.split(".")):
            raise InputError(f"got the key {key!r} to set, wanted section.key")
        yield key, value


def _folder_of(spec: "str | Path | Mapping[str, Any] | Spec", key: str) -> Path | None:
    """Where the paths of a spec begin; None: at the current folder."""
    if isinstance(spec, Spec):
        return spec._folders.get(key)
    return None if isinstance(spec, Mapping) or is_shipped(spec) else Path(spec).parent


def read_written_spec(text: str, what: str) -> tuple[Spec, int]:
    """Read a spec that was written out, complete, and find which version wrote it.

    Args:
        text: of `Spec.to_toml`, of this or of an earlier version.
        what: it is, for messages.

    Raises:
        InputError: it is none, or of a later version.
    """
    try:
        values = tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"{what} is no TOML: {error}; wanted a spec as a run or an account writes it") from error
    version = take_version(dict(values), what)
    return _complete(values, what, version), version


def _complete(values: dict[str, Any], what: str, by_hand: int) -> Spec:
    fill_missing(values, take_version(values, what, by_hand))
    return validated(Spec, values, what, "spec", NEVER)


def _value(spec: Spec, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(spec, section), name)


def _is_set(key: str, named: Sequence[str]) -> bool:
    """Whether one of the names is the key's or that of a section that holds it."""
    return any(key == name or key.startswith(f"{name}.") for name in named)


def fitting_spec(market: str) -> str:
    """Name of the shipped spec for a market: roles for the sample, tickers for real history."""
    return "sample" if is_built_in(market) else REAL_HISTORY


def is_shipped(spec: str | Path) -> bool:
    """Whether what names a spec names a shipped one, and no file of that name is there."""
    return str(spec) in shipped_specs() and not Path(spec).is_file()
