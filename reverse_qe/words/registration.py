"""A registration in words, and as the file that it is."""

from collections.abc import Mapping
from typing import Any

import tomli_w

HEAD = """\
# Made by `reverse-qe evidence --register`: what is said before it is known. It counts as it stands, from
# `first_decision` on; whoever changes a word of it makes another one.

"""


def registration_toml(values: Mapping[str, Any]) -> str:
    """The file of a registration."""
    return HEAD + tomli_w.dumps(dict(values), multiline_strings=True)


def registration_sentences(values: Mapping[str, Any]) -> list[str]:
    """What is frozen, how it is judged, and how long that takes."""
    market, power, looks = values["market"], values["power"], values["looks"]["look"]
    so_far = power["so_far"]
    at_slope = so_far["years_needed_at_this_slope"]
    before = at_slope if isinstance(at_slope, str) else f"{at_slope:,.1f} years"
    simulated = "SIMULATED market" if market["simulated"] else "market"
    return [
        f"Registered at {values['registered_at']}, the newest moment of {simulated} {market['name']}; "
        f"decisions count from {values['first_decision']} on.",
        f"Frozen: spec {values['spec']['name']} ({values['spec']['sha256'][:12]}), form {values['signal']['form']}, "
        f"code ({values['code']['sha256'][:12]}), market ({market['sha256'][:12]}).",
        f"Endpoint: {values['endpoint']['statistic']}; outcome: {values['endpoint']['outcome']}; predictor: "
        f"{values['endpoint']['predictor']}. Expected: {values['endpoint']['expected']}.",
        f"Judged on {', '.join(look['date'] for look in looks)}: z above "
        f"{', '.join(format(look['bound'], '.2f') for look in looks)}, {values['looks']['alpha']:.0%} in all.",
        f"Years needed at a power of {power['power']:.0%}, were the {power['effect_is']}, {power['effect']:.2%}: "
        f"{power['years_needed']:.0f} by the looks; the daily bound is as small as that "
        f"after {power['years_needed_daily']:.1f}, with a power of a half.",
        f"At the slope so far ({so_far['slope']:+.4f}, error {so_far['error']:.4f}, {so_far['sessions']:,} sessions "
        f"from {so_far['first']} on, which count for nothing): {before}.",
    ]
