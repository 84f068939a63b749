"""What the inputs of the signal are called by people, beside their names in code."""

import re

from signals.blocks import price_of_capital

SPREADS = "credit spreads"
RATES = {
    "DGS10": ("nominal yields", "10-year yields"),
    "DFII10": ("real yields", "real yields"),
    "BAA10Y": (SPREADS, "Baa spreads"),
    "BAMLH0A0HYM2": (SPREADS, "high-yield spreads"),
}
"""By series: what it is about, and its name."""
RATE_CHANGE = re.compile(rf"{price_of_capital.NAME}\.({'|'.join(RATES)})_(\d+)")
"""Name of an input that is a change: the series and the sessions."""

_TITLES = {
    "drain.capex_growth": "growth of capex",
    "drain.capex_to_cash_flow": "capex over cash flow",
    "drain.capex_and_leases_to_cash_flow": "the same with leases",
    "drain.results_surprise": "news in results",
    "drain.guidance_news": "news in guidance",
    "drain.outside_funding": "outside funding",
    price_of_capital.JOINT_RISE: "yields and spreads together",
    "level.net_liquidity": "net liquidity",
    "level.announced_pace": "announced pace",
    "pipes.SOFR_DFF": "repo less federal funds rate",
    "pipes.SOFR_IORB": "repo less interest on reserves",
}


def input_title(name: str) -> str:
    """Call an input by its words, with its name inside its block beside them; one of a user by its own name.

    Args:
        name: "block.input".

    Returns:
        Such as ``10-year yields, 20 sessions (DGS10_20)``.
    """
    code = name.partition(".")[2]
    rate = RATE_CHANGE.fullmatch(name)
    words = f"{RATES[rate[1]][1]}, {rate[2]} sessions" if rate else _TITLES.get(name)
    return f"{words} ({code})" if words else code
