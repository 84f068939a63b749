"""What would turn the regime, in words: units, and what it means where the regime would end by itself."""

from typing import Any

import pandas as pd
import pytest

from reverse_qe.words.turn import nearest_texts
from signals.turn.turn import Move, Turn, Turning

SESSIONS = pd.DatetimeIndex(["2026-03-02", "2026-03-03"])


def move(name: str, kind: str, unit: str, held: float, turns_at: float, to: str) -> Move:
    turning = Turning(turns_at, None, SESSIONS[1], to)
    return Move(name, kind, "", unit, (), held, held - 10 * abs(held), held + 10 * abs(held), 0.1, None, turning)


def turn(regime: str, base: tuple[str, str], *moves: Move) -> Turn:
    return Turn(SESSIONS[0], regime, 0.3, SESSIONS[0], SESSIONS, base, moves)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("SOFR", "series", "percent", 3.87, 3.78), "repo rate 3.78% (now 3.87%): NEUTRAL 03-03"),
        (("WALCL", "series", "usd millions", 6e6, 7e6), "central-bank assets 7,000 bn (now 6,000): NEUTRAL 03-03"),
        (("Fed", "pace", "USD billions a month", -5.0, 25.0), "Fed pace 25 bn (now -5): NEUTRAL 03-03"),
        (("META", "result", "USD billions", 40.0, 52.5), "META result 52.5 bn (expected 40): NEUTRAL 03-03"),
    ],
)
def test_a_move_has_its_unit(given: Any, told: str) -> None:
    assert nearest_texts(turn("SCARCE", ("SCARCE", "SCARCE"), move(*given, "NEUTRAL")), 3) == [told]


def test_where_the_regime_would_end_by_itself_a_move_makes_it_stay() -> None:
    texts = nearest_texts(
        turn("SCARCE", ("SCARCE", "NEUTRAL"), move("SOFR", "series", "percent", 3.87, 3.95, "SCARCE")), 3
    )
    assert texts == ["nothing new: NEUTRAL on 2026-03-03", "repo rate 3.95% (now 3.87%): stays SCARCE 03-03"]
