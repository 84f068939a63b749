"""Hand-made indices: a market with members by sector, and the folder of one as `data import --universe` reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.market.snapshot import Snapshot
from data.market.tables import BARS, MEMBERSHIPS
from hand_made import make_instrument

SOFTWARE, MEMORY = "Software", "Memory"
NAMES = {SOFTWARE: [f"SW{number:02}" for number in range(20)], MEMORY: [f"ME{number:02}" for number in range(15)]}
FIRST_KNOWN = pd.Timestamp("2015-06-01 22:00", tz="UTC")


def with_exchangeable_names(
    sample: Snapshot, seed: int, ahead: Mapping[str, float] | None = None, noise: float = 0.015
) -> Snapshot:
    """The sample with names of two sectors: each moves as the mean of the sample's own of its kind, and by itself.

    Args:
        sample: a built-in market.
        seed: of what each name does by itself, which is as likely for any of its sector.
        ahead: by symbol, what it earns beyond the others, a session; none: all are alike.
        noise: standard deviation of what each does by itself, a session.
    """
    rng = np.random.default_rng(seed)
    kinds = {SOFTWARE: "SIM-SAAS", MEMORY: "SIM-MEMORY"}
    bars = [sample.bars]
    for sector, kind in kinds.items():
        own = sample.bars[sample.bars["symbol"].str.startswith(kind)]
        closes = own.pivot(index="date", columns="symbol", values="adj_close")
        logs = pd.DataFrame(np.log(closes.to_numpy()), closes.index)
        mean = logs.diff().mean(axis=1).fillna(0.0).to_numpy()
        for symbol in NAMES[sector]:
            alone = rng.normal((ahead or {}).get(symbol, 0.0), noise, len(mean))
            close = 50.0 * np.exp(np.cumsum(mean + alone))
            opens = close * np.exp(-0.5 * (mean + alone))
            bars.append(
                pd.DataFrame(
                    {
                        "symbol": symbol,
                        "date": closes.index,
                        "open": opens,
                        "high": np.maximum(opens, close),
                        "low": np.minimum(opens, close),
                        "close": close,
                        "adj_close": close,
                        "volume": 1e6,
                    }
                )
            )
    every = [symbol for names in NAMES.values() for symbol in names]
    return replace(
        sample,
        name="made",
        instruments={**sample.instruments, **{symbol: make_instrument(quantum=1e-6) for symbol in every}},
        bars=BARS.conform(pd.concat(bars)),
        memberships=memberships({symbol: sector for sector, names in NAMES.items() for symbol in names}),
    )


def memberships(sectors: Mapping[str, str]) -> pd.DataFrame:
    """All of them members from one day on."""
    rows = pd.DataFrame({"symbol": list(sectors), "sector": list(sectors.values())})
    return MEMBERSHIPS.conform(
        rows.assign(date=FIRST_KNOWN.tz_localize(None).normalize(), member=True, industry="", known_at=FIRST_KNOWN)
    )


def write_index(
    folder: Path,
    closes: pd.DataFrame,
    members: Sequence[tuple[str, str, str]],
    dead: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    industries: Mapping[str, str] | None = None,
) -> Path:
    """Write the folder of an index.

    Args:
        folder: to be made.
        closes: sessions by symbols.
        members: day, symbol and sector of each row of the tables of members.
        dead: final mark by symbol that no longer trades; "" where there is none.
        notes: by symbol.
        industries: newest, by symbol.
    """
    folder.mkdir()
    closes.set_axis(pd.DatetimeIndex(closes.index).strftime("%Y-%m-%d")).rename_axis("date").to_parquet(
        folder / "prices_adj_close.parquet"
    )
    symbols = pd.DataFrame({"symbol": list(closes.columns)})
    symbols["name"] = "Made " + symbols["symbol"]
    symbols["traded_to_2020_01"] = [symbol not in (dead or {}) for symbol in closes.columns]
    symbols["final_mark"] = [(dead or {}).get(symbol, "") for symbol in closes.columns]
    symbols["note"] = [(notes or {}).get(symbol, "") for symbol in closes.columns]
    symbols.to_csv(folder / "symbols.csv", index=False)
    rows = pd.DataFrame(list(members), columns=["date", "panel_column", "sector"])
    rows.to_csv(folder / "sp500_ivv_monthly.csv.gz", index=False)
    if industries:
        table = pd.DataFrame({"Symbol": list(industries), "GICS Sub-Industry": list(industries.values())})
        table.to_csv(folder / "sp500_sectors_current.csv", index=False)
    return folder
