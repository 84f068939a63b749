"""A spec told by what it changes: what `--set`, a file or a market made different from the shipped one."""

from typing import Any

from backtests.spec.spec import Spec, load_spec, shipped_specs


def told_by_change(spec: Spec, simulated: bool) -> dict[str, Any]:
    """A spec by its difference from a shipped one: that of its name, else the one for such a market.

    Args:
        spec: complete.
        simulated: whether it was run on a simulated market.

    Returns:
        ``spec``: its name; ``base``: that of the shipped one; ``differs``: the spec's values by dotted key, where they
        are not those of the shipped one; None for a key that the spec has no value for.
    """
    name = spec.run.name
    base = name if name in shipped_specs() else "sample" if simulated else "history"
    ours, theirs = spec.by_key(), load_spec(base).by_key()
    differs = {key: ours.get(key) for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)}
    return {"spec": name, "base": base, "differs": differs}
