"""Commands that measure a market beside its runs."""
