"""The spec of a run: a TOML file that composes the sections which the layers own."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from backtests.spec.cash import CashConfig
from backtests.spec.costs import Costs
from data.errors import InputError
from data.files.toml import read_toml, validated
from data.files.user_code import check_reference
from data.prices.actions import Basis
from signals.config import SignalConfig
from strategies.order_rules import OrderRulesConfig
from strategies.policy import PolicyConfig
from strategies.universe import Universe

SHIPPED = Path(__file__).parent / "shipped"
# The keys under which a user names files, and the folder of a run in which copies of them are kept.
FILE_KEYS = ("signal.blocks", "signal.source", "policy.function", "run.strategy")
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
        strategy: ``file.py:Class`` of a `backtrader.Strategy` that trades in the place of the rotation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)
    start: date
    end: date | None = None
    initial_cash: float = Field(default=100_000.0, gt=0)
    prices: Basis = "adjusted"
    strategy: Annotated[str, AfterValidator(check_reference)] | None = None

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
    _folders: dict[str, Path] = PrivateAttr(default_factory=dict)

    def user_path(self, key: str, file: str) -> Path:
        """Where a file is that the spec names.

        Args:
            key: of `FILE_KEYS`, under which it is named.
            file: as it is written. A relative path begins at the spec's folder, in ``--set`` at the current one. Beside
                the ``spec.toml`` of a run the copy that the run has kept stands in for it.
        """
        folder = self._folders.get(key, Path())
        copy = folder / COPIES / Path(file).name
        return copy if copy.is_file() and (folder / "manifest.json").is_file() else folder / file

    def to_toml(self) -> str:
        """The spec, complete, every default written out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def shipped_specs() -> list[str]:
    """Names of the specs that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_spec(source: str, settings: Sequence[str] = (), overrides: Mapping[str, Any] | None = None) -> Spec:
    """Read a spec.

    Args:
        source: path of a TOML file, or the name of a shipped spec.
        settings: ``section.key=value`` each, the value as in TOML; they win over the file.
        overrides: further values by dotted key, None ones ignored; they win over `settings`.

    Raises:
        InputError: no such spec, no TOML, an unknown key or a wrong value: the key, what was got, what was wanted.
    """
    values = _read(source)
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not all(part.strip() for part in key.split(".")):
            raise InputError(f"got --set {setting}, wanted --set section.key=value")
        _put(values, key.strip(), _parse_value(text.strip()))
    for key, value in (overrides or {}).items():
        if value is not None:
            _put(values, key, value)
    spec = validated(Spec, values, f"spec {source}", "spec", NEVER)
    named_here = [setting.partition("=")[0].strip() for setting in settings]
    named_here += [key for key, value in (overrides or {}).items() if value is not None]
    if not _is_shipped(source):
        named_there = [key for key in FILE_KEYS if _value(spec, key) and not _is_set(key, named_here)]
        spec._folders.update(dict.fromkeys(named_there, Path(source).parent))
    return spec


def _value(spec: Spec, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(spec, section), name)


def _is_set(key: str, settings: Sequence[str]) -> bool:
    """Whether one of the settings is of the key or of a section that holds it."""
    return any(key == setting or key.startswith(f"{setting}.") for setting in settings)


def _is_shipped(source: str) -> bool:
    return source in shipped_specs() and not Path(source).is_file()


def _read(source: str) -> dict[str, Any]:
    path = SHIPPED / f"{source}.toml" if _is_shipped(source) else Path(source)
    wanted = f"wanted a TOML file or one of {', '.join(shipped_specs())}"
    return read_toml(path, f"spec {source}", f"no spec {source}: {wanted}")


def _parse_value(text: str) -> Any:
    """A value as TOML has it; what is no TOML value is taken for a text without its quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, key = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"got the key {dotted}, but {section} is a value, not a section; wanted section.key=value")
    values[key] = value
