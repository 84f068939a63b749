"""From observations, as they were known, to a liquidity regime with its reasons."""
