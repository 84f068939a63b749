"""The terminal: how much is said, and its log; what the shell offers after Tab."""
