"""The ledger of a paper account: append-only, intent before action."""
