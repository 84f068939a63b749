"""Looking every day: a bound that holds at all times at once.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central limit theory and asymptotic confidence
sequences: Robbins' one-sided mixture of normals, with an estimated standard deviation.
"""

import math


def one_sided_radius(count: float, alpha: float, rho: float) -> float:
    """How far the mean of so many values may stray above its expectation, in standard deviations of one value.

    Above it at any time, ever, a mean strays with a probability of about `alpha`.

    Args:
        count: of values so far, above 0.
        alpha: one-sided.
        rho: of the mixture, see `tightest_at`.
    """
    spread = count * rho**2 + 1.0
    return math.sqrt(2.0 * spread / (count * rho) ** 2 * math.log1p(math.sqrt(spread) / (2.0 * alpha)))


def tightest_at(count: float, alpha: float) -> float:
    """The mixture whose radius is about the smallest once there are so many values."""
    doubled = 2.0 * alpha
    return math.sqrt((-2.0 * math.log(doubled) + math.log(-2.0 * math.log(doubled) + 1.0)) / count)


def values_needed(effect: float, alpha: float, rho: float) -> float:
    """How many values it takes until the radius is as small as an effect, in standard deviations of one value."""
    low, high = 1.0, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        if one_sided_radius(middle, alpha, rho) > effect:
            low = middle
        else:
            high = middle
    return high
