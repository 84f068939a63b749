"""How many things were tried before this one."""

from dataclasses import dataclass

from data.errors import InputError


@dataclass(frozen=True)
class Trials:
    """What was tried, so far as it is known.

    Attributes:
        counted: variants and runs, this one among them; from 1.
        effective: how many unrelated ones they are as good as; from 1 to `counted`.
        spread: standard deviation of their Sharpe ratios over the static mix, a session; None: not known, so that of
            unrelated trials without any skill stands in for it.
        source: who counted, in a few words.
    """

    counted: int
    effective: float
    spread: float | None
    source: str


def known_trials(stated: int | None, counted: Trials | None = None) -> Trials:
    """The number to reckon with: what was counted, or more where a user states more; never fewer.

    Args:
        stated: by the user; None: nothing.
        counted: by the log of trials; None: there is none.

    Raises:
        InputError: fewer are stated than were counted, or fewer than one.
    """
    if stated is not None and stated < 1:
        raise InputError(f"got {stated} trials, wanted 1 or more")
    if counted is not None:
        if stated is None:
            return counted
        if stated < counted.counted:
            raise InputError(
                f"got {stated} trials, but {counted.counted} are counted ({counted.source}); wanted as many or more"
            )
        return Trials(
            stated,
            counted.effective + stated - counted.counted,
            counted.spread,
            f"stated, {counted.counted} of them counted",
        )
    if stated is None:
        return Trials(1, 1.0, None, "nobody has counted: taken as the only one")
    return Trials(stated, float(stated), None, "stated")
