"""Movements of an account, taken over to another book."""

from paper.explain.recorded import RecordedMove

Basis = tuple[float, float, float]
"""Units of the instrument, cash and equity (US dollars) of a book before a movement."""


def scaled(move: RecordedMove, here: Basis, there: Basis) -> tuple[float, float]:
    """US dollars and units of a movement in another book: by its units; else by its cash, or its equity.

    What is brought in from outside stays as it is; what is taken out is no more than the same share.

    Args:
        move: of the account.
        here: the replay's book.
        there: the account's.
    """
    if move.kind == "transfer":
        share = _ratio(here[0], there[0]) if move.units < 0 else 1.0
        return move.amount * (share if move.units else 1.0), move.units * share
    if move.place >= 0 and there[0] > 0:
        share = _ratio(here[0], there[0])
    elif move.kind == "interest":
        share = _ratio(here[1], there[1])
    else:
        share = _ratio(here[2], there[2])
    return move.amount * share, move.units * share


def _ratio(one: float, other: float) -> float:
    return one / other if other else 1.0
