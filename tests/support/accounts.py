"""The files of a small paper account: a spec of one coin and one stock, whose regimes stand in a table beside it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import tomli_w


def write_account_files(
    folder: Path,
    *,
    start: date,
    regimes: Mapping[str, str],
    name: str = "turning",
    instrument_cap: float = 0.5,
    free: bool = False,
) -> Path:
    """Write `spec.toml` and `regimes.csv` into a folder.

    Args:
        folder: an existing folder.
        start: the first session of the spec.
        regimes: the regime told at each moment (ISO, UTC), in order.
        name: of the spec.
        instrument_cap: largest weight of an instrument.
        free: whether coins and stocks trade without a commission.

    Returns:
        The spec's path.
    """
    spec = {
        "run": {"name": name, "start": start},
        "universe": {"speculative": ["COIN"], "cash_flow": ["STOCK"], "benchmark": "STOCK"},
        "signal": {"source": "regimes.csv"},
        "policy": {"instrument_cap": instrument_cap},
    }
    if free:
        spec["costs"] = {"crypto": {"commission_bp": 0}, "us_stock": {"commission_bp": 0}}
    lines = ["known_at,regime", *(f"{moment},{regime}" for moment, regime in regimes.items())]
    (folder / "regimes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "spec.toml"
    path.write_text(tomli_w.dumps(spec), encoding="utf-8")
    return path
