"""The strategy on paper: configuration, ledger, guards, brokers."""
