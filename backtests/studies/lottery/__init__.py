"""The universe lottery: how much of a return was knowing the names, and how much the timing."""
