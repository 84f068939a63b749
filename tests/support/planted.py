"""Code of a user that looks ahead in one way each, and its honest twin, for the audit to tell apart."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from backtests.studies.audits.probe import World
from backtests.studies.audits.worker import Answer, Begin, Task, answer_to
from data.market.snapshot import Snapshot

REGIMES = "known_at,regime\n2015-01-05T22:00:00+00:00,NEUTRAL\n2022-11-03T22:00:00+00:00,ABUNDANT\n"
DAYS = "start = 2022-09-01\nend = 2023-06-30"  # SIM-MEMORY-C is listed on 2023-03-01.
POLICY = """
import sys
import numpy as np
import pandas as pd
from strategies.policy import target_weights

def weights(regime, tradable, prices, universe, config):
    wanted = target_weights(regime, tradable, prices, universe, config)
    mean = prices.rolling(50, min_periods=1).mean()
    rising = prices >= mean
    {code}
    return wanted.where(rising, 0.0)
"""
HONEST = "pass"
POLICIES = {
    "future close": "rising = prices.shift(-5) >= prices",
    "listing known early": "wanted = tradable * 0.9 / tradable.any().sum(); rising = tradable",
    "same-bar fill": "rising = prices.shift(-1) >= prices",
    "label shifted by a time zone": (
        "seoul = prices.index.tz_localize('Asia/Seoul').tz_convert('UTC').tz_localize(None).normalize(); "
        "rising = prices.set_axis(seoul).reindex(prices.index, method='ffill') >= mean"
    ),
    "every hundredth session": (
        "ahead = prices.shift(-1) >= prices; every = np.arange(len(prices)) % 100 == 0; "
        "rising = rising.where(~np.broadcast_to(every[:, None], prices.shape), ahead)"
    ),
}
ADJUSTED = "rising = prices >= 100.0"

BLOCK = """
import numpy as np
import pandas as pd
from signals.block import Block, BlockInput
from signals.observations import as_known, basis_points, series_observations

STAY = 0.97
TRANSITION = np.array([[STAY, 1 - STAY], [1 - STAY, STAY]])
DEVIATIONS = np.array([3.0, 9.0])

def smoothed(changes):
    density = np.exp(-0.5 * (changes[:, None] / DEVIATIONS) ** 2) / DEVIATIONS
    predicted, filtered = np.full_like(density, 0.5), np.empty_like(density)
    for row in range(len(changes)):
        if row:
            predicted[row] = filtered[row - 1] @ TRANSITION
        joint = predicted[row] * density[row]
        filtered[row] = joint / joint.sum()
    after = filtered.copy()
    for row in range(len(changes) - 2, -1, -1):
        after[row] = filtered[row] * (TRANSITION @ (after[row + 1] / predicted[row + 1]))
    return after[:, 1]

def block(data, config):
    observations = series_observations(data.series, "{series}")
    known = as_known(observations, data.sessions, stale_after_days=10)
    last = observations.drop_duplicates("date", keep="last").set_index("date")["value"].sort_index()
    value = known["value"]
    made = {code}
    given = BlockInput(
        name="{name}.it", unit="percent", value=made, scarcer_when=+1, observed=known["observed"], known=known["known"]
    )
    return Block(name="{name}", inputs=(given,), grouping=given.name)
"""
BLOCKS = {
    "centred": ("DGS3MO", "value.rolling(21, center=True).mean()"),
    "scaled": ("DGS3MO", "(value - value.mean()) / value.std()"),
    "undelayed": ("WALCL", "last.reindex(data.sessions, method='ffill')"),
    "restated": (
        "DGS3MO",
        "pd.Series(last.reindex(known['observed']).to_numpy(), data.sessions)",
    ),
    "smoothed": (
        "DGS3MO",
        "pd.Series(smoothed((100 * value.diff()).fillna(0.0).clip(-30, 30).to_numpy()), data.sessions)",
    ),
    "honest": ("DGS3MO", "value - value.expanding().mean()"),
}


class Here:
    """In the place of `backtests.studies.audits.workers.Workers`: the same tasks in this process, which is quicker."""

    def __init__(self, world: World, _jobs: int) -> None:
        self.world = world
        self.told: Begin | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def begin(self, told: Begin) -> None:
        self.told = told

    def ask(self, tasks: Sequence[Task], done: Callable[[int], None] = lambda _count: None) -> list[Answer]:
        answers = [answer_to(self.world, self.told, task) for task in tasks]
        done(len(answers))
        return answers


def small(market: Snapshot) -> Snapshot:
    """Three years of the sample."""
    kept = {}
    for name in ("bars", "series"):
        frame = getattr(market, name)
        kept[name] = frame[(frame["date"] >= "2021-06-01") & (frame["date"] < "2024-06-01")]
    return replace(market, bars=kept["bars"], series=kept["series"])


def universe_of(spec: str = "sample") -> str:
    """The section of the universe of a shipped spec, as TOML."""
    import tomli_w

    from backtests.spec.spec import load_spec

    held = load_spec(spec).universe.model_dump(mode="json", exclude_none=True)
    return tomli_w.dumps({"universe": held})


def policy_spec(folder: Path, code: str, days: str = DAYS) -> Path:
    """A spec whose policy is the user's, on regimes from a file."""
    (folder / "regimes.csv").write_text(REGIMES)
    (folder / "mine.py").write_text(POLICY.replace("{code}", code))
    text = f'[run]\nname = "planted"\n{days}\n\n{universe_of()}\n[signal]\nsource = "regimes.csv"\n'
    path = folder / "planted.toml"
    path.write_text(text + '\n[policy]\nfunction = "mine.py:weights"\nrebalance = "daily"\n')
    return path


def block_spec(folder: Path) -> Path:
    """A spec with all of `BLOCKS`."""
    for name, (series, code) in BLOCKS.items():
        text = BLOCK.replace("{series}", series).replace("{code}", code).replace("{name}", name)
        (folder / f"{name}.py").write_text(text)
    named = ", ".join(f'"{name}.py:block"' for name in BLOCKS)
    path = folder / "blocks.toml"
    run = f'[run]\nname = "blocks"\n{DAYS}\n'
    path.write_text(f"{run}\n{universe_of()}\n[signal]\nblocks = [{named}]\n")
    return path


def revised(series: pd.DataFrame, name: str) -> pd.DataFrame:
    """Series of which every tenth value of one has a revision, known 40 days later."""
    mine = series[(series["series"] == name) & series["value"].notna()].iloc[::10]
    later = mine.assign(value=mine["value"] + 0.5, known_at=mine["known_at"] + pd.Timedelta(days=40))
    return pd.concat([series, later], ignore_index=True)


def weights_of_the_day(bars: pd.DataFrame, symbols: list[str], hour: int) -> str:
    """A file of weights: a day's close above the one before is held, and known at an hour of that day."""
    closes = bars[bars["symbol"].isin(symbols)].pivot_table(index="date", columns="symbol", values="close")
    closes = closes.loc["2022-09-01":"2023-06-20", symbols].dropna()
    held = (closes > closes.shift()).astype(float) / len(symbols)
    lines = [f"known_at,{','.join(symbols)}"]
    for day, row in held.iloc[1:].iterrows():
        cells = ",".join(f"{value:.4f}" for value in np.floor(row.to_numpy() * 1e4) / 1e4)
        lines.append(f"{pd.Timestamp(str(day)):%Y-%m-%d}T{hour:02}:00:00+00:00,{cells}")
    return "\n".join(lines) + "\n"
