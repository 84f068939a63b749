"""One step of an account: settle, reconcile, decide, guard, write, send, record."""
