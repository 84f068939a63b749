"""The regime in a strategy of freqtrade: in the coin unless money is scarce.

Put it into user_data/strategies of a freqtrade into whose environment this project is installed too.
"""

import pandas as pd
from freqtrade.strategy import IStrategy, timeframe_to_minutes

import reverse_qe


class OutWhileScarce(IStrategy):
    """Regime and score are columns of the candles, as known when each candle ends."""

    INTERFACE_VERSION = 3
    timeframe = "1d"
    minimal_roi = {}  # noqa: RUF012
    stoploss = -0.99
    market = "sample"  # SIMULATED; "live" after `reverse-qe data fetch --name live`

    def populate_indicators(self, dataframe, metadata):
        """Add the signal. `date` is when a candle begins; it ends, and the next one fills, a timeframe later."""
        ends = dataframe["date"] + pd.Timedelta(minutes=timeframe_to_minutes(self.timeframe))
        known = reverse_qe.signal(market=self.market).at(ends)
        return dataframe.assign(regime=known["regime"].to_numpy(), score=known["score"].to_numpy())

    def populate_entry_trend(self, dataframe, metadata):
        """Be in the coin unless money is scarce; before the first decision nothing is known, and nothing is held."""
        dataframe.loc[dataframe["regime"].isin(["ABUNDANT", "NEUTRAL"]), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        """Leave when money is scarce."""
        dataframe.loc[dataframe["regime"] == "SCARCE", "exit_long"] = 1
        return dataframe
