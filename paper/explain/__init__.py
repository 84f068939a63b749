"""Why an account differs from its backtest: its sessions played again, one cause swapped at a time."""
