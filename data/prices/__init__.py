"""Prices on the session clock: adjusted or raw, with what happens to a held unit."""
