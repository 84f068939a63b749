"""What decisions know of prices, without a panel: for volatilities and averages that look back before a run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.market.snapshot import Snapshot
from data.prices.actions import adjusted_closes


def known_prices(snapshot: Snapshot, symbols: Sequence[str], decides_for: pd.DatetimeIndex) -> pd.DataFrame:
    """The last close that each decision knows, on the adjusted basis: `Panel.adjusted_decision_price` of any sessions.

    Args:
        snapshot: bars.
        symbols: of the snapshot.
        decides_for: sessions whose decisions ask; each sees bars of earlier dates alone.

    Returns:
        Sessions decided for by symbols; NaN before an instrument's first bar.

    Raises:
        InputError: a symbol without bars.
    """
    columns = {symbol: _last_before(adjusted_closes(snapshot, symbol), decides_for) for symbol in symbols}
    return pd.DataFrame(columns, index=decides_for)


def _last_before(closes: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    places = np.searchsorted(closes.index.to_numpy(), days.to_numpy(), side="left") - 1
    padded = np.append(closes.to_numpy(dtype=float), np.nan)
    known: np.ndarray = padded[np.where(places >= 0, places, len(padded) - 1)]
    return known
