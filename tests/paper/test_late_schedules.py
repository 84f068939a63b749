"""Whatever a market tells late, in whatever order: the account comes to what is true, or to a halt that says why."""

import itertools
import os
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data.clock import sessions_between
from paper.ledger.invariants import broken_invariants
from paper.storage import database
from told_world import OTHER, Fact, ToldWorld

FIRST, LAST = date(2024, 11, 6), date(2024, 11, 22)
SESSIONS = [day.date() for day in sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST))]
# `make test-long` draws hundreds.
SCHEDULES = int(os.environ.get("REVERSE_QE_SCHEDULES", "14"))
VALUES = {
    "dividend": (0.25, 1.0),
    "split": (2.0, 3.0, 1.5, 0.2, 0.1),
    "spin_off": (0.1,),
    "delisting": (40.0,),
    "symbol_change": (10.0,),
}
# What a unit ends with.
ENDS = ("delisting", "symbol_change")
# An example takes a second, and its facts say what it is: to shrink one would take many minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


def at(place: int) -> date:
    return SESSIONS[min(max(place, 0), len(SESSIONS) - 1)]


@st.composite
def tellings(draw: st.DrawFn, kind: str, place: int, on: date) -> Fact:
    """In time or up to ten sessions late; at once right, or corrected, taken back, or lost in between."""
    value, late = draw(st.sampled_from(VALUES[kind])), draw(st.integers(-2, 10))
    # What is known to end is not bought.
    first = at(place + max(late, 0)) if late > 0 or kind in ENDS else FIRST
    later = [at(place + late + more) for more in (draw(st.integers(1, 3)), draw(st.integers(4, 6)))]
    said = draw(st.sampled_from(["right", "right", "corrected", "taken back", "lost in between"]))
    if kind in ENDS or said == "right" or len({first, *later}) < 3 or not first < later[0]:
        return Fact(kind, on, value, {first: value})
    if said == "taken back":
        return Fact(kind, on, 0.0, {first: value, later[0]: None})
    if said == "lost in between":
        return Fact(kind, on, value, {first: value, later[0]: None, later[1]: value})
    # A split or spin-off is told as what it is: the price says so.
    wrong = (value * 2, value * 1.5) if kind == "dividend" else (value, value)
    return Fact(kind, on, value, {first: wrong[0], later[0]: wrong[1], later[1]: value})


@st.composite
def schedules(draw: st.DrawFn, kinds: tuple[str, ...]) -> list[Fact]:
    """One to four facts, several a day among them, some on a weekend; the last of them may be the end of the stock."""
    ends = [kind for kind in kinds if kind in ENDS]
    end = draw(st.sampled_from([None, None, *ends])) if ends else None
    last = draw(st.integers(4, 8)) if end else 9
    found = [draw(tellings(end, last, SESSIONS[last]))] if end else []
    # A decision that knows that MU goes on as CRM would sell what was spun off of it.
    never = {*ENDS, "spin_off"} if end == "symbol_change" else set(ENDS)
    going = st.sampled_from([kind for kind in kinds if kind not in never])
    taken = set[tuple[str, date]]()
    for place in draw(st.lists(st.integers(2, last - 1), min_size=1, max_size=4)):
        kind, on = draw(going), SESSIONS[place]
        if draw(st.booleans()) and on.weekday() == 0:
            on -= timedelta(days=1)
        # Of one kind there is one a day, and what a spin-off is worth on the day of a split is not said.
        clash = {"split", "spin_off"} - {kind} if kind != "dividend" else set()
        if taken.isdisjoint({(each, on) for each in {kind, *clash}}):
            taken.add((kind, on))
            found.append(draw(tellings(kind, place, on)))
    return found


@st.composite
def gaps(draw: st.DrawFn) -> dict[tuple[str, date], tuple[date, date]]:
    """Bars that come late, also after those of later days, and bars that are there, gone for a while, and back."""
    found = {}
    for _ in range(draw(st.integers(0, 2))):
        place, late = draw(st.integers(1, 8)), draw(st.integers(2, 6))
        begin = FIRST if draw(st.booleans()) else at(place + draw(st.integers(1, late - 1)))
        found[draw(st.sampled_from(["MU", OTHER])), SESSIONS[place]] = (begin, at(place + late))
    return found


def run(folder: Path, facts: list[Fact], unseen: dict[tuple[str, date], tuple[date, date]]) -> list[str]:
    """Why the account halted on its way; it must end with what is true, and nothing else may stop it."""
    world, halts = ToldWorld(folder, (), FIRST, LAST, facts=facts, unseen=unseen), list[str]()
    for session in [*world.sessions, world._after(LAST)]:
        told = world.step(session)
        assert not told.fault
        halts += [told.halt] if told.halt else []
    cash, units = world.comes_to()
    held = world.holdings()
    assert held.cash == pytest.approx(cash, rel=1e-9, abs=1e-5)
    assert dict(held.units) == pytest.approx(units, rel=1e-8)
    assert not [why for why in halts if not why.startswith("like a split: MU")]
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []
    return halts


@pytest.mark.slow
def test_dividends_alone_never_halt(tmp_path: Path) -> None:
    folders = itertools.count()

    @settings(max_examples=max(SCHEDULES // 4, 1), phases=PHASES)
    @given(schedules(("dividend",)), gaps())
    def however_late(facts: list[Fact], unseen: dict[tuple[str, date], tuple[date, date]]) -> None:
        assert run(tmp_path / str(next(folders)), facts, unseen) == []

    however_late()


@pytest.mark.slow
def test_the_account_comes_to_what_is_true(
    tmp_path: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Dividends, splits both ways, spin-offs, delistings and changes of symbol, and bars that are not there."""
    halted, kinds, folders = list[bool](), Counter[str](), itertools.count()

    @settings(max_examples=SCHEDULES, phases=PHASES)
    @given(schedules(tuple(VALUES)), gaps())
    def whatever_comes_late(facts: list[Fact], unseen: dict[tuple[str, date], tuple[date, date]]) -> None:
        # A decision that knows that MU goes on as CRM, before the session of it could be played, sells what it becomes.
        changes = any(fact.kind == "symbol_change" for fact in facts)
        why = run(tmp_path / str(next(folders)), facts, {} if changes else unseen)
        # Where no price halves or doubles, nothing halts.
        assert not why or any(fact.kind == "split" for fact in facts)
        halted.append(bool(why))
        kinds.update({fact.kind for fact in facts})

    whatever_comes_late()
    told = ", ".join(f"{count} with a {kind.replace('_', ' ')}" for kind, count in sorted(kinds.items()))
    share = f"{sum(halted)} of {len(halted)} schedules of what is told late halted on their way ({told})"
    record_property("halted", share)
    with capsys.disabled():
        print(f"\n{share}")


@pytest.mark.slow
def test_a_spin_off_and_a_change_of_symbol_that_are_told_late(tmp_path: Path) -> None:
    """0.5 CRM for each of 1,000 MU, told after four sessions; then 10 CRM for each, told after three."""
    spun = Fact("spin_off", SESSIONS[2], 0.5, {SESSIONS[6]: 0.5})
    changed = Fact("symbol_change", SESSIONS[5], 10.0, {SESSIONS[8]: 10.0})
    world = ToldWorld(tmp_path, (), FIRST, LAST, facts=[spun, changed])
    notes = {session: world.step(session).notes for session in world.sessions}
    assert notes[SESSIONS[6]] == [
        f"booked +500 units of CRM, told late by the market late.{SESSIONS[6]:%m%d}: spin off of CRM on {SESSIONS[2]}"
    ]
    assert [each.partition(" told late")[0] for each in notes[SESSIONS[8]]] == [
        "booked +10,000 units of CRM,",
        "booked -1,000 units of MU,",
    ]
    assert dict(world.holdings().units) == pytest.approx({"CRM": 10_500.0})
    assert world.halts == []


@pytest.mark.slow
def test_a_change_of_symbol_is_decided_before_its_day_has_a_bar(tmp_path: Path) -> None:
    """It is told in time; at the step of its session nothing has traded under the new symbol since."""
    changed = Fact("symbol_change", SESSIONS[4], 10.0, {FIRST: 10.0})
    world = ToldWorld(tmp_path, (), FIRST, LAST, facts=[changed])
    for session in world.sessions[:8]:
        assert world.step(session).halt == ""
    assert dict(world.holdings().units) == pytest.approx({"CRM": 10_000.0})
