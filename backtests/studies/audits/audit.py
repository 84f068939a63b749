"""The audit of a spec: run as it is, run again, and run on markets with another future, past or input.

Every run goes the whole way of a backtest, from the user's files to orders, in a process of its own. Shared are the
market as it was read, cut down to what the spec can read, and the bytes of the user's files; nothing worked out.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from backtests.prepare.choice import with_choice
from backtests.prepare.span import Span, longest_span
from backtests.prepare.stages import tell_nobody
from backtests.prepare.warmup import YEAR
from backtests.spec.extensions import Extensions, read_extensions
from backtests.spec.spec import Spec
from backtests.studies.audits.cuts import Cuts, choose_cuts
from backtests.studies.audits.foresight import foresight_check
from backtests.studies.audits.leaks import NotRepeatableError, Tried, future_check, leaks_of
from backtests.studies.audits.probe import Made, Probe, World, lean
from backtests.studies.audits.report import AuditReport, Check, Leak
from backtests.studies.audits.resting import resting_checks, resting_tasks
from backtests.studies.audits.rows import Difference
from backtests.studies.audits.scaled import dividend_check, dividend_task, version_check, version_tasks
from backtests.studies.audits.worker import Answer, Begin, Task
from backtests.studies.audits.workers import Workers
from data.clock import FIRST_DAY, previous_session, sessions_between
from data.errors import InputError, ReverseQeError
from data.market.snapshot import Snapshot

# A run that takes so many times as long as the run itself, and at least so many seconds, is given up.
_TIMES, _SECONDS = 20.0, 60.0
MOST_JOBS = 256
_AGAIN = "Run again as it is"
_DRAWN = {"cut": "Future cut off", "garbled": "Future garbled", "late": "News told 5 days later"}


class AuditError(ReverseQeError):
    """The run itself fails, and there is nothing to audit."""


def run_audit(
    spec: Spec,
    snapshot: Snapshot,
    cuts: int = 50,
    seed: int = 0,
    jobs: int = 1,
    versions: Sequence[Snapshot] = (),
    leaks_only: bool = False,
    report: Callable[[str], None] = tell_nobody,
) -> AuditReport:
    """Look for rows that the future changes, and for what the result stands on.

    Args:
        spec: what is run.
        snapshot: on what.
        cuts: sessions drawn from the run, from 1; the random stretch has twice as many and one more.
        seed: of the draw, from 0.
        jobs: processes, from 1 to `MOST_JOBS`.
        versions: earlier versions of the market, of which decisions up to what they knew are compared.
        leaks_only: whether to leave out on what the result stands: starts, history, inputs that are missing or stop.
        report: is told what is under way.

    Raises:
        InputError: spec, files and market do not fit together, or a number is wrong.
        AuditError: the run itself fails.
    """
    for name, value, least in (("cuts", cuts, 1), ("seed", seed, 0), ("jobs", jobs, 1)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InputError(f"got {value!r} for {name}, wanted a whole number from {least}")
    if jobs > MOST_JOBS:
        raise InputError(f"got {jobs} for jobs, wanted at most {MOST_JOBS}: each is a process with the market in it")
    begin = time.perf_counter()
    world = _world(spec, snapshot, versions)
    with Workers(world, jobs) as workers:
        audit = _Audit(world, workers, report)
        span, base, checks = audit.begin()
        leaks: list[Leak] = []
        chosen = None
        if base is not None and not any(check.verdict == "NOT REPEATABLE" for check in checks):
            sessions = sessions_between(*span)
            chosen = choose_cuts(world.spec, world.snapshot, sessions, cuts, seed)
            found, leaks = audit.everything(span, base, chosen, leaks_only)
            checks += found
    return AuditReport(
        spec=spec.run.name,
        market=snapshot.name,
        simulated=snapshot.simulated,
        span=span,
        cuts=0 if chosen is None else len(chosen.drawn),
        seed=seed,
        stretch=None if chosen is None or not chosen.stretch else Span(chosen.stretch[0], chosen.stretch[-1]),
        checks=tuple(checks),
        leaks=tuple(leaks),
        runs=audit.runs,
        seconds=time.perf_counter() - begin,
    )


def _world(spec: Spec, snapshot: Snapshot, versions: Sequence[Snapshot]) -> World:
    """What every run begins with; how far code of the user looks back is the same in each."""
    given: Extensions = replace(read_extensions(spec), checked=False)
    # What a rule has chosen says here which names there are; each run chooses anew.
    spec = with_choice(spec, snapshot)
    first = longest_span(spec.run, spec.universe, snapshot).first
    if spec.run.warmup_sessions is None and (given.policy is not None or given.strategy is not None):
        own = snapshot.bars["symbol"].isin(spec.universe.symbols)
        eve = previous_session(first) - pd.Timedelta(days=1)
        before = sessions_between(max(snapshot.bars.loc[own, "date"].min(), FIRST_DAY), eve)
        run = spec.run.model_copy(update={"warmup_sessions": min(YEAR, len(before))})
        spec = spec.model_copy(update={"run": run})
    return World(spec, lean(spec, snapshot), given, tuple(lean(spec, each) for each in versions))


class _Audit:
    """An audit under way: it asks, counts and tells."""

    def __init__(self, world: World, workers: Workers, report: Callable[[str], None]) -> None:
        self.world, self.workers, self.report = world, workers, report
        self.runs = 0

    def ask(self, tasks: Sequence[Task], what: str = "who explains it") -> list[Answer]:
        """Run tasks, and tell how many are done."""
        begin = time.perf_counter()

        def done(count: int) -> None:
            left = (len(tasks) - count) * (time.perf_counter() - begin) / count
            self.report(f"{what}: {count} of {len(tasks)} runs, {left:,.0f} s left")

        answers = self.workers.ask(tasks, done)
        self.runs += len(tasks)
        return answers

    def begin(self) -> tuple[Span, Made | None, list[Check]]:
        """Run the spec as it is, twice."""
        self.report("the run as it is")
        [first] = self.workers.ask([Task(None)])
        span = first.span
        if span is None:
            return self._failed(first)
        self.workers.begin(Begin(span, None, float("inf")))
        as_it_is = Task(Probe("none", by_engine=True), whole=True, heard=True)
        [told] = self.ask([as_it_is], "the run as it is")
        if told.made is None:
            return self._failed(told, span)
        self.workers.begin(Begin(span, told.made, max(_SECONDS, _TIMES * told.seconds)))
        [again] = self.ask([Task(Probe("none", by_engine=True))], "the run again")
        checks = [_again_check(again.differences, again.error)]
        return span, told.made, [*checks, *_by_itself(first, told)]

    def _failed(self, answer: Answer, span: Span | None = None) -> tuple[Span, None, list[Check]]:
        """Where the run itself looks ahead it is found already; where it fails otherwise there is nothing to audit."""
        if answer.kind == "look-ahead":
            known = longest_span(self.world.spec.run, self.world.spec.universe, self.world.snapshot)
            return span or known, None, [Check("run", "The run as it is", 1, "LEAK", answer.error)]
        raise (InputError if answer.kind == "input" else AuditError)(answer.error)

    def everything(self, span: Span, base: Made, cuts: Cuts, leaks_only: bool) -> tuple[list[Check], list[Leak]]:
        """Try everything that is tried."""
        sessions = sessions_between(*span)
        futures = [Task(probe, upto=probe.session) for probe in (*cuts.drawn, *cuts.probes)]
        resting = {} if leaks_only else resting_tasks(self.world, span)
        older = version_tasks(self.world)
        others = [dividend_task(), *older, *(task for tasks in resting.values() for _, task in tasks)]
        answers = self.ask([*futures, *others], "other futures, pasts and inputs")
        tried = [Tried(task, answer) for task, answer in zip(futures, answers[: len(futures)], strict=True)]
        rest = iter(answers[len(futures) :])
        dividend, past = next(rest), [next(rest) for _ in older]
        told = {key: [next(rest) for _ in tasks] for key, tasks in resting.items()}
        checks = _future_checks(tried, cuts)
        try:
            leaks = leaks_of(self.world, tried, sessions, self.ask)
        except NotRepeatableError as error:
            found = [] if error.difference is None else [error.difference]
            return [_again_check(found, error.error, "a second time")], []
        checks.append(dividend_check(self.world, dividend, self.ask))
        checks.append(version_check(self.world, older, past))
        if (foresight := foresight_check(base.foresight)) is not None:
            checks.append(foresight)
        return [*checks, *(resting_checks(resting, told, base) if resting else [])], leaks


def _again_check(differences: Sequence[Difference], error: str, tried: str = "") -> Check:
    """Whether the same run says the same again, each time in a process that has run nothing before."""
    what = f"{_AGAIN}, {tried}" if tried else _AGAIN
    if error:
        return Check("again", what, 1, "NOT REPEATABLE", f"it ran, and failed when it was run again: {error}")
    if not differences:
        return Check("again", what, 1, "holds", "the same to the last bit")
    root = differences[0]
    text = (
        f"{root.column} for {root.session.date()} was {root.was}, and {root.becomes} when it was run again: it follows "
        "chance, the time, a file or the network; seed or keep what it uses, for no leak can be told from that"
    )
    return Check("again", what, 1, "NOT REPEATABLE", text)


def _by_itself(*told: Answer) -> list[Check]:
    """What code of the user reads or keeps by itself; no row where it does neither."""
    tried = "What code reads or keeps by itself"
    writes, reads = (
        list(dict.fromkeys(one for each in told for one in getattr(each, key))) for key in ("writes", "reads")
    )
    if writes:
        text = f"it writes {', '.join(writes)}: what one run keeps reaches the next, and may hide a leak; keep nothing"
        return [Check("by_itself", tried, 1, "FAILS", text)]
    if reads:
        text = f"it reads {', '.join(reads)}, to which no other future can be put: what that knows is not audited"
        return [Check("by_itself", tried, 1, "told", text)]
    return []


def _future_checks(tried: Sequence[Tried], cuts: Cuts) -> list[Check]:
    """One row for each future at the drawn sessions, one for the stretch, one for what is about to be told."""
    drawn, rest = tried[: len(cuts.drawn)], tried[len(cuts.drawn) :]
    inside = len(rest) * len(cuts.stretch) // max(len(cuts.stretch) + len(cuts.told), 1)
    kinds: dict[str, list[Tried]] = {kind: [] for kind in _DRAWN}
    for each in drawn:
        assert each.task.probe is not None
        change = each.task.probe.change
        kinds["garbled" if change in ("up", "down") else change].append(each)
    first, last = cuts.stretch[0].date(), cuts.stretch[-1].date()
    return [
        *(
            future_check(kind, f"{what}, at {_sessions(len(kinds[kind]))}", kinds[kind])
            for kind, what in _DRAWN.items()
        ),
        future_check("stretch", f"At each of {_sessions(len(cuts.stretch))}, {first} to {last}", rest[:inside]),
        future_check("told", f"Before news of the past, at {_sessions(len(cuts.told))}", rest[inside:]),
    ]


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
