"""Engines: Backtrader, which is the truth, and the ledger."""
