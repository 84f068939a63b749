"""What a policy of a user may return, by hand: each fault by its first session and symbol."""

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from strategies.weight_checks import ROUNDING, require_weights

DAYS = pd.DatetimeIndex(["2024-02-05", "2024-02-06", "2024-02-07"])
TRADABLE = pd.DataFrame({"A": [True, True, True], "B": [False, True, True]}, index=DAYS)


def weights(a, b):
    return pd.DataFrame({"A": a, "B": b}, index=DAYS)


def test_what_fits_comes_back_as_floats():
    made = require_weights(weights([1, 0, 0], [0, 1, 0]), TRADABLE)
    assert made.dtypes.tolist() == [np.dtype(float)] * 2
    assert made.to_numpy().tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    # Rounding may miss 1 by as much as this, and no more.
    require_weights(weights([1.0 + ROUNDING, 0.0, 0.0], [0.0, 0.0, 0.0]), TRADABLE)


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ([0.5, np.nan, np.nan], [0.0, np.nan, 0.5], "2024-02-06: got nan for A, wanted a number; 0 for none"),
        ([0.5, 0.5, 0.5], [0.0, 0.5, np.nan], "2024-02-07: got nan for B, wanted a number"),
        ([0.5, 0.5, 0.5], [0.0, -0.1, -0.2], "2024-02-06: got -0.1 for B, wanted 0 or more"),
        ([0.5, 0.5, 0.5], [0.1, 0.5, 0.5], "2024-02-05: got 0.1 for B, but it cannot be traded then"),
        ([0.5, 0.0, 0.6], [0.0, 1.0, 0.5], "2024-02-07: got 0.6 for A, and the session's weights add up to more"),
        ([0.5, 0.0, 0.6], [0.0, 1.01, 0.5], "2024-02-06: got 1.01 for B, and the session's weights add up to more"),
        ([1.0 + 2e-9, 0.0, 0.0], [0.0, 0.0, 0.0], "2024-02-05: got 1 for A, and the session's weights add up"),
    ],
)
def test_the_first_fault_is_named(a, b, told):
    with pytest.raises(InputError) as refused:
        require_weights(weights(a, b), TRADABLE)
    assert f"target weights for {told}" in str(refused.value)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (5, "got int, wanted target weights as a DataFrame"),
        (weights([0, 0, 0], [0, 0, 0]).iloc[:2], r"got target weights of shape \(2, 2\), wanted .*\(3, 2\)"),
        (weights([0, 0, 0], [0, 0, 0])[["B", "A"]], "wanted the index and the columns of tradable"),
        (weights([0j, 0j, 0j], [0, 0, 0]), "complex numbers"),
        (weights(["x", "y", "z"], [0, 0, 0]), "got target weights that are no numbers"),
    ],
)
def test_what_is_no_table_of_weights_is_refused(made, told):
    with pytest.raises(InputError, match=told):
        require_weights(made, TRADABLE)
