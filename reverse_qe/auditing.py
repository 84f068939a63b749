"""`reverse_qe.audit`: does a spec look ahead, as a function."""

from collections.abc import Collection, Mapping
from typing import Any

from backtests.prepare.stages import tell_nobody
from backtests.spec.spec import load_spec
from backtests.studies.audits.audit import run_audit
from data.market.snapshot import BUILT_IN, Snapshot
from data.market.versions import versions_of
from data.markets import open_market
from reverse_qe.api import AnySpec, Report, fitting_spec
from reverse_qe.results import AuditResult


def audit(
    spec: AnySpec | None = None,
    market: str | Snapshot | None = None,
    *,
    cuts: int = 50,
    seed: int = 0,
    jobs: int = 1,
    leaks_only: bool = False,
    set: Mapping[str, Any] | None = None,
    earlier: Collection[Snapshot] | None = None,
    report: Report = tell_nobody,
) -> AuditResult:
    """Look for rows of a run that change with the future, in processes of their own; nothing is written.

    Args:
        spec: as for `reverse_qe.backtest`.
        market: as for `reverse_qe.backtest`.
        cuts: sessions drawn from the run; the random stretch, of which every session is cut, has twice as many and one
            more.
        seed: of the draw.
        jobs: processes.
        leaks_only: whether to leave out on what the result stands.
        set: as for `reverse_qe.backtest`.
        earlier: earlier versions of the market, whose decisions are compared; None: the newest, the middle and the
            oldest of those that are kept.
        report: is told what is under way.

    Raises:
        InputError: spec, market, files or a number are wrong.
        ReverseQeError: the run itself fails.
    """
    if spec is None:
        named = market.name if isinstance(market, Snapshot) else BUILT_IN if market is None else str(market)
        spec = fitting_spec(named)
    chosen = load_spec(spec, set)
    report("market")
    asked = market if market is not None else chosen.run.market or BUILT_IN
    snapshot = asked if isinstance(asked, Snapshot) else open_market(asked)
    versions = _earlier(snapshot.name) if earlier is None else list(earlier)
    return AuditResult(run_audit(chosen, snapshot, cuts, seed, jobs, versions, leaks_only, report))


def _earlier(name: str) -> list[Snapshot]:
    """Three of the versions that are kept of a market from before this one."""
    family = versions_of(name.rpartition(".")[0])
    before = family[: family.index(name)] if name in family else []
    chosen = dict.fromkeys([before[0], before[len(before) // 2], before[-1]]) if before else {}
    return [open_market(each) for each in chosen]
