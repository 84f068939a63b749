"""From a regime to target weights, from targets to orders; the Backtrader strategies."""
