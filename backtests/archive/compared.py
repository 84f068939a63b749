"""Runs beside each other, by the files that they left: spec, market, measures, stays, trades, curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from backtests.archive.stored import StoredRun
from data.errors import InputError
from data.events.findings import counted

# As many lines as a page can tell apart.
MOST = 8
# Of the manifest: what a result depends on beside the spec.
_MARKET = ("market", "snapshot_hash", "simulated", "first_session", "last_session", "engine", "initial_cash")
# What is read of a table: columns of days, of numbers and of texts.
_READ: Mapping[str, tuple[list[str], list[str], list[str]]] = {
    "returns": (["session"], ["strategy"], []),
    "regime": (["session"], [], ["regime"]),
    "rotations": (["start", "end"], ["strategy"], ["regime"]),
    "trades": (["opened", "closed"], ["profit", "sessions"], ["symbol"]),
    "attribution": ([], ["profit"], ["basket", "symbol"]),
    "members": (["chosen_at"], [], ["symbol", "basket", "value"]),
}
_KEYS = {"returns": ["session"], "regime": ["session"], "rotations": ["start", "end", "regime"]}


def read_run_table(run: StoredRun, name: str) -> pd.DataFrame | None:
    """A table of a run by its file's name without the end, as far as it is compared; None where its version wrote none.

    Raises:
        InputError: it cannot be read.
    """
    path = run.folder / f"{name}.csv"
    if not path.is_file():
        return None
    days, numbers, texts = _READ[name]
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys([*days, *texts], str))
        for column in days:
            table[column] = pd.to_datetime(table[column], format="%Y-%m-%d")
        found: pd.DataFrame = table[[*days, *numbers, *texts]].astype(dict.fromkeys(numbers, float))
        _require_whole(found, numbers, _KEYS.get(name, []))
        return found
    except (OSError, ValueError, KeyError, pd.errors.ParserError) as error:
        raise InputError(f"{path} cannot be read: {error}; wanted the file as the run wrote it") from error


def _require_whole(table: pd.DataFrame, numbers: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse what a run never writes: a number that is none, a row without its key, or two of one key."""
    if not np.isfinite(table[list(numbers)].to_numpy(dtype="float64")).all():
        raise ValueError("a number is missing or infinite")
    if keys and (table.empty or table[list(keys)].isna().any(axis=None) or table.duplicated(list(keys)).any()):
        raise ValueError(f"it has no row, or none or several for one {', '.join(keys)}")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs that are compared.

    Attributes:
        runs: in the order in which they were named.
        names: of each, no two the same.
    """

    runs: tuple[StoredRun, ...]
    names: tuple[str, ...]

    @cached_property
    def spec(self) -> dict[str, list[Any]]:
        """The keys in which the specs differ, and the value in each; None where it has none."""
        return _differing([run.spec.by_key() for run in self.runs])

    @cached_property
    def market(self) -> dict[str, list[Any]]:
        """What of market, days and engine differs, and what it is in each."""
        return _differing([{key: run.manifest.get(key) for key in _MARKET} for run in self.runs])

    @cached_property
    def measures(self) -> dict[str, list[float | None]]:
        """Measures of the strategy, in each."""
        tables = [run.metrics["strategy"] for run in self.runs]
        return {
            key: [each.get(key) for each in tables] for key in dict.fromkeys(key for each in tables for key in each)
        }

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Of one US dollar, by session, a column a run; no number where it has no such session."""
        return pd.DataFrame({name: (1.0 + each).cumprod() for name, each in self._returns.items()})

    @cached_property
    def correlation(self) -> list[float | None]:
        """Of the daily returns of each run with those of the first, on the sessions of both."""
        first = self._returns[self.names[0]]
        found = [first.corr(each, min_periods=2) for each in self._returns.values()]
        return [None if pd.isna(each) else float(each) for each in found]

    @cached_property
    def stays(self) -> pd.DataFrame:
        """Stays in a regime by start, end and regime: the return of the strategy in each run that has this stay."""
        columns = {}
        for run, name in zip(self.runs, self.names, strict=True):
            table = self._table(run, "rotations")
            columns[name] = table.set_index(["start", "end", "regime"])["strategy"]
        return pd.DataFrame(columns).sort_index(level=[0, 1])

    @cached_property
    def other_regimes(self) -> list[int]:
        """Sessions, of those of both, for which each run decided another regime than the first."""
        regimes = [self._table(run, "regime").set_index("session")["regime"] for run in self.runs]
        pairs = [pd.concat([regimes[0], each], axis=1, join="inner") for each in regimes]
        return [int((each.iloc[:, 0] != each.iloc[:, 1]).sum()) for each in pairs]

    @cached_property
    def trades(self) -> list[dict[str, float] | None]:
        """Round trips of each run: how many, how many the first has too, won, mean sessions, best and worst profit.

        None for a run whose version wrote none.
        """
        tables = [read_run_table(run, "trades") for run in self.runs]
        first = set() if tables[0] is None else _marks(tables[0])
        return [None if each is None else _trades(each, first) for each in tables]

    @cached_property
    def profits(self) -> pd.DataFrame | None:
        """Profit by basket and symbol, US dollars, a column a run; None where a version wrote none."""
        columns = {}
        for run, name in zip(self.runs, self.names, strict=True):
            table = read_run_table(run, "attribution")
            if table is None:
                return None
            columns[name] = table.groupby(["basket", "symbol"], sort=False)["profit"].sum()
        return pd.DataFrame(columns).fillna(0.0)

    @cached_property
    def _returns(self) -> dict[str, pd.Series]:
        return {
            name: self._table(run, "returns").set_index("session")["strategy"]
            for run, name in zip(self.runs, self.names, strict=True)
        }

    def _table(self, run: StoredRun, name: str) -> pd.DataFrame:
        table = read_run_table(run, name)
        if table is None:
            raise InputError(f"got {run.folder} without {name}.csv, wanted the folder of a run as it was written")
        return table


def compare(runs: Sequence[StoredRun]) -> Comparison:
    """Lay runs beside each other.

    Args:
        runs: from two to `MOST`.

    Raises:
        InputError: fewer or more, or one of them twice.
    """
    if not 2 <= len(runs) <= MOST:
        raise InputError(
            f"got {counted(len(runs), 'run')} to compare, wanted 2 to {MOST}; name them by folder, id, prefix or latest"
        )
    folders = [run.folder.resolve() for run in runs]
    doubled = [str(run.folder) for run, folder in zip(runs, folders, strict=True) if folders.count(folder) > 1]
    if doubled:
        raise InputError(f"got the run {doubled[0]} more than once, wanted each once; name another")
    return Comparison(tuple(runs), _names(runs))


def _names(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    """The shortest of label, name and folder by which each can be told from the others."""
    for names in (
        [run.label or run.name for run in runs],
        [run.name for run in runs],
        [run.folder.name for run in runs],
    ):
        if len(set(names)) == len(names):
            return tuple(names)
    return tuple(f"{place}: {run.folder.name}" for place, run in enumerate(runs, start=1))


def _differing(values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    keys = sorted({key for each in values for key in each})
    found = {key: [each.get(key) for each in values] for key in keys}
    return {key: each for key, each in found.items() if any(value != each[0] for value in each)}


def _marks(trades: pd.DataFrame) -> set[tuple[Any, Any]]:
    return set(zip(trades["symbol"], trades["opened"], strict=True))


def _trades(trades: pd.DataFrame, first: set[tuple[Any, Any]]) -> dict[str, float]:
    profit = trades["profit"]
    return {
        "round_trips": len(trades),
        "also_in_the_first": len(_marks(trades) & first),
        "won": int((profit > 0).sum()),
        "mean_sessions": float(trades["sessions"].mean()) if len(trades) else 0.0,
        "best_profit": float(profit.max()) if len(trades) else 0.0,
        "worst_profit": float(profit.min()) if len(trades) else 0.0,
    }
