"""Ordinary least squares whose intervals allow for autocorrelation and uneven variance."""

from typing import Any

import pandas as pd

from data.errors import InputError

CONFIDENCE = 0.95


def newey_west(values: pd.Series, regressors: pd.DataFrame) -> pd.DataFrame:
    """Ordinary least squares with intervals that allow for autocorrelation and uneven variance.

    Newey and West (1987), with the lags that they propose in 1994: 4 (n / 100)^(2/9), rounded down; t-distributed.

    Args:
        values: n of them.
        regressors: n rows, the constant included where one is wanted.

    Returns:
        By regressor: value, and the bounds low and high of its interval.

    Raises:
        InputError: the extra `evidence` is not installed.
    """
    require_statsmodels()
    from statsmodels.regression.linear_model import OLS

    lags = int(4 * (len(values) / 100) ** (2 / 9))
    fit: Any = OLS(values, regressors).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    interval = fit.conf_int(alpha=1 - CONFIDENCE)
    return pd.DataFrame({"value": fit.params, "low": interval[0], "high": interval[1]})


def require_statsmodels(what: str = "this") -> None:
    """Refuse where statsmodels is not installed.

    Args:
        what: needs it, for the message.
    """
    try:
        import statsmodels  # noqa: F401
    except ImportError:
        raise InputError(
            f"{what} needs statsmodels, which is not installed; install it by: "
            "pip install '.[evidence]' in the checkout"
        ) from None
