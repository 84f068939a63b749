"""A slope with errors that hold where variances differ and a few observations bear most of the weight."""

import math
from typing import NamedTuple

import numpy as np

# An observation whose share in its own fit is so near to all of it makes the slope alone: it has no error.
_ALONE = 1e-9


class RobustSlope(NamedTuple):
    """The coefficient of the last regressor; all NaN where one observation alone makes it, or it cannot be told.

    Attributes:
        value: in units of the response over those of the regressor.
        error: standard error HC2.
        freedom: its degrees of freedom.
    """

    value: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Two-sided; NaN likewise."""
        from scipy.stats import t

        return 2.0 * float(t.sf(abs(self.value) / self.error, self.freedom)) if self.error > 0 else math.nan

    def reach(self, level: float) -> float:
        """Distance from the slope to the ends of the interval that misses the truth in `level` of all cases."""
        from scipy.stats import t

        return float(t.ppf(1.0 - level / 2.0, self.freedom)) * self.error

    def detectable(self, level: float, power: float) -> float:
        """The slope that a test at `level` finds in `power` of all cases."""
        from scipy.stats import t

        return self.reach(level) + float(t.ppf(power, self.freedom)) * self.error


def robust_slope(response: np.ndarray, regressors: np.ndarray) -> RobustSlope:
    """Fit by least squares; error HC2 (MacKinnon and White 1985), degrees of freedom of Bell and McCaffrey (2002).

    Imbens and Kolesar (2016, Review of Economics and Statistics 98) advise both for small samples: with errors HC3 and
    the degrees of freedom of the sample, tests find too much far out in the tails, on which Holm's correction lives.

    Args:
        response: (n,), finite.
        regressors: (n, k), finite, the constant among them.
    """
    rows, width = regressors.shape
    unknown = RobustSlope(math.nan, math.nan, math.nan)
    if rows <= width or np.linalg.matrix_rank(regressors) < width:
        return unknown
    base, upper = np.linalg.qr(regressors)
    left = np.eye(rows) - base @ base.T
    if np.diag(left).min() < _ALONE:
        return unknown
    pull = base @ np.linalg.inv(upper).T[:, -1]
    weights = pull / np.sqrt(np.diag(left))
    error = float(np.sqrt(np.square(weights * (left @ response)).sum()))
    inner = left * weights
    inner = inner.T @ inner
    return RobustSlope(float(pull @ response), error, float(np.trace(inner) ** 2 / np.square(inner).sum()))
