"""What a spec changes of a shipped one, in words."""

from collections.abc import Mapping
from typing import Any

# They change no result, and are told beside it.
_NAMES = ("run.name", "run.market", "universe.hindsight")


def changes_text(changes: Mapping[str, Any]) -> str:
    """Values by dotted key; a key that is taken out is said to be, and what a preset of costs brings is not said."""
    told = {key: value for key, value in changes.items() if key not in _NAMES}
    if (preset := changes.get("costs.preset")) is not None:
        brought = _brought_by(preset)
        told = {key: value for key, value in told.items() if key not in brought or brought[key] != value}
    return ", ".join(f"no {key}" if value is None else f"{key}={_short(value)}" for key, value in told.items())


def _brought_by(preset: str) -> dict[str, Any]:
    """The other costs that a preset sets, by dotted key, None where it takes one out; nothing of one that is gone."""
    from backtests.spec.costs import Costs
    from backtests.spec.versions import by_dotted_key

    try:
        costs = [Costs(), Costs.model_validate({"preset": preset})]
    except ValueError:
        return {}
    usual, of_preset = (by_dotted_key({"costs": each.model_dump(mode="json", exclude_none=True)}) for each in costs)
    return {key: of_preset.get(key) for key in {*of_preset, *usual} - {"costs.preset"}}


def _short(value: Any) -> str:
    text = f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
