"""Pages for people, complete in themselves: one kit, one page a module."""
