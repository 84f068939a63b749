"""Studies of a market, in words."""
