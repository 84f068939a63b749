"""Steps by the clock, and who is told of them."""
