"""How long one would have to wait until a difference could be told from luck."""

from statistics import NormalDist

from backtests.evidence.sharpe_difference import CONFIDENCE, SharpeDifference

POWER = 0.80


def needed_sessions(difference: SharpeDifference, sessions: int) -> float | None:
    """Sessions at which an interval of 95% would exclude 0 with a probability of 80%, were the difference the true one.

    The width of an interval falls with the root of the number of sessions.

    Args:
        difference: as it was found.
        sessions: over which it was found.

    Returns:
        All of them, those that are there included; None where the difference is not above 0.
    """
    if difference.value <= 0:
        return None
    normal = NormalDist()
    two_sided = normal.inv_cdf((1 + CONFIDENCE) / 2)
    error = (difference.high - difference.low) / (2 * two_sided)
    return float(sessions * ((two_sided + normal.inv_cdf(POWER)) * error / difference.value) ** 2)
