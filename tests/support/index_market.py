"""A market with names whose slopes on rates are planted, some of which come late, leave the list, or die."""

from dataclasses import replace

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.market.manifest import BarUnits
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS, BARS, MEMBERSHIPS
from hand_made import make_instrument

COUNT = 21
NAMES = tuple(f"N{number:02d}" for number in range(COUNT))
# Planted slopes on the real yield and on the credit spread, for a change of one percentage point.
SLOPES = {name: -0.30 + 0.03 * number for number, name in enumerate(NAMES)}
LATE, LEAVER, DEAD = "N01", "N02", "N20"
LISTED, LEFT, DIED = pd.Timestamp("2018-02-01"), pd.Timestamp("2018-11-01"), pd.Timestamp("2019-03-15")


def planted_market(sample: Snapshot, noise: float = 0.004) -> Snapshot:
    """The sample with `NAMES` as members of an index: names of a low number lose as real yields and spreads rise.

    Args:
        sample: the built-in market.
        noise: standard deviation of what of a day's return is of the name alone.
    """
    random = np.random.default_rng(5)
    market = sample.bars[sample.bars["symbol"] == "SIM-MARKET"].set_index("date")["close"]
    market = market.loc["2015":"2021"]
    real, credit = (
        sample.series[sample.series["series"] == name].set_index("date")["value"].reindex(market.index, method="ffill")
        for name in ("DFII10", "BAA10Y")
    )
    rates = real + credit
    moves, answers = market.pct_change().fillna(0.0), rates.diff().fillna(0.0)
    frames, instruments = [], dict[str, Instrument]()
    for name, slope in SLOPES.items():
        own = moves + slope * answers + random.normal(0, noise, len(moves))
        close = 100 * (1 + own).cumprod()
        first = LISTED if name == LATE else close.index[0]
        close = close.loc[first : DIED if name == DEAD else close.index[-1]]
        begins = close.shift().fillna(close.iloc[0])
        frames.append(
            pd.DataFrame(
                {
                    "symbol": name,
                    "date": close.index,
                    "open": begins,
                    "high": np.maximum(begins, close),
                    "low": np.minimum(begins, close),
                    "close": close,
                    "adj_close": close,
                    "volume": 1e6,
                }
            )
        )
        instruments[name] = make_instrument(listed=f"{first:%Y-%m-%d}")
    died = {"symbol": DEAD, "date": DIED, "kind": "delisting", "value": 7.0, "known_at": DIED + pd.Timedelta(hours=21)}
    actions = pd.DataFrame([died | {"source": "made for a test", "into": "", "factor": np.nan}])
    actions["known_at"] = actions["known_at"].dt.tz_localize("UTC")
    return replace(
        sample,
        name="planted",
        bars=BARS.conform(pd.concat([sample.bars, *frames], ignore_index=True)),
        instruments=dict(sample.instruments) | instruments,
        actions=ACTIONS.conform(pd.concat([sample.actions, actions], ignore_index=True)),
        memberships=_memberships(),
        bar_units=dict(sample.bar_units) | dict.fromkeys(NAMES, BarUnits(prices="as_traded", volume="units")),
    )


def _memberships() -> pd.DataFrame:
    rows = [(name, LISTED if name == LATE else pd.Timestamp("2015-01-02"), True) for name in NAMES]
    rows += [(LEAVER, LEFT, False), (DEAD, DIED, False)]
    table = pd.DataFrame(rows, columns=["symbol", "date", "member"]).assign(sector="Planted", industry="")
    return MEMBERSHIPS.conform(table.assign(known_at=(table["date"] + pd.Timedelta(hours=22)).dt.tz_localize("UTC")))
