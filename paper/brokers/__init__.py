"""Brokers of paper trading: the simulated one, which needs no network, and paper accounts at Alpaca."""
