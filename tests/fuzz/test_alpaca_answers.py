"""A broker whose answers are garbled at random: no traceback, no entry that is not true, no silence.

A seed is a sequence of garbled answers, the same each time. Where the account goes on once the answers are whole again,
its ledger has what the broker has; else it is halted, and says why.
"""

import json
import os
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from at_alpaca import at_alpaca
from data.errors import InputError
from paper.ledger.invariants import broken_invariants

pytest.importorskip("alpaca")

# Answers garbled in the two weeks of a seed; after them all are whole.
A_SEED = 20
SEEDS = int(os.environ.get("REVERSE_QE_FUZZ_ANSWERS", "60")) // A_SEED
# Of the answers of a step that are garbled.
CHANCE = 0.25
# What the broker books besides, so that activities of several kinds are garbled too: by session, kind, US dollars.
BOOKED = {
    date(2026, 3, 4): ("INT", 7.5),
    date(2026, 3, 5): ("CGD", 12.25),
    date(2026, 3, 6): ("FEE", -3.0),
    date(2026, 3, 10): ("JNLC", 40.0),
    date(2026, 3, 11): ("DIV", 6.0),
}
WORDS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**400, 1.5, -0.0, [], {}, [None], {"id": 1}),
    *("", " ", "0", "-1", "1e999", "-1e-400", "NaN", "inf", "0x10", "1,000", "\x1b[31mred", "\u202e", "x" * 10_000),
    *("2026-13-45", "2026-03-04", "2026-03-04T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "buy", "sell"),
    *("filled", "reborn", "SPLIT", "DIV", "NEWS", "MU", "BTC/USD", "EUR"),
)


class Garbler:
    """Garbles answers as a seed has it, and counts them."""

    def __init__(self, seed: int) -> None:
        self.chance, self.garbled = random.Random(seed), 0

    def __call__(self, asked: str, answer: Any) -> Any:
        if self.garbled == A_SEED or self.chance.random() >= CHANCE:
            return answer
        self.garbled += 1
        text = json.dumps(answer)
        if self.chance.random() < 0.15:
            return self.chance.choice(["null", "[]", "{}", '"no"', "<html>", text[: len(text) // 2], "[" * 5_000, "7"])
        whole = json.loads(text)
        for _ in range(self.chance.choice((1, 1, 2, 5))):
            whole = self._changed(whole)
        return whole if isinstance(whole, list | dict) else json.dumps(whole)

    def _changed(self, value: Any) -> Any:
        if isinstance(value, list) and value:
            place = self.chance.randrange(len(value))
            what = self.chance.random()
            if what < 0.1:
                return value[:place] + value[place + 1 :]
            if what < 0.2:
                return [*value, value[place]]
            return [self._changed(each) if at == place else each for at, each in enumerate(value)]
        if isinstance(value, dict) and value:
            key = self.chance.choice(sorted(value))
            if self.chance.random() < 0.2:
                return {name: each for name, each in value.items() if name != key}
            return value | {key: self._changed(value[key])}
        return self.chance.choice(WORDS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_garbled_answers_bring_no_traceback_and_no_silent_wrong_ledger(tmp_path: Path, seed: int) -> None:
    with at_alpaca(tmp_path) as world:
        garbler, lines, went_on = Garbler(seed), list[str](), 0
        for session in world.sessions:
            world.move(session)
            if session in BOOKED:
                kind, amount = BOOKED[session]
                world.book(kind, amount, session, **({"symbol": "MU"} if kind in ("CGD", "DIV") else {}))
            world.double.mutate = garbler
            for _ in range(2):
                try:
                    told = world.step(session)
                except InputError as error:
                    # As where an account is opened that is said to hold something.
                    lines.append(str(error))
                else:
                    lines.append(told.halt + told.fault)
            world.double.mutate = None
            if not world.is_open():
                continue
            told = world.step(session)
            assert told.fault == ""
            with world.ledger() as ledger:
                assert broken_invariants(ledger) == []
                held = ledger.holdings()
            went_on += not told.halt
            if not told.halt:
                theirs = {symbol: float(units) for symbol, units in world.double.positions.items()}
                assert held.units == pytest.approx(theirs, rel=1e-9)
                assert held.cash == pytest.approx(float(world.double.cash), abs=0.01)
        assert garbler.garbled == A_SEED
        assert not [line for line in lines if "\n" in line or "\x1b" in line]
        # What a garbled answer said in good form is booked, and is not what the broker has: that halts it for good.
        assert went_on or "do not agree" in told.halt
