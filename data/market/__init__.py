"""A market: an immutable snapshot, its tables and identity, and the versions of one that grows."""
