"""What a spec changes of a shipped one, in words."""

from collections.abc import Mapping
from typing import Any

# They change no result, and are told beside it.
_NAMES = ("run.name", "run.market", "universe.hindsight")


def changes_text(changes: Mapping[str, Any]) -> str:
    """Values by dotted key, as ``--set`` takes them; a key that is taken out is said to be."""
    told = {key: value for key, value in changes.items() if key not in _NAMES}
    return ", ".join(f"without {key}" if value is None else f"{key}={_short(value)}" for key, value in told.items())


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
