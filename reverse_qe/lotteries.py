"""`reverse_qe.lottery`: how much of a run's return was knowing the names, as a function."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backtests.prepare.stages import tell_nobody
from backtests.studies.lottery.lottery import DRAWS, Lottery, universe_lottery
from backtests.studies.lottery.pools import Asked, Labels
from data.files.paths import usable_path
from data.importing.universe import read_universe
from data.market.snapshot import Snapshot
from data.markets import open_market
from reverse_qe.judging.judge import run_to_judge
from reverse_qe.pages.studies.lottery import lottery_page
from reverse_qe.results import BacktestResult
from reverse_qe.words.lottery import sentences, title


@dataclass(frozen=True, repr=False, eq=False)
class LotteryResult:
    """The universe lottery of a run.

    Attributes:
        lottery: what was drawn, and what became of it.
    """

    lottery: Lottery

    @property
    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        world, found = self.lottery.world, self.lottery
        sessions = world.panel.sessions
        return {
            "run": world.prepared.spec.run.name,
            "market": world.prepared.snapshot.name,
            "simulated": world.prepared.snapshot.simulated or found.market.simulated,
            "hindsight": world.prepared.spec.universe.hindsight,
            "drawn_from": found.market.name,
            "by": "sector" if world.sectors else "class",
            "sectors": dict(world.sectors),
            "labels": found.labels,
            "fills_at": "close" if world.at_close else "open",
            "first_session": str(sessions[1].date()),
            "last_session": str(sessions[-1].date()),
            "cut_by": {name: str(day.date()) for name, day in world.cut_by.items()},
            "draws": found.draws,
            "shifts": found.shifts,
            "seed": found.seed,
            "names": len(found.names),
            "dead": found.dead,
            "pool_sizes": dict(found.pool_sizes),
            "notes": list(world.notes),
            "endings": [
                {"haircut": each.haircut, "cagr": _as_json(asdict(each.cagr)), "sharpe": _as_json(asdict(each.sharpe))}
                for each in found.endings
            ],
        }

    def page(self) -> str:
        """The lottery as a page that is complete in itself."""
        return lottery_page(self.lottery)

    def __repr__(self) -> str:
        return "\n".join([title(self.lottery), *sentences(self.lottery)])


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON has them: what has no meaning is null."""
    return {
        name: _as_json(value) if isinstance(value, dict) else value if math.isfinite(value) else None
        for name, value in values.items()
    }


def lottery(
    of: str | Path | BacktestResult,
    universe: str | Path | Snapshot | None = None,
    *,
    market: str | Snapshot | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    sectors: Mapping[str, Collection[str]] | None = None,
    labels: Labels = "then",
    report: Callable[[str], None] = tell_nobody,
) -> LotteryResult:
    """Play a run with names that could have been chosen as well; it needs the extra sweep (numba).

    Args:
        of: as for `reverse_qe.evidence`.
        universe: what names are drawn from: a market, or the folder of an index as `data import --universe` takes it.
            None: the market of the run, by asset class.
        market: as for `reverse_qe.evidence`.
        draws: pairs of baskets.
        seed: of the draws; the same one gives the same lottery.
        sectors: by basket (``speculative``, ``cash_flow``), sectors or industries that its stocks are drawn from. A
            basket that is not named has the sector that most of its stocks had.
        labels: ``then``: sectors as known on the day of the choice; ``today``: the newest, which is hindsight.
        report: is told each stage as it begins.

    Raises:
        InputError: see `reverse_qe.evidence`; the universe is none, a sector is unknown, a pool is too small, or the
            spec needs what no draw can give.
    """
    drawn_from = _opened(universe)
    run = run_to_judge(of, market, report)
    asked = Asked(drawn_from, sectors or {}, labels)
    return LotteryResult(universe_lottery(run.prepared, asked, draws, seed, report=report))


def _opened(universe: str | Path | Snapshot | None) -> Snapshot | None:
    if universe is None or isinstance(universe, Snapshot):
        return universe
    folder = usable_path(universe, "universe")
    if folder.is_dir():
        return read_universe(folder, folder.resolve().name)[0]
    return open_market(str(universe))
