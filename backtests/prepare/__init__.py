"""From a spec and a snapshot to all that an engine, or a paper account, needs."""
