"""What a spec takes from files of the user: blocks, a source, a policy, a strategy; each call of them checked."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.spec.spec import COPIES, Spec
from data.errors import InputError
from data.files.user_code import UserCallable, UserFile, read_user_file, user_faults
from signals.block import Block, BlockBuilder, SignalData, require_block
from signals.config import SignalConfig
from strategies.policy import PolicyConfig
from strategies.universe import Universe
from strategies.weight_checks import require_weights

WeightsFunction = Callable[[pd.Series, pd.DataFrame, pd.DataFrame, Universe, PolicyConfig], pd.DataFrame]


@dataclass(frozen=True)
class Extensions:
    """The user's code and data of one spec, as its files were when they were read.

    Attributes:
        blocks: of the signal, beside the four.
        source: CSV file in the place of all blocks.
        policy: makes the target weights.
        weights: CSV file of target weights, in the place of the policy.
        strategy: trades in the place of the rotation.
        checked: whether blocks and policy are checked for look-ahead where they are run. Off only for an audit, which
            does that itself, at more sessions.
    """

    blocks: tuple[UserCallable, ...] = ()
    source: UserFile | None = None
    policy: UserCallable | None = None
    strategy: UserCallable | None = None
    weights: UserFile | None = None
    checked: bool = True

    @property
    def files(self) -> tuple[UserFile, ...]:
        """Every file once, in the order of the spec."""
        code = [each.file for each in (*self.blocks, self.policy, self.strategy) if each is not None]
        return tuple(dict.fromkeys([*code, *(each for each in (self.source, self.weights) if each is not None)]))

    def block_builders(self) -> tuple[BlockBuilder, ...]:
        """The builders of the blocks; each call loads the file anew and checks what it returns."""
        return tuple(_block_builder(each) for each in self.blocks)


def read_extensions(spec: Spec) -> Extensions:
    """Read the files that a spec names.

    Raises:
        InputError: one of them cannot be read, or two have one name.
    """

    def read(key: str, file: str) -> UserFile:
        try:
            return read_user_file(spec.user_path(key, file))
        except InputError as error:
            raise InputError(f"{key}: {error}") from error

    def named(key: str, reference: str) -> UserCallable:
        file, _, name = reference.rpartition(":")
        return UserCallable(read(key, file), name)

    source, policy, strategy = spec.signal.source, spec.policy.function, spec.run.strategy
    found = Extensions(
        blocks=tuple(named("signal.blocks", each) for each in spec.signal.blocks),
        source=read("signal.source", source) if source else None,
        policy=named("policy.function", policy) if policy else None,
        strategy=named("run.strategy", strategy) if strategy else None,
        weights=read("policy.weights", spec.policy.weights) if spec.policy.weights else None,
    )
    # They are kept side by side in the run's folder.
    by_name: dict[str, Path] = {}
    for file in found.files:
        other = by_name.setdefault(file.path.name, file.path)
        if other.resolve() != file.path.resolve():
            raise InputError(f"got {other} and {file.path}, wanted files of different names; rename one")
    return found


def copy_user_files(files: tuple[UserFile, ...], run_folder: Path) -> None:
    """Keep the files of the user below a run's folder; nothing is made where there is none."""
    for file in files:
        (run_folder / COPIES).mkdir(exist_ok=True)
        (run_folder / COPIES / file.path.name).write_bytes(file.content)


def _block_builder(user: UserCallable) -> BlockBuilder:
    def build(data: SignalData, config: SignalConfig) -> Block:
        # What is done to the tables in there stays in there.
        tables = (field.name for field in fields(data) if field.name != "catalogue")
        own = replace(data, **{name: getattr(data, name).copy() for name in tables})
        return require_block(user.load()(own, config), data.sessions)

    return _named(user, build)


def weights_function(user: UserCallable) -> WeightsFunction:
    """A policy of the user; each call loads its file anew and checks what it returns."""

    def weights(
        regime: pd.Series, tradable: pd.DataFrame, prices: pd.DataFrame, universe: Universe, config: PolicyConfig
    ) -> pd.DataFrame:
        # The benchmark stands beside the universe in these tables; a policy does not trade it.
        symbols = list(universe.symbols)
        own = (regime.copy(), tradable[symbols].copy(), prices[symbols].copy())
        wanted = require_weights(user.load()(*own, universe, config), tradable[symbols])
        return wanted.reindex(columns=tradable.columns, fill_value=0.0)

    return _named(user, weights)


def _named(user: UserCallable, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the user's file named in whatever it refuses."""

    def call(*arguments: Any) -> Any:
        with user_faults(user.file.path):
            return function(*arguments)

    return call
